/* SPDX-License-Identifier: BSD-2-Clause */
/* A session_store that keeps nothing: its keys are what clients have. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/check_store.h"

#define SHORT_MS 300u
#define TEXT "{\"cookie\":{},\"user\":\"somebody\"}"

struct token {
	size_t n;
	char p[HOSTD_STORE_TOKEN_MAX + 8];
};

static hostd_buf
view(const struct token *t)
{
	return (hostd_buf){t->p, t->n};
}

static void
judge_token(const struct token *t)
{
	size_t i;

	if (t->n == 0 || t->n > HOSTD_STORE_TOKEN_MAX)
		check_fail("a token of %zu bytes", t->n);
	for (i = 0; i < t->n; i++)
		if (t->p[i] <= ' ' || t->p[i] > '~')
			check_fail("byte %zu of a token is 0x%02x", i,
			    (unsigned char)t->p[i]);
}

/* Returns the status; a token is one that a cookie can have. */
static int32_t
make(struct fake *f, hostd_buf value, uint64_t ttl_ms, struct token *t)
{
	struct fake_op *o = fake_store_set(f, (hostd_buf){"", 0}, value,
	    ttl_ms, NULL);
	int32_t status = fake_store_wait(o, "set", 0);
	hostd_buf made = fake_op_result(o);

	t->n = made.n;
	if (status == HOSTD_OK && made.n <= HOSTD_STORE_TOKEN_MAX)
		memcpy(t->p, made.p == NULL ? "" : made.p, made.n);
	fake_op_free(o);
	if (status == HOSTD_OK)
		judge_token(t);
	return status;
}

static void
must_make(struct fake *f, const char *value, uint64_t ttl_ms, struct token *t)
{
	int32_t status = make(f, store_text(value), ttl_ms, t);

	if (status != HOSTD_OK)
		check_fail("set of %zu bytes was answered with %d",
		    strlen(value), status);
}

/* Forged, cut or ended: there is nothing, and that is no error. */
static void
must_be_none(struct fake *f, const struct token *t, const char *what)
{
	hostd_buf out;
	int32_t status = store_get(f, view(t), &out);

	if (status != HOSTD_OK)
		check_fail("get of %s was answered with %d instead of "
			   "nothing", what, status);
	if (out.p != NULL)
		check_fail("get of %s gives %zu bytes", what, out.n);
}

static void
case_tokens(const struct check *c, const void *arg)
{
	struct fake *f = fake_serve(fake_load(c), c);
	struct token *t = xcalloc(3, sizeof(*t));

	(void)arg;
	must_make(f, TEXT, STORE_HOUR, &t[0]);
	must_make(f, TEXT, STORE_HOUR, &t[1]);
	must_make(f, "{\"other\":1}", STORE_HOUR, &t[2]);
	if (!store_has(f, view(&t[0]), store_text(TEXT)) ||
	    !store_has(f, view(&t[1]), store_text(TEXT)) ||
	    !store_has(f, view(&t[2]), store_text("{\"other\":1}")))
		check_fail("a token can't be opened");
	/* Whoever reads one is not to know what is in it. */
	if (memmem(t[0].p, t[0].n, "somebody", 8) != NULL)
		check_note("what is in a session can be read in its token");
	must_make(f, TEXT, UINT64_C(10) * 365 * 24 * STORE_HOUR, &t[0]);
	if (!store_has(f, view(&t[0]), store_text(TEXT)))
		check_fail("a token for ten years can't be opened");
	(void)store_touch(f, view(&t[0]), STORE_HOUR);
	(void)store_del(f, view(&t[0]));
	free(t);
	fake_destroy(f);
}

/* Until it says that it has no more room, and then for all that are larger. */
static void
case_sizes(const struct check *c, const void *arg)
{
	struct fake *f = fake_serve(fake_load(c), c);
	struct token *t = xcalloc(1, sizeof(*t));
	size_t n, most = 0;
	int32_t status;

	(void)arg;
	for (n = 0; n <= 2 * HOSTD_STORE_TOKEN_MAX; n += n < 100 ? 1 : 97) {
		check_where("making a token of %zu bytes", n);
		status = make(f, store_bytes(n, (unsigned)n), STORE_HOUR, t);
		if (status == HOSTD_E_FULL)
			continue;
		if (status != HOSTD_OK)
			check_fail("set was answered with %d", status);
		if (!store_has(f, view(t), store_bytes(n, (unsigned)n)))
			check_fail("a token with %zu bytes can't be opened",
			    n);
		most = n;
	}
	if (most < 100)
		check_fail("it takes no more than %zu bytes", most);
	check_note("takes about %zu bytes", most);
	free(t);
	fake_destroy(f);
}

