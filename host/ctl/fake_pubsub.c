/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostd.pubsub/1 of the fake host, and what it wants of a pubsub_backend: that
 * channels be subscribed and envelopes be carried.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/fake.h"

#define MAGIC "FAKE"

/* What travels; bytes of the payload follow it. */
struct envelope {
	char magic[4];
	uint32_t n, sum, publisher;
	uint64_t seq;
};

/* To be said to a backend. */
struct parcel {
	TAILQ_ENTRY(parcel) entry;
	struct fake *fake;
	enum { MESSAGE, SUBSCRIBE, UNSUBSCRIBE } kind;
	hostd_buf channel, envelope; /* in bytes */
	char bytes[];
};

/* A channel that somebody listens to. */
struct wanted {
	LIST_ENTRY(wanted) entry;
	size_t n;
	char name[];
};

/* The last that an instance has delivered of another's to a channel. */
struct seen {
	LIST_ENTRY(seen) entry;
	struct fake *fake;
	uint32_t publisher;
	uint64_t seq;
	size_t n;
	char name[];
};

/* A subscription that is on its way to an instance. */
struct due {
	LIST_ENTRY(due) entry;
	struct fake *fake;
	size_t n;
	char name[];
};

TAILQ_HEAD(parcel_list, parcel);
static struct parcel_list parcels = TAILQ_HEAD_INITIALIZER(parcels);
static LIST_HEAD(, wanted) wanteds = LIST_HEAD_INITIALIZER(wanteds);
static LIST_HEAD(, seen) seens = LIST_HEAD_INITIALIZER(seens);
static LIST_HEAD(, due) dues = LIST_HEAD_INITIALIZER(dues);
static uint64_t last_seq;

static int
is(const char *name, size_t n, hostd_buf b)
{
	return n == b.n && memcmp(name, b.p, n) == 0;
}

/* -- envelopes -- */

static uint32_t
sum(const void *p, size_t n)
{
	const unsigned char *s = p;
	uint32_t h = 2166136261u;

	while (n-- > 0)
		h = (h ^ *s++) * 16777619u;
	return h;
}

/* NULL when it is none.  One of ours that was changed ends the case. */
static const struct envelope *
open_envelope(hostd_buf b, struct envelope *e)
{
	if (b.n < sizeof(e->magic) || b.p == NULL ||
	    memcmp(b.p, MAGIC, sizeof(e->magic)) != 0)
		return NULL;
	if (b.n >= sizeof(*e))
		memcpy(e, b.p, sizeof(*e));
	if (b.n < sizeof(*e) || b.n - sizeof(*e) != e->n ||
	    sum((const char *)b.p + sizeof(*e), e->n) != e->sum)
		check_fail("delivered an envelope that has changed on its "
			   "way: %zu bytes",
		    b.n);
	return e;
}

/* -- to the backend -- */

static struct parcel *
parcel_add(struct fake *f, hostd_buf channel, size_t n)
{
	struct parcel *p = xcalloc(1, sizeof(*p) + channel.n + n);

	p->fake = f;
	memcpy(p->bytes, channel.p, channel.n);
	p->channel.p = p->bytes;
	p->channel.n = channel.n;
	p->envelope.p = p->bytes + channel.n;
	p->envelope.n = n;
	TAILQ_INSERT_TAIL(&parcels, p, entry);
	return p;
}

static void
post_message(struct fake *f, hostd_buf channel, hostd_buf payload)
{
	const struct hostd_pubsub_ops *ops = fake_pubsub_ops(f);
	struct envelope e = {.magic = {'F', 'A', 'K', 'E'}};
	size_t n = sizeof(e) + payload.n;
	struct parcel *p;

	if (ops == NULL || !f->backend.up ||
	    (ops->max_envelope != 0 && n > ops->max_envelope))
		return;
	p = parcel_add(f, channel, n);
	p->kind = MESSAGE;
	e.n = (uint32_t)payload.n;
	e.sum = sum(payload.p, payload.n);
	e.publisher = f->number;
	e.seq = ++last_seq;
	memcpy(p->bytes + channel.n, &e, sizeof(e));
	if (payload.n > 0)
		memcpy(p->bytes + channel.n + sizeof(e), payload.p, payload.n);
}

void
fake_backend_say(hostd_buf channel, hostd_buf payload)
{
	struct fake *f;

	for (f = fake_next(NULL); f != NULL; f = fake_next(f))
		post_message(f, channel, payload);
}

