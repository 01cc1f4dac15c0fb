/* SPDX-License-Identifier: BSD-2-Clause */
#include "cluster_inside.h"
#include "move.h"

int32_t
moves_create(struct cluster *c)
{
	(void)c;
	return HOSTD_OK;
}

void
moves_destroy(struct cluster *c)
{
	(void)c;
}

void
move_came(struct cluster *c, struct bus_message *m)
{
	(void)c;
	(void)m;
}
