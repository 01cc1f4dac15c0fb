/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command purge: one worker is asked, all remove, and say how many went.
 *
 * Messages are a letter, a token of the one that asks, and
 *
 *	Q	the keys, one a line: remove them
 *	B	nothing: begun, by a worker
 *	A	a number: it is done, so many went
 *
 * Nobody knows how many workers there are, here and at other nodes; those that
 * have not begun for a moment are not waited for.  They do it all the same.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "cache_inside.h"

#define TOKEN	16		/* bytes, hex */
#define HEAD	(1 + TOKEN)
#define LOOK_MS	50
#define QUIET_MS 250		/* nobody else has begun */
#define LEFT_MS	100		/* of the op's time, in which to answer */

/* Who asks. */
struct purge_ask {
	LIST_ENTRY(purge_ask) entry;
	struct cache *cache;
	hostd_op op;
	char token[TOKEN];
	unsigned begun, ended;
	uint64_t n, heard_ms;
	hostd_timer look;
};

/* What one worker is at. */
struct purge_job {
	char token[TOKEN];
	unsigned waiting;
	uint64_t n;
};

static uint64_t
now_of(const struct cache *c)
{
	return c->easy->host->now_ms(c->easy->host);
}

static void
say(struct cache *c, char letter, const char *token, const char *text)
{
	char msg[HEAD + 24];
	size_t n = strlen(text);

	msg[0] = letter;
	memcpy(msg + 1, token, TOKEN);
	memcpy(msg + HEAD, text, n);
	(void)purge_publish(c, (hostd_buf){ msg, HEAD + n });
}

/* -- removing -- */

static void
job_told(struct cache *c, void *arg, unsigned n)
{
	struct purge_job *j = arg;
	char text[24];

	j->n += n;
	if (--j->waiting > 0)
		return;
	(void)snprintf(text, sizeof(text), "%" PRIu64, j->n);
	say(c, 'A', j->token, text);
	free(j);
}

static void
remove_all(struct cache *c, const char *token, const char *p, size_t n)
{
	struct purge_job *j = calloc(1, sizeof(*j));
	const char *end = p + n, *nl;
	size_t len;
	int prefix;

	if (j == NULL)
		return;
	memcpy(j->token, token, TOKEN);
	j->waiting = 1;
	say(c, 'B', token, "");
	for (; p < end; p = nl + 1) {
		if ((nl = memchr(p, '\n', (size_t)(end - p))) == NULL)
			nl = end;
		len = (size_t)(nl - p);
		prefix = len > 0 && p[len - 1] == '*';
		j->waiting++;
		store_drop_counted(c, (hostd_buf){ p, len - (size_t)prefix },
		    prefix, job_told, j);
	}
	job_told(c, j, 0);
}

/* -- asking -- */

static struct purge_ask *
ask_find(struct cache *c, const char *token)
{
	struct purge_ask *a;

	LIST_FOREACH(a, &c->asks, entry)
		if (memcmp(a->token, token, TOKEN) == 0)
			return a;
	return NULL;
}

static void
ask_free(struct purge_ask *a)
{
	LIST_REMOVE(a, entry);
	free(a);
}

static void
ask_end(struct purge_ask *a)
{
	struct cache *c = a->cache;

	(void)c->timer->stop(c->easy->host, a->look);
	if (a->ended == a->begun)
		(void)hostd_reply(c->inst, a->op, HOSTD_OK, "removed %" PRIu64
		    ", in %u worker%s\n", a->n, a->ended,
		    a->ended == 1 ? "" : "s");
	else
		(void)hostd_reply(c->inst, a->op, HOSTD_E_TIMEOUT, "removed %"
		    PRIu64 " so far; %u of %u workers are still at it", a->n,
		    a->begun - a->ended, a->begun);
	ask_free(a);
}

static void
ask_look(struct hostd_inst *in, hostd_timer t, void *arg)
{
	struct purge_ask *a = arg;
	struct cache *c = a->cache;
	uint64_t left = 0;

	(void)in;
	(void)t;
	if (c->easy->op->left_ms(c->easy->host, a->op, &left) != HOSTD_OK ||
	    left < LEFT_MS || (a->begun > 0 && a->begun == a->ended &&
	    now_of(c) - a->heard_ms >= QUIET_MS))
		ask_end(a);
}

