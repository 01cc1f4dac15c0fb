/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What balancers read of a request.  The input is four lines: the text of a key
 * of hash, a Cookie header, a query, a Set-Cookie header.
 *
 * What must hold: what is found lies in what was searched, behind its name and
 * an equals sign; the hash of a key is the same each time.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <balance/request.h>
#include <hash/key.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum { KEY, COOKIE, QUERY, SET_COOKIE, NLINES };

static void
must(int holds)
{
	if (!holds)
		abort();
}

static void
must_be_in(hostd_buf found, hostd_buf all, hostd_buf name)
{
	const char *p = found.p, *s = all.p;

	must(p >= s + name.n + 1 && p + found.n <= s + all.n);
	must(p[-1] == '=');
	must(memcmp(p - 1 - name.n, name.p, name.n) == 0);
	must(memchr(p, ';', found.n) == NULL ||
	    memchr(p, '&', found.n) == NULL);
}

static void
try_request(const hostd_buf *line, const struct hostd_request *rq)
{
	static const char *const names[] = { "sid", "a", "route", "" };
	hostd_buf name, value;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		name = hostd_str(names[i]);
		if (cookie_find(rq, name, &value))
			must_be_in(value, line[COOKIE], name);
		if (arg_find(rq, name, &value))
			must_be_in(value, line[QUERY], name);
		if (first_pair(line[SET_COOKIE], name, &value))
			must_be_in(value, line[SET_COOKIE], name);
	}
}

static void
try_key(hostd_buf text, const struct hostd_request *rq)
{
	struct hostd_err err = { .struct_size = sizeof(err) };
	uint64_t a = 0, b = 1;
	struct key k;

	if (key_parse(&k, text, &err) != HOSTD_OK) {
		must(err.msg[0] != '\0');
		return;
	}
	must(k.n > 0 && k.n <= KEY_PARTS);
	must(key_hash(&k, rq, &a) == key_hash(&k, rq, &b) && a == b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1), *p = copy, *end = copy + size, *stop;
	hostd_hdr header = { { "Cookie", 6 }, { NULL, 0 } };
	struct hostd_request rq = { .struct_size = sizeof(rq), .nheaders = 1 };
	hostd_buf line[NLINES] = { { NULL, 0 } };
	int i;

	if (copy == NULL)
		return 0;
	memcpy(copy, data, size);
	for (i = 0; i < NLINES && p <= end; i++, p = stop + 1) {
		if (p == end || (stop = memchr(p, '\n',
		    (size_t)(end - p))) == NULL)
			stop = end;
		line[i].p = p;
		line[i].n = (size_t)(stop - p);
	}
	for (; i < NLINES; i++)
		line[i] = hostd_str("");
	header.value = line[COOKIE];
	rq.headers = &header;
	rq.query = line[QUERY];
	rq.path = hostd_str("/");
	try_request(line, &rq);
	try_key(line[KEY], &rq);
	free(copy);
	return 0;
}
