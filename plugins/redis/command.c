/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands and their answers, in order; and what comes unasked. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "inside.h"

#define WORDS_MAX	8
#define SUBSCRIPTION	160	/* bytes that one takes, beside its name */

/* -- commands -- */

int32_t
client_send(struct redis_client *c, struct redis_queued *q, int argc,
    const char *const *argv, const size_t *lens)
{
	hostd_buf b = { NULL, 0 };
	char *text = NULL;
	int32_t rc;
	int n;

	n = redisFormatCommandArgv(&text, argc, (const char **)(uintptr_t)argv,
	    lens);
	if (n < 0)
		return HOSTD_E_NOMEM;
	b.n = (size_t)n;
	if (q->bytes == 0)
		q->bytes = b.n;
	b.p = text;
	if (redis_queue_put(&c->queue, q) == -1) {
		rc = HOSTD_E_NOMEM;
	} else {
		q->channel = NULL;	/* the queue's from now on */
		rc = c->h->net->send(c->h->host, c->conn, b);
		if (rc < 0)
			redis_queue_unput(&c->queue);
	}
	redisFreeCommand(text);
	return rc < 0 ? rc : HOSTD_OK;
}

int32_t
redis_command(struct redis_client *c, redis_answer_fn fn, void *arg, int argc,
    const char *const *argv, const size_t *lens)
{
	struct redis_queued q = { .fn = fn, .arg = arg };
	size_t max = c->h->max_pending;
	int32_t rc;

	if (c->state != UP || c->freed)
		return HOSTD_E_STATE;
	if (c->queue.bytes >= max) {
		c->owed = 1;
		return HOSTD_E_FULL;
	}
	if ((rc = client_send(c, &q, argc, argv, lens)) != HOSTD_OK)
		return rc;
	client_expect_answer(c);
	if (c->queue.bytes <= max / 2)
		return HOSTD_OK;
	c->owed = 1;
	return HOSTD_AGAIN;
}

int32_t
redis_words(struct redis_client *c, redis_answer_fn fn, void *arg, ...)
{
	const char *argv[WORDS_MAX];
	size_t lens[WORDS_MAX];
	va_list ap;
	int n = 0;

	va_start(ap, arg);
	while (n < WORDS_MAX && (argv[n] = va_arg(ap, const char *)) != NULL) {
		lens[n] = strlen(argv[n]);
		n++;
	}
	va_end(ap);
	return redis_command(c, fn, arg, n, argv, lens);
}

static int
is_begin(const char *verb)
{
	return strstr(verb, "UNSUB") == NULL;
}

static void
count_bytes(size_t *total, int on, size_t bytes)
{
	if (on)
		*total += bytes;
	else
		*total -= bytes < *total ? bytes : *total;
}

/*
 * What is subscribed is the host's to limit, and all of it is asked for, or
 * ended, at once.  What comes and goes while nothing is answered is limited
 * here.
 */
static int
may_subscribe(struct redis_client *c)
{
	size_t all = c->wanted > c->held ? c->wanted : c->held;

	if (c->queue.bytes <= all + c->h->max_pending)
		return 1;
	client_drop(c, "%s: %zu subscriptions wait for answers, which is more "
	    "than max_pending allows", c->where, c->queue.used);
	return 0;
}

int32_t
redis_subscribe(struct redis_client *c, const char *verb, hostd_buf channel)
{
	const char *argv[2] = { verb, channel.p };
	size_t lens[2] = { strlen(verb), channel.n };
	/* On its way, and here until it is answered. */
	struct redis_queued q = { .verb = verb, .n = channel.n,
		.bytes = SUBSCRIPTION + 2 * channel.n };
	int32_t rc;

	if (c->state != UP || c->freed)
		return HOSTD_E_STATE;
	if (!may_subscribe(c))
		return HOSTD_E_FULL;
	if ((q.channel = malloc(channel.n + 1)) == NULL)
		return HOSTD_E_NOMEM;
	memcpy(q.channel, channel.p, channel.n);
	q.channel[channel.n] = '\0';
	if ((rc = client_send(c, &q, 2, argv, lens)) == HOSTD_OK)
		count_bytes(&c->wanted, is_begin(verb), q.bytes);
	free(q.channel);
	return rc;
}

int
redis_is_error(const redisReply *r, const char *word)
{
	return r->type == REDIS_REPLY_ERROR &&
	    strncmp(r->str, word, strlen(word)) == 0;
}

/* -- answers -- */

static int
is_text(const redisReply *r, const char *p, size_t n)
{
	return r->type == REDIS_REPLY_STRING && r->len == n &&
	    strncasecmp(r->str, p, n) == 0;
}

/*
 * To a subscriber everything is a list, whether it asked for it or not; only
 * PING, errors and what names the subscription it waits for are answers.
 */
static int
is_push(const struct redis_client *c, const redisReply *r)
{
	const struct redis_queued *q = redis_queue_first(&c->queue);
	const redisReply *channel;

	if (!(c->flags & REDIS_SUBSCRIBER) || r->type != REDIS_REPLY_ARRAY ||
	    r->elements < 2)
		return 0;
	if (q == NULL || q->verb == NULL)
		return !is_text(r->element[0], "pong", 4);
	channel = r->element[1];
	return !is_text(r->element[0], q->verb, strlen(q->verb)) ||
	    channel->type != REDIS_REPLY_STRING || channel->len != q->n ||
	    memcmp(channel->str, q->channel, q->n) != 0;
}

static void
answered(struct redis_client *c, const redisReply *r)
{
	struct redis_queued q;
	hostd_buf channel;

	if (is_push(c, r)) {
		c->ops->push(c, r);
		return;
	}
	if (!redis_queue_take(&c->queue, &q)) {
		client_drop(c, "%s: an answer that nothing was asked for",
		    c->where);
		return;
	}
	channel.p = q.channel;
	channel.n = q.n;
	if (q.verb != NULL)
		count_bytes(&c->held, is_begin(q.verb), q.bytes);
	if (q.verb != NULL)
		c->ops->subscribed(c, q.verb, channel, r);
	else if (q.fn != NULL)
		q.fn(c, q.arg, r);
	free(q.channel);
}

static void
make_room(struct redis_client *c)
{
	if (!c->owed || c->queue.bytes > c->h->max_pending / 4)
		return;
	c->owed = 0;
	if (c->ops->writable != NULL)
		c->ops->writable(c);
}

void
client_read_answers(struct redis_client *c)
{
	const char *why;
	redisReply *r;
	int rc = 1;

	while (client_is_open(c) &&
	    (rc = redis_reader_next(&c->reader, &r, &why)) == 1) {
		answered(c, r);
		freeReplyObject(r);
	}
	if (client_is_open(c) && rc == -1)
		client_drop(c, "%s: a malformed answer: %s", c->where, why);
	if (client_is_open(c))
		make_room(c);
}
