/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/mem.h"
#include "pubsub/hub.h"
#include "pubsub/nodes.h"
#include "ws/conn.h"

#define ALL	HUB_OWN_PREFIX "nodes"
#define BEAT_MS	5000
#define GONE_MS	(3 * BEAT_MS)
#define GATHER_MS 100			/* gaps that others tell of are one */
#define REMOTES_MAX	4096

/* Flags of ENV_HELLO. */
#define HELLO_WHO	1		/* who else is there? */
#define HELLO_AGAIN	2		/* what was said here alone is lost */

/* hub.own_due */
#define DUE_ALL		0x1u
#define DUE_INBOX	0x2u

static hostd_buf
name_of(const char *s)
{
	return (hostd_buf){ s, strlen(s) };
}

static int
is_text(hostd_buf b, const char *s)
{
	return b.n == strlen(s) && memcmp(b.p, s, b.n) == 0;
}

static void
inbox_name(char *out, size_t size, uint64_t node, uint64_t process)
{
	(void)snprintf(out, size, HUB_OWN_PREFIX "node/%016" PRIx64 ".%" PRIu64,
	    node, process);
}

/* -- out -- */

void
hub_send_remote(struct hub *hub, const struct hub_remote *to,
    struct envelope *e)
{
	char name[64] = ALL;

	if (to != NULL)
		inbox_name(name, sizeof(name), to->node, to->process);
	e->node = hub->node;
	e->seq = hub->process;
	outbox_publish(hub, name_of(name), e);
}

static void
say(struct hub *hub, enum envelope_type type, uint8_t flags)
{
	struct envelope e = { .type = (uint8_t)type, .flags = flags };

	/* Nobody is to wait for one that ends. */
	if (type != ENV_HELLO || !hub->left)
		hub_send_remote(hub, NULL, &e);
}

/* -- who is there -- */

static struct hub_remote *
remote_find(struct hub *hub, uint64_t node, uint64_t process)
{
	size_t i;

	for (i = 0; i < hub->nremotes; i++)
		if (hub->remotes[i].node == node &&
		    hub->remotes[i].process == process)
			return &hub->remotes[i];
	return NULL;
}

static void
remote_drop(struct hub *hub, struct hub_remote *r)
{
	*r = hub->remotes[--hub->nremotes];
}

/* Whoever is one too many is not asked; what it publishes comes all the
 * same. */
static struct hub_remote *
remote_add(struct hub *hub, uint64_t node, uint64_t process)
{
	struct hub_remote *r;

	if (hub->nremotes == REMOTES_MAX) {
		if (!hub->crowded)
			log_warnx("pubsub: more than %d processes of other "
			    "nodes; the rest are not asked", REMOTES_MAX);
		hub->crowded = 1;
		return NULL;
	}
	hub->remotes = xrealloc(hub->remotes, (hub->nremotes + 1) *
	    sizeof(*r));
	r = &hub->remotes[hub->nremotes++];
	*r = (struct hub_remote){ .node = node, .process = process };
	return r;
}

/* Is it a new one? */
static int
remote_heard(struct hub *hub, uint64_t node, uint64_t process)
{
	struct hub_remote *r = remote_find(hub, node, process);
	int is_new = r == NULL;

	if (is_new && (r = remote_add(hub, node, process)) == NULL)
		return 0;
	r->heard_ms = hub->loop->now_ms;
	r->silent = 0;
	return is_new;
}

/* Who asks has just come, and has been missed only by what it said alone; who
 * does not ask and is new to us has talked before we heard it. */
static void
hello_received(struct hub *hub, const struct envelope *e)
{
	int is_new = remote_heard(hub, e->node, e->seq);

	if (e->flags & HELLO_WHO)
		say(hub, ENV_HELLO, 0);
	/* Where there is one there are more. */
	if ((e->flags & HELLO_AGAIN || (is_new && !(e->flags & HELLO_WHO))) &&
	    hub->others_gap.deadline == 0)
		wheel_set(&hub->loop->wheel, &hub->others_gap,
		    hub->loop->now_ms + GATHER_MS);
}

static void
others_gap(struct wheel_timer *t)
{
	hub_gap((struct hub *)(void *)((char *)t -
	    offsetof(struct hub, others_gap)), NULL);
}

