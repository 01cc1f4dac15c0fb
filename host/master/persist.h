/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What hands have changed of an upstream, as a file of its own in conf_dir,
 * upstream_changes-GROUP.conf: one block upstream_changes, which the next
 * reload reads as any other.  It is written anew each time, so that nobody
 * should edit it; a file of that name that is not ours is left alone.
 */
#ifndef MASTER_PERSIST_H
#define MASTER_PERSIST_H

#include <stddef.h>

#define PERSIST_KEYS	8

/* What becomes of one server's block. */
struct persist {
	const char *dir, *group, *server;
	int forget;		/* leave it out */
	int anew;		/* forget what it said before */
	size_t n;		/* these keys are set */
	struct persist_key {
		const char *name;
		char value[24];
	} keys[PERSIST_KEYS];
};

void	persist_set(struct persist *, const char *key, const char *value);
void	persist_set_number(struct persist *, const char *key, long long n);
/* Is the server in the file, as one that it adds? */
int	persist_adds(const struct persist *);
/* Write the file, whole or not at all.  0, or -1 with a reason in why. */
int	persist_write(const struct persist *, char *why, size_t size);

#endif
