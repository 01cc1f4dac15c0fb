/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration of a test's own, and the errors it gives, in their order. */
#ifndef UNIT_CONF_CASE_H
#define UNIT_CONF_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "config/model.h"
#include "scratch.h"

#define LISTEN "listen \"main\" { address = \"8080\" }\n"

static struct conf_sources sources;
static struct conf_errors errs;
static struct conf_error *last;
static struct conf *conf;

static inline int
setup(void **state)
{
	(void)state;
	(void)unsetenv("HOSTD_PREFIX");
	scratch_make();
	conf_errors_init(&errs);
	memset(&sources, 0, sizeof(sources));
	conf = NULL;
	last = NULL;
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	if (conf != NULL)
		conf_free(conf);
	conf_sources_free(&sources);
	conf_errors_free(&errs);
	scratch_remove();
	return 0;
}

static inline void
add_source(const char *name, const char *text)
{
	scratch_puts(name, text);
	conf_sources_add(&sources, scratch_path(name), scratch_path(name), 0);
}

static inline void
load(const char *text)
{
	add_source("hostd.conf", text);
	conf = conf_load(&sources, NULL, &errs);
	assert_non_null(conf);
	(void)conf_routes_conflict(conf, &errs);
}

static inline void
no_errors(void)
{
	if (!TAILQ_EMPTY(&errs))
		fail_msg("unexpected: %s", TAILQ_FIRST(&errs)->text);
}

static inline void
next_error(const char *want)
{
	last = last == NULL ? TAILQ_FIRST(&errs) : TAILQ_NEXT(last, entry);
	if (last == NULL)
		fail_msg("no such error: %s", want);
	assert_string_equal(scratch_strip(last->text), want);
}

static inline void
last_error(const char *want)
{
	next_error(want);
	assert_null(TAILQ_NEXT(last, entry));
}

#endif
