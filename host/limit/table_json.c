/* SPDX-License-Identifier: BSD-2-Clause */
#include "limit/table_json.h"

static const char *
kind_name(uint32_t kind)
{
	switch (kind) {
	case LIMIT_REQ:
		return "limit_req";
	case LIMIT_CONN:
		return "limit_conn";
	default:
		return "listen";
	}
}

static void
set_number(json_t *o, const char *key, uint64_t n)
{
	(void)json_object_set_new(o, key, json_integer((json_int_t)n));
}

/* Of shared memory: what is no text is not shown. */
static json_t *
name_json(const struct limit_zone *z)
{
	char name[LIMIT_NAME_MAX];
	size_t i;

	for (i = 0; i < sizeof(name) - 1 && z->name[i] != '\0'; i++)
		name[i] = z->name[i] >= ' ' && z->name[i] <= '~' ?
		    z->name[i] : '?';
	name[i] = '\0';
	return json_string(name);
}

json_t *
limit_zone_json(const struct limit_table *t, unsigned i)
{
	const struct limit_zone *z = &t->head->zones[i];
	json_t *o = json_pack("{s:s,s:o}", "kind", kind_name(z->kind), "name",
	    name_json(z));
	struct limit_count n;

	limit_sum(t, i, &n);
	set_number(o, "passed", n.passed);
	set_number(o, "delayed", n.delayed);
	set_number(o, "refused", n.refused);
	set_number(o, "dry_delayed", n.dry_delayed);
	set_number(o, "dry_refused", n.dry_refused);
	set_number(o, "evicted", n.evicted);
	set_number(o, "uncounted", n.uncounted);
	return o;
}

json_t *
limit_table_json(const struct limit_table *t)
{
	struct limit_head *h = t->head;
	json_t *zones = json_array(), *shed;
	uint32_t now = atomic_load(&h->shed);
	unsigned i;

	for (i = 0; i < LIMIT_ZONES; i++)
		if (t->head->zones[i].kind != 0)
			(void)json_array_append_new(zones,
			    limit_zone_json(t, i));
	shed = json_pack("{s:b,s:b}", "connections",
	    (now & LIMIT_SHED_CONNECTIONS) != 0, "memory",
	    (now & LIMIT_SHED_MEMORY) != 0);
	set_number(shed, "memory_bytes", atomic_load(&h->memory));
	set_number(shed, "turned_away", atomic_load(&h->shed_reqs));
	return json_pack("{s:o,s:o}", "zones", zones, "shed", shed);
}
