/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers to health checks.  The first byte says what is expected and how the
 * rest is cut into parts.
 *
 * What must hold: the verdict does not depend on how the answer is cut, a good
 * one has the status and the text that are expected, and little is kept.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "upstream/expect.h"
#include "upstream/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define KEPT_MAX	(64u << 10)

static void
must(int holds)
{
	if (!holds)
		abort();
}

/* In parts of step bytes; then the server closes. */
static enum expect_verdict
judge(const struct conf_health *conf, const char *p, size_t n, size_t step,
    uint32_t *why)
{
	enum expect_verdict v = EXPECT_MORE;
	struct expect e;
	size_t i, part;

	expect_init(&e, conf);
	for (i = 0; i < n && v == EXPECT_MORE; i += part) {
		part = n - i < step ? n - i : step;
		v = expect_feed(&e, p + i, part);
		must(e.in.len <= KEPT_MAX + part);
	}
	if (v == EXPECT_MORE)
		v = expect_end(&e);
	must(v == EXPECT_GOOD || (v == EXPECT_BAD && e.why != UP_WHY_NONE));
	*why = e.why;
	expect_free(&e);
	return v;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static char get[] = "GET", head[] = "HEAD", path[] = "/", ok[] = "ok";
	static struct conf_span spans[] = { { 200, 299 }, { 401, 401 } };
	struct conf_health conf = { .type = CONF_CHECK_HTTP, .path = path,
		.statuses = spans, .nstatuses = 2 };
	uint32_t why[2];
	const char *text = (const char *)p + 1;
	enum expect_verdict v;

	if (n < 1)
		return 0;
	conf.method = p[0] & 1 ? head : get;
	conf.body = p[0] & 2 ? ok : NULL;
	v = judge(&conf, text, n - 1, (size_t)(p[0] >> 2) + 1, &why[0]);
	must(judge(&conf, text, n - 1, n, &why[1]) == v && why[0] == why[1]);
	if (v == EXPECT_GOOD)
		must(memmem(text, n - 1, "HTTP/1.", 7) != NULL &&
		    (memmem(text, n - 1, " 2", 2) != NULL ||
		    memmem(text, n - 1, " 401", 4) != NULL));
	if (v == EXPECT_GOOD && conf.body != NULL)
		must(!(p[0] & 1));
	return 0;
}
