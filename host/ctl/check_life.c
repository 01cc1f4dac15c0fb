/* SPDX-License-Identifier: BSD-2-Clause */
/* Loading, configuration and the life of instances. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/schema.h"
#include "ctl/check_usage.h"
#include "ctl/check_use.h"
#include "ctl/fake_request.h"
#include "plugin/elf.h"

#define MAX_TEXT 4096

static void
case_load(const struct check *c, const void *arg)
{
	struct module *m = fake_load(c);

	(void)arg;
	check_note("%s %s, built with SDK %s, needs ABI %u.%u", m->desc.id,
	    m->desc.version, m->desc.built_with, m->desc.abi_major,
	    m->desc.abi_minor_needed);
	check_report()->value[0] = check_kinds(m);
	check_report()->value[1] = check_exts(m);
	check_report()->value[2] = m->desc.abi_minor_needed;
}

/* Names that it exports beside the entry may be taken for another's. */
static void
case_symbols(const struct check *c, const void *arg)
{
	char why[256], names[256] = "";
	struct elf elf;
	const char *s;
	size_t i, len = 0;
	unsigned n = 0;

	(void)arg;
	if (elf_open(&elf, c->path, why, sizeof(why)) == -1)
		check_fail("%s", why);
	if (elf.syms == NULL)
		check_skip("its section headers are stripped");
	for (i = 0; i < elf.nsyms; i++) {
		s = elf_export(&elf, i);
		if (s == NULL || strcmp(s, HOSTD_ENTRY) == 0)
			continue;
		n++;
		if (len < sizeof(names))
			len += (size_t)snprintf(
			    names + len, sizeof(names) - len, " %s", s);
	}
	elf_close(&elf);
	if (n > 0)
		check_note("exports %u more than it should (build with "
			   "-fvisibility=hidden and the version script):%s",
		    n, names);
}

static size_t
check_help(const struct hostd_key *const *keys)
{
	size_t n;

	for (n = 0; keys[n] != NULL; n++) {
		if (keys[n]->help == NULL || keys[n]->help[0] == '\0')
			check_fail("key \"%s\" has no help", keys[n]->name);
		if (keys[n]->type == HOSTD_KEY_BLOCK)
			(void)check_help(conf_rows_within(keys[n]));
	}
	return n;
}

static void
case_schema(const struct check *c, const void *arg)
{
	struct module *m = fake_load(c);
	struct conf_errors errors;
	size_t n;

	(void)arg;
	check_where("reading its keys");
	conf_errors_init(&errors);
	if (conf_rows_check(m->keys, m->desc.id, &errors) > 0)
		check_fail("%s", TAILQ_FIRST(&errors)->text);
	n = check_help(m->keys);
	check_note("%zu key%s", n, n == 1 ? "" : "s");
}

static void
case_life(const struct check *c, const void *arg)
{
	struct module *m = fake_load(c);
	struct fake *f;

	(void)arg;
	f = fake_serve(m, c);
	fake_drain(f, 1000);
	while (fake_turn() > 0)
		;
	fake_destroy(f);
	/* As the probe does: never started. */
	f = fake_create(m, c->sets, NULL);
	if (!fake_alive(f))
		check_fail("the second create failed: %s", f->err);
	fake_destroy(f);
	/* As a worker that has to go at once: never drained. */
	fake_destroy(fake_serve(m, c));
}

static void
case_two(const struct check *c, const void *arg)
{
	struct module *m = fake_load(c);
	struct fake *a = fake_serve(m, c), *b = fake_serve(m, c);

	(void)arg;
	check_use_both(a, b);
	fake_destroy(a);
	/* The other one must not have noticed. */
	check_use(b);
	fake_destroy(b);
}

/* What holds readiness must have something under way that will release it. */
static void
judge_held(struct fake *f, uint64_t since)
{
	if (fake_ready_wait(f) == 0)
		check_note("holds back its worker for %llu ms",
		    (unsigned long long)(fake_now() - since));
	else if (f->ready.refused[0] != '\0')
		check_note("would refuse its worker: %s", f->ready.refused);
	else if (fake_pending() + fake_net_open() + fake_fetch_open() == 0)
		check_fail("holds readiness (%s) and waits for nothing that "
			   "could release it", f->ready.reason);
	else
		check_note("would not be ready within %u ms: %s",
		    FAKE_READY_MS, f->ready.reason);
}

