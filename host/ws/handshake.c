/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/evp.h>
#include <string.h>
#include <strings.h>
#include "base/log.h"
#include "ws/handshake.h"

#define STR(s)		(hostd_buf){ (s), sizeof(s) - 1 }

#define KEY_SIZE	24	/* of 16 bytes in base64 */
#define GUID		"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

typedef int (*compare)(const char *, const char *, size_t);

static int
is_same(hostd_buf a, hostd_buf b, compare cmp)
{
	return a.n == b.n && a.n > 0 && cmp(a.p, b.p, a.n) == 0;
}

static int
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Is word one of a header's comma-separated items? */
static int
list_has(hostd_buf list, hostd_buf word, compare cmp)
{
	const char *p = list.p, *end = p + list.n, *comma;
	hostd_buf item;

	for (; p < end; p = comma + 1) {
		comma = memchr(p, ',', (size_t)(end - p));
		if (comma == NULL)
			comma = end;
		while (p < comma && is_blank(*p))
			p++;
		item = (hostd_buf){ p, (size_t)(comma - p) };
		while (item.n > 0 && is_blank(p[item.n - 1]))
			item.n--;
		if (is_same(item, word, cmp))
			return 1;
	}
	return 0;
}

/* Is word in any of the headers of that name? */
static int
names(const struct http_req *r, hostd_buf header, hostd_buf word, compare cmp)
{
	uint32_t i;

	for (i = 0; i < r->view.nheaders; i++)
		if (is_same(r->headers[i].name, header, strncasecmp) &&
		    list_has(r->headers[i].value, word, cmp))
			return 1;
	return 0;
}

/* The value of a header that must be there just once; p NULL if not so. */
static hostd_buf
only(const struct http_req *r, hostd_buf header)
{
	hostd_buf found = { NULL, 0 };
	uint32_t i;

	for (i = 0; i < r->view.nheaders; i++) {
		if (!is_same(r->headers[i].name, header, strncasecmp))
			continue;
		if (found.p != NULL)
			return (hostd_buf){ NULL, 0 };
		found = r->headers[i].value;
	}
	return found;
}

int
ws_handshake_is_upgrade(const struct http_req *r)
{
	return r->known[KNOWN_UPGRADE] != 0 &&
	    names(r, STR("Upgrade"), STR("websocket"), strncasecmp);
}

/*
 * Bits of the last character that stand for no byte may be set: RFC 4648
 * leaves it to us, and nothing is made of the bytes.
 */
static int
is_key(hostd_buf key)
{
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *p = key.p;
	size_t i;

	if (key.n != KEY_SIZE || memcmp(p + KEY_SIZE - 2, "==", 2) != 0)
		return 0;
	for (i = 0; i < KEY_SIZE - 2; i++)
		if (memchr(base64, p[i], sizeof(base64) - 1) == NULL)
			return 0;
	return 1;
}

int
ws_handshake_check(const struct http_req *r)
{
	hostd_buf version = only(r, STR("Sec-WebSocket-Version"));

	if (r->view.method != HOSTD_METHOD_GET)
		return 405;
	if (r->minor != 1 || r->body != BODY_NONE ||
	    !names(r, STR("Connection"), STR("upgrade"), strncasecmp) ||
	    !is_key(only(r, STR("Sec-WebSocket-Key"))))
		return 400;
	return is_same(version, STR("13"), strncmp) ? 0 : 426;
}

void
ws_handshake_accept(hostd_buf key, char out[WS_ACCEPT_SIZE])
{
	char text[KEY_SIZE + sizeof(GUID) - 1];
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n;

	memcpy(text, key.p, KEY_SIZE);
	memcpy(text + KEY_SIZE, GUID, sizeof(GUID) - 1);
	if (EVP_Digest(text, sizeof(text), digest, &n, EVP_sha1(), NULL) != 1)
		fatalx("no SHA-1 from libcrypto");
	(void)EVP_EncodeBlock((unsigned char *)out, digest, (int)n);
}

int
ws_handshake_offers(const struct http_req *r, hostd_buf name)
{
	return names(r, STR("Sec-WebSocket-Protocol"), name, strncmp);
}

/* Of a page, or what one is compared with. */
struct origin {
	hostd_buf scheme, host;
	unsigned port;
	int below;		/* stands for what is below the host */
};

