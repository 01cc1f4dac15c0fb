/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * As clumsy.c, of backends.  Its only node is this one: what it is given it
 * delivers, a little later; and it is down now and then.
 *
 * 1	called up in create
 * 2	called down in destroy
 * 3	delivered an envelope that has changed
 * 4	one channel out of order
 * 5	HOSTD_AGAIN, but writable never came
 * 6	publish returned 2
 * 7	subscribe returned 2
 * 8	touched memory lent to publish
 * 9	an envelope leaks about
 * 10	a backend that comes up leaks about
 * 11	is there a global variable?
 * 12	called deliver with bytes at NULL
 * 13	without hostd.pubsub/1: crashed with SIGSEGV
 * 14	crashed with SIGABRT, while in publish
 * 15	crashed with SIGABRT, while in unsubscribe
 * 16	which is [loop], on another thread
 * 17	HOSTD_AGAIN, but subscribed never came
 * 18	called subscribed of hostd.pubsub/1
 */
#include <pthread.h>

#include <hostd/easy.h>
#include <hostd/pubsub.h>
#include <hostd/timer.h>

#ifndef MISTAKE
#define MISTAKE 0
#endif
/* A constant, so that all of it is compiled, whichever is chosen. */
#define IS(n) (MISTAKE == (n))

#define LIFE	50	/* envelopes until it is down */
#define SLOW	7	/* every one of so many is one too many at once */

struct parcel {
	struct parcel *next;
	hostd_buf channel, envelope;
	int is_subscription;
	char bytes[];
};

struct hostd_inst {
	const struct hostd_host *host;
	const struct hostd_pubsub_api *pubsub;
	const struct hostd_timer_api *timer;
	struct parcel *first, **last;
	uint32_t count;
	int full, subscribed;
};

static const struct hostd_host *global_host;
static const void *kept;

static void
come_up(struct hostd_inst *in, hostd_timer timer, void *arg)
{
	(void)timer, (void)arg;
	if (IS(10) && in->count > 0)
		kept = malloc(50);
	(void)in->pubsub->up(IS(11) ? global_host : in->host);
}

/* -- what it carries -- */

static struct parcel *
take_first(struct hostd_inst *in)
{
	struct parcel *p = in->first;

	in->first = p->next;
	if (in->first == NULL)
		in->last = &in->first;
	return p;
}

static void
deliver(struct hostd_inst *in, struct parcel *p)
{
	hostd_buf envelope = p->envelope;

	if (p->is_subscription) {
		if (!IS(17))
			(void)in->pubsub->subscribed(in->host, p->channel);
		free(p);
		return;
	}
	if (IS(3))
		envelope.n--;
	if (IS(12))
		envelope.p = NULL;
	(void)in->pubsub->deliver(in->host, p->channel, envelope);
	free(p);
}

static void
drop_all(struct hostd_inst *in)
{
	while (in->first != NULL)
		free(take_first(in));
	in->full = 0;
}

static void
carry(struct hostd_inst *in, void *arg)
{
	struct parcel *p, *second = NULL;

	(void)arg;
	if (in->first == NULL)
		return;
	p = take_first(in);
	if (IS(4) && in->first != NULL)
		second = take_first(in);
	if (second != NULL)
		deliver(in, second);
	deliver(in, p);
	if (in->full && !IS(5)) {
		in->full = 0;
		(void)in->pubsub->writable(in->host);
	}
}

/* The end of this turn comes first, so it may be told in publish. */
static void
go_down(struct hostd_inst *in)
{
	hostd_timer t;

	drop_all(in);
	(void)in->pubsub->down(in->host, hostd_str("tired"));
	(void)in->timer->start(in->host, 100, 0, come_up, NULL, &t);
}