static void
case_ready(const struct check *c, const void *arg)
{
	struct module *m = fake_load(c);
	struct fake *f = fake_create(m, c->sets, NULL), *gone;
	uint64_t since = fake_now();

	(void)arg;
	if (!fake_alive(f))
		check_fail("create failed: %s", f->err);
	fake_start(f);
	if (f->ready.all == 0)
		check_skip("it does not hold back its worker");
	/* One that has to go meanwhile. */
	gone = fake_create(m, c->sets, NULL);
	if (fake_alive(gone))
		fake_start(gone);
	fake_destroy(gone);
	judge_held(f, since);
	fake_destroy(f);
}

struct missing {
	const struct check *c;
	struct module *m;
	struct fake_shape shape;
	const struct fake_set *sets;
	int created;
};

static void
round_missing(void *arg)
{
	struct missing *k = arg;
	struct fake *f = fake_create(k->m, k->sets, &k->shape);

	if (fake_alive(f)) {
		k->created = 1;
		fake_start(f);
		if (fake_ready_wait(f) == 0)
			check_use(f);
	}
	fake_destroy(f);
}

/* One extension is not there: refuse and leave nothing, or do without. */
static void
case_missing(const struct check *c, const void *arg)
{
	struct missing k = {.c = c,
	    .shape = {.missing = arg, .minor = HOSTD_ABI_MINOR},
	    .sets = c->sets};

	k.m = fake_load(c);
	check_rounds(
	    round_missing, &k, k.created ? "an instance" : "a failed create");
	check_report()->value[0] = (uint64_t)k.created;
}

static void
case_ids(const struct check *c, const void *arg)
{
	struct fake *f = fake_serve(fake_load(c), c);

	(void)arg;
	check_use(f);
	fake_destroy(f);
}

static void
check_missing(struct check *c)
{
	char ids[CHECK_MAX_IDS][64];
	unsigned refuses = 0, n, i;
	int rc;

	if (check_run(c, case_ids, NULL) != CHECK_PASS) {
		check_result(c, "missing", CHECK_SKIP,
		    "it does not serve with all there");
		return;
	}
	n = check_last()->nids;
	memcpy(ids, check_last()->ids, sizeof(ids));
	for (i = 0; i < n; i++) {
		if ((rc = check_run(c, case_missing, ids[i])) != CHECK_PASS) {
			check_result(c, "missing", rc, "without %s: %s", ids[i],
			    check_last()->text);
			return;
		}
		refuses += check_last()->value[0] == 0;
	}
	check_result(c, "missing", CHECK_PASS,
	    "asks for %u extensions; needs %u, can do without %u", n, refuses,
	    n - refuses);
}

/* Values of a key that are worth a try, one after the other; NULL: no more. */
static const char *
try_value(const struct hostd_key *k, int i, char *buf, size_t size)
{
	int64_t n, lo = k->min, hi = k->max;
	const char *unit = k->type == HOSTD_KEY_DURATION ? "ms" : "";
	char *at;

	if (k->type == HOSTD_KEY_BOOL)
		return i == 0 ? "on" : i == 1 ? "off" : NULL;
	if (k->type == HOSTD_KEY_ENUM)
		return k->choices[i];
	if (i > 1 || k->type == HOSTD_KEY_BLOCK)
		return NULL;
	if (k->type == HOSTD_KEY_INT || k->type == HOSTD_KEY_DURATION ||
	    k->type == HOSTD_KEY_SIZE) {
		if (lo == 0 && hi == 0)
			hi = INT64_C(1) << 40;
		(void)snprintf(
		    buf, size, "%lld%s", (long long)(i == 0 ? lo : hi), unit);
		return buf;
	}
	/* Texts: of the least and the greatest length. */
	n = i == 0 ? lo : hi == 0 ? 255 : hi;
	at = buf;
	/* A plugin never sees a relative path, and may make what it names. */
	if (k->type == HOSTD_KEY_PATH && n > 0)
		at = stpcpy(buf, "$state/");
	size -= (size_t)(at - buf);
	if (n < 0 || (size_t)n >= size)
		n = (int64_t)size - 1;
	memset(at, 'x', (size_t)n);
	at[n] = '\0';
	return buf;
}

static void
case_key(const struct check *c, const void *arg)
{
	const unsigned *index = arg;
	char *buf = xmalloc(MAX_TEXT);
	struct fake_set *sets;
	struct missing k = {.c = c, .shape = {.minor = HOSTD_ABI_MINOR}};
	const struct hostd_key *key;
	size_t n = 0;
	int i;

	k.m = fake_load(c);
	if ((key = k.m->keys[*index]) == NULL)
		check_skip("no more keys");
	while (c->sets[n].key != NULL)
		n++;
	sets = xcalloc(n + 2, sizeof(*sets));
	memcpy(sets, c->sets, n * sizeof(*sets));
	sets[n].key = key->name;
	k.sets = sets;
	for (i = 0; (sets[n].value = try_value(key, i, buf, MAX_TEXT)) != NULL;
	     i++) {
		check_report()->value[0]++;
		k.created = 0;
		round_missing(&k);
		check_report()->value[1] += k.created == 0;
		check_where("trying %s = %.40s", key->name, sets[n].value);
	}
	free(sets);
	free(buf);
}

