/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What http_proxy makes of what clients and servers say.  The input is a line
 * each: a target, Host, X-Forwarded-For, Cookie, Location, Refresh, Set-Cookie,
 * Connection, X-Request-ID, and a template of the operator's.
 *
 * What must hold: a target stays one without white space, a value has no byte
 * that it did not have before, and everything ends within its memory.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "hop.h"
#include "redirect.h"
#include "request_id.h"
#include "target.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum { TARGET, HOST, FORWARDED, COOKIE, LOCATION, REFRESH, SET_COOKIE,
	CONNECTION, ID, TEMPLATE, LINES };

static struct head head;

static void
must(int holds)
{
	if (!holds)
		abort();
}

/* As the host has checked them: no byte that no header may have. */
static int
is_value(hostd_buf b)
{
	const unsigned char *p = b.p;
	size_t i;

	for (i = 0; i < b.n; i++)
		if ((p[i] < 0x20 && p[i] != '\t') || p[i] == 0x7f)
			return 0;
	return 1;
}

static int
is_target(hostd_buf b)
{
	const unsigned char *p = b.p;
	size_t i;

	for (i = 0; i < b.n; i++)
		if (p[i] <= 0x20 || p[i] >= 0x7f)
			return 0;
	return b.n > 0;
}

/* Escapes decoded, as the host has done it; 0: it would have refused. */
static int
decode(hostd_buf raw, char *out, size_t *n)
{
	const char *p = raw.p;
	char digits[3] = "";
	size_t i;

	*n = 0;
	for (i = 0; i < raw.n && p[i] != '?'; i++) {
		if (p[i] == '%') {
			if (raw.n - i < 3 || strspn(p + i + 1,
			    "0123456789abcdefABCDEF") < 2)
				return 0;
			memcpy(digits, p + i + 1, 2);
			out[(*n)++] = (char)strtol(digits, NULL, 16);
			i += 2;
		} else
			out[(*n)++] = p[i];
	}
	return *n > 0 && out[0] == '/';
}

static void
try_target(struct hostd_request *q, hostd_buf raw)
{
	hostd_buf none = { NULL, 0 }, out;
	char *copy = malloc(raw.n + 1), *path = malloc(raw.n + 1);
	size_t n;

	memcpy(copy, raw.p, raw.n);
	copy[raw.n] = '\0';
	q->target = text_of(copy, raw.n);
	if (is_target(q->target) && decode(q->target, path, &n)) {
		q->path = text_of(path, n);
		q->rest = text_of(path + n / 2, n - n / 2);
		out = target_make(q, none, &head);
		must(text_same(out, q->target));
		out = target_make(q, text_of("/new/", 5), &head);
		must(is_target(out) && text_begins(out, text_of("/new/", 5)));
	}
	free(copy);
	free(path);
	q->target = text_of("/", 1);
	q->path = q->target;
	q->rest = text_of(NULL, 0);
}

static void
try_answer(const struct facts *f, const hostd_buf *line)
{
	static struct pair path[] = { { TEXT("/a"), TEXT("/") },
		{ TEXT("/b"), { NULL, 0 } } };
	static struct pair domain[] = { { TEXT("a.test"), TEXT("b.test") } };
	struct pairs paths = { path, 2 }, domains = { domain, 1 };
	struct settings s;

	memset(&s, 0, sizeof(s));
	s.redirect = 1;
	s.rewrite = text_of("/new/", 5);
	s.redirects = paths;
	must(is_value(redirect_location(&s, line[LOCATION], f,
	    text_of("a", 1), &head)));
	must(is_value(redirect_refresh(&s, line[REFRESH], f, text_of("a", 1),
	    &head)));
	must(is_value(cookie_rewrite(line[SET_COOKIE], &paths, &domains,
	    &head)));
}

static void
try_template(const struct facts *f, hostd_buf text)
{
	char *copy = malloc(text.n + 1);
	struct template t;
	const char *bad;

	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	if (template_parse(&t, copy, &bad) == 0) {
		must(is_value(template_expand(&t, f, &head)));
		template_free(&t);
	} else
		must(bad >= copy && bad <= copy + text.n);
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hostd_buf rest = { data, size }, line[LINES];
	struct hostd_fetch_response a;
	struct hostd_request q;
	struct facts f;
	struct hop hop;
	hostd_hdr h[4];
	int i;

	memset(&a, 0, sizeof(a));
	memset(&q, 0, sizeof(q));
	memset(&f, 0, sizeof(f));
	for (i = 0; i < LINES; i++)
		if (rest.p == NULL || !text_next(&rest, '\n', &line[i]) ||
		    !is_value(line[i]))
			line[i] = text_of("", 0);
	h[0] = (hostd_hdr){ TEXT("Host"), line[HOST] };
	h[1] = (hostd_hdr){ TEXT("X-Forwarded-For"), line[FORWARDED] };
	h[2] = (hostd_hdr){ TEXT("Cookie"), line[COOKIE] };
	h[3] = (hostd_hdr){ TEXT("Connection"), line[CONNECTION] };
	q.headers = h;
	q.nheaders = 4;
	q.peer = text_of("192.0.2.1", 9);
	a.server = text_of("10.0.0.1:80", 11);
	a.upstream = text_of("app", 3);
	f.request = &q;
	f.answer = &a;
	head_clear(&head);
	try_target(&q, line[TARGET]);
	try_answer(&f, line);
	try_template(&f, line[TEMPLATE]);
	hop_read(&hop, h, 4);
	(void)hop_has(&hop, line[ID]);
	(void)request_id_is_sound(line[ID]);
	return 0;
}
