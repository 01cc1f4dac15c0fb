/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connected socket: edge-triggered readiness, and an ordered queue of
 * output made of copied bytes, borrowed bytes, ranges of files and bytes that
 * lie in a pipe.
 *
 * Nothing is sent by the functions that queue.  stream_flush sends as much as
 * the socket takes; whoever queues outside of a read calls stream_flush_later,
 * so that everything queued in one turn leaves in one system call.
 *
 * A stream may have a layer between itself and its socket, as TLS is one; what
 * is queued, sent and read here is what its owner says and hears, not what
 * the layer makes of it.
 *
 * While a stream is corked (stream_cork ... stream_uncork, around the
 * handling of one read), copied bytes go to the worker's shared scratch
 * buffer and never see an allocation if the socket takes them at once.
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>
#include <time.h>
#include "net/loop.h"

#define STREAM_RBUF	131072	/* a message of 64k and its frame fit */
#define STREAM_SCRATCH	65536
#define STREAM_NO_SOCKET (-2)	/* io.fd of one that only has a layer */

struct board_counters;
struct buf;
struct pipes;
struct stream;
struct tls_info;
struct tls_io;

struct stream_seg {
	TAILQ_ENTRY(stream_seg) link;
	enum stream_seg_type { SEG_MEM, SEG_REF, SEG_FILE, SEG_SCRATCH,
	    SEG_PIPE } type;
	int fd;				/* FILE, PIPE */
	const char *p;			/* memory: what is left */
	uint64_t off;			/* FILE */
	uint64_t len;			/* left to send */
	uint64_t size;			/* FILE: as it was when queued */
	struct timespec modified;	/* FILE: the same */
	size_t room;			/* MEM: free bytes behind p + len */
	void (*release)(void *owner, void *arg);	/* REF, FILE */
	void *owner, *arg;
	char mem[];			/* MEM */
};
TAILQ_HEAD(stream_segs, stream_seg);

/* What all streams of a worker share. */
struct stream_io {
	struct loop *loop;
	struct stream *corked;		/* whose bytes are in scratch */
	size_t scratch_from;		/* start of bytes not yet in a
					   segment */
	size_t scratch_len;
	struct stream_seg *reserved;	/* by stream_reserve; NULL: scratch */
	char *rbuf;			/* STREAM_RBUF bytes */
	char *scratch;			/* STREAM_SCRATCH bytes */
	struct pipes *pipes;
	struct tls_io *tls;		/* NULL: not used yet */
	struct board_counters *counters;	/* or NULL */
};

struct stream_ops {
	/* There may be something to read. */
	void (*readable)(struct stream *);
	/* Output was sent from the queue outside of a cork; look at
	 * stream_pending. */
	void (*sent)(struct stream *);
	/* The peer or a file failed; errno-like code.  Nothing more will be
	 * sent.  Called from the loop only. */
	void (*failed)(struct stream *, int error);
	/* The peer has sent its FIN, but there may be bytes before it. */
	void (*half_closed)(struct stream *);
};

/* What a layer does instead of the socket; see stream_output.h for the
 * queue. */
struct stream_layer_ops {
	/* The socket's events; stream_events does the usual. */
	void (*ready)(struct stream *, uint32_t events);
	/* As stream_read and stream_flush. */
	ssize_t (*read)(struct stream *, void *, size_t);
	int (*flush)(struct stream *);
	/* As stream_shutdown. */
	void (*shutdown)(struct stream *);
	/* It was given to another stream, this one. */
	void (*moved)(struct stream *);
	/* As stream_save.  Optional: without it, it stays in its process. */
	int (*save)(const struct stream *, struct buf *);
	/* It is closed, or not needed: free what is the layer's. */
	void (*close)(struct stream *);
};

/* Part of what a layer keeps of a stream. */
struct stream_layer {
	const struct stream_layer_ops *ops;
	const struct tls_info *tls;	/* of a connection that has it, or NULL:
					   stream_tls */
};

/* Where a stream's output has to wait, though its socket may have room. */
struct stream_stop {
	uint64_t at;			/* of queued: bytes up to here may go */
	/* So many have gone, or are about to, and there is more.  Move at,
	 * take the stop off the stream, or later do so and
	 * stream_flush_later. */
	void (*reached)(struct stream_stop *, uint64_t);
};

