/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <time.h>

#include "master/certificates.h"
#include "master/control.h"

#define DAY 86400
#define SOON 14 /* days */

int
certificate_ends(
    const struct conf_certificate *c, int64_t now, char *text, size_t size)
{
	int64_t left = c->not_after - now;

	/* It could not be read, which has been said. */
	if (c->not_after == 0 || left >= SOON * DAY)
		return 0;
	if (left <= 0)
		(void)snprintf(text, size, "has ended");
	else
		(void)snprintf(text, size, "ends in %lld days",
		    (long long)(left / DAY));
	return 1;
}

static json_t *
names_json(const struct conf_certificate *c)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < c->nnames; i++)
		(void)json_array_append_new(list, control_text(c->names[i]));
	return list;
}

static json_t *
certificate_json(const struct conf_certificate *c, int64_t now)
{
	time_t t = (time_t)c->not_after;
	char when[32], ends[64];
	struct tm tm;
	int soon = certificate_ends(c, now, ends, sizeof(ends));
	json_t *o;

	(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ",
	    gmtime_r(&t, &tm));
	o = json_pack("{s:o,s:o,s:s,s:b,s:o}", "name", control_text(c->name),
	    "file", control_text(c->chain.path), "not_after", when,
	    "ends_soon", soon, "names", names_json(c));
	if (soon)
		(void)json_object_set_new(o, "ends", json_string(ends));
	return o;
}

json_t *
certificates_json(const struct conf *conf)
{
	const struct conf_certificate *c;
	int64_t now = (int64_t)time(NULL);
	json_t *list = json_array();

	TAILQ_FOREACH (c, &conf->certificates, entry)
		(void)json_array_append_new(list, certificate_json(c, now));
	return list;
}
