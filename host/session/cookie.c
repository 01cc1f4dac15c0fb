/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include "base/utf8.h"
#include "session/cookie.h"

/* -- reading -- */

static int
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Without blanks around it. */
static hostd_buf
trim(const char *p, const char *end)
{
	while (p < end && is_blank(*p))
		p++;
	while (end > p && is_blank(end[-1]))
		end--;
	return (hostd_buf){ p, (size_t)(end - p) };
}

/* In one header. */
static hostd_buf
find_in(hostd_buf header, const char *name, size_t len)
{
	const char *p = header.p, *end = p + header.n, *stop, *eq;
	hostd_buf key;

	for (; p < end; p = stop + 1) {
		stop = memchr(p, ';', (size_t)(end - p));
		if (stop == NULL)
			stop = end;
		eq = memchr(p, '=', (size_t)(stop - p));
		if (eq == NULL)
			continue;
		key = trim(p, eq);
		if (key.n == len && memcmp(key.p, name, len) == 0)
			return trim(eq + 1, stop);
	}
	return (hostd_buf){ NULL, 0 };
}

hostd_buf
cookie_find(const hostd_hdr *h, uint32_t n, const char *name)
{
	hostd_buf found = { NULL, 0 };
	size_t len = strlen(name);
	uint32_t i;

	for (i = 0; i < n && found.p == NULL; i++)
		if (h[i].name.n == 6 &&
		    strncasecmp(h[i].name.p, "cookie", 6) == 0 &&
		    h[i].value.n > 0)
			found = find_in(h[i].value, name, len);
	return found;
}

static int
hex_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t
put_latin1(char c, char *out)
{
	unsigned char u = (unsigned char)c;

	if (u < 0x80) {
		out[0] = c;
		return 1;
	}
	out[0] = (char)(0xc0 | u >> 6);
	out[1] = (char)(0x80 | (u & 63));
	return 2;
}

static int
is_ascii(const char *p, size_t n)
{
	uint64_t word, all = 0;

	for (; n >= sizeof(word); p += sizeof(word), n -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		all |= word;
	}
	while (n-- > 0)
		all |= (unsigned char)*p++;
	return (all & 0x8080808080808080u) == 0;
}

static size_t
put_all(const char *p, size_t n, char *out)
{
	size_t i, len = 0;

	if (is_ascii(p, n)) {
		memcpy(out, p, n);
		return n;
	}
	for (i = 0; i < n; i++)
		len += put_latin1(p[i], out + len);
	return len;
}

/* Its length, or -1: not what encodeURIComponent makes of any text. */
static ssize_t
decode_percent(hostd_buf in, char *out)
{
	const char *p = in.p, *end = p + in.n, *next;
	size_t len = 0;

	for (; p < end; p = next + 3) {
		next = memchr(p, '%', (size_t)(end - p));
		if (next == NULL)
			next = end;
		len += put_all(p, (size_t)(next - p), out + len);
		if (next == end)
			break;
		if (end - next < 3 || hex_of(next[1]) == -1 ||
		    hex_of(next[2]) == -1)
			return -1;
		out[len++] = (char)(hex_of(next[1]) << 4 | hex_of(next[2]));
	}
	/* What was not encoded are whole characters, so what was are, too. */
	return utf8_is_valid(out, len) ? (ssize_t)len : -1;
}

size_t
cookie_decode(hostd_buf sent, char *room)
{
	const char *p = sent.p;
	ssize_t n;

	if (sent.n == 1 && *p == '"')
		return 0;
	if (sent.n > 1 && *p == '"' && p[sent.n - 1] == '"')
		sent = (hostd_buf){ ++p, sent.n - 2 };
	n = decode_percent(sent, room);
	if (n >= 0)
		return (size_t)n;
	return put_all(p, sent.n, room);
}