struct stream {
	struct loop_fd io;
	struct stream_io *sio;
	const struct stream_ops *ops;
	struct stream_layer *layer;	/* NULL: none */
	struct stream_segs segs;
	struct stream_stop *stop;	/* NULL: none */
	struct loop_task flush;		/* stream_flush_later */
	struct loop_task again;		/* stream_read_again */
	uint64_t queued;		/* bytes ever queued */
	uint64_t sent;			/* of these, given to the kernel */
	uint16_t error;			/* errno of the failure */
	uint8_t can_read;		/* since the last EAGAIN */
	uint8_t can_write;
	uint8_t eof;			/* RDHUP was seen */
	uint8_t lent;			/* another process may have the socket
					   open, too: closing it here does not
					   end the loop's interest */
	uint8_t rests;			/* stream_rest */
	uint8_t held;			/* stream_hold */
	uint8_t broken;			/* stream_break */
	uint8_t ends;			/* nothing comes behind what is queued:
					   a layer may say so with it */
};

void	stream_io_init(struct stream_io *, struct loop *);
void	stream_io_free(struct stream_io *);

/* Take fd (connected, not blocking).  0, or -1 with errno. */
int	stream_open(struct stream *, struct stream_io *, int fd,
	    const struct stream_ops *);
/* One that has no socket, only a layer that gives and takes its bytes. */
void	stream_open_layer(struct stream *, struct stream_io *,
	    struct stream_layer *, const struct stream_ops *);
/*
 * Give the socket to another stream of the same worker, which takes the place
 * of this one; nothing may be pending.  from is as after stream_close.
 */
void	stream_move(struct stream *to, struct stream *from,
	    const struct stream_ops *);
/*
 * From now on the loop does not look at it, and nothing is told of it, not even
 * what the loop knows already: it may be another process's soon, and whoever
 * has it in the end will be told.  Nothing may be pending.
 */
void	stream_rest(struct stream *);
/* It does again.  0, or -1 with errno. */
int	stream_resume(struct stream *);
/* Drops the queue (releasing what was borrowed) and closes the socket. */
void	stream_close(struct stream *);
/* When it is closed, that is a reset: nobody is to take it for an end in
 * order. */
void	stream_break(struct stream *);
/* What another process needs to know of its layer, if it has one, is appended
 * unless the buf is NULL: 0, or -1: it can't go there now. */
int	stream_save(const struct stream *, struct buf *);
/* Our FIN, after what is queued was sent. */
void	stream_shutdown(struct stream *);

/* As read(2); a short read clears can_read. */
ssize_t	stream_read(struct stream *, void *, size_t);
/* Call ops->readable in the next turn, for it has more to read. */
void	stream_read_again(struct stream *);

/* n contiguous bytes to write into, then how many were. */
char	*stream_reserve(struct stream *, size_t n);
void	stream_commit(struct stream *, size_t n);
void	stream_write(struct stream *, const void *, size_t);
/* release(owner, arg) is called once, from the loop, sent or not. */
void	stream_write_ref(struct stream *, const void *, size_t,
	    void (*release)(void *owner, void *arg), void *owner, void *arg);
/* As stream_write, but sends at once what it can, so that only the rest is
 * copied. */
void	stream_write_through(struct stream *, const void *, size_t);
void	stream_write_file(struct stream *, int fd, uint64_t off, uint64_t len,
	    void (*release)(void *owner, void *arg), void *owner, void *arg);
/*
 * Up to n bytes that from has received become to's output without being copied
 * here.  As stream_read, but there may be more when it returns less than n; and
 * -1 with errno EMFILE or ENFILE: no pipe is to be had now.
 */
ssize_t	stream_splice(struct stream *to, struct stream *from, size_t n);

void	stream_cork(struct stream *);
void	stream_uncork(struct stream *);		/* flushes */
/* 0, or -1: stream->error says why. */
int	stream_flush(struct stream *);
void	stream_flush_later(struct stream *);

/* Nothing is sent while it is held, whatever is queued. */
void	stream_hold(struct stream *, int on);
/* Drop what was queued behind byte `at` (of queued); nothing of it is sent. */
void	stream_truncate(struct stream *, uint64_t at);

static inline uint64_t
stream_pending(const struct stream *s)
{
	return s->queued - s->sent;
}

#endif
