/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <time.h>
#include "handshake.h"

#define NAME_MAX_ 128

static hostd_buf
lower(hostd_buf name, char room[NAME_MAX_])
{
	const unsigned char *p = name.p;
	size_t i;

	if (name.n > NAME_MAX_)
		name.n = NAME_MAX_;
	for (i = 0; i < name.n; i++)
		room[i] = (char)tolower(p[i]);
	return (hostd_buf){ room, name.n };
}

static int
has_header(const struct eio_handshake *h, const char *name)
{
	const char *at = h->headers;
	char room[NAME_MAX_];
	hostd_buf b;
	uint32_t i;

	for (i = 0; i < h->nheaders; i++) {
		b = lower(eio_header(&at).name, room);
		if (b.n == strlen(name) && memcmp(b.p, name, b.n) == 0)
			return 1;
	}
	return 0;
}

/* Values that are no UTF-8 are left out: Node has them as Latin 1. */
static void
write_headers(struct hostd_json *j, const struct eio_handshake *h)
{
	const char *at = h->headers;
	char room[NAME_MAX_];
	hostd_hdr header;
	uint32_t i;

	hostd_json_key(j, "headers");
	hostd_json_begin(j, '{');
	for (i = 0; i < h->nheaders; i++) {
		header = eio_header(&at);
		if (!hostd_json_is_utf8(header.value))
			continue;
		hostd_json_strn(j, lower(header.name, room));
		hostd_json_bytes(j, ":", 1);
		hostd_json_strn(j, header.value);
	}
	hostd_json_end(j, '}');
}

static int
hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ?
	    c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One name or value, with its escapes taken back; of another text "". */
static void
write_decoded(struct hostd_json *j, const char *p, size_t n)
{
	hostd_buf b = { "", 0 };
	char *to = malloc(n + 1);
	size_t i, len = 0;

	for (i = 0; to != NULL && i < n; i++) {
		if (p[i] == '%' && i + 2 < n && hex(p[i + 1]) >= 0 &&
		    hex(p[i + 2]) >= 0) {
			to[len++] = (char)(hex(p[i + 1]) << 4 | hex(p[i + 2]));
			i += 2;
		} else
			to[len++] = p[i] == '+' ? ' ' : p[i];
	}
	if (to != NULL && hostd_json_is_utf8((hostd_buf){ to, len }))
		b = (hostd_buf){ to, len };
	hostd_json_strn(j, b);
	free(to);
}

void
handshake_query(struct hostd_json *j, hostd_buf query)
{
	const char *p = query.p, *end = hostd_json_end_of(query);
	const char *amp, *eq;

	hostd_json_begin(j, '{');
	for (; p < end; p = amp + 1) {
		if ((amp = memchr(p, '&', (size_t)(end - p))) == NULL)
			amp = end;
		if (amp == p)
			continue;
		if ((eq = memchr(p, '=', (size_t)(amp - p))) == NULL)
			eq = amp;
		write_decoded(j, p, (size_t)(eq - p));
		hostd_json_bytes(j, ":", 1);
		write_decoded(j, eq < amp ? eq + 1 : amp,
		    eq < amp ? (size_t)(amp - eq - 1) : 0);
	}
	hostd_json_end(j, '}');
}

static void
write_text(struct hostd_json *j, const char *key, hostd_buf text)
{
	hostd_json_key(j, key);
	hostd_json_strn(j, hostd_json_is_utf8(text) ? text :
	    (hostd_buf){ "", 0 });
}

static void
write_bool(struct hostd_json *j, const char *key, int on)
{
	hostd_json_key(j, key);
	hostd_json_raw(j, hostd_str(on ? "true" : "false"));
}

void
handshake_write(struct hostd_json *j, const struct eio_handshake *h,
    hostd_buf auth)
{
	time_t t = (time_t)(h->time_ms / 1000);
	char when[80] = "";
	struct tm tm;

	if (gmtime_r(&t, &tm) != NULL)
		(void)strftime(when, sizeof(when), "%a %b %d %Y %H:%M:%S "
		    "GMT+0000 (Coordinated Universal Time)", &tm);
	hostd_json_begin(j, '{');
	write_headers(j, h);
	write_text(j, "time", hostd_str(when));
	write_text(j, "address", h->peer);
	write_bool(j, "xdomain", has_header(h, "origin"));
	write_bool(j, "secure", (h->flags & HOSTD_REQ_TLS) != 0);
	hostd_json_key(j, "issued");
	hostd_json_int64(j, h->time_ms);
	write_text(j, "url", h->url);
	hostd_json_key(j, "query");
	handshake_query(j, h->query);
	hostd_json_key(j, "auth");
	hostd_json_raw(j, auth.n > 0 ? auth : hostd_str("{}"));
	hostd_json_end(j, '}');
}
