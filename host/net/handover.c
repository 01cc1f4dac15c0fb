/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/log.h"
#include "base/mem.h"
#include "net/handover.h"

#define PART_MAX	(CHAN_MAX - 64)	/* bytes of a record in a message */
#define AGAIN_MS	20

/* What waits until the channel has room. */
struct handover_message {
	STAILQ_ENTRY(handover_message) link;
	struct handover_item *last_of;	/* NULL: more of it follows */
	enum chan_type type;
	size_t len;
	int fd;				/* lent by the giver; -1: none */
	char data[];
};

/* -- peers -- */

static void
handover_reap(struct loop_task *t)
{
	struct handover *h = (struct handover *)(void *)((char *)t -
	    offsetof(struct handover, reap));
	struct handover_peer *p;

	while ((p = h->closed) != NULL) {
		h->closed = p->next_closed;
		free(p);
	}
}

static void	handover_again(struct wheel_timer *);

void
handover_init(struct handover *h, struct loop *loop, struct chan_msg *msg)
{
	h->loop = loop;
	h->msg = msg;
	h->reap.run = handover_reap;
	h->again.fire = handover_again;
	TAILQ_INIT(&h->peers);
}

/* No part of a record is of any use. */
static void
peer_forget_record(struct handover_peer *p)
{
	if (p->head.id != 0 && p->fd != -1)
		(void)close(p->fd);
	p->head.id = 0;
	p->fd = -1;
	/* There may be keys in it. */
	buf_wipe(&p->in);
}

static void
item_done(struct handover_peer *p, struct handover_item *item,
    enum handover_answer answer)
{
	TAILQ_REMOVE(&p->given, item, link);
	p->ngiven--;
	item->done(item, answer);
}

/* It is sent, or will never be. */
static void
message_free(struct handover_peer *p, struct handover_message *m)
{
	STAILQ_REMOVE_HEAD(&p->out, link);
	p->waiting -= m->len;
	explicit_bzero(m->data, m->len);
	free(m);
}

/* Nobody is told by the other one of what it has: that is over. */
static void
peer_forget_given(struct handover_peer *p, int has_gone)
{
	struct handover_item *item = TAILQ_FIRST(&p->given);

	if (item != NULL)
		item->next = has_gone;
	while ((item = TAILQ_FIRST(&p->given)) != NULL)
		item_done(p, item, item->sent && !has_gone ? HANDOVER_TAKEN :
		    HANDOVER_ELSEWHERE);
}

/* has_gone: the other one has closed its end, and said all it had to say. */
static void
peer_close(struct handover_peer *p, int has_gone)
{
	struct handover *h = p->all;
	struct handover_message *m;

	TAILQ_REMOVE(&h->peers, p, link);
	(void)close(p->io.fd);
	p->io.fd = -1;
	peer_forget_record(p);
	while ((m = STAILQ_FIRST(&p->out)) != NULL)
		message_free(p, m);
	peer_forget_given(p, has_gone);
	p->next_closed = h->closed;
	h->closed = p;
	loop_defer(h->loop, &h->reap);
}

/* -- out -- */

/* Too many descriptors are on their way, or there is no memory: nobody says
 * when there is room again. */
static int
is_for_now(int error)
{
	return error == ETOOMANYREFS || error == ENOBUFS || error == ENOMEM;
}

/* 0; -1: the channel is full or broken. */
static int
peer_put(struct handover_peer *p, enum chan_type type, const void *data,
    size_t len, int fd)
{
	struct loop *l = p->all->loop;

	if (chan_send(p->io.fd, type, data, len, &fd, fd != -1) == 0)
		return 0;
	if (is_for_now(errno) && p->all->again.deadline == 0)
		wheel_set(&l->wheel, &p->all->again, l->now_ms + AGAIN_MS);
	return -1;
}

/* The same, of what has waited. */
static int
peer_flush(struct handover_peer *p)
{
	struct handover_message *m;

	while ((m = STAILQ_FIRST(&p->out)) != NULL) {
		if (peer_put(p, m->type, m->data, m->len, m->fd) == -1)
			return -1;
		if (m->last_of != NULL)
			m->last_of->sent = 1;
		message_free(p, m);
	}
	return 0;
}

