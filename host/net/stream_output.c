/* SPDX-License-Identifier: BSD-2-Clause */
/* What a stream has to send: its queue, and how it gets to the socket. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include "base/mem.h"
#include "net/pipes.h"
#include "net/stream_output.h"

#define SEG_ROOM	4096	/* least room of a fresh memory segment */
#define SEG_IOV		64
#define FILE_CHUNK	(2u << 20)	/* per turn: others want one */

static void
seg_free(struct stream *s, struct stream_seg *g)
{
	TAILQ_REMOVE(&s->segs, g, link);
	if (g->type == SEG_PIPE)
		pipes_give(s->sio->pipes, g->owner, g->len == 0);
	if (g->release != NULL)
		g->release(g->owner, g->arg);
	free(g);
}

void
stream_drop_queue(struct stream *s)
{
	struct stream_seg *g;

	while ((g = TAILQ_FIRST(&s->segs)) != NULL)
		seg_free(s, g);
	if (s->sio->corked == s)
		s->sio->scratch_from = s->sio->scratch_len = 0;
	s->queued = s->sent;
}

void
stream_fail(struct stream *s, int error)
{
	s->error = (uint16_t)error;
	s->can_write = 0;
	stream_drop_queue(s);
}

/* -- queueing -- */

static struct stream_seg *
seg_new(struct stream *s, enum stream_seg_type type, size_t room)
{
	struct stream_seg *g = xmalloc(sizeof(*g) + room);

	memset(g, 0, sizeof(*g));
	g->type = type;
	g->fd = -1;
	g->room = room;
	g->p = g->mem;
	TAILQ_INSERT_TAIL(&s->segs, g, link);
	return g;
}

static int
stream_in_scratch(const struct stream *s)
{
	return s->sio->corked == s;
}

/* What is in scratch since the last segment becomes one, to keep order. */
static void
stream_seal_scratch(struct stream *s)
{
	struct stream_io *sio = s->sio;
	struct stream_seg *g;

	if (!stream_in_scratch(s) || sio->scratch_len == sio->scratch_from)
		return;
	g = seg_new(s, SEG_SCRATCH, 0);
	g->p = sio->scratch + sio->scratch_from;
	g->len = sio->scratch_len - sio->scratch_from;
	sio->scratch_from = sio->scratch_len;
}

char *
stream_reserve(struct stream *s, size_t n)
{
	struct stream_io *sio = s->sio;
	struct stream_seg *g;

	if (stream_in_scratch(s)) {
		if (STREAM_SCRATCH - sio->scratch_len >= n) {
			sio->reserved = NULL;
			return sio->scratch + sio->scratch_len;
		}
		stream_seal_scratch(s);
	}
	g = TAILQ_LAST(&s->segs, stream_segs);
	if (g == NULL || g->type != SEG_MEM || g->room < n)
		g = seg_new(s, SEG_MEM, n < SEG_ROOM ? SEG_ROOM : n);
	sio->reserved = g;
	return (char *)(uintptr_t)g->p + g->len;
}

void
stream_commit(struct stream *s, size_t n)
{
	struct stream_seg *g = s->sio->reserved;

	if (g == NULL) {
		s->sio->scratch_len += n;
	} else {
		g->len += n;
		g->room -= n;
	}
	s->queued += n;
}

void
stream_write(struct stream *s, const void *p, size_t n)
{
	if (n == 0)
		return;
	memcpy(stream_reserve(s, n), p, n);
	stream_commit(s, n);
}

/* The next segment, behind what is in scratch. */
static struct stream_seg *
seg_queue(struct stream *s, enum stream_seg_type type, uint64_t len,
    void (*release)(void *owner, void *arg), void *owner, void *arg)
{
	struct stream_seg *g;

	stream_seal_scratch(s);
	g = seg_new(s, type, 0);
	g->len = len;
	g->release = release;
	g->owner = owner;
	g->arg = arg;
	s->queued += len;
	return g;
}

void
stream_write_ref(struct stream *s, const void *p, size_t n,
    void (*release)(void *owner, void *arg), void *owner, void *arg)
{
	seg_queue(s, SEG_REF, n, release, owner, arg)->p = p;
}

