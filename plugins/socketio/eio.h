/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Engine.IO 4, and 3 where allow_eio3 is on: sessions over HTTP polling and
 * WebSocket, and the upgrade from one to the other.  What goes up is in
 * client.h.
 */
#ifndef SOCKETIO_EIO_H
#define SOCKETIO_EIO_H

#include "sio.h"

#define EIO_ID_LEN	24	/* node 4, slot 2, random 18; URL-safe base64 */

struct client;
struct eio;			/* one session */

/*
 * One message: a text and the binary data that belongs to it, which nothing
 * comes between.  Encoded once, for any number of sessions: revision 3 has a
 * byte before binary data, which stands before each of bins.
 */
#define EIO_DATA	'\4'
struct eio_message {
	uint32_t refs;
	uint32_t nbins;
	hostd_buf text;		/* begins with '4' */
	hostd_buf *bins;
};

/* With one reference, the caller's.  prefix and body (which may be of several
 * pieces) are joined behind the '4', and all is copied.  NULL: out of
 * memory. */
struct eio_message *eio_message_new(const hostd_buf *pieces, uint32_t npieces,
	    const hostd_buf *bins, uint32_t nbins);
void	eio_message_ref(struct eio_message *);
void	eio_message_unref(struct eio_message *);
size_t	eio_message_size(const struct eio_message *);

/* What is known of the first request.  One block, as long as the session. */
struct eio_handshake {
	const char *headers;		/* nheaders, for eio_header */
	uint32_t nheaders;
	uint32_t flags;			/* HOSTD_REQ_TLS */
	hostd_buf url, query, peer;
	int64_t time_ms;
	hostd_buf user;			/* p NULL: nobody is known */
};

/* The header at *at, which begins at h->headers, and goes to the next. */
hostd_hdr eio_header(const char **at);

/* create and destroy of the instance. */
int32_t	engine_create(struct hostd_inst *, const struct hostd_conf *,
	    struct hostd_err *);
void	engine_destroy(struct hostd_inst *);
/* The worker ends: see move.h. */
void	engine_drain(struct hostd_inst *, uint32_t deadline_ms);

/* The tables that the instance provides. */
extern const struct hostd_http_ops eio_http_ops;
extern const struct hostd_ws_ops eio_ws_ops;

/* -- one session; all good from client_new until client_free -- */

/* Whose connection it is, from now on.  -1: no memory, it stays whose it
 * was. */
int	eio_set_user(struct eio *, hostd_buf user);
const char *eio_id(const struct eio *);		/* EIO_ID_LEN, NUL-ended */
const struct eio_handshake *eio_handshake(const struct eio *);
uint32_t eio_transport(const struct eio *);	/* HOSTD_SIO_POLLING ... */
struct client *eio_client(const struct eio *);
uint32_t eio_revision(const struct eio *);	/* 3 or 4 */

/*
 * Send; the message is referenced as long as it is needed.  flags:
 * HOSTD_SIO_VOLATILE, PLAIN.  HOSTD_OK, AGAIN, E_FULL (the session ends, unless
 * it is volatile), E_STATE (it is ending).
 */
int32_t	eio_send(struct eio *, struct eio_message *, uint32_t flags);
/* Also a flag: other workers have it, too, so a session that is on its way to
 * one does not take it along.  Always so with many. */
#define EIO_BROADCAST	0x10000u
/* The same to many: cheaper. */
void	eio_send_many(struct hostd_inst *, struct eio *const *, size_t n,
	    struct eio_message *, uint32_t flags);

/* End it, after what was sent before: client_gone follows, later, with that
 * reason (HOSTD_SIO_*).  Ending it twice is once. */
void	eio_end(struct eio *, int32_t reason);

/* -- from worker to worker -- */

struct pack;
struct unpack;

/* The session whose transport the WebSocket with that block is, or will be with
 * its next message.  NULL: none that could go. */
struct eio *eio_of_ws(const void *d);
/*
 * Its state.  From now on it is on its way: what it is sent is kept.  -1: not
 * now, a request of it is going on, or it ends.  When it turns out that it has
 * not gone, it goes on.
 */
int	eio_pack(struct eio *, struct pack *);
/* What was sent to it since, to be sent there, behind all else; returns how
 * many messages. */
uint32_t eio_pack_late(const struct eio *, struct pack *);
/* It has gone, or what was made of it is of no use: nobody is told.  The client
 * is the caller's. */
void	eio_drop(struct eio *);
/* Sessions of this slot's last worker may still come: requests for them wait,
 * for 5 s at most, until they have or it is off. */
void	eio_expect(struct hostd_inst *, int on);
/* There: with a new client.  d and ws: of its WebSocket; d NULL: it is on
 * polling. NULL: that is no state, or no memory; d is as it was. */
struct eio *eio_unpack(struct hostd_inst *, hostd_ws, void *d,
	    struct unpack *);
int	eio_unpack_late(struct eio *, struct unpack *);

/* For the log, at debug: why it is not treated well.  what, then why. */
void	eio_log(const struct eio *, const char *what, const char *why);

/* Who is open now, in no order: start with NULL.  The count has those, too,
 * that are about to be. */
struct eio *eio_next(const struct hostd_inst *, const struct eio *);
uint32_t eio_count(const struct hostd_inst *);

#endif
