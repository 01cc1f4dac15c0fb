/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cookie headers, one in each line, and a key for a cookie of ours.
 *
 * What must hold: the value lies in a header, what it means is UTF-8 of at most
 * twice its length, nothing is taken that was not signed, and a cookie of ours
 * is found among the others and gives its key back.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/utf8.h"
#include "session/cookie.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define LINES	8
#define NAME	"connect.sid"

static char room[COOKIE_ROOM];

static void
must(int holds)
{
	if (!holds)
		abort();
}

static struct secrets *
secrets(void)
{
	static struct secrets *s;
	char why[256];

	if (s == NULL)
		s = secrets_new("new\nkeyboard cat", 16, why, sizeof(why));
	must(s != NULL);
	return s;
}

static uint32_t
split(const char *p, size_t n, hostd_hdr *h)
{
	const char *end = p + n, *stop;
	uint32_t lines = 0;

	for (; p < end && lines < LINES; p = stop + 1, lines++) {
		stop = memchr(p, '\n', (size_t)(end - p));
		if (stop == NULL)
			stop = end;
		h[lines].name = (hostd_buf){ "Cookie", 6 };
		h[lines].value = (hostd_buf){ p, (size_t)(stop - p) };
	}
	return lines;
}

/* Not by chance: whoever has no secret has none that is taken. */
static void
check_taken(hostd_buf sent)
{
	char mac[SECRETS_MAC_LEN];
	hostd_buf key;
	int which = cookie_open(sent, secrets(), SESSION_KEY_MAX, room, &key);

	if (which < 0)
		return;
	must(which < 2 && session_id_is_key(key.p, key.n, SESSION_KEY_MAX));
	must(memchr(sent.p, 's', sent.n) != NULL);
	secrets_sign(secrets(), key.p, key.n, mac);
	must(which == 1 || memcmp((const char *)key.p + key.n + 1, mac,
	    sizeof(mac)) == 0);
}

static void
check_ours(const char *p, size_t n, hostd_hdr *h, uint32_t lines)
{
	static char name[] = NAME, path[] = "/";
	struct conf_session c = { .cookie = name, .path = path };
	struct buf b = { NULL, 0, 0 };
	hostd_buf sent, key = { p, n };
	hostd_hdr swap;
	char *end;

	cookie_write(&b, &c, secrets(), key, -1, 0);
	end = memchr(b.p, ';', b.len);
	must(end != NULL);
	h[lines].name = (hostd_buf){ "cookie", 6 };
	h[lines].value = (hostd_buf){ b.p, (size_t)(end - b.p) };
	swap = h[0];
	h[0] = h[lines];
	h[lines] = swap;
	sent = cookie_find(h, lines + 1, NAME);
	if (session_id_is_key(p, n, SESSION_KEY_MAX)) {
		must(cookie_open(sent, secrets(), SESSION_KEY_MAX, room,
		    &key) == 0);
		must(key.n == n && memcmp(key.p, p, n) == 0);
	} else
		must(cookie_open(sent, secrets(), SESSION_KEY_MAX, room,
		    &key) == -1);
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data, *from;
	hostd_hdr h[LINES + 1];
	uint32_t lines, i;
	hostd_buf sent;
	size_t n;

	if (size > COOKIE_VALUE_MAX)
		return 0;
	lines = split(p, size, h);
	sent = cookie_find(h, lines, NAME);
	if (sent.p != NULL) {
		for (i = 0; i < lines; i++) {
			from = h[i].value.p;
			if ((const char *)sent.p >= from &&
			    (const char *)sent.p + sent.n <=
			    from + h[i].value.n)
				break;
		}
		must(i < lines);
		n = cookie_decode(sent, room);
		must(n <= 2 * sent.n && utf8_is_valid(room, n));
		check_taken(sent);
	}
	n = size < SESSION_KEY_MAX + 2 ? size : SESSION_KEY_MAX + 2;
	check_ours(p, n, h, lines);
	return 0;
}