void
stream_write_file(struct stream *s, int fd, uint64_t off, uint64_t len,
    void (*release)(void *owner, void *arg), void *owner, void *arg)
{
	struct stream_seg *g;
	struct stat st;

	g = seg_queue(s, SEG_FILE, len, release, owner, arg);
	g->fd = fd;
	if (fstat(fd, &st) == 0) {
		g->size = (uint64_t)st.st_size;
		g->modified = st.st_mtim;
	}
	g->off = off;
}

ssize_t
stream_splice(struct stream *to, struct stream *from, size_t n)
{
	struct pipes_pipe *p;
	ssize_t r;

	if (to->layer != NULL || from->layer != NULL) {
		errno = EINVAL;
		return -1;
	}
	if ((p = pipes_take(to->sio->pipes)) == NULL)
		return -1;
	do
		r = splice(from->io.fd, NULL, p->in, NULL, n,
		    SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	while (r == -1 && errno == EINTR);
	if (r > 0) {
		seg_queue(to, SEG_PIPE, (uint64_t)r, NULL, p, NULL)->fd =
		    p->out;
		return r;
	}
	if (r == 0)
		from->eof = 1;
	else if (errno == EAGAIN)
		from->can_read = 0;
	pipes_give(to->sio->pipes, p, 1);
	return r;
}

/* -- taking back -- */

void
stream_hold(struct stream *s, int on)
{
	s->held = (uint8_t)(on != 0);
}

void
stream_truncate(struct stream *s, uint64_t at)
{
	struct stream_seg *g;
	uint64_t n;

	stream_seal_scratch(s);
	while (s->queued > at && (g = TAILQ_LAST(&s->segs, stream_segs)) !=
	    NULL) {
		n = s->queued - at;
		if (n >= g->len) {
			/* With its length: a pipe is not empty. */
			s->queued -= g->len;
			seg_free(s, g);
			continue;
		}
		g->len -= n;
		g->room += g->type == SEG_MEM ? n : 0;
		s->queued = at;
	}
}

/* -- sending -- */

/* Bytes taken by the socket; 0 when it is full; -1 on failure. */
static ssize_t
stream_result(struct stream *s, ssize_t r)
{
	if (r >= 0)
		return r;
	if (errno == EAGAIN || errno == EINTR) {
		if (errno == EAGAIN)
			s->can_write = 0;
		return 0;
	}
	stream_fail(s, errno);
	return -1;
}

ssize_t
stream_transmit(struct stream *s, const void *p, size_t n)
{
	ssize_t r = stream_result(s, send(s->io.fd, p, n, MSG_NOSIGNAL));

	if (r > 0 && (size_t)r < n)
		s->can_write = 0;
	return r;
}

void
stream_consume(struct stream *s, uint64_t n)
{
	struct stream_seg *g;
	uint64_t part;

	while ((g = TAILQ_FIRST(&s->segs)) != NULL) {
		part = n < g->len ? n : g->len;
		g->p += part;
		g->off += part;
		g->len -= part;
		n -= part;
		if (g->len != 0)
			return;
		seg_free(s, g);
	}
}

size_t
stream_next(const struct stream *s, struct iovec *iov, size_t max,
    size_t *total)
{
	const struct stream_seg *g;
	size_t n = 0;

	*total = 0;
	TAILQ_FOREACH(g, &s->segs, link) {
		if (g->type == SEG_FILE || g->type == SEG_PIPE || n == max)
			break;
		iov[n].iov_base = (void *)(uintptr_t)g->p;
		iov[n++].iov_len = g->len;
		*total += g->len;
	}
	return n;
}

uint64_t
stream_allowed(struct stream *s, uint64_t from, uint64_t n)
{
	if (s->stop == NULL || from + n <= s->stop->at)
		return n;
	if (from >= s->stop->at)
		s->stop->reached(s->stop, from);
	if (s->stop == NULL || from + n <= s->stop->at)
		return n;
	return from < s->stop->at ? s->stop->at - from : 0;
}

/* No more than most bytes of n parts: how many parts are left. */
static size_t
iov_cut(struct iovec *iov, size_t n, uint64_t most, size_t *total)
{
	size_t i;

	for (i = 0, *total = 0; i < n && *total < most; i++) {
		if (iov[i].iov_len > most - *total)
			iov[i].iov_len = most - *total;
		*total += iov[i].iov_len;
	}
	return i;
}

static ssize_t
stream_send_memory(struct stream *s, uint64_t most)
{
	struct iovec iov[SEG_IOV];
	struct msghdr mh = { .msg_iov = iov };
	size_t total;
	ssize_t r;

	mh.msg_iovlen = stream_next(s, iov, SEG_IOV, &total);
	if (total > most)
		mh.msg_iovlen = iov_cut(iov, mh.msg_iovlen, most, &total);
	/* Cheaper for the kernel, and the most common. */
	if (mh.msg_iovlen == 1)
		return stream_transmit(s, iov[0].iov_base, total);
	r = sendmsg(s->io.fd, &mh, MSG_NOSIGNAL);
	if ((r = stream_result(s, r)) > 0 && (size_t)r < total)
		s->can_write = 0;
	return r;
}

/*
 * Was the file overwritten while it waited?  What is left of it would not fit
 * what was sent.  One that has only grown, as logs do, still has the bytes that
 * were promised.
 */
static int
file_was_overwritten(const struct stream_seg *g)
{
	struct stat st;

	if (fstat(g->fd, &st) == -1 || (uint64_t)st.st_size < g->size)
		return 1;
	return (uint64_t)st.st_size == g->size &&
	    (st.st_mtim.tv_sec != g->modified.tv_sec ||
	    st.st_mtim.tv_nsec != g->modified.tv_nsec);
}

static ssize_t
stream_send_file(struct stream *s, struct stream_seg *g, uint64_t most)
{
	size_t n = g->len < most ? g->len : most;
	off_t off = (off_t)g->off;
	ssize_t r;

	if (file_was_overwritten(g)) {
		stream_fail(s, ENODATA);
		return -1;
	}
	r = sendfile(s->io.fd, g->fd, &off, n);
	if (r == 0) {
		/* The file is shorter than what was promised. */
		stream_fail(s, ENODATA);
		return -1;
	}
	return stream_result(s, r);
}

ssize_t
stream_next_file(struct stream *s, void *p, size_t n)
{
	const struct stream_seg *g = TAILQ_FIRST(&s->segs);
	ssize_t r = -1;

	if (!file_was_overwritten(g))
		do
			r = pread(g->fd, p, g->len < n ? (size_t)g->len : n,
			    (off_t)g->off);
		while (r == -1 && errno == EINTR);
	else
		errno = ENODATA;
	/* The file is shorter than what was promised. */
	if (r <= 0) {
		stream_fail(s, r == 0 ? ENODATA : errno);
		return -1;
	}
	return r;
}

static ssize_t
stream_send_pipe(struct stream *s, struct stream_seg *g, uint64_t most)
{
	return stream_result(s, splice(g->fd, NULL, s->io.fd, NULL,
	    g->len < most ? g->len : most, SPLICE_F_MOVE | SPLICE_F_NONBLOCK));
}

static ssize_t
stream_send_seg(struct stream *s, struct stream_seg *g, uint64_t most)
{
	switch (g->type) {
	case SEG_FILE:
		return stream_send_file(s, g, most < FILE_CHUNK ? most :
		    FILE_CHUNK);
	case SEG_PIPE:
		return stream_send_pipe(s, g, most);
	default:
		return stream_send_memory(s, most);
	}
}

/* The common case: all there is lies in scratch. */
static int
stream_flush_scratch(struct stream *s)
{
	struct stream_io *sio = s->sio;
	size_t n = sio->scratch_len - sio->scratch_from;
	ssize_t r;

	if (n == 0)
		return 0;
	r = stream_transmit(s, sio->scratch + sio->scratch_from, n);
	if (r == -1)
		return -1;
	stream_sent(s, (uint64_t)r);
	sio->scratch_from += (size_t)r;
	if ((size_t)r == n)
		sio->scratch_from = sio->scratch_len = 0;
	return 0;
}

int
stream_flush(struct stream *s)
{
	struct stream_seg *g;
	uint64_t budget = FILE_CHUNK, most;
	ssize_t r;

	if (s->error != 0)
		return -1;
	if (s->held)
		return 0;
	if (s->layer != NULL) {
		stream_seal_scratch(s);
		return s->layer->ops->flush(s);
	}
	if (stream_in_scratch(s) && TAILQ_EMPTY(&s->segs) && s->stop == NULL) {
		if (s->can_write && stream_flush_scratch(s) == -1)
			return -1;
	}
	stream_seal_scratch(s);
	while (s->can_write && (g = TAILQ_FIRST(&s->segs)) != NULL) {
		if (budget == 0) {
			stream_flush_later(s);
			break;
		}
		most = stream_allowed(s, s->sent, stream_pending(s));
		if (most == 0 && g->len > 0)
			break;
		if ((r = stream_send_seg(s, g, most)) == -1)
			return -1;
		budget -= (uint64_t)r < budget ? (uint64_t)r : budget;
		stream_consume(s, (uint64_t)r);
		stream_sent(s, (uint64_t)r);
	}
	return 0;
}

void
stream_cork(struct stream *s)
{
	s->sio->corked = s;
	s->sio->scratch_from = s->sio->scratch_len = 0;
}

/* Copy somebody else's bytes. */
static void
seg_own(struct stream *s, struct stream_seg *g)
{
	struct stream_seg *copy = xmalloc(sizeof(*copy) + g->len);

	memset(copy, 0, sizeof(*copy));
	copy->type = SEG_MEM;
	copy->fd = -1;
	copy->p = copy->mem;
	copy->len = g->len;
	memcpy(copy->mem, g->p, g->len);
	TAILQ_INSERT_BEFORE(g, copy, link);
	seg_free(s, g);
}

/* What the socket did not take must outlive scratch. */
static void
stream_leave_scratch(struct stream *s)
{
	struct stream_seg *g, *next;

	for (g = TAILQ_FIRST(&s->segs); g != NULL; g = next) {
		next = TAILQ_NEXT(g, link);
		if (g->type == SEG_SCRATCH)
			seg_own(s, g);
	}
}

/* What the socket takes of it when nothing is before it. */
static size_t
stream_send_now(struct stream *s, const void *p, size_t n)
{
	ssize_t r;

	if (!s->can_write || s->held || s->layer != NULL || s->stop != NULL ||
	    stream_pending(s) != 0)
		return 0;
	if ((r = stream_transmit(s, p, n)) <= 0)
		return 0;
	s->queued += (uint64_t)r;
	s->sent += (uint64_t)r;
	return (size_t)r;
}

void
stream_write_through(struct stream *s, const void *p, size_t n)
{
	struct stream_seg *g;
	size_t now = stream_send_now(s, p, n);

	if (now == n || s->error != 0)
		return;
	p = (const char *)p + now;
	stream_write_ref(s, p, n - now, NULL, NULL, NULL);
	if (s->can_write)
		(void)stream_flush(s);
	/* What is left of it, always the last, is the caller's memory. */
	g = TAILQ_LAST(&s->segs, stream_segs);
	if (g != NULL && g->type == SEG_REF && g->release == NULL)
		seg_own(s, g);
}

void
stream_uncork(struct stream *s)
{
	if (!stream_in_scratch(s))
		return;
	if (s->can_write)
		(void)stream_flush(s);
	stream_seal_scratch(s);
	stream_leave_scratch(s);
	s->sio->corked = NULL;
}

void
stream_flush_later(struct stream *s)
{
	loop_defer(s->sio->loop, &s->flush);
}

void
stream_flush_run(struct loop_task *t)
{
	struct stream *s = (struct stream *)(void *)((char *)t -
	    offsetof(struct stream, flush));

	if (stream_flush(s) == -1)
		s->ops->failed(s, s->error);
	else
		s->ops->sent(s);
}
