/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "inside.h"

#define HIGH_WATER	(1u << 30)	/* max_pending is the limit */

static void	client_attempt(struct redis_client *);

/* -- calls out, in which the client may be freed -- */

static void
client_enter(struct redis_client *c)
{
	c->in_calls++;
}

static void
client_leave(struct redis_client *c)
{
	if (--c->in_calls > 0 || !c->freed || c->conn.id != 0)
		return;
	redis_queue_free(&c->queue);
	free(c->name);
	free(c->where);
	free(c);
}

/* -- the timer -- */

static uint64_t
now(const struct redis_client *c)
{
	return c->h->host->now_ms(c->h->host);
}

static void
timer_clear(struct redis_client *c)
{
	if (c->timer.id != 0)
		(void)c->h->timers->stop(c->h->host, c->timer);
	c->timer.id = 0;
}

static void
timer_set(struct redis_client *c, uint64_t ms,
    void (*fn)(struct hostd_inst *, hostd_timer, void *))
{
	timer_clear(c);
	c->look_ms = now(c) + ms;
	if (c->h->timers->start(c->h->host, ms, 0, fn, c, &c->timer) !=
	    HOSTD_OK)
		c->timer.id = 0;
}

/* -- the end of a connection -- */

void
client_drop(struct redis_client *c, const char *fmt, ...)
{
	va_list ap;

	if (c->state == ASLEEP || c->state == ENDING)
		return;
	timer_clear(c);
	c->state = ENDING;
	va_start(ap, fmt);
	(void)vsnprintf(c->why, sizeof(c->why), fmt, ap);
	va_end(ap);
	(void)c->h->net->close(c->h->host, c->conn);
}

void
redis_client_drop(struct redis_client *c, const char *why)
{
	client_drop(c, "%s", why);
}

static void
retry_due(struct hostd_inst *in, hostd_timer t, void *arg)
{
	struct redis_client *c = arg;

	(void)in;
	(void)t;
	c->timer.id = 0;
	client_attempt(c);
}

/* One that has lasted for a while begins anew. */
static void
retry_later(struct redis_client *c)
{
	if (c->up_ms != 0 && now(c) - c->up_ms >= c->h->retry_ms)
		c->backoff.attempts = 0;
	c->up_ms = 0;
	timer_set(c, backoff_next(&c->backoff, c->h->retry_ms), retry_due);
}

/* Its commands get no answers any more. */
static void
answer_none(struct redis_client *c)
{
	struct redis_queued q;

	while (redis_queue_take(&c->queue, &q)) {
		free(q.channel);
		if (q.fn != NULL && !c->freed)
			q.fn(c, q.arg, NULL);
	}
}

static void
client_ended(struct redis_client *c, const char *why)
{
	int was_up = c->was_up;

	client_enter(c);
	timer_clear(c);
	c->conn.id = 0;
	c->state = ASLEEP;
	c->was_up = c->owed = 0;
	c->wanted = c->held = 0;
	redis_reader_close(&c->reader);
	answer_none(c);
	if (!c->freed)
		retry_later(c);
	if (!c->freed)
		c->ops->down(c, was_up, why);
	client_leave(c);
}

static void
on_close(struct hostd_inst *in, hostd_conn conn, void *arg, int32_t status,
    hostd_buf text)
{
	struct redis_client *c = arg;
	char why[sizeof(c->why)];

	(void)in;
	(void)conn;
	(void)status;
	if (c->state == ENDING)
		(void)snprintf(why, sizeof(why), "%s", c->why);
	else
		(void)snprintf(why, sizeof(why), "%.*s", (int)text.n,
		    text.n > 0 ? (const char *)text.p : "");
	client_ended(c, why);
}

/* -- a sign of life -- */

static void	life_due(struct hostd_inst *, hostd_timer, void *);

static void
too_late(struct redis_client *c, uint32_t ms)
{
	client_drop(c, "%s: no answer within %u ms", c->where, ms);
}

static uint32_t
ping_limit(const struct redis_client *c)
{
	const struct redis_host *h = c->h;

	return h->command_ms != 0 && h->command_ms < h->answer_ms ?
	    h->command_ms : h->answer_ms;
}

static void
greeting_late(struct hostd_inst *in, hostd_timer t, void *arg)
{
	struct redis_client *c = arg;

	(void)in;
	(void)t;
	c->timer.id = 0;
	too_late(c, c->h->answer_ms);
}

