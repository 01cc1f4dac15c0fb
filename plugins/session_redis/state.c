/* SPDX-License-Identifier: BSD-2-Clause */
/* What people are told, and whether the worker is ready. */
#include "store.h"

/* The same is not said more often. */
#define REFUSED_MS	60000
#define DOWN_MS		10000
#define REASONS_MAX	4	/* of one time that it is down */

/* -- said once in a while -- */

/* 0: not now. */
static int
may_say(struct hostd_inst *in, struct complaint *c, uint64_t every)
{
	uint64_t now = in->host->now_ms(in->host);

	if (c->said_ms != 0 && now - c->said_ms < every) {
		c->more++;
		return 0;
	}
	c->said_ms = now;
	return 1;
}

/*
 * Redis quotes the arguments of a command that it does not know, and a
 * session's id is nobody's business.
 */
static int
text_length(const char *said, hostd_buf key)
{
	const char *args = strstr(said, ", with args");
	size_t n = args != NULL ? (size_t)(args - said) : strlen(said);

	if (n > 200)
		n = 200;
	if (key.n > 0 && memmem(said, n, key.p, key.n) != NULL)
		n = strcspn(said, " ");
	return (int)n;
}

void
state_refused(struct hostd_inst *in, const char *what, const char *said,
    hostd_buf key)
{
	struct complaint *c = &in->refused;
	char more[80] = "";

	if (!may_say(in, c, REFUSED_MS))
		return;
	if (c->more > 0)
		(void)snprintf(more, sizeof(more), "; %u times more since "
		    "something like it was said", c->more);
	c->more = 0;
	hostd_logf(in->host, HOSTD_LOG_ERROR, "%s: %.*s%s", what,
	    text_length(said, key), said, more);
}

/* -- is Redis there? -- */

static int
is_ready(const struct hostd_inst *in)
{
	const struct node *n;

	if (in->mode == MODE_UNKNOWN)
		return 0;
	LIST_FOREACH(n, &in->nodes, link)
		if (n->wanted && n->nup == 0)
			return 0;
	return 1;
}

void
state_check(struct hostd_inst *in)
{
	if (in->up || !is_ready(in))
		return;
	in->up = 1;
	redis_presence_tell(&in->presence, HOSTD_HEALTH_UP, "");
	if (in->said_down)
		hostd_logf(in->host, HOSTD_LOG_INFO, "Redis is up again");
	in->said_down = 0;
	state_release(in);
}

/* Each reason once, as the first one may not be the one that matters; but
 * nobody is to be told the whole night. */
static int
is_news(struct hostd_inst *in, const char *why)
{
	if (!in->said_down)
		return may_say(in, &in->down, DOWN_MS);
	return strncmp(why, in->down_why, sizeof(in->down_why) - 1) != 0 &&
	    in->said_down < REASONS_MAX;
}

void
state_lost(struct hostd_inst *in, const char *why)
{
	in->up = 0;
	redis_presence_tell(&in->presence, HOSTD_HEALTH_DOWN, why);
	state_release(in);
	if (!is_news(in, why))
		return;
	in->said_down++;
	(void)snprintf(in->down_why, sizeof(in->down_why), "%s", why);
	hostd_logf(in->host, HOSTD_LOG_ERROR, "%s is down, and the sessions in "
	    "it with it: %s", in->mode == MODE_CLUSTER ?
	    "a part of the Redis Cluster" : "Redis", why);
}

/* -- readiness -- */

static void
hold_due(struct hostd_inst *in, hostd_timer t, void *arg)
{
	(void)t;
	(void)arg;
	in->hold_timer.id = 0;
	state_release(in);
}

/* A Redis that is not there is no reason not to serve: many routes may do
 * without. */
void
state_hold(struct hostd_inst *in)
{
	if (in->ready == NULL || in->ready->hold(in->host,
	    "connecting to Redis") != HOSTD_OK)
		return;
	in->holding = 1;
	if (in->redis.timers->start(in->host, in->redis.command_ms, 0,
	    hold_due, NULL, &in->hold_timer) != HOSTD_OK)
		state_release(in);
}

void
state_release(struct hostd_inst *in)
{
	if (!in->holding)
		return;
	in->holding = 0;
	if (in->hold_timer.id != 0)
		(void)in->redis.timers->stop(in->host, in->hold_timer);
	in->hold_timer.id = 0;
	(void)in->ready->release(in->host, HOSTD_OK, hostd_str(""));
}
