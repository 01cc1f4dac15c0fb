/* SPDX-License-Identifier: BSD-2-Clause */
/* Questions about channels, which are answered later, and what is kept of
 * them. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/fake_channel.h"
#include "ctl/fake_memory.h"
#include "ctl/fake_sock.h"

#define MAX_LIST 1000u
#define MAX_KEPT 1000u

typedef void (*count_fn)(struct hostd_inst *, void *, int32_t, uint64_t);
typedef void (*list_fn)(
    struct hostd_inst *, void *, int32_t, const hostd_buf *, uint32_t);
typedef void (*replay_fn)(
    struct hostd_inst *, void *, int32_t, const struct hostd_channel_event *);
typedef void (*largest_fn)(struct hostd_inst *, void *, int32_t,
    const hostd_channel_size *, uint32_t);

/* A question, until it is answered. */
struct question {
	TAILQ_ENTRY(question) entry;
	struct fake *fake;
	enum { ASK_COUNT, ASK_LIST, ASK_REPLAY, ASK_LARGEST } kind;
	union {
		count_fn count;
		list_fn list;
		replay_fn replay;
		largest_fn largest;
	} fn;
	void *arg;
	uint32_t max;
	uint64_t node, seq;
	size_t n;
	char name[];
};
TAILQ_HEAD(question_list, question);

/* An instance's wish to have a channel's messages kept. */
struct wish {
	LIST_ENTRY(wish) entry;
	struct fake *fake;
	uint32_t max;
	uint64_t age;
	size_t n;
	char name[];
};

static struct fake_said_list past = TAILQ_HEAD_INITIALIZER(past);
static struct question_list questions = TAILQ_HEAD_INITIALIZER(questions);
static LIST_HEAD(, wish) wishes = LIST_HEAD_INITIALIZER(wishes);
static uint64_t nquestions;

static int
is(const char *name, size_t n, hostd_buf b)
{
	return n == b.n && memcmp(name, b.p, n) == 0;
}

/* -- questions -- */

static struct question *
ask(struct fake *f, hostd_buf channel, void *arg)
{
	struct question *q = xcalloc(1, sizeof(*q) + channel.n);

	q->fake = f;
	q->arg = arg;
	q->n = channel.n;
	memcpy(q->name, channel.p, channel.n);
	TAILQ_INSERT_TAIL(&questions, q, entry);
	return q;
}

struct labels {
	hostd_buf channel;
	hostd_buf *out; /* lent */
	uint32_t n, nsocks;
};

static int
count_sock(struct fake_sock *s, void *arg)
{
	struct labels *l = arg;

	if (fake_sock_is_open(s) && fake_sock_room(s, l->channel) != NULL)
		l->nsocks++;
	return 0;
}

static uint32_t
count_here(hostd_buf channel)
{
	struct labels l = {.channel = channel};

	fake_sock_each(count_sock, &l);
	return l.nsocks;
}

int32_t
fake_count_here(const struct hostd_host *host, hostd_buf channel, uint32_t *out)
{
	int32_t rc;

	(void)fake_channel_called(host, channel, "count_here", &rc);
	if (out == NULL)
		check_fail("called count_here with NULL");
	if (rc == HOSTD_OK)
		*out = count_here(channel);
	return rc;
}

int32_t
fake_count(
    const struct hostd_host *host, hostd_buf channel, count_fn done, void *arg)
{
	int32_t rc;
	struct fake *f = fake_channel_called(host, channel, "count", &rc);
	struct question *q;

	if (done == NULL)
		check_fail("called count without a function");
	if (rc != HOSTD_OK || f->destroying)
		return rc != HOSTD_OK ? rc : HOSTD_E_STATE;
	q = ask(f, channel, arg);
	q->kind = ASK_COUNT;
	q->fn.count = done;
	return HOSTD_OK;
}

int32_t
fake_list(
    const struct hostd_host *host, hostd_buf channel, list_fn done, void *arg)
{
	int32_t rc;
	struct fake *f = fake_channel_called(host, channel, "list", &rc);
	struct question *q;

	if (done == NULL)
		check_fail("called list without a function");
	if (rc != HOSTD_OK || f->destroying)
		return rc != HOSTD_OK ? rc : HOSTD_E_STATE;
	q = ask(f, channel, arg);
	q->kind = ASK_LIST;
	q->fn.list = done;
	return HOSTD_OK;
}