static void
pong_late(struct hostd_inst *in, hostd_timer t, void *arg)
{
	struct redis_client *c = arg;

	c->timer.id = 0;
	if (!c->silent)
		life_due(in, t, c);
	else
		too_late(c, ping_limit(c));
}

/* Whatever comes is a sign that more will. */
static void
look_at_owed(struct redis_client *c)
{
	uint64_t since = c->owed_ms > c->heard_ms ? c->owed_ms : c->heard_ms;
	uint64_t silent = now(c) - since;

	if (silent >= c->h->command_ms)
		too_late(c, c->h->command_ms);
	else
		timer_set(c, c->h->command_ms - silent, life_due);
}

/* Whatever comes is one. */
static void
life_due(struct hostd_inst *in, hostd_timer t, void *arg)
{
	struct redis_client *c = arg;
	uint64_t silent = now(c) - c->heard_ms;

	(void)in;
	(void)t;
	c->timer.id = 0;
	if (c->h->command_ms != 0 && c->queue.used > 0) {
		look_at_owed(c);
		return;
	}
	if (silent < c->h->ping_ms) {
		timer_set(c, c->h->ping_ms - silent, life_due);
		return;
	}
	c->silent = 1;
	(void)redis_words(c, NULL, NULL, "PING", NULL);
	timer_set(c, ping_limit(c), pong_late);
}

/* The timer is moved only where it would come too late. */
void
client_expect_answer(struct redis_client *c)
{
	uint64_t limit = c->h->command_ms;

	if (limit == 0 || c->queue.used != 1)
		return;
	c->owed_ms = now(c);
	if (c->look_ms > c->owed_ms + limit)
		timer_set(c, limit, life_due);
}

/* -- the greeting -- */

/* What a server says may be anything, even what it was told. */
static void
greeting_refused(struct redis_client *c, const char *command,
    const redisReply *r)
{
	const char *secret = c->h->password, *said;

	said = r->type == REDIS_REPLY_ERROR || r->type == REDIS_REPLY_STATUS ?
	    r->str : "not what was expected";
	if (secret != NULL && secret[0] != '\0' && strstr(said, secret) != NULL)
		said = "an error";
	client_drop(c, "%s: the answer to %s is: %s", c->where, command, said);
}

static void
auth_answered(struct redis_client *c, void *arg, const redisReply *r)
{
	(void)arg;
	if (r != NULL && r->type != REDIS_REPLY_STATUS)
		greeting_refused(c, "AUTH", r);
}

static void
select_answered(struct redis_client *c, void *arg, const redisReply *r)
{
	(void)arg;
	if (r != NULL && r->type != REDIS_REPLY_STATUS)
		greeting_refused(c, "SELECT", r);
}

/* A user who may not PING is one who may be here. */
static void
ping_answered(struct redis_client *c, void *arg, const redisReply *r)
{
	(void)arg;
	if (r == NULL || c->state != GREETING)
		return;
	if (r->type != REDIS_REPLY_STATUS && !redis_is_error(r, "NOPERM")) {
		greeting_refused(c, "PING", r);
		return;
	}
	c->state = UP;
	c->was_up = 1;
	c->up_ms = now(c);
	timer_set(c, c->h->ping_ms, life_due);
	c->ops->up(c);
}

/* A command of up to three words, of the greeting's own. */
static void
greet_with(struct redis_client *c, redis_answer_fn fn, const char *a,
    const char *b, const char *d)
{
	const char *argv[3] = { a, b, d };
	size_t lens[3] = { strlen(a), b != NULL ? strlen(b) : 0,
		d != NULL ? strlen(d) : 0 };
	struct redis_queued q = { .fn = fn };

	if (client_send(c, &q, b == NULL ? 1 : d == NULL ? 2 : 3, argv,
	    lens) != HOSTD_OK)
		client_drop(c, "%s: out of memory", c->where);
}

static void
greet(struct redis_client *c)
{
	const struct redis_host *h = c->h;
	char db[16];

	if (h->user != NULL)
		greet_with(c, auth_answered, "AUTH", h->user,
		    h->password != NULL ? h->password : "");
	else if (h->password != NULL)
		greet_with(c, auth_answered, "AUTH", h->password, NULL);
	(void)snprintf(db, sizeof(db), "%u", h->db);
	if (h->db != 0)
		greet_with(c, select_answered, "SELECT", db, NULL);
	greet_with(c, ping_answered, "PING", NULL, NULL);
}