static struct parcel *
pack(hostd_buf channel, hostd_buf envelope)
{
	struct parcel *p = malloc(sizeof(*p) + channel.n + envelope.n);

	if (p == NULL)
		return NULL;
	memcpy(p->bytes, channel.p, channel.n);
	memcpy(p->bytes + channel.n, envelope.p, envelope.n);
	p->channel.p = p->bytes;
	p->channel.n = channel.n;
	p->envelope.p = p->bytes + channel.n;
	p->envelope.n = envelope.n;
	p->next = NULL;
	p->is_subscription = 0;
	return p;
}

static void *
deliver_badly(void *arg)
{
	struct hostd_inst *in = arg;

	(void)in->pubsub->gap(in->host, hostd_str("a"));
	return NULL;
}

static int32_t
publish_badly(struct hostd_inst *in, hostd_buf envelope)
{
	pthread_t t;

	if (IS(8)) {
		if (kept != NULL && *(const volatile char *)kept == 'x')
			return HOSTD_OK;
		kept = envelope.p;
	}
	if (IS(9) && in->count > 4)
		kept = malloc(50);
	if (IS(14) && envelope.n > 1000)
		abort();
	if (IS(16) && pthread_create(&t, NULL, deliver_badly, in) == 0)
		(void)pthread_join(t, NULL);
	return IS(6) ? HOSTD_DEFER : HOSTD_OK;
}

static int32_t
publish(struct hostd_inst *in, hostd_buf channel, hostd_buf envelope)
{
	struct parcel *p = pack(channel, envelope);
	int32_t rc = publish_badly(in, envelope);

	if (p == NULL)
		return HOSTD_E_FULL;
	*in->last = p;
	in->last = &p->next;
	(void)in->host->post(in->host, carry, NULL);
	if (++in->count % LIFE == 0)
		go_down(in);
	else if (in->count % SLOW == 0)
		in->full = 1;
	return in->full ? HOSTD_AGAIN : rc;
}

static int32_t
subscribe(struct hostd_inst *in, hostd_buf channel, int32_t on)
{
	hostd_buf none = { "", 0 };
	struct parcel *p;

	if (IS(15) && !on)
		abort();
	in->subscribed += on ? 1 : -1;
	if (IS(7))
		return HOSTD_DEFER;
	if (!on || (!HOSTD_HAS(in->pubsub, subscribed) && !IS(18)) ||
	    (p = pack(channel, none)) == NULL)
		return HOSTD_OK;
	p->is_subscription = 1;
	*in->last = p;
	in->last = &p->next;
	(void)in->host->post(in->host, carry, NULL);
	return HOSTD_AGAIN;
}

/* -- life -- */

static int32_t
start(struct hostd_inst *in)
{
	hostd_timer t;

	return in->timer->start(in->host, 10, 0, come_up, NULL, &t);
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	struct hostd_inst *in = calloc(1, sizeof(*in));

	(void)conf;
	if (in == NULL)
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	in->host = host;
	in->last = &in->first;
	in->pubsub = host->get_ext(host, HOSTD_EXT_PUBSUB);
	in->timer = host->get_ext(host, HOSTD_EXT_TIMER);
	if ((in->pubsub == NULL && !IS(13)) || in->timer == NULL) {
		free(in);
		return hostd_fail(err, HOSTD_E_NOTSUP, "too old a host");
	}
	if (IS(1))
		(void)in->pubsub->up(host);
	if (global_host == NULL)
		global_host = host;
	*out = in;
	return HOSTD_OK;
}

static void
destroy(struct hostd_inst *in)
{
	if (IS(2))
		(void)in->pubsub->down(in->host, hostd_str("the end"));
	drop_all(in);
	if (global_host == in->host)
		global_host = NULL;
	free(in);
}

static const struct hostd_pubsub_ops ops = { sizeof(ops), 0, 100000, 0,
	publish, subscribe };
static const struct hostd_provide provide = { sizeof(provide), 0,
	HOSTD_KIND_PUBSUB_BACKEND, NULL, &ops, NULL };
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), "clumsy_backend", "1.0",
	HOSTD_SDK_VERSION, provides, NULL, NULL, create, start, NULL, destroy,
	NULL };
