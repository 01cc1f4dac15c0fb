/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "base/mem.h"
#include "upstream/link.h"

static struct up_links *
links_of(const struct up_peer *p)
{
	return p->group->all->links;
}

static void
count_idle(struct up_peer *p, int by)
{
	struct up_count *c = peer_count(p);

	p->nidle += (unsigned)by;
	p->group->nkept += (unsigned)by;
	/* Only we write it. */
	atomic_store_explicit(&c->idle, p->nidle, memory_order_relaxed);
}

/* -- idle ones -- */

static void
idle_leave(struct up_link *k)
{
	struct up_peer *p = k->peer;

	TAILQ_REMOVE(&p->idle, k, entry);
	TAILQ_REMOVE(&p->group->kept, k, kept);
	count_idle(p, -1);
	wheel_clear(&k->timer);
}

/* Whatever it is that a server says now, nobody has asked for it. */
static void
idle_ready(struct stream *s)
{
	char c;

	/* With TLS there is more on the way than what is said. */
	if (s->layer != NULL && stream_read(s, &c, 1) == -1 && errno == EAGAIN)
		return;
	link_close((struct up_link *)(void *)s);
}

static void
idle_gone(struct stream *s)
{
	link_close((struct up_link *)(void *)s);
}

static void
idle_failed(struct stream *s, int error)
{
	(void)error;
	link_close((struct up_link *)(void *)s);
}

static void
idle_sent(struct stream *s)
{
	(void)s;
}

static const struct stream_ops idle_ops = {
	.readable = idle_ready,
	.sent = idle_sent,
	.failed = idle_failed,
	.half_closed = idle_gone,
};

static void
idle_late(struct wheel_timer *t)
{
	link_close((struct up_link *)(void *)((char *)t -
	    offsetof(struct up_link, timer)));
}

static int
is_quiet(const struct up_link *k)
{
	const struct stream *s = &k->stream;

	return k->state == LINK_OPEN && s->error == 0 && !s->eof &&
	    !s->can_read && stream_pending(s) == 0;
}

void
link_keep(struct up_link *k)
{
	struct up_peer *p = k->peer;
	struct up_group *g = p->group;
	const struct conf_upstream *conf = g->conf;

	if (!is_quiet(k) || links_of(p)->draining || p->gone ||
	    conf->keepalive == 0 || k->nreqs >= conf->keepalive_requests ||
	    conf->proxy_protocol != 0) {
		link_close(k);
		return;
	}
	if (g->nkept >= (unsigned)conf->keepalive)
		link_close(TAILQ_LAST(&g->kept, up_kept));
	k->state = LINK_IDLE;
	k->user = NULL;
	k->stream.ops = &idle_ops;
	k->kept_ms = g->all->loop->now_ms;
	TAILQ_INSERT_HEAD(&p->idle, k, entry);
	TAILQ_INSERT_HEAD(&g->kept, k, kept);
	count_idle(p, 1);
	wheel_set(&g->all->loop->wheel, &k->timer, g->all->loop->now_ms +
	    (uint64_t)conf->keepalive_timeout);
}

struct up_link *
link_reuse(struct up_peer *p, const struct stream_ops *ops, void *user)
{
	struct up_link *k = TAILQ_FIRST(&p->idle);

	if (k == NULL)
		return NULL;
	idle_leave(k);
	k->state = LINK_OPEN;
	k->stream.ops = ops;
	k->user = user;
	k->nreqs++;
	return k;
}

int
link_is_stale(const struct up_link *k)
{
	char c;

	return recv(k->stream.io.fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) != -1 ||
	    (errno != EAGAIN && errno != EINTR);
}

/* -- new ones -- */

static void
link_connected(struct connect *c, int error, const char *text)
{
	struct up_link *k = (struct up_link *)(void *)((char *)c -
	    offsetof(struct up_link, connect));

	if (error == 0)
		k->state = LINK_OPEN;
	k->opened(k, error, text);
}

static struct up_link *
link_new(struct up_links *links)
{
	struct up_link *k = links->free;

	if (k != NULL)
		links->free = k->next_free;
	else
		k = xmalloc(sizeof(*k));
	memset(k, 0, sizeof(*k));
	k->stream.io.fd = -1;
	k->stream.sio = &links->sio;
	TAILQ_INIT(&k->stream.segs);
	k->timer.fire = idle_late;
	return k;
}

struct up_link *
link_open(struct up_peer *p, const struct stream_ops *ops, void *user,
    uint32_t timeout_ms,
    void (*opened)(struct up_link *, int error, const char *text))
{
	struct connect_to to = { .timeout_ms = timeout_ms };
	struct up_link *k = link_new(links_of(p));
	char name[UP_SERVER_MAX];

	k->peer = p;
	peer_hold(p);
	k->user = user;
	k->nreqs = 1;
	k->state = LINK_CONNECTING;
	k->opened = opened;
	k->connect.sio = &links_of(p)->sio;
	k->connect.stream = &k->stream;
	k->connect.ops = ops;
	k->connect.done = link_connected;
	if (p->group->tls != NULL) {
		group_tls_name(p->group, p->is.server, name);
		to.tls = p->group->tls;
		to.tls_name = name;
	}
	connect_start_at(&k->connect, &to, &p->is.addr, 1);
	return k;
}

void
link_close(struct up_link *k)
{
	struct up_links *links = links_of(k->peer);

	if (k->state == LINK_IDLE)
		idle_leave(k);
	connect_cancel(&k->connect);
	stream_close(&k->stream);
	k->state = LINK_CLOSED;
	wheel_remove(&links->all->loop->wheel, &k->timer);
	peer_release(k->peer);
	k->peer = NULL;
	k->user = NULL;
	k->next_free = links->closed;
	links->closed = k;
	loop_defer(links->all->loop, &links->reap);
}

/* -- all of them -- */

static void
links_reap(struct loop_task *t)
{
	struct up_links *links = (struct up_links *)(void *)((char *)t -
	    offsetof(struct up_links, reap));
	struct up_link *k;

	while ((k = links->closed) != NULL) {
		links->closed = k->next_free;
		k->next_free = links->free;
		links->free = k;
	}
}

static void
peer_close_idle(struct up_peer *p)
{
	struct up_link *k;

	while ((k = TAILQ_FIRST(&p->idle)) != NULL)
		link_close(k);
}

void
links_init(struct upstreams *all)
{
	struct up_links *links = xcalloc(1, sizeof(*links));

	links->all = all;
	links->reap.run = links_reap;
	stream_io_init(&links->sio, all->loop);
	all->links = links;
	all->sio = &links->sio;
	all->peer_gone = peer_close_idle;
}

void
links_drain(struct upstreams *all)
{
	struct up_group *g;
	struct up_link *k;

	all->links->draining = 1;
	TAILQ_FOREACH(g, &all->groups, entry)
		while ((k = TAILQ_FIRST(&g->kept)) != NULL)
			link_close(k);
}

void
links_free(struct upstreams *all)
{
	struct up_links *links = all->links;
	struct up_link *k;

	loop_undefer(all->loop, &links->reap);
	links_reap(&links->reap);
	while ((k = links->free) != NULL) {
		links->free = k->next_free;
		free(k);
	}
	stream_io_free(&links->sio);
	free(links);
	all->links = NULL;
}
