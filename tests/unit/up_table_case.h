/* SPDX-License-Identifier: BSD-2-Clause */
/* A table of servers. */
#ifndef UNIT_UP_TABLE_CASE_H
#define UNIT_UP_TABLE_CASE_H

#include <stdio.h>

#include "upstream/table.h"

static struct up_table table;

static inline int
setup(void **state)
{
	(void)state;
	return up_table_create(&table);
}

static inline int
teardown(void **state)
{
	(void)state;
	up_table_close(&table);
	return 0;
}

static inline unsigned
put(const char *group, const char *server)
{
	struct up_entry *e;

	up_table_begin(&table);
	e = up_entry_new(&table);
	assert_non_null(e);
	(void)snprintf(e->group, sizeof(e->group), "%s", group);
	(void)snprintf(e->server, sizeof(e->server), "%s", server);
	up_table_end(&table);
	return (unsigned)(e - table.entries);
}

#endif
