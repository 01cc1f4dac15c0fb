/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A generation: everything workers are started from, copied to a place of our
 * own, so that nothing an operator does to files can reach a running worker.
 *
 *	<run_dir>/gen/<n>/		configuration, snapshot.json
 *	<run_dir>/plugins/<sha256>.so	plugins, shared by generations
 */
#ifndef MASTER_GENERATION_H
#define MASTER_GENERATION_H

#include <jansson.h>
#include <stdint.h>
#include <sys/queue.h>
#include "config/model.h"
#include "config/snapshot.h"
#include "master/logs.h"
#include "master/record.h"

/* What is not in its directory goes on over an upgrade by generation_save. */
struct generation {
	TAILQ_ENTRY(generation) link;
	uint32_t n;
	uint32_t before;	/* served when this one was made; 0: none */
	uint64_t made_ms;	/* unix time */
	uint64_t served_ms;	/* since when, or when last; 0: never */
	uint64_t since_ms;	/* the same, by the monotonic clock */
	int tried;		/* has had a worker that was ready, or served
				   without any */
	int proved;		/* has served for min_uptime */
	char *failed;		/* why it was taken back, or NULL */
	json_t *changes;	/* see changes.h; NULL: it is the first */
	int users;		/* processes started from it */
	int was_in_use;		/* when upstreams_look saw it last */
	char *dir;
	char *snapshot_path;
	struct snapshot snapshot;
	struct conf *conf;
	struct logs logs;	/* its access logs */
};

TAILQ_HEAD(generations, generation);

/*
 * Copy and read.  Errors are added; what could be made is returned, for the
 * probe to find more errors in, or NULL when nothing could.  Without errors it
 * is complete except for the logs.  serving: what it takes the place of, or
 * NULL.  to_serve: else it is only tried, and nothing is made that stays.
 */
struct generation *generation_build(const char *run_dir,
	    const char *conf_file, uint32_t n, const struct generation *serving,
	    int to_serve, struct conf_errors *);
/* Its memory, not its files. */
void	generation_free(struct generation *);
/* Its own directory; plugin copies may be shared, see store_clean. */
void	generation_remove(struct generation *);

/* For a master's successor, who reads its directory.  NULL with a reason in
 * why. */
json_t *generation_save(const struct generation *, struct record *);
struct generation *generation_restore(const char *run_dir, const json_t *,
	    struct record *, char *why, size_t size);

struct conf_pool *generation_pool(const struct generation *, const char *name);

#endif