static void
handover_again(struct wheel_timer *t)
{
	struct handover *h = (struct handover *)(void *)((char *)t -
	    offsetof(struct handover, again));
	struct handover_peer *p;

	TAILQ_FOREACH(p, &h->peers, link)
		(void)peer_flush(p);
	h->room(h);
}

/* A broken channel is found out by reading. */
static void
peer_send(struct handover_peer *p, enum chan_type type, const void *data,
    size_t len, int fd, struct handover_item *last_of)
{
	struct handover_message *m;

	if (peer_flush(p) == 0 && peer_put(p, type, data, len, fd) == 0) {
		if (last_of != NULL)
			last_of->sent = 1;
		return;
	}
	m = xmalloc(sizeof(*m) + len);
	m->last_of = last_of;
	m->type = type;
	m->len = len;
	m->fd = fd;
	memcpy(m->data, data, len);
	STAILQ_INSERT_TAIL(&p->out, m, link);
	p->waiting += len;
}

/* The first part with the head and the descriptor, then the rest. */
static void
peer_send_record(struct handover_peer *p, const struct chan_move *head, int fd,
    hostd_buf record, struct handover_item *item)
{
	const char *bytes = record.p;
	size_t at = record.n < PART_MAX ? record.n : PART_MAX, n;
	char first[CHAN_MAX];

	memcpy(first, head, sizeof(*head));
	memcpy(first + sizeof(*head), bytes, at);
	peer_send(p, CHAN_MOVE, first, sizeof(*head) + at, fd,
	    at == record.n ? item : NULL);
	for (; at < record.n; at += n) {
		n = record.n - at < PART_MAX ? record.n - at : PART_MAX;
		peer_send(p, CHAN_MOVE_MORE, bytes + at, n, -1,
		    at + n == record.n ? item : NULL);
	}
}

int
handover_give(struct handover_peer *p, unsigned kind, int fd, hostd_buf record,
    struct handover_item *item)
{
	struct chan_move head = { .kind = kind, .size = (uint32_t)record.n };

	if (record.n == 0 || record.n > HANDOVER_RECORD_MAX ||
	    !handover_has_room(p))
		return -1;
	if (++p->all->last_id == 0)
		p->all->last_id = 1;
	head.id = item->id = p->all->last_id;
	item->sent = item->next = 0;
	TAILQ_INSERT_TAIL(&p->given, item, link);
	p->ngiven++;
	peer_send_record(p, &head, fd, record, item);
	return 0;
}

/* -- in -- */

/* Does the channel take an answer at once?  Else the giver, who does not hear
 * it, might go on with what we have taken; but one that has ended does not. */
static int
peer_can_answer(struct handover_peer *p)
{
	socklen_t len = sizeof(int);
	int room, waiting;

	if (peer_flush(p) == -1)
		return errno == EPIPE || errno == ECONNRESET;
	return getsockopt(p->io.fd, SOL_SOCKET, SO_SNDBUF, &room, &len) == 0 &&
	    ioctl(p->io.fd, SIOCOUTQ, &waiting) == 0 && waiting < room;
}

static void
take_record(struct handover_peer *p)
{
	struct chan_moved answer = { .id = p->head.id,
		.answer = HANDOVER_ELSEWHERE };
	hostd_buf record = { p->in.p, p->in.len };

	if (p->fd == -1)
		answer.answer = HANDOVER_REFUSED;
	else if (peer_can_answer(p))
		answer.answer = p->all->take(p->all, p->head.kind, p->fd,
		    record);
	if (answer.answer == HANDOVER_TAKEN)
		p->fd = -1;
	peer_forget_record(p);
	peer_send(p, CHAN_MOVED, &answer, sizeof(answer), -1, NULL);
}

/* 0, or -1: it does not fit together. */
static int
take_part(struct handover_peer *p, const char *bytes, size_t n)
{
	if (p->head.id == 0 || n > p->head.size - p->in.len)
		return -1;
	buf_append(&p->in, bytes, n);
	if (p->in.len == p->head.size)
		take_record(p);
	return 0;
}

