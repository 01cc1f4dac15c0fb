/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include "base/mem.h"
#include "net/tls_state.h"

#define IOV		64
#define TURN		(512u << 10)	/* bytes sealed, then others have one */
/* RFC 8446 5.5 wants another key before 2^24.5 records of AES-GCM. */
#define KEY_RECORDS	(1u << 24)
#define WARNING		1
#define FATAL		2
#define KEY_UPDATE	24

/* -- to the socket -- */

static int
is_sent(const struct tls_out *o)
{
	return o->at == o->len;
}

static int
push(struct stream *s, struct tls_out *o)
{
	ssize_t r;

	while (s->can_write && !is_sent(o)) {
		r = stream_transmit(s, o->p + o->at, o->len - o->at);
		if (r == -1)
			return -1;
		o->at += (uint32_t)r;
		for (; o->mark < o->nmarks && o->marks[o->mark].end <= o->at;
		    o->mark++)
			stream_sent(s, o->marks[o->mark].content);
	}
	return 0;
}

int
tls_push(struct stream *s)
{
	struct tls *t = tls_of(s);

	if (t->waiting == NULL)
		return 0;
	t->lead = 0;
	if (push(s, t->waiting) == -1)
		return -1;
	if (!is_sent(t->waiting))
		return 0;
	free(t->waiting);
	t->waiting = NULL;
	if (t->fin)
		(void)shutdown(s->io.fd, SHUT_WR);
	t->fin = 0;
	return 0;
}

/* What the socket did not take has to outlive the worker's buffer. */
static void
wait_for_room(struct tls *t, const struct tls_out *o)
{
	struct tls_out *w = xmalloc(sizeof(*w) + o->len - o->at);
	uint32_t i;

	w->p = (unsigned char *)(w + 1);
	w->len = o->len - o->at;
	w->at = w->mark = w->nmarks = 0;
	memcpy(w->p, o->p + o->at, w->len);
	for (i = o->mark; i < o->nmarks; i++) {
		w->marks[w->nmarks] = o->marks[i];
		w->marks[w->nmarks++].end -= o->at;
	}
	t->waiting = w;
}

static void
append(struct tls *t, const void *p, size_t n)
{
	struct tls_out *w = t->waiting;

	w = xrealloc(w, sizeof(*w) + w->len + n);
	w->p = (unsigned char *)(w + 1);
	memcpy(w->p + w->len, p, n);
	w->len += (uint32_t)n;
	t->waiting = w;
}

int
tls_put(struct stream *s, const void *p, size_t n)
{
	struct tls_out o = { .p = (unsigned char *)(uintptr_t)p,
		.len = (uint32_t)n };
	struct tls *t = tls_of(s);

	if (t->waiting != NULL) {
		append(t, p, n);
		return tls_push(s);
	}
	if (push(s, &o) == -1)
		return -1;
	if (!is_sent(&o))
		wait_for_room(t, &o);
	return 0;
}

int
tls_put_later(struct stream *s, const void *p, size_t n)
{
	struct tls_out o = { .p = (unsigned char *)(uintptr_t)p,
		.len = (uint32_t)n };
	struct tls *t = tls_of(s);

	if (t->waiting != NULL || !s->can_write || n > TLS_LEAD)
		return tls_put(s, p, n);
	wait_for_room(t, &o);
	t->lead = 1;
	stream_flush_later(s);
	return 0;
}

/* -- records that are none of data -- */

static size_t
seal_control(struct stream *s, enum tls_type type, const void *p, size_t n,
    unsigned char *record)
{
	struct iovec iov = { (void *)(uintptr_t)p, n };

	return tls_seal(&tls_of(s)->out, type, &iov, n, record);
}

int
tls_put_control(struct stream *s, enum tls_type type, const void *p, size_t n)
{
	unsigned char record[TLS_EXPANSION + 8];
	size_t len = seal_control(s, type, p, n, record);

	if (len > 0)
		return tls_put(s, record, len);
	stream_fail(s, EIO);
	return -1;
}

int
tls_put_alert(struct stream *s, enum tls_alert alert)
{
	unsigned char body[2] = { alert == TLS_CLOSE_NOTIFY ||
		alert == TLS_NO_RENEGOTIATION ? WARNING : FATAL,
		(unsigned char)alert };

	return tls_put_control(s, TLS_ALERT, body, sizeof(body));
}

