/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of TLS know of each other; everybody else's is in tls.h. */
#ifndef NET_TLS_STATE_H
#define NET_TLS_STATE_H

#include "base/buf.h"
#include "net/loop.h"
#include "net/stream_output.h"
#include "net/tls.h"
#include "net/tls_record.h"

#define TLS_BATCH	4	/* records that are sent at once */
#define TLS_MARKS	8
#define TLS_WIRE	(4 * TLS_RECORD_MAX)
#define TLS_LEAD	1024	/* bytes of others, before these */

/* What the streams of a worker share. */
struct tls_io {
	uint64_t told_ms;		/* when a failure was told last */
	unsigned char wire[TLS_WIRE];	/* what has come */
	unsigned char sealed[TLS_LEAD + TLS_BATCH * (TLS_PLAIN_MAX +
	    TLS_EXPANSION) + 64];
	unsigned char file[TLS_PLAIN_MAX];
};

/* A batch of records; when the socket has taken what is before end, so many
 * bytes more of the stream's are sent. */
struct tls_out {
	unsigned char *p;
	uint32_t len, at;
	uint32_t nmarks, mark;
	struct {
		uint32_t end, content;
	} marks[TLS_MARKS];
};

/* Until the keys are there. */
struct tls_shake {
	SSL *ssl;
	struct stream *stream;
	struct loop_task begin;
	const unsigned char *in;	/* what OpenSSL has not read yet */
	size_t nin;
	struct buf out;			/* what it has written */
	struct buf first;		/* what was read before it began */
	uint8_t heard;			/* something */
	uint8_t counted;		/* how it has ended */
	uint8_t client_len, server_len;
	unsigned char client[TLS_SECRET_MAX], server[TLS_SECRET_MAX];
};

struct tls {
	struct stream_layer layer;	/* first */
	struct tls_shake *shake;	/* NULL: it has ended */
	struct tls_shake *tail;		/* what is left of it for tickets that
					   a server sends; NULL: none are
					   wanted */
	struct tls_half in, out;
	struct tls_out *waiting;	/* the socket did not take it yet, or
					   was not asked to */
	struct buf ciphertext;		/* records, the last not all of it */
	struct buf plain;		/* of one, what nobody has read yet */
	struct tls_info *info;
	char *why;			/* the handshake has failed */
	uint32_t skip;			/* bytes of a message to be left out */
	uint16_t most;			/* content of a record of ours */
	uint8_t empty;			/* records in a row without data */
	uint8_t is_client;
	uint8_t alert;			/* enum tls_alert + 1: to be told */
	uint8_t got_close;		/* close_notify */
	uint8_t sent_close;
	uint8_t fin;			/* to be sent behind what waits */
	uint8_t update;			/* the peer wants our next key */
	uint8_t warned;			/* no_renegotiation was said */
	uint8_t lead;			/* what waits goes with the next batch,
					   in this turn */
	uint8_t drained;		/* the handshake left nothing in the
					   socket, and no event came since */
};

static inline struct tls *
tls_of(const struct stream *s)
{
	return (struct tls *)(void *)s->layer;
}

struct tls_io *tls_io(struct stream_io *);
/* The layer, without a handshake. */
struct tls *tls_new(struct stream *);

/* -- tls_handshake.c -- */

void	tls_shake_ready(struct stream *, uint32_t events);
void	tls_shake_free(struct tls *);
/* A record behind the handshake: OpenSSL takes the tickets in it. */
void	tls_tail_hear(struct tls *, enum tls_type, const unsigned char *record,
	    size_t n);
void	tls_tail_free(struct tls *);

/* -- tls_input.c -- */

ssize_t	tls_read(struct stream *, void *, size_t);

/* -- tls_output.c -- */

int	tls_flush(struct stream *);
/* What waits, as far as the socket takes it: 0, or -1: it has failed. */
int	tls_push(struct stream *);
/* Records as they are, behind what waits.  0, or -1. */
int	tls_put(struct stream *, const void *, size_t n);
/* The same, together with what is sent next, if that is in this turn. */
int	tls_put_later(struct stream *, const void *, size_t n);
/* A record that is none of data; 0, or -1. */
int	tls_put_control(struct stream *, enum tls_type, const void *,
	    size_t n);
int	tls_put_alert(struct stream *, enum tls_alert);
/* Our next key, as the peer has asked for it. */
int	tls_put_update(struct stream *);

/* -- tls_move.c -- */

int	tls_save(const struct stream *, struct buf *);

#endif
