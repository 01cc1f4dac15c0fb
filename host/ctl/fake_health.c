/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.health/1: a node with one dependency that is down, beside those that
 * the plugin declares. */
#include <stdio.h>
#include <string.h>

#include "ctl/fake.h"

static int
is_name(const char *s)
{
	return s != NULL && *s != '\0' && strlen(s) < 32 &&
	    strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(s);
}

static int32_t
health_declare(const struct hostd_host *host, const struct hostd_dependency *d,
    uint32_t *id)
{
	struct fake *f = fake_called(host, "declare of " HOSTD_EXT_HEALTH);

	if (d == NULL || id == NULL)
		check_fail("called declare of hostd.health/1 with NULL");
	if (d->struct_size < sizeof(*d))
		check_fail("declared a dependency with struct_size %u",
		    d->struct_size);
	if (!f->creating)
		check_fail("declared a dependency outside of create");
	if (!is_name(d->name))
		check_fail("declared a dependency with a bad name");
	if ((d->flags & ~HOSTD_DEPENDENCY_REQUIRED) != 0)
		check_fail("dependency %s: flags 0x%x", d->name, d->flags);
	if (f->ndependencies == FAKE_DEPENDENCIES)
		return HOSTD_E_FULL;
	*id = ++f->ndependencies;
	return HOSTD_OK;
}

static int32_t
health_set(const struct hostd_host *host, uint32_t id, uint32_t state,
    hostd_buf detail)
{
	struct fake *f = fake_called(host, "set of " HOSTD_EXT_HEALTH);

	if (id == 0 || id > f->ndependencies)
		check_fail("called set of hostd.health/1 with id %u, which "
			   "there is not",
		    id);
	if (state > HOSTD_HEALTH_UNUSED)
		check_fail("called set of hostd.health/1 with state %u", state);
	if (detail.p == NULL && detail.n > 0)
		check_fail("called set of hostd.health/1 with %zu bytes at "
			   "NULL",
		    detail.n);
	return HOSTD_OK;
}

static const struct hostd_node_health *
health_node(const struct hostd_host *host)
{
	const struct hostd_node_health node = {
	    .struct_size = sizeof(node),
	    .flags = HOSTD_NODE_STARTED | HOSTD_NODE_ALIVE,
	    .generation = 1,
	    .workers = 1,
	    .ndependencies = 1,
	};
	void *p;

	(void)fake_called(host, "node of " HOSTD_EXT_HEALTH);
	p = fake_lend(sizeof(node));
	memcpy(p, &node, sizeof(node));
	return p;
}

static const struct hostd_dependency_state *
health_dependency(const struct hostd_host *host, uint32_t i)
{
	struct hostd_dependency_state one = {
	    .struct_size = sizeof(one),
	    .flags = HOSTD_DEPENDENCY_REQUIRED,
	    .state = HOSTD_HEALTH_DOWN,
	    .since_ms = 1,
	};
	void *p;

	(void)fake_called(host, "dependency of " HOSTD_EXT_HEALTH);
	if (i > 0)
		return NULL;
	one.name = fake_lend_text("redis");
	one.instance = fake_lend_text("cache");
	one.detail = fake_lend_copy("a \"word\"\n\xff", 10);
	p = fake_lend(sizeof(one));
	memcpy(p, &one, sizeof(one));
	return p;
}

const struct hostd_health_api fake_health_api = {
    .struct_size = sizeof(struct hostd_health_api),
    .declare = health_declare,
    .set = health_set,
    .node = health_node,
    .dependency = health_dependency,
};