int
tls_put_update(struct stream *s)
{
	static const unsigned char body[] = { KEY_UPDATE, 0, 0, 1, 0 };
	struct tls *t = tls_of(s);

	t->update = 0;
	if (tls_put_control(s, TLS_HANDSHAKE, body, sizeof(body)) == -1)
		return -1;
	if (tls_half_update(&t->out, 1) == 0)
		return 0;
	stream_fail(s, EIO);
	return -1;
}

/* -- data -- */

/* The next bytes of the queue, of which `sealed` are on their way: how many, 0:
 * there are none, or none that may go, -1: failed. */
static ssize_t
next_content(struct stream *s, struct iovec *iov, uint64_t sealed)
{
	struct tls_io *io = s->sio->tls;
	size_t most = tls_of(s)->most, total;
	ssize_t r;

	stream_consume(s, 0);
	if (s->stop != NULL && !TAILQ_EMPTY(&s->segs))
		most = stream_allowed(s, s->sent + sealed, most);
	while (!TAILQ_EMPTY(&s->segs) && most > 0) {
		if (stream_next(s, iov, IOV, &total) == 0) {
			r = stream_next_file(s, io->file, most);
			iov->iov_base = io->file;
			return r;
		}
		if (total > 0)
			return (ssize_t)(total < most ? total : most);
		stream_consume(s, 0);
	}
	return 0;
}

/* Another record for the batch: 1, 0: there is nothing for one, -1: failed. */
static int
seal_next(struct stream *s, struct tls_out *o, uint64_t sealed)
{
	struct tls *t = tls_of(s);
	struct iovec iov[IOV];
	ssize_t n = next_content(s, iov, sealed);
	size_t len;

	if (n <= 0)
		return (int)n;
	if (iov->iov_base == s->sio->tls->file)
		iov->iov_len = (size_t)n;
	len = tls_seal(&t->out, TLS_DATA, iov, (size_t)n, o->p + o->len);
	if (len == 0) {
		stream_fail(s, EIO);
		return -1;
	}
	stream_consume(s, (uint64_t)n);
	o->len += (uint32_t)len;
	o->marks[o->nmarks].end = o->len;
	o->marks[o->nmarks++].content = (uint32_t)n;
	return 1;
}

static void
take_lead(struct tls *t, struct tls_out *o)
{
	if (!t->lead)
		return;
	t->lead = 0;
	memcpy(o->p, t->waiting->p, t->waiting->len);
	o->len = t->waiting->len;
	free(t->waiting);
	t->waiting = NULL;
}

/* Behind the last data there is, the end. */
static void
seal_end(struct stream *s, struct tls_out *o)
{
	static const unsigned char body[] = { WARNING, TLS_CLOSE_NOTIFY };
	struct tls *t = tls_of(s);

	if (!s->ends || t->sent_close || !TAILQ_EMPTY(&s->segs))
		return;
	o->len += (uint32_t)seal_control(s, TLS_ALERT, body, sizeof(body),
	    o->p + o->len);
	t->sent_close = 1;
}

/* As much of the queue as makes one batch: bytes, or -1. */
static ssize_t
send_batch(struct stream *s)
{
	struct tls_out o = { .p = tls_io(s->sio)->sealed };
	uint64_t sealed = 0;
	int rc = 1;

	take_lead(tls_of(s), &o);
	while (o.nmarks < TLS_BATCH && rc == 1) {
		rc = seal_next(s, &o, sealed);
		if (rc == 1)
			sealed += o.marks[o.nmarks - 1].content;
	}
	if (rc == -1)
		return -1;
	seal_end(s, &o);
	if (push(s, &o) == -1)
		return -1;
	if (!is_sent(&o))
		wait_for_room(tls_of(s), &o);
	return (ssize_t)o.len;
}

static int
is_key_old(const struct tls *t)
{
	return t->update || (t->out.keys.version == TLS_1_3 &&
	    t->out.keys.seq >= KEY_RECORDS);
}

int
tls_flush(struct stream *s)
{
	struct tls *t = tls_of(s);
	size_t budget = TURN;
	ssize_t n;

	if (t->shake != NULL)
		return 0;
	while (s->can_write) {
		if ((!t->lead || TAILQ_EMPTY(&s->segs)) && tls_push(s) == -1)
			return -1;
		if ((t->waiting != NULL && !t->lead) || TAILQ_EMPTY(&s->segs))
			break;
		if (budget == 0) {
			stream_flush_later(s);
			break;
		}
		if (is_key_old(t)) {
			if (tls_put_update(s) == -1)
				return -1;
			continue;
		}
		if ((n = send_batch(s)) <= 0)
			return (int)n;
		budget -= (size_t)n < budget ? (size_t)n : budget;
	}
	return 0;
}