void
fake_backend_want(hostd_buf channel, int on)
{
	struct wanted *w;
	struct fake *f;

	LIST_FOREACH(w, &wanteds, entry)
		if (is(w->name, w->n, channel))
			break;
	if ((w != NULL) == (on != 0))
		return;
	if (on) {
		w = xcalloc(1, sizeof(*w) + channel.n);
		w->n = channel.n;
		memcpy(w->name, channel.p, channel.n);
		LIST_INSERT_HEAD(&wanteds, w, entry);
	} else {
		LIST_REMOVE(w, entry);
		free(w);
	}
	for (f = fake_next(NULL); f != NULL; f = fake_next(f))
		if (f->backend.up && !f->backend.fresh)
			parcel_add(f, channel, 0)->kind =
			    on ? SUBSCRIBE : UNSUBSCRIBE;
}

static void
give_message(struct fake *f, const struct parcel *p)
{
	int32_t rc;

	fake_enter(f, "publish", NULL);
	rc = fake_pubsub_ops(f)->publish(f->inst,
	    fake_lend_copy(p->channel.p, p->channel.n),
	    fake_lend_copy(p->envelope.p, p->envelope.n));
	fake_leave(f);
	if (rc > HOSTD_AGAIN)
		check_fail("publish returned %d", rc);
	if (rc < 0 && rc != HOSTD_E_FULL)
		check_note("publish returned %d", rc);
	if (rc == HOSTD_AGAIN)
		f->backend.full = 1;
	if (rc >= 0)
		f->backend.taken++;
}

/* Of one channel, or (p NULL) of all. */
static void
due_forget(struct fake *f, hostd_buf channel)
{
	struct due *d, *next;

	for (d = LIST_FIRST(&dues); d != NULL; d = next) {
		next = LIST_NEXT(d, entry);
		if (d->fake != f ||
		    (channel.p != NULL && !is(d->name, d->n, channel)))
			continue;
		LIST_REMOVE(d, entry);
		free(d);
	}
}

static void
due_add(struct fake *f, hostd_buf channel)
{
	struct due *d = xcalloc(1, sizeof(*d) + channel.n);

	d->fake = f;
	d->n = channel.n;
	memcpy(d->name, channel.p, channel.n);
	LIST_INSERT_HEAD(&dues, d, entry);
}

int
fake_backend_due(const struct fake *f)
{
	const struct due *d;

	LIST_FOREACH(d, &dues, entry)
		if (d->fake == f)
			return 1;
	return 0;
}

static void
give_subscription(struct fake *f, const struct parcel *p)
{
	int32_t rc;

	due_forget(f, p->channel);
	fake_enter(f, p->kind == SUBSCRIBE ? "subscribe" : "unsubscribe", NULL);
	rc = fake_pubsub_ops(f)->subscribe(f->inst,
	    fake_lend_copy(p->channel.p, p->channel.n), p->kind == SUBSCRIBE);
	fake_leave(f);
	if (rc > (p->kind == SUBSCRIBE ? HOSTD_AGAIN : HOSTD_OK))
		check_fail("subscribe returned %d", rc);
	if (rc == HOSTD_AGAIN && f->backend.up)
		due_add(f, p->channel);
	if (rc < 0)
		check_note("subscribe returned %d", rc);
}

/* It is up again: everything, and a word to the other nodes. */
static void
subscribe_all(struct fake *f)
{
	static const char own[] = "hostd/nodes", hello[] = "hello";
	hostd_buf nodes = {own, sizeof(own) - 1};
	hostd_buf word = {hello, sizeof(hello) - 1};
	struct wanted *w;

	f->backend.fresh = 0;
	parcel_add(f, nodes, 0)->kind = SUBSCRIBE;
	LIST_FOREACH(w, &wanteds, entry) {
		hostd_buf name = {w->name, w->n};

		parcel_add(f, name, 0)->kind = SUBSCRIBE;
	}
	post_message(f, nodes, word);
}

unsigned
fake_backend_turn(void)
{
	struct parcel *p, *last;
	struct fake *f;
	unsigned n = 0;

	for (f = fake_next(NULL); f != NULL; f = fake_next(f))
		if (f->backend.up && f->backend.fresh)
			subscribe_all(f);
	last = TAILQ_LAST(&parcels, parcel_list);
	while (last != NULL && (p = TAILQ_FIRST(&parcels)) != NULL) {
		TAILQ_REMOVE(&parcels, p, entry);
		if (p == last)
			last = NULL;
		if (p->fake->backend.up && p->kind == MESSAGE)
			give_message(p->fake, p);
		else if (p->fake->backend.up)
			give_subscription(p->fake, p);
		free(p);
		n++;
	}
	return n;
}

/* -- from the backend -- */