static void
remote_left(struct hub *hub, uint64_t node, uint64_t process)
{
	struct hub_remote *r = remote_find(hub, node, process);

	if (r != NULL)
		remote_drop(hub, r);
	query_remote_left(hub, node, process);
}

void
remote_missed(struct hub *hub, uint64_t node, uint64_t process)
{
	struct hub_remote *r = remote_find(hub, node, process);

	if (r != NULL)
		r->silent = 1;
}

static void
heartbeat(struct wheel_timer *t)
{
	struct hub *hub = (struct hub *)(void *)((char *)t -
	    offsetof(struct hub, heartbeat));
	uint64_t now = hub->loop->now_ms;
	size_t i = hub->nremotes;

	/* Whoever comes in the place of one that goes was looked at. */
	while (i-- > 0)
		if (now - hub->remotes[i].heard_ms > GONE_MS)
			remote_left(hub, hub->remotes[i].node,
			    hub->remotes[i].process);
	say(hub, ENV_HELLO, 0);
	wheel_set(&hub->loop->wheel, t, now + BEAT_MS);
}

/* -- up and down -- */

/*
 * What is lost while the backend makes a subscription is lost before the gap is
 * told.  So it is with who is there: an answer to our first word may come as
 * soon as it is said.
 */
int32_t
hub_subscribed(struct hub *hub, hostd_buf channel)
{
	unsigned was_due = hub->own_due;
	struct channel *ch;

	if (!hub->up)
		return HOSTD_E_STATE;
	if (!channel_name_ok(channel))
		return HOSTD_E_INVAL;
	if (is_text(channel, ALL))
		hub->own_due &= ~DUE_ALL;
	else if (is_text(channel, hub->inbox))
		hub->own_due &= ~DUE_INBOX;
	if (was_due != 0 && hub->own_due == 0) {
		say(hub, ENV_HELLO, HELLO_WHO |
		    (hub->spoke_alone ? HELLO_AGAIN : 0));
		hub->spoke_alone = 0;
	}
	if ((ch = channel_find(&hub->channels, channel)) != NULL)
		ch->due = 0;
	hold_check(hub);
	if (ch != NULL && ch->gap_due) {
		ch->gap_due = 0;
		hub_gap(hub, &channel);
	}
	return HOSTD_OK;
}

static void
subscribe_all(struct loop_task *t)
{
	struct hub *hub = (struct hub *)(void *)((char *)t -
	    offsetof(struct hub, resubscribe));
	struct map_entry *e;
	struct channel *ch;
	size_t it = 0;

	if (!hub->up)
		return;
	outbox_subscribe(hub, name_of(ALL), 1);
	outbox_subscribe(hub, name_of(hub->inbox), 1);
	while ((e = map_next(&hub->channels.map, &it)) != NULL) {
		ch = e->value;
		if (!channel_is_wanted(ch))
			continue;
		ch->gap_due = hub->was_up;
		ch->due = 1;
		outbox_subscribe(hub, channel_name(ch), 1);
	}
	hub->own_due = DUE_ALL | DUE_INBOX;
	if (!hub->left)
		wheel_set(&hub->loop->wheel, &hub->heartbeat,
		    hub->loop->now_ms + BEAT_MS);
	hub->was_up = 1;
}

int32_t
hub_up(struct hub *hub)
{
	if (hub->up)
		return HOSTD_E_STATE;
	hub->up = 1;
	atomic_store(&hub->cell->backend, BOARD_BACKEND_UP);
	hub->full = 0;
	log_info("pubsub: %s is up", hub->backend->name);
	loop_defer(hub->loop, &hub->resubscribe);
	return HOSTD_OK;
}

int32_t
hub_down(struct hub *hub, const char *reason)
{
	if (!hub->up && hub->was_up)
		return HOSTD_E_STATE;
	/* Lost, or never there: told once, as what was there before. */
	hub->was_up = 1;
	/* What was on its way may be lost. */
	hub->spoke_alone |= hub->up;
	hub->up = hub->full = 0;
	atomic_store(&hub->cell->backend, BOARD_BACKEND_DOWN);
	hub->nremotes = 0;
	wheel_clear(&hub->heartbeat);
	hold_check(hub);
	log_warnx("pubsub: %s is down: %s; this node goes on alone",
	    hub->backend->name, reason);
	return HOSTD_OK;
}

void
hub_writable(struct hub *hub)
{
	hub->full = 0;
	query_room(hub);
}

/* -- in -- */

