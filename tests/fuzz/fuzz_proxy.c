/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Headers of the PROXY protocol.
 *
 * What must hold: a header is found where its last byte is, no matter how many
 * bytes follow, and nothing is decided before; what it says can be said again,
 * in both versions, and is read as the same.
 */
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "net/proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(int holds)
{
	if (!holds)
		abort();
}

static int
is_ip(const struct sockaddr_storage *ss)
{
	return ss->ss_family == AF_INET || ss->ss_family == AF_INET6;
}

static void
say_again(int version, const struct proxy_header *h)
{
	struct proxy_header first, second;
	char line[PROXY_MAKE_MAX], again[PROXY_MAKE_MAX];
	const char *why;
	size_t n, m;

	n = proxy_make(version, (const struct sockaddr *)&h->from,
	    (const struct sockaddr *)&h->to, line);
	must(n <= sizeof(line));
	must(proxy_parse(&first, line, n, &why) == (ssize_t)n);
	must(first.known == (is_ip(&h->from) && is_ip(&h->to)));
	if (!first.known)
		return;
	m = proxy_make(version, (struct sockaddr *)&first.from,
	    (struct sockaddr *)&first.to, again);
	must(m == n && memcmp(line, again, n) == 0);
	must(proxy_parse(&second, again, m, &why) == (ssize_t)m);
	must(memcmp(&first, &second, sizeof(first)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct proxy_header h, other;
	const char *why = NULL;
	ssize_t len = proxy_parse(&h, p, n, &why), part;

	must(len <= (ssize_t)n && len <= PROXY_MAX);
	must(len != -1 || why != NULL);
	part = proxy_parse(&other, p, n / 2, &why);
	must(part == 0 || part == len);
	if (len == 0)
		must(n < PROXY_MAX);
	if (len <= 0)
		return 0;
	must(proxy_parse(&other, p, (size_t)len - 1, &why) == 0);
	must(proxy_parse(&other, p, (size_t)len, &why) == len);
	must(memcmp(&h, &other, sizeof(h)) == 0);
	say_again(1, &h);
	say_again(2, &h);
	return 0;
}
