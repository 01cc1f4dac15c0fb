/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/mem.h"
#include "net/pipes.h"
#include "net/stream_output.h"
#include "net/tls.h"

#define STREAM_EVENTS	(EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)

static void	stream_ready(struct loop_fd *, uint32_t);
static void	stream_again_run(struct loop_task *);

void
stream_io_init(struct stream_io *sio, struct loop *loop)
{
	memset(sio, 0, sizeof(*sio));
	sio->loop = loop;
	sio->rbuf = xmalloc(STREAM_RBUF);
	sio->scratch = xmalloc(STREAM_SCRATCH);
	sio->pipes = pipes_new();
}

void
stream_io_free(struct stream_io *sio)
{
	free(sio->rbuf);
	free(sio->scratch);
	pipes_free(sio->pipes);
	tls_io_free(sio);
}

static void
stream_init(struct stream *s, struct stream_io *sio, int fd,
    const struct stream_ops *ops)
{
	memset(s, 0, sizeof(*s));
	s->io.fd = fd;
	s->io.ready = stream_ready;
	s->sio = sio;
	s->ops = ops;
	s->can_write = 1;
	s->flush.run = stream_flush_run;
	s->again.run = stream_again_run;
	TAILQ_INIT(&s->segs);
}

int
stream_open(struct stream *s, struct stream_io *sio, int fd,
    const struct stream_ops *ops)
{
	stream_init(s, sio, fd, ops);
	return loop_add(sio->loop, &s->io, STREAM_EVENTS);
}

void
stream_open_layer(struct stream *s, struct stream_io *sio,
    struct stream_layer *layer, const struct stream_ops *ops)
{
	stream_init(s, sio, STREAM_NO_SOCKET, ops);
	s->layer = layer;
}

void
stream_move(struct stream *to, struct stream *from,
    const struct stream_ops *ops)
{
	loop_undefer(from->sio->loop, &from->flush);
	loop_undefer(from->sio->loop, &from->again);
	*to = *from;
	to->ops = ops;
	TAILQ_INIT(&to->segs);
	if (to->io.fd != STREAM_NO_SOCKET)
		loop_move(to->sio->loop, &to->io, STREAM_EVENTS);
	from->io.fd = -1;
	from->layer = NULL;
	if (to->layer != NULL)
		to->layer->ops->moved(to);
}

void
stream_rest(struct stream *s)
{
	loop_undefer(s->sio->loop, &s->flush);
	loop_undefer(s->sio->loop, &s->again);
	if (s->io.fd != STREAM_NO_SOCKET)
		loop_del(s->sio->loop, &s->io);
	s->rests = 1;
}

int
stream_resume(struct stream *s)
{
	s->can_read = s->can_write = 1;
	s->rests = 0;
	if (s->io.fd == STREAM_NO_SOCKET)
		return 0;
	return loop_add(s->sio->loop, &s->io, STREAM_EVENTS);
}

void
stream_close(struct stream *s)
{
	if (s->layer != NULL)
		s->layer->ops->close(s);
	s->layer = NULL;
	stream_drop_queue(s);
	if (s->sio->corked == s)
		s->sio->corked = NULL;
	loop_undefer(s->sio->loop, &s->flush);
	loop_undefer(s->sio->loop, &s->again);
	if (s->lent && s->io.fd >= 0)
		loop_del(s->sio->loop, &s->io);
	if (s->io.fd >= 0)
		close(s->io.fd);
	s->io.fd = -1;
}

void
stream_break(struct stream *s)
{
	static const struct linger now = { 1, 0 };

	s->broken = 1;
	if (s->io.fd >= 0)
		(void)setsockopt(s->io.fd, SOL_SOCKET, SO_LINGER, &now,
		    sizeof(now));
}

int
stream_save(const struct stream *s, struct buf *b)
{
	if (s->layer == NULL)
		return 0;
	return s->layer->ops->save == NULL ? -1 : s->layer->ops->save(s, b);
}

void
stream_shutdown(struct stream *s)
{
	if (s->layer != NULL)
		s->layer->ops->shutdown(s);
	else
		(void)shutdown(s->io.fd, SHUT_WR);
}

/* -- input -- */

/* Closed, or somebody else's, by what was told of it. */
static int
stream_is_over(const struct stream *s)
{
	return s->io.fd == -1 || s->rests;
}

static void
stream_ready(struct loop_fd *fd, uint32_t events)
{
	struct stream *s = (struct stream *)(void *)fd;

	/* An event of this turn, from before. */
	if (s->rests)
		return;
	if (s->layer != NULL)
		s->layer->ops->ready(s, events);
	else
		stream_events(s, events);
}

void
stream_events(struct stream *s, uint32_t events)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (events & EPOLLERR) {
		(void)getsockopt(s->io.fd, SOL_SOCKET, SO_ERROR, &error, &len);
		stream_fail(s, error != 0 ? error : ECONNRESET);
		s->ops->failed(s, s->error);
		return;
	}
	if (events & EPOLLOUT && !s->can_write) {
		s->can_write = 1;
		if (stream_pending(s) != 0) {
			if (stream_flush(s) == -1) {
				s->ops->failed(s, s->error);
				return;
			}
			s->ops->sent(s);
			if (stream_is_over(s))
				return;
		}
	}
	if (events & (EPOLLRDHUP | EPOLLHUP) && !s->eof) {
		s->eof = 1;
		s->can_read = 1;
		s->ops->half_closed(s);
		if (stream_is_over(s))
			return;
	}
	if (events & EPOLLIN || s->eof) {
		s->can_read = 1;
		s->ops->readable(s);
	}
}

ssize_t
stream_read(struct stream *s, void *buf, size_t n)
{
	return s->layer != NULL ? s->layer->ops->read(s, buf, n) :
	    stream_receive(s, buf, n);
}

ssize_t
stream_receive(struct stream *s, void *buf, size_t n)
{
	ssize_t r;

	do
		r = recv(s->io.fd, buf, n, 0);
	while (r == -1 && errno == EINTR);
	if (r == 0)
		s->eof = 1;
	/* A short read has drained the socket (epoll(7)); with a FIN behind
	 * it there is still the end to be read, any number of times. */
	if (r == -1 || ((size_t)r < n && !s->eof))
		s->can_read = 0;
	return r;
}

void
stream_read_again(struct stream *s)
{
	loop_defer(s->sio->loop, &s->again);
}

static void
stream_again_run(struct loop_task *t)
{
	struct stream *s = (struct stream *)(void *)((char *)t -
	    offsetof(struct stream, again));

	s->ops->readable(s);
}