/* What is for the host itself. */
static void
own_channel(struct hub *hub, const struct envelope *e)
{
	struct hub_remote *r = remote_find(hub, e->node, e->seq);

	if (r != NULL)
		r->silent = 0;
	switch (e->type) {
	case ENV_HELLO:
		hello_received(hub, e);
		break;
	case ENV_BYE:
		remote_left(hub, e->node, e->seq);
		break;
	case ENV_QUERY:
	case ENV_REPLY:
		query_received(hub, NULL, e);
		break;
	default:
		board_add(&hub->cell->counters.backend_bad, 1);
	}
}

static int
is_own_channel(hostd_buf name)
{
	const size_t n = sizeof(HUB_OWN_PREFIX) - 1;
	const size_t of = sizeof(HUB_OF_PREFIX) - 1;

	return name.n > n && memcmp(name.p, HUB_OWN_PREFIX, n) == 0 &&
	    (name.n <= of || memcmp(name.p, HUB_OF_PREFIX, of) != 0);
}

/* As what is published: plugins rely on it, wherever it is from. */
static int
is_message(const struct envelope *e)
{
	hostd_buf none = { NULL, 0 };

	return e->type == ENV_MESSAGE && e->name.n == 0 &&
	    ws_check_message(e->payload, e->flags, none) == HOSTD_OK;
}

static int
is_past(hostd_buf b)
{
	const char *p = b.p;
	struct envelope e;
	int64_t used;
	size_t at;

	for (at = 0; at < b.n; at += (size_t)used) {
		used = envelope_parse(&e, p + at, b.n - at);
		if (used <= 0 || (e.type != ENV_GAP && !is_message(&e)))
			return 0;
	}
	return 1;
}

static int
is_labels(hostd_buf b)
{
	const unsigned char *p = b.p;
	size_t at = 0;

	while (at < b.n)
		at += 1u + p[at];
	return at == b.n;
}

int
remote_answer_ok(struct hub *hub, int kind, hostd_buf answer)
{
	int ok = kind == QUERY_COUNT ? answer.n == sizeof(uint64_t) :
	    kind == QUERY_LIST ? is_labels(answer) : is_past(answer);

	if (!ok)
		board_add(&hub->cell->counters.backend_bad, 1);
	return ok;
}

static int32_t
bad_envelope(struct hub *hub)
{
	board_add(&hub->cell->counters.backend_bad, 1);
	return HOSTD_E_INVAL;
}

int32_t
hub_deliver(struct hub *hub, hostd_buf channel, hostd_buf bytes)
{
	struct channel *ch;
	struct envelope e;

	if (!channel_name_ok(channel) || (bytes.n > 0 && bytes.p == NULL) ||
	    envelope_parse(&e, bytes.p, bytes.n) != (int64_t)bytes.n ||
	    bytes.n == 0)
		return bad_envelope(hub);
	board_add(&hub->cell->counters.backend_in, 1);
	/* Our own node's went over the bus. */
	if (e.node == hub->node) {
		if (e.type == ENV_MARK && e.seq == hub->process)
			hold_ask_marked(hub, &e);
		return HOSTD_OK;
	}
	if (is_own_channel(channel)) {
		own_channel(hub, &e);
		return HOSTD_OK;
	}
	if (!is_message(&e))
		return bad_envelope(hub);
	ch = channel_find(&hub->channels, channel);
	if (ch != NULL && channel_is_wanted(ch) &&
	    channel_is_news(ch, e.node, e.seq))
		hub_deliver_envelope(hub, ch, &e);
	return HOSTD_OK;
}

/* -- life -- */

void
hub_drain(struct hub *hub)
{
	say(hub, ENV_BYE, 0);
	hub->left = 1;
	wheel_clear(&hub->heartbeat);
}

void
nodes_init(struct hub *hub)
{
	hub->heartbeat.fire = heartbeat;
	hub->others_gap.fire = others_gap;
	hub->resubscribe.run = subscribe_all;
	inbox_name(hub->inbox, sizeof(hub->inbox), hub->node, hub->process);
}

void
nodes_close(struct hub *hub)
{
	wheel_remove(&hub->loop->wheel, &hub->heartbeat);
	wheel_remove(&hub->loop->wheel, &hub->others_gap);
	loop_undefer(hub->loop, &hub->resubscribe);
	free(hub->remotes);
}
