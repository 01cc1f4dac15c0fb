/* SPDX-License-Identifier: BSD-2-Clause */
#include "limit/table_json.h"
#include "plugin/plugins.h"
#include "plugin/scrape.h"

/* A number that limit_table_json has of each zone. */
static const struct figure {
	const char *key, *name, *help;
} figures[] = {
	{ "passed", "hostd_limit_passed", "Requests and connections that a "
	    "limit has let through at once." },
	{ "delayed", "hostd_limit_delayed", "Those that had to wait." },
	{ "refused", "hostd_limit_refused", "Those that were refused." },
	{ "dry_delayed", "hostd_limit_dry_delayed", "Those that would have had "
	    "to wait, were the limit no trial." },
	{ "dry_refused", "hostd_limit_dry_refused", "Those that would have "
	    "been refused." },
	{ "evicted", "hostd_limit_evicted", "Keys that were forgotten to make "
	    "room." },
	{ "uncounted", "hostd_limit_uncounted", "Requests and connections for "
	    "which there was no room." },
};

static const char *
text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text != NULL ? text : "";
}

void
scrape_limits(const struct plugins *all, struct exposition *x)
{
	json_t *table, *zones, *zone;
	size_t i, j;

	/* A probe has no table. */
	if (all->limits.table == NULL)
		return;
	table = limit_table_json(all->limits.table);
	zones = json_object_get(table, "zones");
	for (i = 0; i < sizeof(figures) / sizeof(figures[0]) &&
	    json_array_size(zones) > 0; i++) {
		exposition_family(x, figures[i].name, EXPOSITION_COUNTER,
		    figures[i].help);
		json_array_foreach(zones, j, zone)
			exposition_value(x, json_integer_value(json_object_get(
			    zone, figures[i].key)), 1, "kind", text_of(zone,
			    "kind"), "zone", text_of(zone, "name"), NULL);
	}
	json_decref(table);
}