int
cookie_open(hostd_buf sent, struct secrets *s, size_t max, char *room,
    hostd_buf *key)
{
	const char *dot;
	size_t n;

	if (sent.p == NULL || sent.n > COOKIE_VALUE_MAX)
		return -1;
	n = cookie_decode(sent, room);
	if (n < 2 || memcmp(room, "s:", 2) != 0)
		return -1;
	dot = memrchr(room, '.', n);
	if (dot == NULL)
		return -1;
	key->p = room + 2;
	key->n = (size_t)(dot - room) - 2;
	if (!session_id_is_key(key->p, key->n, max))
		return -1;
	return secrets_verify(s, key->p, key->n, dot + 1,
	    n - (size_t)(dot + 1 - room));
}

/* -- writing -- */

void
cookie_encode(struct buf *b, const char *p, size_t n)
{
	static const char digits[] = "0123456789ABCDEF";
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()";
	char *out = buf_reserve(b, 3 * n);
	size_t i, len = 0;

	for (i = 0; i < n; i++) {
		if (p[i] != '\0' && strchr(plain, p[i]) != NULL) {
			out[len++] = p[i];
			continue;
		}
		out[len++] = '%';
		out[len++] = digits[(unsigned char)p[i] >> 4];
		out[len++] = digits[(unsigned char)p[i] & 15];
	}
	b->len += len;
}

static void
put_expires(struct buf *b, int64_t ms)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t when = (time_t)(ms / 1000);
	struct tm t;

	if (gmtime_r(&when, &t) == NULL)
		return;
	buf_printf(b, "; Expires=%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
	    days + 3 * t.tm_wday, t.tm_mday, months + 3 * t.tm_mon,
	    t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

static void
put_word(struct buf *b, const char *name, const char *word)
{
	buf_puts(b, name);
	buf_puts(b, word);
}

static void
put_attributes(struct buf *b, const struct conf_session *c, int64_t expires_ms,
    int is_secure)
{
	static const char *const priorities[] = { NULL, "Low", "Medium",
		"High" };
	static const char *const samesites[] = { NULL, "Lax", "Strict",
		"None" };

	if (c->domain != NULL)
		put_word(b, "; Domain=", c->domain);
	if (*c->path != '\0')
		put_word(b, "; Path=", c->path);
	if (expires_ms >= 0)
		put_expires(b, expires_ms);
	if (c->httponly)
		buf_puts(b, "; HttpOnly");
	if (c->secure == CONF_SECURE_ON ||
	    (c->secure == CONF_SECURE_AUTO && is_secure))
		buf_puts(b, "; Secure");
	if (c->partitioned)
		buf_puts(b, "; Partitioned");
	if (c->priority != CONF_PRIORITY_OFF)
		put_word(b, "; Priority=", priorities[c->priority]);
	if (c->samesite != CONF_SAMESITE_OFF)
		put_word(b, "; SameSite=", samesites[c->samesite]);
}

void
cookie_write(struct buf *b, const struct conf_session *c, struct secrets *s,
    hostd_buf key, int64_t expires_ms, int is_secure)
{
	char mac[SECRETS_MAC_LEN];

	secrets_sign(s, key.p, key.n, mac);
	put_word(b, c->cookie, "=s%3A");
	cookie_encode(b, key.p, key.n);
	buf_append(b, ".", 1);
	cookie_encode(b, mac, sizeof(mac));
	put_attributes(b, c, expires_ms, is_secure);
}

void
cookie_clear(struct buf *b, const struct conf_session *c, int is_secure)
{
	put_word(b, c->cookie, "=");
	put_attributes(b, c, 0, is_secure);
}

int
cookie_may_go(const struct conf_session *c, int is_secure)
{
	return c->secure != CONF_SECURE_ON || is_secure;
}

int
cookie_covers(const struct conf_session *c, hostd_buf path)
{
	size_t n = strlen(c->path);

	return path.n >= n && memcmp(path.p, c->path, n) == 0;
}
