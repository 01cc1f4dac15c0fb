/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stream's queue and socket, for stream.c and for layers; everybody else's is
 * in stream.h.
 */
#ifndef NET_STREAM_OUTPUT_H
#define NET_STREAM_OUTPUT_H

#include "net/stream.h"

struct iovec;

/* -- the socket -- */

/* What comes of the socket's events without a layer. */
void	stream_events(struct stream *, uint32_t events);
/* As stream_read, of the socket. */
ssize_t	stream_receive(struct stream *, void *, size_t);
/* Send to the socket: how much it took, 0 when it is full, -1 on failure. */
ssize_t	stream_transmit(struct stream *, const void *, size_t);

/* -- the queue -- */

/*
 * Up to max of the first segments that lie in memory: how many of them; *total:
 * their bytes.  0: the first is a file's range, or there is none.
 */
size_t	stream_next(const struct stream *, struct iovec *, size_t max,
	    size_t *total);
/* The first n bytes are not needed any more; they are not sent yet. */
void	stream_consume(struct stream *, uint64_t n);
/* n bytes more were sent, of those that were consumed. */
static inline void
stream_sent(struct stream *s, uint64_t n)
{
	s->sent += n;
}
/* Of n bytes behind the first `from` ever queued, how many may go now. */
uint64_t stream_allowed(struct stream *, uint64_t from, uint64_t n);
/* The first segment, a file's, read: bytes, or -1: the stream has failed. */
ssize_t	stream_next_file(struct stream *, void *, size_t n);

/* Of what was queued nothing more will be sent. */
void	stream_drop_queue(struct stream *);
/* It can't be sent any more. */
void	stream_fail(struct stream *, int error);
/* The stream's flush. */
void	stream_flush_run(struct loop_task *);

#endif
