/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "plugin/instance.h"
#include "plugin/plugins.h"
#include "plugin/room_service.h"
#include "pubsub/hub.h"
#include "ws/conn.h"
#include "ws/message.h"

/* A socket that has been in a room. */
struct member {
	struct subscriber subscriber;	/* first */
	struct ws_conn *conn;
};

int
room_name_ok(hostd_buf name)
{
	size_t n = sizeof(HUB_OWN_PREFIX) - 1;

	return channel_name_ok(name) &&
	    (name.n < n || memcmp(name.p, HUB_OWN_PREFIX, n) != 0);
}

static void
member_deliver(struct subscriber *s, struct delivery *d)
{
	struct member *m = (struct member *)(void *)s;

	/* What it does not take is counted there, and its policy applied. */
	if (!d->gap)
		(void)ws_conn_send_message(m->conn, delivery_message(d));
}

static struct member *
member_of(struct ws_conn *c)
{
	struct member *m = c->member;

	if (m != NULL)
		return m;
	m = xcalloc(1, sizeof(*m));
	LIST_INIT(&m->subscriber.subscriptions);
	m->subscriber.is_socket = 1;
	m->subscriber.deliver = member_deliver;
	m->conn = c;
	c->member = m;
	return m;
}

struct subscriber *
room_service_enter(struct ws_conn *c)
{
	return &member_of(c)->subscriber;
}

struct subscriber *
room_service_subscriber(const struct ws_conn *c)
{
	struct member *m = c->member;

	return m == NULL ? NULL : &m->subscriber;
}

void
room_service_leave_all(struct instance *in, struct ws_conn *c)
{
	struct member *m = c->member;

	if (m == NULL)
		return;
	subscriber_close(&in->all->hub.channels, &m->subscriber);
	free(m);
	c->member = NULL;
}

int32_t
room_service_join(const struct hostd_host *host, hostd_ws id, hostd_buf name)
{
	struct instance *in = host->ctx;
	struct subscriber *s;
	struct ws_conn *c;
	int32_t rc;

	if ((rc = ws_find(host, id, "subscribe", &c)) != HOSTD_OK)
		return rc;
	if (!room_name_ok(name))
		return HOSTD_E_INVAL;
	if (c->state != WS_OPEN && c->state != WS_COMING)
		return HOSTD_E_STATE;
	s = &member_of(c)->subscriber;
	if (channel_subscription(s, name) != NULL)
		return HOSTD_OK;
	if (s->n >= (uint64_t)c->conf->max_channels)
		return HOSTD_E_FULL;
	(void)channel_subscribe(&in->all->hub.channels, s, name);
	return HOSTD_OK;
}

int32_t
room_service_leave(const struct hostd_host *host, hostd_ws id, hostd_buf name)
{
	struct instance *in = host->ctx;
	struct subscription *sub;
	struct subscriber *s;
	struct ws_conn *c;
	int32_t rc;

	if ((rc = ws_find(host, id, "unsubscribe", &c)) != HOSTD_OK)
		return rc;
	if (!room_name_ok(name))
		return HOSTD_E_INVAL;
	s = room_service_subscriber(c);
	if (c->state == WS_MOVING || s == NULL ||
	    (sub = channel_subscription(s, name)) == NULL)
		return HOSTD_E_STATE;
	channel_unsubscribe(&in->all->hub.channels, sub);
	return HOSTD_OK;
}

int32_t
room_service_members(const struct hostd_host *host, hostd_buf name,
    hostd_ws *out, uint32_t max, uint32_t *total)
{
	struct instance *in = host->ctx;
	struct subscription *sub;
	struct channel *ch;
	struct member *m;
	uint32_t n = 0;
	int32_t rc;

	if ((rc = instance_check_thread(in, "members")) != 0)
		return rc;
	if (!room_name_ok(name) || total == NULL || (max > 0 && out == NULL))
		return HOSTD_E_INVAL;
	ch = channel_find(&in->all->hub.channels, name);
	if (ch != NULL)
		TAILQ_FOREACH(sub, &ch->subscriptions, of_channel) {
			m = (struct member *)(void *)sub->subscriber;
			if (!sub->subscriber->is_socket ||
			    m->conn->handler != &in->ws_handler)
				continue;
			if (n < max)
				out[n].id = m->conn->id;
			n++;
		}
	*total = n;
	return HOSTD_OK;
}

void
room_service_labels(struct hub *hub, hostd_buf name, struct buf *out)
{
	struct channel *ch = channel_find(&hub->channels, name);
	struct subscription *sub;
	struct ws_conn *c;
	unsigned char n;
	int told = 0;

	if (ch == NULL)
		return;
	TAILQ_FOREACH(sub, &ch->subscriptions, of_channel) {
		c = ((struct member *)(void *)sub->subscriber)->conn;
		if (!sub->subscriber->is_socket || c->label_len == 0)
			continue;
		if (told++ == ROOM_LIST_MAX)
			break;
		n = (unsigned char)c->label_len;
		buf_append(out, &n, 1);
		buf_append(out, c->label, n);
	}
}
