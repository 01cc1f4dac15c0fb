/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is this Redis one of a cluster, and if so, who has which slots?  That is
 * asked of any node, not more often than ten times a second, again for as long
 * as there is trouble, and whenever the owner thinks that it has changed.
 *
 * All calls are [loop].  Only redis_survey_ask calls back before it returns,
 * and only `who`.
 */
#ifndef REDIS_SURVEY_H
#define REDIS_SURVEY_H

#include "backoff.h"
#include "client.h"
#include "slots.h"

struct redis_survey;

struct redis_survey_ops {
	/* One that is up and can be asked; NULL: nobody, now.  Then call
	 * redis_survey_ask when somebody has come. */
	struct redis_client *(*who)(void *arg);
	/* The one that was asked is not in a cluster.  -1: that is of no use,
	 * which is trouble. */
	int (*plain)(void *arg, struct redis_client *asked);
	/* The map is the owner's from now on, to be freed with
	 * redis_map_free; -1: out of memory, and it is not. */
	int (*cluster)(void *arg, struct redis_slots *map);
	/* Neither is known.  It is asked again later. */
	void (*trouble)(void *arg, const char *why);
};

/* A cluster without sharded channels is as good as none. */
#define REDIS_SURVEY_SHARDS 0x1u

/* Zeroed memory, then redis_survey_init. */
struct redis_survey {
	const struct redis_host *h;
	const struct redis_survey_ops *ops;
	void *arg;
	unsigned flags;
	int stale;			/* what is known may be wrong */
	struct redis_client *asked;	/* NULL: nobody, now */
	uint64_t asked_ms;
	struct redis_slots *answer;
	char trouble[160];		/* why there is none; "": there is */
	int is_plain, no_shards;
	struct backoff backoff;
	hostd_timer timer;
};

void	redis_survey_init(struct redis_survey *, const struct redis_host *,
	    unsigned flags, const struct redis_survey_ops *, void *arg);
/* What is known may be wrong: ask, now or as soon as somebody can be asked. */
void	redis_survey_ask(struct redis_survey *);
/* This client is about to be freed. */
void	redis_survey_forget(struct redis_survey *, const struct redis_client *);
/* Nothing is asked any more, until redis_survey_ask. */
void	redis_survey_close(struct redis_survey *);

/* NULL is fine. */
void	redis_map_free(struct redis_slots *);

#endif
