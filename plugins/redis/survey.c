/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "survey.h"

#define ASK_MS	100	/* at most once in so long */

static void	ask(struct redis_survey *);

void
redis_survey_init(struct redis_survey *s, const struct redis_host *h,
    unsigned flags, const struct redis_survey_ops *ops, void *arg)
{
	s->h = h;
	s->flags = flags;
	s->ops = ops;
	s->arg = arg;
}

void
redis_map_free(struct redis_slots *map)
{
	if (map != NULL)
		redis_slots_free(map);
	free(map);
}

static void
forget_answer(struct redis_survey *s)
{
	redis_map_free(s->answer);
	s->answer = NULL;
	s->asked = NULL;
}

/* -- when -- */

static void
ask_due(struct hostd_inst *in, hostd_timer t, void *arg)
{
	struct redis_survey *s = arg;

	(void)in;
	(void)t;
	s->timer.id = 0;
	ask(s);
}

static void
ask_later(struct redis_survey *s, uint64_t ms)
{
	if (s->timer.id == 0 && s->h->timers->start(s->h->host, ms, 0, ask_due,
	    s, &s->timer) != HOSTD_OK)
		s->timer.id = 0;
}

/* -- what it has come to -- */

static void
failed(struct redis_survey *s, const char *why)
{
	s->ops->trouble(s->arg, why);
	ask_later(s, backoff_next(&s->backoff, s->h->retry_ms));
}

static void
settled(struct redis_survey *s)
{
	s->stale = 0;
	s->backoff.attempts = 0;
}

static void
conclude_plain(struct redis_survey *s, struct redis_client *asked)
{
	if (s->ops->plain(s->arg, asked) == 0)
		settled(s);
	else if (s->trouble[0] != '\0')
		failed(s, s->trouble);
	else if (s->is_plain)
		failed(s, "this Redis is not a cluster");
	else
		failed(s, "this Redis Cluster has no sharded channels (7.0 "
		    "has)");
}

static void
conclude_cluster(struct redis_survey *s, struct redis_slots *map)
{
	/* Whoever takes it may find it wrong at once, and ask. */
	settled(s);
	if (s->ops->cluster(s->arg, map) == 0)
		return;
	redis_map_free(map);
	s->stale = 1;
	failed(s, "out of memory");
}

/* All answers are there.  Nobody is asked from now on, so that the owner may
 * do anything in its callbacks. */
static void
conclude(struct redis_survey *s)
{
	struct redis_client *asked = s->asked;
	struct redis_slots *map = s->answer;

	s->asked = NULL;
	s->answer = NULL;
	if (s->trouble[0] == '\0' && map != NULL && !s->no_shards) {
		conclude_cluster(s, map);
		return;
	}
	redis_map_free(map);
	if (s->is_plain || s->no_shards)
		conclude_plain(s, asked);
	else
		failed(s, s->trouble);
}

/* -- the answers -- */

static void
trouble(struct redis_survey *s, const redisReply *r, const char *otherwise)
{
	(void)snprintf(s->trouble, sizeof(s->trouble), "%s",
	    r->type == REDIS_REPLY_ERROR ? r->str : otherwise);
}

static void
info_answered(struct redis_client *c, void *arg, const redisReply *r)
{
	struct redis_survey *s = arg;

	if (r == NULL || c != s->asked)
		return;
	/* "ERR This instance has cluster support disabled", or a user who may
	 * not ask, or a server that is only like Redis. */
	if (redis_is_error(r, "ERR") || redis_is_error(r, "NOPERM"))
		s->is_plain = 1;
	else if (r->type != REDIS_REPLY_STRING ||
	    strstr(r->str, "cluster_state:ok") == NULL)
		trouble(s, r, "the cluster's state is not ok");
}

static void
shards_answered(struct redis_client *c, void *arg, const redisReply *r)
{
	struct redis_survey *s = arg;

	if (r != NULL && c == s->asked)
		s->no_shards = r->type == REDIS_REPLY_ARRAY &&
		    r->elements == 1 &&
		    r->element[0]->type != REDIS_REPLY_ARRAY;
}

static void
take_slots(struct redis_survey *s, const redisReply *r)
{
	const char *why;

	if (s->is_plain || s->trouble[0] != '\0' || s->answer != NULL)
		return;
	if ((s->answer = malloc(sizeof(*s->answer))) == NULL) {
		trouble(s, r, "out of memory");
	} else if (redis_slots_parse(s->answer, r, redis_client_host(s->asked),
	    &why) == -1) {
		free(s->answer);
		s->answer = NULL;
		trouble(s, r, why);
	}
}

/* The last. */
static void
slots_answered(struct redis_client *c, void *arg, const redisReply *r)
{
	struct redis_survey *s = arg;

	if (c != s->asked)
		return;
	if (r == NULL) {
		/* Its connection was lost; another one may know. */
		forget_answer(s);
		ask_later(s, ASK_MS);
		return;
	}
	take_slots(s, r);
	conclude(s);
}

/* -- asking -- */

static int
ask_shards(struct redis_survey *s, struct redis_client *c)
{
	return s->flags & REDIS_SURVEY_SHARDS ? redis_words(c, shards_answered,
	    s, "COMMAND", "INFO", "SSUBSCRIBE", NULL) : HOSTD_OK;
}

static void
ask(struct redis_survey *s)
{
	struct redis_client *c;

	if (s->asked != NULL || (c = s->ops->who(s->arg)) == NULL)
		return;		/* who comes next is asked */
	s->asked = c;
	s->asked_ms = s->h->host->now_ms(s->h->host);
	s->trouble[0] = '\0';
	s->is_plain = s->no_shards = 0;
	if (redis_words(c, info_answered, s, "CLUSTER", "INFO", NULL) < 0 ||
	    ask_shards(s, c) < 0 ||
	    redis_words(c, slots_answered, s, "CLUSTER", "SLOTS", NULL) < 0) {
		s->asked = NULL;
		ask_later(s, ASK_MS);
	}
}

void
redis_survey_ask(struct redis_survey *s)
{
	uint64_t since = s->h->host->now_ms(s->h->host) - s->asked_ms;

	s->stale = 1;
	if (s->asked != NULL || s->timer.id != 0)
		return;
	if (s->asked_ms == 0 || since >= ASK_MS)
		ask(s);
	else
		ask_later(s, ASK_MS - since);
}

void
redis_survey_forget(struct redis_survey *s, const struct redis_client *c)
{
	if (c != NULL && s->asked == c)
		forget_answer(s);
}

void
redis_survey_close(struct redis_survey *s)
{
	if (s->timer.id != 0)
		(void)s->h->timers->stop(s->h->host, s->timer);
	s->timer.id = 0;
	forget_answer(s);
}
