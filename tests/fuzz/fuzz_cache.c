/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the proxy's cache reads: an answer's Cache-Control and Vary, and the
 * head of a file.  The input's first byte says which.
 *
 * What must hold: times are not negative, names fit, and a head that was read
 * has all it says within its bytes.  The check sum is set right first, else
 * nothing behind it would be reached.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <hostd/easy.h>
#include "cache_control.h"
#include "cache_object.h"
#include "cache_vary.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(int holds)
{
	if (!holds)
		abort();
}

static void
try_control(hostd_buf value)
{
	struct cache_control c;

	cache_control_init(&c);
	cache_control_add(&c, value);
	must(c.max_age >= -1 && c.max_age <= CC_SECONDS_MAX);
	must(c.s_maxage >= -1 && c.s_maxage <= CC_SECONDS_MAX);
	must(c.stale_while_revalidate >= -1 && c.stale_if_error >= -1);
}

static void
try_vary(hostd_buf value)
{
	hostd_hdr h = { hostd_str("Vary"), value };
	char names[VARY_MAX];
	int n = vary_names(&h, 1, names);

	must(n >= -1 && n < VARY_MAX);
	if (n == -1)
		return;
	must(strlen(names) == (size_t)n);
	must((vary_hash(names, &h, 1) == 0) == (n == 0));
}

static int
is_within(const struct cache_object *o, hostd_buf b)
{
	const char *p = b.p;

	return p >= o->head && b.n <= o->nhead &&
	    p + b.n <= o->head + o->nhead;
}

static void
try_head(const uint8_t *p, size_t n)
{
	struct cache_object *o;
	uint32_t i;
	uint64_t body_len;
	char *head;

	if (n < object_key_at() || n > OBJECT_HEAD_MAX ||
	    (head = malloc(n)) == NULL)
		return;
	memcpy(head, p, n);
	memcpy(&body_len, p + n - sizeof(body_len), sizeof(body_len));
	object_seal(head, n, body_len);
	(void)object_head_size(head);
	if ((o = object_unpack(head, n)) != NULL) {
		must(is_within(o, o->key) && o->status >= 200);
		must(strlen(o->vary) < VARY_MAX);
		for (i = 0; i < o->nheaders; i++)
			must(is_within(o, o->headers[i].name) &&
			    is_within(o, o->headers[i].value));
		object_unref(o);
	}
	free(head);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hostd_buf value;
	char *copy;

	if (size == 0)
		return 0;
	if (data[0] == 'h') {
		try_head(data + 1, size - 1);
		return 0;
	}
	/* In memory of just that size. */
	if ((copy = malloc(size > 1 ? size - 1 : 1)) == NULL)
		return 0;
	memcpy(copy, data + 1, size - 1);
	value = (hostd_buf){ copy, size - 1 };
	if (data[0] == 'v')
		try_vary(value);
	else
		try_control(value);
	free(copy);
	return 0;
}
