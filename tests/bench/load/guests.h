/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections that come, take some steps, and leave; then others come in their
 * place, many at a time.
 */
#ifndef GUESTS_H
#define GUESTS_H

#include "client.h"

#define SID_MAX 64

struct guest {
	int fd;
	int step;
	size_t n;		/* bytes of what has come in this step */
	char sid[SID_MAX];
	char buf[2048];		/* NUL-ended */
};

struct guests {
	const struct options *o;
	int left;		/* the step in which the server may close */
	int ep;
	/* It has connected: the first thing to say. */
	void (*come)(struct guests *, struct guest *);
	/* More has come: the next step, if that was all. */
	void (*look)(struct guests *, struct guest *);
};

/* Open its connection, another one if it had one. */
void	guest_dial(struct guests *, struct guest *);
/* Say all of it, and expect an answer. */
void	guest_say(struct guest *, const void *, size_t n);
/* Until the time is over; says the result. */
void	guests_run(struct guests *);

#endif