static int
take_first(struct handover_peer *p, struct chan_msg *m)
{
	if (p->head.id != 0)
		return -1;
	memcpy(&p->head, m->data, sizeof(p->head));
	if (p->head.id == 0 || p->head.size > HANDOVER_RECORD_MAX) {
		p->head.id = 0;
		return -1;
	}
	/* Without one, for which there was no room, it is refused. */
	p->fd = m->nfds > 0 ? m->fds[0] : -1;
	m->nfds = 0;
	return take_part(p, m->data + sizeof(p->head),
	    m->len - sizeof(p->head));
}

static int
take_answer(struct handover_peer *p, const struct chan_msg *m)
{
	struct handover_item *item;
	struct chan_moved answer;

	memcpy(&answer, m->data, sizeof(answer));
	TAILQ_FOREACH(item, &p->given, link)
		if (item->id == answer.id)
			break;
	if (item == NULL || !item->sent || answer.answer > HANDOVER_ELSEWHERE)
		return -1;
	item_done(p, item, (enum handover_answer)answer.answer);
	return 0;
}

static int
peer_message(struct handover_peer *p, struct chan_msg *m)
{
	switch (m->type) {
	case CHAN_MOVE:
		return take_first(p, m);
	case CHAN_MOVE_MORE:
		return take_part(p, m->data, m->len);
	case CHAN_MOVED:
		return take_answer(p, m);
	case CHAN_UNKNOWN:
		return 0;
	default:
		return -1;
	}
}

/* It ended with something of ours unread; what it has said is there still. */
static int
is_reset(int rc)
{
	return rc == -1 && errno == ECONNRESET;
}

/* All there is.  1: more may come; 0: the other one has closed its end; -1:
 * nothing more is to be expected of it. */
static int
peer_read(struct handover_peer *p)
{
	struct chan_msg *m = p->all->msg;
	int rc;

	while ((rc = chan_recv(p->io.fd, m)) == 1 || is_reset(rc) ||
	    (rc == -1 && errno == EMFILE)) {
		if (is_reset(rc))
			continue;
		rc = peer_message(p, m);
		chan_close_fds(m);
		if (rc == -1) {
			log_errorx("%s.%u hands over what does not fit "
			    "together; it is of another version of hostd?",
			    p->who.pool, p->who.slot);
			return -1;
		}
	}
	return rc == -1 && (errno == EAGAIN || errno == EINTR) ? 1 : rc;
}

static void
peer_ready(struct loop_fd *fd, uint32_t events)
{
	struct handover_peer *p = (struct handover_peer *)(void *)fd;
	struct handover *h = p->all;
	int rc = peer_read(p);

	(void)events;
	(void)peer_flush(p);
	if (rc != 1)
		peer_close(p, rc == 0);
	h->room(h);
}

void
handover_hear(struct handover_peer *p)
{
	peer_ready(&p->io, EPOLLIN);
}

void
handover_add(struct handover *h, int fd, const struct chan_peer *who)
{
	struct handover_peer *p = xcalloc(1, sizeof(*p));

	p->all = h;
	p->io.fd = fd;
	p->io.ready = peer_ready;
	p->who = *who;
	p->fd = -1;
	TAILQ_INIT(&p->given);
	STAILQ_INIT(&p->out);
	if (loop_add(h->loop, &p->io, EPOLLIN | EPOLLOUT | EPOLLET) == -1) {
		log_warn("watching the channel to %s.%u", who->pool, who->slot);
		(void)close(fd);
		free(p);
		return;
	}
	TAILQ_INSERT_TAIL(&h->peers, p, link);
}

static enum handover_answer
take_nothing(struct handover *h, unsigned kind, int fd, hostd_buf record)
{
	(void)h;
	(void)kind;
	(void)fd;
	(void)record;
	return HANDOVER_ELSEWHERE;
}

void
handover_close(struct handover *h)
{
	struct handover_peer *p;

	if (h->loop == NULL)
		return;
	h->take = take_nothing;
	while ((p = TAILQ_FIRST(&h->peers)) != NULL)
		peer_close(p, peer_read(p) == 0);
	wheel_remove(&h->loop->wheel, &h->again);
	loop_undefer(h->loop, &h->reap);
	handover_reap(&h->reap);
}
