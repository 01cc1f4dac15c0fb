/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include "http/guard.h"
#include "http/real_ip.h"
#include "net/addr.h"

#define ADDRESS_MAX	64	/* "[" IPv6 "]:65535" */

static hostd_buf
trim(const char *p, size_t n)
{
	while (n > 0 && (*p == ' ' || *p == '\t')) {
		p++;
		n--;
	}
	while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t'))
		n--;
	return (hostd_buf){ p, n };
}

/* ":" and 1 to 5 digits, or nothing. */
static int
is_port(const char *p)
{
	size_t n;

	if (*p == '\0')
		return 1;
	n = strspn(p + 1, "0123456789");
	return *p == ':' && n >= 1 && n <= 5 && p[1 + n] == '\0';
}

static int
parse_text(char *s, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *in6 = (void *)ss;
	struct sockaddr_in *in = (void *)ss;
	char *end;

	memset(ss, 0, sizeof(*ss));
	if (*s == '[') {
		if ((end = strchr(s, ']')) == NULL || !is_port(end + 1))
			return -1;
		*end = '\0';
		ss->ss_family = AF_INET6;
		return inet_pton(AF_INET6, s + 1, &in6->sin6_addr) == 1 ? 0 :
		    -1;
	}
	ss->ss_family = AF_INET6;
	if (inet_pton(AF_INET6, s, &in6->sin6_addr) == 1)
		return 0;
	if ((end = strchr(s, ':')) != NULL) {
		if (!is_port(end))
			return -1;
		*end = '\0';
	}
	ss->ss_family = AF_INET;
	return inet_pton(AF_INET, s, &in->sin_addr) == 1 ? 0 : -1;
}

int
real_ip_parse(hostd_buf text, struct sockaddr_storage *ss)
{
	char copy[ADDRESS_MAX];

	if (text.n == 0 || text.n >= sizeof(copy) ||
	    memchr(text.p, '\0', text.n) != NULL)
		return -1;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	if (strcmp(copy, "unix") == 0 || strcmp(copy, "unix:") == 0) {
		memset(ss, 0, sizeof(*ss));
		ss->ss_family = AF_UNIX;
		return 0;
	}
	return parse_text(copy, ss);
}

/*
 * The node of one element of Forwarded (RFC 7239 section 4), "for=192.0.2.1;
 * proto=https" or for="[2001:db8::1]:80", without its quotes: 0, or -1.  An
 * address has nothing that a quoted string would have to escape.
 */
static int
forwarded_for(hostd_buf element, hostd_buf *node)
{
	const char *p = element.p, *end = p + element.n, *eq, *v;
	hostd_buf name;
	int found = 0;

	while (p < end) {
		if ((eq = memchr(p, '=', (size_t)(end - p))) == NULL)
			return -1;
		name = trim(p, (size_t)(eq - p));
		if (!is_token(name.p, name.n))
			return -1;
		v = p = eq + 1;
		if (p < end && *p == '"') {
			v++;
			if ((p = memchr(v, '"', (size_t)(end - v))) == NULL)
				return -1;
		} else
			while (p < end && is_tchar((unsigned char)*p))
				p++;
		if (name.n == 3 && strncasecmp(name.p, "for", 3) == 0) {
			if (found++)
				return -1;
			*node = (hostd_buf){ v, (size_t)(p - v) };
		}
		if (p < end && *p == '"')
			p++;
		while (p < end && (*p == ' ' || *p == '\t'))
			p++;
		if (p < end && *p++ != ';')
			return -1;
	}
	return found ? 0 : -1;
}

struct walk {
	const struct conf_http *conf;
	int is_forwarded;
	int found;
	struct sockaddr_storage client;
};

/* One element, the next from the end: 0, or -1: no further. */
static int
walk_element(struct walk *w, hostd_buf element)
{
	struct sockaddr_storage ss;

	if ((w->is_forwarded && forwarded_for(element, &element) == -1) ||
	    real_ip_parse(element, &ss) == -1 || ss.ss_family == AF_UNIX)
		return -1;
	w->client = ss;
	w->found = 1;
	return w->conf->real_ip_recursive && cidrs_have(&w->conf->real_ip_from,
	    (const struct sockaddr *)&ss) ? 0 : -1;
}

/* One line of the header, from its end: 0, or -1: no further. */
static int
walk_line(struct walk *w, hostd_buf line)
{
	const char *p = line.p;
	size_t n = line.n, from;

	for (;;) {
		for (from = n; from > 0 && p[from - 1] != ','; from--)
			;
		if (walk_element(w, trim(p + from, n - from)) == -1)
			return -1;
		if (from == 0)
			return 0;
		n = from - 1;
	}
}

static int
is_named(const hostd_hdr *h, const char *name)
{
	return h->name.n == strlen(name) &&
	    strncasecmp(h->name.p, name, h->name.n) == 0;
}

int
real_ip_find(const struct conf_http *conf, const struct http_req *r,
    hostd_buf peer, char out[REAL_IP_TEXT])
{
	struct walk w = { .conf = conf };
	struct sockaddr_storage ss;
	uint32_t i;

	if (real_ip_parse(peer, &ss) == -1 ||
	    !cidrs_have(&conf->real_ip_from, (const struct sockaddr *)&ss))
		return 0;
	w.is_forwarded = strcasecmp(conf->real_ip_header, "Forwarded") == 0;
	for (i = r->view.nheaders; i > 0; i--)
		if (is_named(&r->headers[i - 1], conf->real_ip_header) &&
		    walk_line(&w, r->headers[i - 1].value) == -1)
			break;
	if (w.found)
		(void)addr_host((const struct sockaddr *)&w.client, out,
		    REAL_IP_TEXT);
	return w.found;
}