int32_t
fake_replay(const struct hostd_host *host, hostd_buf channel, uint64_t node,
    uint64_t seq, replay_fn fn, void *arg)
{
	int32_t rc;
	struct fake *f = fake_channel_called(host, channel, "replay", &rc);
	struct question *q;

	if (fn == NULL)
		check_fail("called replay without a function");
	if (rc != HOSTD_OK || f->destroying)
		return rc != HOSTD_OK ? rc : HOSTD_E_STATE;
	q = ask(f, channel, arg);
	q->kind = ASK_REPLAY;
	q->fn.replay = fn;
	q->node = node;
	q->seq = seq;
	return HOSTD_OK;
}

int32_t
fake_largest(
    const struct hostd_host *host, uint32_t max, largest_fn done, void *arg)
{
	struct fake *f = fake_called(host, "largest");
	struct question *q;

	if (f->ended)
		check_fail("called largest in destroy");
	if (done == NULL)
		check_fail("called largest without a function");
	if (max == 0 || max > MAX_LIST)
		check_fail("called largest for %u channels", max);
	if (f->destroying)
		return HOSTD_E_STATE;
	q = ask(f, (hostd_buf){"", 0}, arg);
	q->kind = ASK_LARGEST;
	q->fn.largest = done;
	q->max = max;
	return HOSTD_OK;
}

static int
add_label(struct fake_sock *s, void *arg)
{
	struct labels *l = arg;

	if (l->n < MAX_LIST && fake_sock_is_open(s) && s->nlabel > 0 &&
	    fake_sock_room(s, l->channel) != NULL)
		l->out[l->n++] = fake_lend_copy(s->label, s->nlabel);
	return 0;
}

static void
answer_list(struct question *q, int32_t status)
{
	struct labels l = {.channel = {q->name, q->n}};

	fake_enter(q->fake, "the function of list", NULL);
	l.out = fake_lend(MAX_LIST * sizeof(*l.out));
	fake_sock_each(add_label, &l);
	q->fn.list(q->fake->inst, q->arg, status, l.out, l.n);
	fake_leave(q->fake);
}

struct sizes {
	hostd_channel_size v[MAX_LIST];	/* lent */
	uint32_t n;
};

static int
add_size(struct fake_sock *s, void *arg)
{
	struct sizes *z = arg;
	struct fake_room_of *r;
	uint32_t i;

	if (!fake_sock_is_open(s))
		return 0;
	LIST_FOREACH(r, &s->rooms, entry) {
		for (i = 0; i < z->n; i++)
			if (is(r->name, r->n, z->v[i].channel))
				break;
		if (i == MAX_LIST)
			return 1;
		if (i == z->n)
			z->v[z->n++].channel = fake_lend_copy(r->name, r->n);
		z->v[i].sockets++;
	}
	return 0;
}

static int
size_compare(const void *pa, const void *pb)
{
	const hostd_channel_size *a = pa, *b = pb;

	return (a->sockets < b->sockets) - (a->sockets > b->sockets);
}

static void
answer_largest(struct question *q, int32_t status)
{
	static const char elsewhere[] = "a\"<b>\xff";
	struct sizes *z;

	fake_enter(q->fake, "the function of largest", NULL);
	z = fake_lend(sizeof(*z));
	memset(z, 0, sizeof(*z));
	z->v[z->n].channel = fake_lend_copy(elsewhere, sizeof(elsewhere) - 1);
	z->v[z->n++].sockets = 2;
	fake_sock_each(add_size, z);
	qsort(z->v, z->n, sizeof(z->v[0]), size_compare);
	q->fn.largest(q->fake->inst, q->arg, status, z->v,
	    z->n < q->max ? z->n : q->max);
	fake_leave(q->fake);
}

static void
answer_replay(struct question *q, int32_t status)
{
	struct fake *f = q->fake;
	hostd_buf channel = {q->name, q->n};
	struct fake_said *s, *from = NULL;

	TAILQ_FOREACH(s, &past, entry)
		if (is(q->name, q->n, s->channel) && q->node == FAKE_NODE &&
		    q->seq == s->seq)
			from = s;
	s = from == NULL ? TAILQ_FIRST(&past) : TAILQ_NEXT(from, entry);
	for (; s != NULL; s = TAILQ_NEXT(s, entry)) {
		if (!is(s->channel.p, s->channel.n, channel))
			continue;
		fake_enter(f, "the function of replay", NULL);
		q->fn.replay(f->inst, q->arg, HOSTD_OK, fake_said_lend(s));
		fake_leave(f);
	}
	fake_enter(f, "the function of replay", NULL);
	q->fn.replay(f->inst, q->arg, status, NULL);
	fake_leave(f);
}

