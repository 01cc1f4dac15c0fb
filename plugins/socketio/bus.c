/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bus: channels of the instance's own: "all", one for each worker, and one
 * for each worker's place, so that its successor is reached unseen.  They reach
 * other machines as well where the host has a backend for them.
 *
 *	u32	MAGIC, with the version
 *	u32	enum bus_type
 *	u64	process of the sender, a random number
 *	u64	number of its last order
 *	...	of the type
 */
#include <inttypes.h>
#include <stdio.h>
#include "away.h"
#include "cluster_inside.h"
#include "move.h"
#include "recover.h"

#define MAGIC	0x014f4953u	/* "SIO", version 1 */
#define ALL	HOSTD_CHANNEL_OWN "all"
#define NAME_MAX_ (sizeof(HOSTD_CHANNEL_OWN) + 40)

static void
name_of(char name[NAME_MAX_], uint64_t process)
{
	(void)snprintf(name, NAME_MAX_, HOSTD_CHANNEL_OWN "%016" PRIx64,
	    process);
}

/* Of all that had, have and will have our place. */
static void
name_of_place(char name[NAME_MAX_], const struct cluster *c)
{
	(void)snprintf(name, NAME_MAX_, HOSTD_CHANNEL_OWN "%016" PRIx64
	    "/%08" PRIx32, c->node, c->slot);
}

/* -- coming -- */

static void
dispatch(struct cluster *c, struct bus_message *m)
{
	peer_heard(c, m);
	switch (m->type) {
	case BUS_ORDER:
		cluster_order_came(c, m);
		break;
	case BUS_HELLO:
		peer_hello(c, m);
		break;
	case BUS_BYE:
		peer_bye(c, m);
		break;
	case BUS_QUESTION:
		ask_came(c, m);
		break;
	case BUS_REPLY:
		ask_replied(c, m);
		break;
	case BUS_RECOVER:
		recover_asked(c, m);
		break;
	case BUS_RECOVERED:
		recover_replied(c, m);
		break;
	case BUS_KEPT:
		recover_kept(c, m);
		break;
	case BUS_SESSION:
		move_came(c, m);
		break;
	case BUS_SAY:
		move_said(c, m);
		break;
	case BUS_ACK:
		away_send_came(c, m);
		break;
	case BUS_ANSWER:
		away_answer_came(c, m);
		break;
	case BUS_ENDED:
		away_end_came(c, m);
		break;
	case BUS_LINE:
		lines_came(c, m);
		break;
	case BUS_ROOM:
		coming_came(c, m);
		break;
	case BUS_SYNC:
		sync_asked(c, m);
		break;
	case BUS_SYNCED:
		sync_answered(c);
		break;
	default:
		break;		/* of a later version */
	}
	if (!TAILQ_EMPTY(&c->held))
		held_look(c);
}

static void
on_event(struct hostd_inst *in, hostd_sub sub, void *arg,
    const struct hostd_channel_event *ev)
{
	struct cluster *c = arg;
	struct bus_message m = { .node = ev->node };

	(void)sub;
	if (ev->type == HOSTD_CHANNEL_GAP) {
		hostd_logf(in->easy.host, HOSTD_LOG_WARN, "this worker was too "
		    "slow for what the others say: some broadcasts are lost; "
		    "more workers would have fewer sockets each");
		return;
	}
	m.body = (struct unpack){ ev->msg.p, ev->msg.n, 0 };
	if (unpack_u32(&m.body) != MAGIC)
		return;
	m.type = unpack_u32(&m.body);
	m.process = unpack_u64(&m.body);
	m.seq = unpack_u64(&m.body);
	if (m.body.bad)
		return;
	if (m.process == c->process)
		c->node = ev->node;	/* this is how we learn it */
	else
		dispatch(c, &m);
}

int32_t
bus_create(struct cluster *c)
{
	const struct hostd_easy *e = &c->in->easy;
	char name[NAME_MAX_];
	hostd_sub sub;
	int32_t rc;

	if (e->channel == NULL)
		return HOSTD_E_NOTSUP;
	name_of(name, c->process);
	rc = e->channel->subscribe(e->host, hostd_str(ALL), on_event, c, &sub);
	if (rc == HOSTD_OK)
		rc = e->channel->subscribe(e->host, hostd_str(name), on_event,
		    c, &sub);
	name_of_place(name, c);
	if (rc == HOSTD_OK)
		rc = e->channel->subscribe(e->host, hostd_str(name), on_event,
		    c, &sub);
	return rc;
}

/* -- going -- */

struct pack *
bus_begin(struct cluster *c, enum bus_type type, uint64_t seq)
{
	struct pack *b = &c->out;

	b->n = 0;
	b->failed = 0;
	pack_u32(b, MAGIC);
	pack_u32(b, type);
	pack_u64(b, c->process);
	pack_u64(b, seq);
	return b;
}

static int32_t
publish(struct cluster *c, const char *channel)
{
	const struct hostd_easy *e = &c->in->easy;
	hostd_ws nobody = { 0 };

	if (c->in->is_ending || c->out.failed)
		return HOSTD_E_STATE;
	return e->channel->publish(e->host, hostd_str(channel),
	    pack_buf(&c->out), HOSTD_WS_BINARY, nobody);
}

int32_t
bus_tell(struct cluster *c)
{
	return publish(c, ALL);
}

int32_t
bus_send(struct cluster *c, uint64_t process)
{
	char name[NAME_MAX_];

	name_of(name, process);
	return publish(c, name);
}

int32_t
bus_send_heir(struct cluster *c)
{
	char name[NAME_MAX_];

	name_of_place(name, c);
	return publish(c, name);
}

int
bus_has_others(const struct cluster *c)
{
	return c->workers > 1 || !LIST_EMPTY(&c->peers);
}