static void
check_keys(struct check *c)
{
	uint64_t tried = 0, refused = 0;
	unsigned i;
	int rc;

	for (i = 0;; i++) {
		rc = check_run(c, case_key, &i);
		if (rc == CHECK_SKIP)
			break;
		if (rc != CHECK_PASS) {
			check_result(c, "keys", rc, "%s, %s",
			    check_last()->text, check_last()->where);
			return;
		}
		tried += check_last()->value[0];
		refused += check_last()->value[1];
	}
	check_result(c, "keys", tried == 0 ? CHECK_SKIP : CHECK_PASS,
	    "%llu extreme values, %llu of them refused with a reason",
	    (unsigned long long)tried, (unsigned long long)refused);
}

static void
round_life(void *arg)
{
	struct missing *k = arg;
	struct fake *f = fake_serve(k->m, k->c);

	check_use(f);
	fake_drain(f, 1000);
	fake_destroy(f);
}

static void
round_get(void *arg)
{
	struct fake_spec spec = {.method = "GET"};

	fake_request(arg, &spec, NULL);
	fake_settle();
}

static void
case_leaks(const struct check *c, const void *arg)
{
	struct missing k = {.c = c};
	struct fake *f;

	(void)arg;
	k.m = fake_load(c);
	check_rounds(round_life, &k, "an instance from create to destroy");
	if ((c->kinds & CHECK_HTTP) == 0)
		return;
	f = fake_serve(k.m, c);
	check_rounds(round_get, f, "a GET request");
	fake_destroy(f);
}

/* Its servers are not there, do not answer, talk nonsense and hang up. */
static void
round_servers(void *arg)
{
	struct missing *k = arg;
	struct fake *f = fake_serve(k->m, k->c);

	fake_settle();
	fake_drain(f, 1000);
	fake_settle();
	fake_destroy(f);
}

static void
case_servers(const struct check *c, const void *arg)
{
	struct missing k = {.c = c};

	(void)arg;
	k.m = fake_load(c);
	round_servers(&k);
	if (fake_net_count() == 0)
		check_skip("it connects to none by itself");
	check_rounds(round_servers, &k, "a life with bad servers");
	check_note("%llu connections",
	    (unsigned long long)fake_net_count());
}

/* What it has asked for and no host has; NULL: nothing. */
static const char *
foreign_ext(void)
{
	const struct check_report *r = check_report();
	const struct fake_table *t;
	uint32_t i;

	for (i = 0; i < r->nids; i++) {
		for (t = fake_tables; t->id != NULL; t++)
			if (strcmp(t->id, r->ids[i]) == 0)
				break;
		if (t->id == NULL)
			return r->ids[i];
	}
	return NULL;
}

/* Of another plugin's kind only: is it of any use without that one? */
static void
case_user(const struct check *c, const void *arg)
{
	struct fake *f = fake_create(fake_load(c), c->sets, NULL);
	const char *id = foreign_ext();

	(void)arg;
	if (!fake_alive(f) && id != NULL) {
		check_report()->value[0] = 1;
		check_skip("%s is what another plugin gives it, so no more of "
		    "it can be tried: %s", id, f->err);
	}
	fake_destroy(f);
}

void
check_life(struct check *c)
{
	check_simple(c, "load", case_load, NULL);
	if (c->failed > 0)
		return;
	c->kinds = (unsigned)check_last()->value[0];
	c->exts = (unsigned)check_last()->value[1];
	c->minor = (unsigned)check_last()->value[2];
	check_simple(c, "symbols", case_symbols, NULL);
	check_simple(c, "schema", case_schema, NULL);
	if (c->kinds == 0) {
		check_simple(c, "offered kind", case_user, NULL);
		c->lacks = check_last()->value[0] != 0;
	}
	if (c->lacks)
		return;
	check_simple(c, "readiness", case_ready, NULL);
	check_simple(c, "life", case_life, NULL);
	if (c->failed > 0)
		return;
	check_simple(c, "two instances", case_two, NULL);
	check_missing(c);
	check_keys(c);
	check_simple(c, "leaks", case_leaks, NULL);
	check_simple(c, "bad servers", case_servers, NULL);
}
