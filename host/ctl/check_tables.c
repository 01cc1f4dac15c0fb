/* SPDX-License-Identifier: BSD-2-Clause */
/* Hosts older and newer than the one the plugin was built for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/check_use.h"

static void
serve_shape(
    const struct check *c, struct module *m, const struct fake_shape *shape)
{
	struct fake *f = fake_create(m, c->sets, shape);

	if (fake_alive(f)) {
		fake_start(f);
		if (fake_ready_wait(f) == -1)
			check_skip("its worker would not get ready");
		check_use(f);
		fake_drain(f, 1000);
	} else if (shape->cut == NULL) {
		check_fail("create failed: %s", f->err);
	}
	check_report()->value[0] = (uint64_t)fake_alive(f);
	fake_destroy(f);
}

static void
case_shape(const struct check *c, const void *arg)
{
	serve_shape(c, fake_load(c), arg);
}

struct short_counts {
	unsigned refuses, guards, relies;
};

/*
 * A table that ends before one member.  Members of the minor that the plugin
 * needs may be relied upon; newer ones must be asked for with HOSTD_HAS.
 */
static int
check_cut(struct check *c, const struct fake_table *t,
    const struct fake_member *m, struct short_counts *n)
{
	struct fake_shape shape = {NULL, t->id, m->offset, 0, HOSTD_ABI_MINOR};
	int rc = check_run(c, case_shape, &shape);

	if (rc == CHECK_PASS && check_last()->value[0] == 0)
		n->refuses++;
	else if (rc == CHECK_PASS)
		n->guards++;
	else if (rc == CHECK_TRAP && m->since <= c->minor && !c->strict)
		n->relies++;
	else {
		check_result(c, "short tables", rc, "%s without %s: %s%s%s",
		    t->id, m->name, check_last()->text,
		    rc == CHECK_TRAP ? "called " : "", check_last()->trap);
		return -1;
	}
	return 0;
}

static void
check_short(struct check *c)
{
	struct short_counts n = {0, 0, 0};
	const struct fake_member *m;
	const struct fake_table *t;

	for (t = fake_tables; t->id != NULL; t++)
		for (m = t->members; m->name != NULL; m++)
			if (check_cut(c, t, m, &n) == -1)
				return;
	check_result(c, "short tables", CHECK_PASS,
	    "cut before each member: %u refused, %u done without, %u part of "
	    "ABI 1.%u",
	    n.refuses, n.guards, n.relies, c->minor);
}

static void
check_long(struct check *c)
{
	static const struct fake_shape shape = {
	    .extra = 8, .minor = HOSTD_ABI_MINOR + 1};

	check_simple(c, "long tables", case_shape, &shape);
}

static void
case_minor(const struct check *c, const void *arg)
{
	const uint32_t *minor = arg;
	struct fake_shape shape = {.minor = *minor};
	struct module *m;
	char text[16], why[512];

	(void)snprintf(text, sizeof(text), "%u", *minor);
	(void)setenv("HOSTD_ABI_PRETEND_MINOR", text, 1);
	if ((m = module_open(c->path, c->path, why, sizeof(why))) == NULL)
		check_skip("%s", why);
	if (m->desc.abi_minor_needed > *minor)
		check_fail("a host of minor %u accepted it, but it needs %u",
		    *minor, m->desc.abi_minor_needed);
	serve_shape(c, m, &shape);
}

/* Every older host either refuses it, or serves it. */
static void
check_minors(struct check *c)
{
	unsigned served = 0, refused = 0;
	uint32_t minor;
	int rc;

	for (minor = 0; minor <= HOSTD_ABI_MINOR; minor++) {
		rc = check_run(c, case_minor, &minor);
		if (rc == CHECK_PASS)
			served++;
		else if (rc == CHECK_SKIP)
			refused++;
		else {
			check_result(c, "older hosts", rc,
			    "a host of minor %u: %s%s", minor,
			    check_last()->text, check_last()->trap);
			return;
		}
	}
	check_result(c, "older hosts", CHECK_PASS,
	    "served by %u minor%s, refused by %u", served,
	    served == 1 ? "" : "s", refused);
}

void
check_tables(struct check *c)
{
	check_short(c);
	check_long(c);
	check_minors(c);
}
