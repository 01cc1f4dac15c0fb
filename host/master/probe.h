/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The probe: a throw-away process that loads and creates every plugin of a
 * generation, so that whatever is wrong with them is wrong there.
 */
#ifndef MASTER_PROBE_H
#define MASTER_PROBE_H

#include "master/child.h"
#include "master/generation.h"

struct probe {
	struct generation *gen;
	struct conf_errors *errors;	/* added to; each text once */
	struct child *child;
	int reports;
	void (*done)(struct probe *);	/* NULL: nobody waits any more */
	void *arg;
};

/* done is called later, or, when it can't be started, at once. */
void	probe_start(struct probe *, struct children *);

/* Add a text unless it is there. */
void	conf_errors_merge(struct conf_errors *, const char *text);

#endif
