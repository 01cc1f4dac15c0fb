/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which limits the table of limits has a row for: all that generations which
 * are there name.  Their counters go on over reloads; those of a limit that no
 * generation has go when another one needs its row.
 */
#ifndef MASTER_ZONES_H
#define MASTER_ZONES_H

struct conf;
struct conf_errors;
struct master;

/* Rows for all limits that it has; an error when there is no room. */
void	zones_stage(struct master *, const struct conf *,
	    struct conf_errors *);

#endif