void
order_message(struct cache *c, hostd_buf msg)
{
	const char *p = msg.p;
	struct purge_ask *a;
	char text[24];

	if (msg.n < HEAD)
		return;
	if (*p == 'Q') {
		remove_all(c, p + 1, p + HEAD, msg.n - HEAD);
		return;
	}
	if ((a = ask_find(c, p + 1)) == NULL)
		return;
	a->heard_ms = now_of(c);
	if (*p == 'B') {
		a->begun++;
		return;
	}
	(void)snprintf(text, sizeof(text), "%.*s",
	    msg.n - HEAD < 20 ? (int)(msg.n - HEAD) : 20, p + HEAD);
	a->ended++;
	a->n += strtoull(text, NULL, 10);
}

static int
make_token(char token[TOKEN])
{
	char hex[TOKEN + 1];
	uint64_t r;

	if (getrandom(&r, sizeof(r), 0) != (ssize_t)sizeof(r))
		return -1;
	(void)snprintf(hex, sizeof(hex), "%016" PRIx64, r);
	memcpy(token, hex, TOKEN);
	return 0;
}

/* "Q", the token, and the keys; NULL: no memory. */
static char *
order_write(const char *token, uint32_t n, const hostd_buf *keys, size_t *len)
{
	hostd_buf key;
	size_t size = HEAD;
	uint32_t i;
	char *msg;

	for (i = 0; i < n; i++)
		size += keys[i].n + 1;
	if ((msg = malloc(size)) == NULL)
		return NULL;
	msg[0] = 'Q';
	memcpy(msg + 1, token, TOKEN);
	*len = HEAD;
	for (i = 0; i < n; i++) {
		key = keys[i];
		if (key.n == 3 && memcmp(key.p, "all", 3) == 0)
			key = (hostd_buf){ "*", 1 };
		memcpy(msg + *len, key.p, key.n);
		msg[*len + key.n] = '\n';
		*len += key.n + 1;
	}
	return msg;
}

static int
is_key(hostd_buf b)
{
	const unsigned char *p = b.p;
	size_t i;

	for (i = 0; i < b.n; i++)
		if (p[i] < ' ' || p[i] == 127)
			return 0;
	return b.n > 0;
}

static int32_t
ask_send(struct purge_ask *a, uint32_t n, const hostd_buf *keys)
{
	struct cache *c = a->cache;
	size_t len;
	char *msg;
	int rc;

	if (make_token(a->token) == -1 ||
	    (msg = order_write(a->token, n, keys, &len)) == NULL)
		return HOSTD_E_NOMEM;
	a->heard_ms = now_of(c);
	rc = purge_publish(c, (hostd_buf){ msg, len });
	free(msg);
	if (rc == -1)
		return HOSTD_E_NOTSUP;
	return c->timer->start(c->easy->host, LOOK_MS, LOOK_MS, ask_look, a,
	    &a->look);
}

int32_t
cache_purge(struct cache *c, uint32_t n, const hostd_buf *keys, hostd_op op)
{
	struct purge_ask *a;
	uint32_t i;
	int32_t rc;

	if (c->easy->op == NULL || !HOSTD_HAS(c->easy->op, left_ms))
		return HOSTD_E_NOTSUP;
	for (i = 0; i < n; i++)
		if (!is_key(keys[i]))
			return hostd_reply(c->inst, op, HOSTD_E_INVAL,
			    "what is kept has no empty key, and none with "
			    "control characters");
	if ((a = calloc(1, sizeof(*a))) == NULL)
		return HOSTD_E_NOMEM;
	a->cache = c;
	a->op = op;
	LIST_INSERT_HEAD(&c->asks, a, entry);
	if ((rc = ask_send(a, n, keys)) == HOSTD_OK)
		return HOSTD_DEFER;
	ask_free(a);
	return rc;
}

void
orders_forget(struct cache *c)
{
	struct purge_ask *a;

	while ((a = LIST_FIRST(&c->asks)) != NULL)
		ask_free(a);
}