static struct fake *
called(const struct hostd_host *host, const char *function)
{
	struct fake *f = fake_called(host, function);

	if (f->creating || f->ended)
		check_fail("called %s in %s", function,
		    f->creating ? "create: it is no backend before start"
				: "destroy");
	if (fake_pubsub_ops(f) == NULL)
		check_fail("called %s, but does not provide "
			   "pubsub_backend/1",
		    function);
	return f;
}

static void
forget_seen(struct fake *f)
{
	struct seen *s, *next;

	for (s = LIST_FIRST(&seens); s != NULL; s = next) {
		next = LIST_NEXT(s, entry);
		if (s->fake != f)
			continue;
		LIST_REMOVE(s, entry);
		free(s);
	}
}

/* What one has published to one channel stays in order, and comes once. */
static void
judge_order(struct fake *f, hostd_buf channel, const struct envelope *e)
{
	struct seen *s;

	LIST_FOREACH(s, &seens, entry)
		if (s->fake == f && s->publisher == e->publisher &&
		    is(s->name, s->n, channel))
			break;
	if (s == NULL) {
		s = xcalloc(1, sizeof(*s) + channel.n);
		s->fake = f;
		s->publisher = e->publisher;
		s->n = channel.n;
		memcpy(s->name, channel.p, channel.n);
		LIST_INSERT_HEAD(&seens, s, entry);
	} else if (e->seq < s->seq) {
		check_fail("delivered what one worker had published to one "
			   "channel out of order");
	}
	s->seq = e->seq;
}

static int32_t
pubsub_deliver(
    const struct hostd_host *host, hostd_buf channel, hostd_buf envelope)
{
	struct fake *f = called(host, "deliver");
	struct envelope e;

	if ((channel.p == NULL && channel.n > 0) ||
	    (envelope.p == NULL && envelope.n > 0))
		check_fail("called deliver with bytes at NULL");
	f->backend.delivered++;
	if (channel.n == 0 || channel.n > 255 ||
	    open_envelope(envelope, &e) == NULL)
		return HOSTD_E_INVAL;
	judge_order(f, channel, &e);
	return HOSTD_OK;
}

static int32_t
pubsub_up(const struct hostd_host *host)
{
	struct fake *f = called(host, "up");

	if (f->backend.up)
		return HOSTD_E_STATE;
	f->backend.up = f->backend.fresh = 1;
	f->backend.full = 0;
	f->backend.ups++;
	forget_seen(f);
	return HOSTD_OK;
}

static int32_t
pubsub_down(const struct hostd_host *host, hostd_buf reason)
{
	struct fake *f = called(host, "down");
	hostd_buf any = {NULL, 0};

	if (reason.p == NULL && reason.n > 0)
		check_fail("called down with a reason at NULL");
	if (!f->backend.up)
		return HOSTD_E_STATE;
	f->backend.up = f->backend.full = 0;
	due_forget(f, any);
	return HOSTD_OK;
}

static int32_t
pubsub_gap(const struct hostd_host *host, hostd_buf channel)
{
	(void)called(host, "gap");
	if (channel.p == NULL && channel.n > 0)
		check_fail("called gap with a name at NULL");
	return HOSTD_OK;
}

static int32_t
pubsub_writable(const struct hostd_host *host)
{
	called(host, "writable")->backend.full = 0;
	return HOSTD_OK;
}

static int32_t
pubsub_subscribed(const struct hostd_host *host, hostd_buf channel)
{
	struct fake *f = called(host, "subscribed");

	if (channel.p == NULL && channel.n > 0)
		check_fail("called subscribed with a name at NULL");
	if (!f->backend.up)
		return HOSTD_E_STATE;
	if (channel.n == 0 || channel.n > 255)
		return HOSTD_E_INVAL;
	due_forget(f, channel);
	return HOSTD_OK;
}

void
fake_backend_end(struct fake *f)
{
	struct parcel *p, *next;
	hostd_buf any = {NULL, 0};

	f->backend.up = 0;
	due_forget(f, any);
	forget_seen(f);
	for (p = TAILQ_FIRST(&parcels); p != NULL; p = next) {
		next = TAILQ_NEXT(p, entry);
		if (p->fake != f)
			continue;
		TAILQ_REMOVE(&parcels, p, entry);
		free(p);
	}
}

const struct hostd_pubsub_api fake_pubsub_api = {
    .struct_size = sizeof(struct hostd_pubsub_api),
    .deliver = pubsub_deliver,
    .up = pubsub_up,
    .down = pubsub_down,
    .gap = pubsub_gap,
    .writable = pubsub_writable,
    .subscribed = pubsub_subscribed,
};