/* -- the connection -- */

static void
on_connect(struct hostd_inst *in, hostd_conn conn, void *arg)
{
	struct redis_client *c = arg;

	(void)in;
	(void)conn;
	if (c->state != CONNECTING)
		return;
	c->state = GREETING;
	c->heard_ms = now(c);
	if (redis_reader_open(&c->reader, c->h->max_reply) == -1) {
		client_drop(c, "%s: out of memory", c->where);
		return;
	}
	timer_set(c, c->h->answer_ms, greeting_late);
	greet(c);
}

static void
on_data(struct hostd_inst *in, hostd_conn conn, void *arg, hostd_buf data)
{
	struct redis_client *c = arg;

	(void)in;
	(void)conn;
	if (!client_is_open(c))
		return;
	if (data.n == 0) {
		client_drop(c, "%s: the server has closed the connection",
		    c->where);
		return;
	}
	c->heard_ms = now(c);
	c->silent = 0;
	client_enter(c);
	if (redis_reader_feed(&c->reader, data.p, data.n) == 0)
		client_read_answers(c);
	else
		client_drop(c, "%s: out of memory", c->where);
	client_leave(c);
}

static void
attempt_failed(struct hostd_inst *in, hostd_timer t, void *arg)
{
	struct redis_client *c = arg;

	(void)in;
	(void)t;
	c->timer.id = 0;
	client_ended(c, c->why);
}

static void
client_attempt(struct redis_client *c)
{
	static const struct hostd_net_ops ops = {
		.struct_size = sizeof(ops),
		.on_connect = on_connect,
		.on_data = on_data,
		.on_close = on_close,
	};
	struct hostd_connect to = {
		.struct_size = sizeof(to),
		.host = c->name,
		.port = c->port,
		.flags = c->name[0] == '/' ? 0 : c->h->tls,
		.tls_ca = c->h->tls_ca,
		.tls_cert = c->h->tls_cert,
		.timeout_ms = c->h->connect_ms,
		.high_water = HIGH_WATER,
	};
	int32_t rc;

	c->state = CONNECTING;
	rc = c->h->net->connect(c->h->host, &to, &ops, c, &c->conn);
	if (rc == HOSTD_OK)
		return;
	/* Not a callback before the call returns. */
	c->conn.id = 0;
	c->state = ASLEEP;
	(void)snprintf(c->why, sizeof(c->why), "connecting to %s: code %d",
	    c->where, (int)rc);
	timer_set(c, 0, attempt_failed);
}

/* -- life -- */

static char *
where_text(const char *host, uint32_t port)
{
	char *text = NULL;
	int rc;

	if (host[0] == '/')
		return strdup(host);
	if (strchr(host, ':') != NULL)
		rc = asprintf(&text, "[%s]:%u", host, port);
	else
		rc = asprintf(&text, "%s:%u", host, port);
	return rc == -1 ? NULL : text;
}

struct redis_client *
redis_client_new(const struct redis_host *h, const char *host, uint32_t port,
    unsigned flags, const struct redis_client_ops *ops, void *arg)
{
	struct redis_client *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->h = h;
	c->ops = ops;
	c->arg = arg;
	c->port = port;
	c->flags = flags;
	c->name = strdup(host);
	c->where = where_text(host, port);
	if (c->name == NULL || c->where == NULL) {
		free(c->name);
		free(c->where);
		free(c);
		return NULL;
	}
	return c;
}

void
redis_client_start(struct redis_client *c)
{
	if (c->state == ASLEEP && c->timer.id == 0)
		client_attempt(c);
}

void
redis_client_free(struct redis_client *c)
{
	if (c == NULL || c->freed)
		return;
	client_enter(c);
	c->freed = 1;
	timer_clear(c);
	if (c->conn.id != 0)
		(void)c->h->net->close(c->h->host, c->conn);
	client_leave(c);
}

void *
redis_client_arg(const struct redis_client *c)
{
	return c->arg;
}

const char *
redis_client_host(const struct redis_client *c)
{
	return c->name;
}

int
redis_client_is_up(const struct redis_client *c)
{
	return c != NULL && c->state == UP && !c->freed;
}

size_t
redis_client_pending(const struct redis_client *c)
{
	return c->queue.used;
}