static unsigned
scheme_port(hostd_buf scheme)
{
	if (is_same(scheme, STR("https"), strncasecmp))
		return 443;
	return is_same(scheme, STR("http"), strncasecmp) ? 80 : 0;
}

/* Bytes of the host that p starts with. */
static size_t
host_length(const char *p, size_t n)
{
	const char *end;
	size_t i;

	if (n > 0 && p[0] == '[') {
		end = memchr(p, ']', n);
		return end == NULL ? 0 : (size_t)(end - p) + 1;
	}
	for (i = 0; i < n && ((p[i] >= '0' && p[i] <= '9') ||
	    (p[i] >= 'A' && p[i] <= 'Z') || (p[i] >= 'a' && p[i] <= 'z') ||
	    p[i] == '.' || p[i] == '-' || p[i] == '_'); i++)
		;
	return i;
}

/* Host, and port if it has one; nothing else.  0 or -1. */
static int
parse_authority(struct origin *o, const char *p, size_t n)
{
	size_t i, len = host_length(p, n);
	unsigned port = 0;

	o->host = (hostd_buf){ p, len };
	if (len == 0 || (len < n && p[len] != ':') || n > len + 6)
		return -1;
	for (i = len + 1; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		port = port * 10 + (unsigned)(p[i] - '0');
	}
	if (n > len + 1)
		o->port = port;
	return 0;
}

/* "scheme://host" or "scheme://host:port" (RFC 6454 section 6.2), perhaps with
 * "*." before the host; 0 or -1. */
static int
parse_origin(struct origin *o, const char *p, size_t n)
{
	const char *host = memmem(p, n, "://", 3), *end = p + n;

	if (host == NULL)
		return -1;
	o->scheme = (hostd_buf){ p, (size_t)(host - p) };
	o->port = scheme_port(o->scheme);
	host += 3;
	o->below = end - host > 2 && memcmp(host, "*.", 2) == 0;
	if (o->below)
		host += 2;
	return parse_authority(o, host, (size_t)(end - host));
}

/*
 * Host's own port, or that of the origin's scheme: whether a proxy before us
 * has talked TLS with the client, nobody tells us.  Of whom we have talked it
 * with ourselves, the page has come by it, too.
 */
static int
is_host(const struct origin *o, const struct http_req *r)
{
	hostd_buf host = request_known(r, KNOWN_HOST);
	struct origin asked = { .port = scheme_port(o->scheme) };

	if ((r->view.flags & HOSTD_REQ_TLS) != 0 &&
	    !is_same(o->scheme, STR("https"), strncasecmp))
		return 0;
	return host.n > 0 && parse_authority(&asked, host.p, host.n) == 0 &&
	    is_same(asked.host, o->host, strncasecmp) && asked.port == o->port;
}

static int
is_below(hostd_buf host, hostd_buf domain)
{
	const char *p = host.p;
	size_t n = host.n;

	return n > domain.n + 1 && p[n - domain.n - 1] == '.' &&
	    strncasecmp(p + n - domain.n, domain.p, domain.n) == 0;
}

static int
matches(const struct origin *o, const char *pattern)
{
	struct origin want;

	return parse_origin(&want, pattern, strlen(pattern)) == 0 &&
	    is_same(o->scheme, want.scheme, strncasecmp) &&
	    o->port == want.port && (want.below ?
	    is_below(o->host, want.host) :
	    is_same(o->host, want.host, strncasecmp));
}

int
ws_handshake_origin_ok(const struct http_req *r, char *const *patterns,
    size_t npatterns)
{
	hostd_buf sent = only(r, STR("Origin"));
	struct origin o;
	size_t i;
	int is_one;

	if (npatterns == 0 || request_header(r, "Origin", 6) == NULL)
		return 1;
	/* More than one is as good as one that can't be read. */
	is_one = sent.p != NULL && parse_origin(&o, sent.p, sent.n) == 0 &&
	    !o.below;
	for (i = 0; i < npatterns; i++) {
		if (strcmp(patterns[i], "*") == 0)
			return 1;
		if (is_one && (strcmp(patterns[i], "same") == 0 ?
		    is_host(&o, r) :
		    matches(&o, patterns[i])))
			return 1;
	}
	return 0;
}
