/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Handlers: instances of other plugins that provide sio_handler/1.  Calls to
 * them are between enter and leave of hostd.offer/1, and never nested.
 */
#ifndef SOCKETIO_APP_H
#define SOCKETIO_APP_H

#include <hostd/json_write.h>
#include "space.h"

struct asking;
struct refusal;

struct app {
	STAILQ_ENTRY(app) link;
	struct hostd_inst *in;		/* socketio's */
	hostd_user user;
	const char *name;		/* of the instance, for the log */
	struct hostd_sio_ops ops;	/* as far as it has them */
	struct hostd_sio_api api;	/* what it was given; ctx: this */
};

struct apps {
	STAILQ_HEAD(, app) all;
	LIST_HEAD(, asking) asking;	/* questions to many, see api_ask.c */
	int is_sweeping;		/* for sockets that are not decided */
	hostd_buf *values;		/* scratch of api*.c */
	uint32_t nvalues;
	struct hostd_json text, rooms;	/* the same */
	struct lend_chunk *lent;	/* to handlers, see lend.c */
	struct lend_last *lent_last;
	uint64_t lent_at;
};

/* hostd.p.offer/1's row for HOSTD_KIND_SIO_HANDLER; the adapter's is in
 * cluster.h. */
extern const struct hostd_offer app_offer;

int32_t	apps_create(struct hostd_inst *);
void	apps_destroy(struct hostd_inst *);

/* Which handlers have this namespace?  Stores them, in order: at most max;
 * returns how many there are. */
uint32_t apps_of(struct hostd_inst *, hostd_buf nsp, struct app **out,
	    uint32_t max, int *by_pattern);

/* Between these a function of the handler's may be called, with what app_enter
 * returns; NULL: call nothing, and do not leave. */
struct hostd_inst *app_enter(const struct app *);
void	app_leave(const struct app *);

/* Blocks for a socket's handlers: for socket_new and socket_free.  -1: no
 * memory. */
int	app_data_new(struct sio_socket *);
void	app_data_free(struct sio_socket *);
/* The handler's d of this socket; NULL: it is not one of its namespace. */
struct app_data *app_data_of(const struct sio_socket *, const struct app *);

/* The first pattern that it is like. */
hostd_buf apps_pattern(const struct hostd_inst *, hostd_buf nsp);

/* A client has asked to connect: ask the handlers in turn.  What comes of it is
 * told by client_accepted or client_refused (client.c). */
void	apps_connect(struct sio_socket *);
/* It is connected; packet and all were sent. */
void	apps_connected(struct sio_socket *, int recovered);
void	apps_event(struct sio_socket *, hostd_buf name_raw,
	    const struct hostd_sio_args *, hostd_sio_ack);
/* It goes, with its rooms; then without.  The second also for who was never
 * connected: that is on_refused. */
void	apps_disconnecting(struct sio_socket *, int32_t reason);
void	apps_disconnected(struct sio_socket *, int32_t reason);
/* Others' server_emit.  ack id 0: nobody waits. */
void	apps_server_event(struct hostd_inst *, hostd_buf nsp, hostd_buf name,
	    const struct hostd_sio_args *, hostd_sio_ack);
/* The way to other nodes is there (1) or not. */
void	apps_cluster(struct hostd_inst *, int on);

/*
 * For a successor: a handler's d of a socket, and taking it.  app_pack: what
 * put or save returned, or E_GONE.  app_unpack: 0, or -1: there is no such
 * handler any more, or it does not take that.
 */
int32_t	app_pack(struct sio_socket *, const struct app_data *,
	    int32_t (*put)(void *arg, hostd_buf part), void *arg);
int	app_unpack(struct sio_socket *, hostd_buf app_name, uint32_t version,
	    hostd_buf data);

/* What a handler said, for a socket whose turn it decides; for api.c.  E_STATE:
 * it is decided, or not its turn. */
int32_t	app_decided(struct sio_socket *, const struct app *,
	    enum socket_verdict, struct refusal *);

/* A refusal that is kept until it is told: one block. */
struct refusal {
	hostd_buf message, data;
	char bytes[];
};

/* Fill the table that a handler is given (api.c). */
void	api_fill(struct hostd_sio_api *, struct app *);
/* The handler goes: nothing of what it has asked is answered. */
void	api_forget(struct app *);
void	api_forget_asking(const struct app *);
void	apis_destroy(struct hostd_inst *);

#endif
