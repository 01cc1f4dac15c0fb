/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses of servers: what is connected to, not listened at. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "base/units.h"
#include "config/model.h"
#include "config/server.h"

#define HOST_MAX	253	/* RFC 1035 section 2.3.4, as text */
#define LABEL_MAX	63

int
is_host_name(const char *s)
{
	size_t n;

	if (strlen(s) > HOST_MAX)
		return 0;
	for (;;) {
		n = strspn(s, "abcdefghijklmnopqrstuvwxyz"
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
		if (n == 0 || n > LABEL_MAX)
			return 0;
		if (s[n] == '\0')
			return 1;
		if (s[n] != '.')
			return 0;
		s += n + 1;
		if (*s == '\0')		/* the root's dot */
			return 1;
	}
}

static int
parse_unix(const char *text, struct conf_server *s, const char **why)
{
	if (addr_parse(text, &s->addr, why) == -1)
		return -1;
	if (text[5] != '/') {
		*why = "the path does not start with \"/\"";
		return -1;
	}
	s->host = xstrdup(text + 5);
	return 0;
}

/* An address, or what looks like one. */
static int
parse_literal(const char *text, struct conf_server *s, const char **why)
{
	const struct sockaddr_in *in = (const void *)&s->addr.ss;
	const struct sockaddr_in6 *in6 = (const void *)&s->addr.ss;

	if (addr_parse(text, &s->addr, why) == -1) {
		if (text[0] != '[')
			*why = "it is not an IPv4 address";
		return -1;
	}
	if (s->addr.ss.ss_family == AF_INET ?
	    in->sin_addr.s_addr == htonl(INADDR_ANY) :
	    IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr)) {
		*why = "it is not the address of a server";
		return -1;
	}
	return 0;
}

static int
parse_inet(const char *text, struct conf_server *s, const char **why)
{
	const char *colon = strrchr(text, ':');
	int64_t port;
	size_t n;

	n = colon == NULL ? strlen(text) : (size_t)(colon - text);
	if (colon == NULL || (text[0] == '[' && text[n - 1] != ']')) {
		*why = "the port is missing; write \"name:80\", "
		    "\"192.0.2.1:80\", \"[2001:db8::1]:80\" or "
		    "\"unix:/path\"";
		return -1;
	}
	if (int_parse(colon + 1, &port) == -1 || port < 1 || port > 65535) {
		*why = "the port is not a number from 1 to 65535";
		return -1;
	}
	s->port = (uint16_t)port;
	s->host = text[0] == '[' ? xstrndup(text + 1, n - 2) :
	    xstrndup(text, n);
	if (text[0] == '[' || (n > 0 && strspn(text, "0123456789.") == n))
		return parse_literal(text, s, why);
	if (is_host_name(s->host))
		return 0;
	*why = strchr(s->host, ':') != NULL ?
	    "an IPv6 address is written in brackets, as \"[2001:db8::1]:80\"" :
	    "it is neither a host name nor an address";
	return -1;
}

int
conf_server_parse(const char *text, struct conf_server *s, const char **why)
{
	int rc;

	memset(&s->addr, 0, sizeof(s->addr));
	s->host = s->name = NULL;
	s->port = 0;
	if (strlen(text) > CONF_SERVER_MAX) {
		*why = "it is longer than 191 bytes";
		return -1;
	}
	rc = strncmp(text, "unix:", 5) == 0 ? parse_unix(text, s, why) :
	    parse_inet(text, s, why);
	if (rc == -1) {
		free(s->host);
		s->host = NULL;
		return -1;
	}
	s->name = xstrdup(text);
	return 0;
}

void
conf_server_free(struct conf_server *s)
{
	free(s->name);
	free(s->host);
	s->name = s->host = NULL;
}

int
conf_server_same(const struct conf_server *a, const struct conf_server *b)
{
	if (a->addr.len != b->addr.len)
		return 0;
	if (a->addr.len > 0)
		return memcmp(&a->addr.ss, &b->addr.ss, a->addr.len) == 0;
	return a->port == b->port && strcasecmp(a->host, b->host) == 0;
}