static void
forge(struct fake *f, struct token *t)
{
	size_t i;
	char was;

	for (i = 0; i < t->n; i++) {
		was = t->p[i];
		t->p[i] = was == 'A' ? 'B' : 'A';
		must_be_none(f, t, "a token with another character");
		t->p[i] = was ^ 1;
		if (t->p[i] > ' ' && t->p[i] <= '~')
			must_be_none(f, t, "a token with another bit");
		t->p[i] = was;
	}
}

static void
cut(struct fake *f, struct token *t)
{
	static const char tail[] = "AAAA====";
	struct token *u = xcalloc(1, sizeof(*u));
	size_t i;

	for (i = 1; i < t->n; i++) {
		u->n = i;
		memcpy(u->p, t->p, i);
		must_be_none(f, u, "the front of a token");
		u->n = t->n - i;
		memcpy(u->p, t->p + i, u->n);
		must_be_none(f, u, "the back of a token");
	}
	memcpy(u->p, t->p, t->n);
	for (i = 0; i < sizeof(tail) - 1; i++) {
		u->p[t->n + i] = tail[i];
		u->n = t->n + i + 1;
		must_be_none(f, u, "a token with something behind it");
	}
	free(u);
}

static void
case_forged(const struct check *c, const void *arg)
{
	static const char *const odd[] = {"a", "A", ".", "..", "%", "%s%n",
	    "connect.sid", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	    "eyJhbGciOiJub25lIn0.eyJzdWIiOiI0MiJ9."};
	struct fake *f = fake_serve(fake_load(c), c);
	struct token *t = xcalloc(3, sizeof(*t));
	size_t i;

	(void)arg;
	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		t[0].n = strlen(odd[i]);
		memcpy(t[0].p, odd[i], t[0].n);
		must_be_none(f, &t[0], "what is no token");
	}
	must_make(f, TEXT, STORE_HOUR, &t[0]);
	forge(f, &t[0]);
	cut(f, &t[0]);
	/* One half of each of two. */
	must_make(f, TEXT, STORE_HOUR, &t[1]);
	t[2] = t[1];
	memcpy(t[2].p, t[0].p, t[0].n / 2);
	if (memcmp(t[2].p, t[1].p, t[1].n) != 0 &&
	    (t[0].n != t[1].n || memcmp(t[2].p, t[0].p, t[0].n) != 0))
		must_be_none(f, &t[2], "halves of two tokens");
	memset(t[2].p, 'A', HOSTD_STORE_TOKEN_MAX);
	t[2].n = HOSTD_STORE_TOKEN_MAX;
	must_be_none(f, &t[2], "the longest key");
	if (!store_has(f, view(&t[0]), store_text(TEXT)))
		check_fail("a token can't be opened any more");
	free(t);
	fake_destroy(f);
}

static void
case_ends(const struct check *c, const void *arg)
{
	struct fake *f = fake_serve(fake_load(c), c);
	struct token *t = xcalloc(2, sizeof(*t));

	(void)arg;
	must_make(f, TEXT, SHORT_MS, &t[0]);
	must_make(f, TEXT, STORE_HOUR, &t[1]);
	store_await_end(f, view(&t[0]));
	if (!store_has(f, view(&t[1]), store_text(TEXT)))
		check_fail("a token ends before its time");
	free(t);
	fake_destroy(f);
}

void
check_stateless(struct check *c)
{
	if ((c->kinds & CHECK_STATELESS) == 0)
		return;
	check_simple(c, "tokens", case_tokens, NULL);
	check_simple(c, "token sizes", case_sizes, NULL);
	check_simple(c, "forged tokens", case_forged, NULL);
	check_simple(c, "token ends", case_ends, NULL);
}