static void
answer(struct question *q, int32_t status)
{
	hostd_buf channel = {q->name, q->n};

	switch (q->kind) {
	case ASK_COUNT:
		fake_enter(q->fake, "the function of count", NULL);
		q->fn.count(q->fake->inst, q->arg, status,
		    count_here(channel) + (status == HOSTD_OK ? 2u : 0u));
		fake_leave(q->fake);
		break;
	case ASK_LIST:
		answer_list(q, status);
		break;
	case ASK_REPLAY:
		answer_replay(q, status);
		break;
	case ASK_LARGEST:
		answer_largest(q, status);
		break;
	}
}

/* -- what is kept -- */

static void
wish_free(struct wish *w)
{
	LIST_REMOVE(w, entry);
	free(w);
}

int32_t
fake_keep(const struct hostd_host *host, hostd_buf channel, uint32_t max,
    uint32_t max_age_ms)
{
	int32_t rc;
	struct fake *f = fake_channel_called(host, channel, "keep", &rc);
	struct wish *w;

	if (max > MAX_KEPT || (max > 0 && max_age_ms == 0))
		check_fail(
		    "called keep for %u messages of %u ms", max, max_age_ms);
	if (rc != HOSTD_OK)
		return rc;
	LIST_FOREACH(w, &wishes, entry)
		if (w->fake == f && is(w->name, w->n, channel))
			break;
	if (w != NULL)
		wish_free(w);
	if (max == 0)
		return HOSTD_OK;
	w = xcalloc(1, sizeof(*w) + channel.n);
	w->fake = f;
	w->max = max;
	w->age = max_age_ms;
	w->n = channel.n;
	memcpy(w->name, channel.p, channel.n);
	LIST_INSERT_HEAD(&wishes, w, entry);
	return HOSTD_OK;
}

/* Does anybody want it still?  later is how many of its channel came after. */
static int
is_kept(const struct fake_said *s, uint32_t later)
{
	struct wish *w;

	LIST_FOREACH(w, &wishes, entry)
		if (is(w->name, w->n, s->channel) && later < w->max &&
		    fake_now() - s->time <= w->age)
			return 1;
	return 0;
}

static void
forget_past(void)
{
	struct fake_said *s, *next, *t;
	uint32_t later;

	for (s = TAILQ_FIRST(&past); s != NULL; s = next) {
		next = TAILQ_NEXT(s, entry);
		later = 0;
		for (t = next; t != NULL; t = TAILQ_NEXT(t, entry))
			later += is(t->channel.p, t->channel.n, s->channel);
		if (is_kept(s, later))
			continue;
		TAILQ_REMOVE(&past, s, entry);
		hidden_free(s, fake_said_size(s->channel, s->msg));
	}
}

void
fake_ask_note(hostd_buf channel, hostd_buf msg, uint32_t flags)
{
	struct fake_said *s;
	struct wish *w;

	LIST_FOREACH(w, &wishes, entry)
		if (is(w->name, w->n, channel))
			break;
	if (w == NULL)
		return;
	s = hidden_alloc(fake_said_size(channel, msg));
	fake_said_fill(s, channel, msg, flags);
	TAILQ_INSERT_TAIL(&past, s, entry);
}

/* -- turns -- */

unsigned
fake_ask_turn(void)
{
	struct question_list now = TAILQ_HEAD_INITIALIZER(now);
	struct question *q;
	unsigned n = 0;

	forget_past();
	TAILQ_CONCAT(&now, &questions, entry);
	for (; (q = TAILQ_FIRST(&now)) != NULL; n++) {
		TAILQ_REMOVE(&now, q, entry);
		/* Every third answer is late. */
		answer(q, nquestions++ % 3 == 1 ? HOSTD_E_TIMEOUT : HOSTD_OK);
		free(q);
	}
	return n;
}

void
fake_ask_end(struct fake *f)
{
	struct question *q, *qnext;
	struct wish *w, *wnext;

	for (q = TAILQ_FIRST(&questions); q != NULL; q = qnext) {
		qnext = TAILQ_NEXT(q, entry);
		if (q->fake != f)
			continue;
		TAILQ_REMOVE(&questions, q, entry);
		/* After a failed create nobody is there to be told. */
		if (f->inst != NULL)
			answer(q, HOSTD_E_TIMEOUT);
		free(q);
	}
	for (w = LIST_FIRST(&wishes); w != NULL; w = wnext) {
		wnext = LIST_NEXT(w, entry);
		if (w->fake == f)
			wish_free(w);
	}
	forget_past();
}
