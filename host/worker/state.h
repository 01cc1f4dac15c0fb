/* SPDX-License-Identifier: BSD-2-Clause */
/* One worker process; for the files of this room only. */
#ifndef WORKER_STATE_H
#define WORKER_STATE_H

#include <sys/queue.h>
#include "config/snapshot.h"
#include "http/conn.h"
#include "http/server.h"
#include "http2/server.h"
#include "limit/table.h"
#include "net/acceptor.h"
#include "net/chan.h"
#include "net/handover.h"
#include "net/tls_context.h"
#include "net/tls_tickets.h"
#include "plugin/plugins.h"
#include "upstream/lead.h"
#include "upstream/table.h"
#include "upstream/tcp.h"
#include "worker/usage.h"
#include "ws/server.h"

/* Another worker that we have not met yet. */
struct worker_peer {
	struct chan_peer who;
	int fds[2];
};

/* Whether connections are passed on to others of our pool. */
struct worker_balance {
	uint64_t looked_ms;		/* at the board */
	uint64_t mean, had;		/* connections, at that time: of each on
					   average, and of ours */
	int passing;
};

struct call;

/* Commands of plugins that the master has asked for. */
struct calls {
	TAILQ_HEAD(, call) running, answered;	/* not yet told */
	unsigned n;			/* of both */
	int waiting;			/* for room in the channel */
};

struct worker {
	struct loop loop;
	struct loop_fd chan;
	struct loop_fd signals;
	struct loop_hook hook;
	struct wheel_timer deadline;
	struct chan_init init;
	struct board board;
	struct board_cell *cell;
	struct up_table servers;
	struct tls_tickets tickets;
	SLIST_HEAD(, worker_tls) tls;
	struct limit_table limits;
	struct lead lead;
	struct snapshot snap;
	struct conf *conf;
	struct conf_errors errs;
	struct plugins plugins;
	struct router *router;
	struct http_server server;
	struct http2_server http2;
	struct ws_server sockets;
	struct tcp_server streams;
	TAILQ_HEAD(acceptors, acceptor) acceptors;
	struct acceptors returned;	/* closed; events may still name them */
	int log_fds[CHAN_MAX_FDS];	/* until the server takes them */
	struct worker_peer *peers;	/* until we serve */
	size_t npeers;
	struct handover handover;
	struct handover_peer *heir;	/* of our connections; NULL: none */
	struct handover_peer *socket_heir;	/* may have gone */
	struct wheel_timer alone;	/* while there is no heir */
	struct chan_msg moved;
	struct wheel_timer away_tick;	/* connections wait for another pool */
	struct worker_balance balance;
	struct usage usage;
	int error_log;
	int master_gone;
	int serving;			/* has been ready */
	int draining;
	int unfollowed;			/* there will be no heir */
	int is_last;			/* and hostd stops: nobody is waited
					   for */
	int full;			/* at max_connections: not accepting */
	int held;			/* saved for a successor: likewise */
	struct calls calls;
	struct chan_msg msg;
};

/* orders.c: what the master says.  Until START: 0, or -1 when it has gone. */
int	worker_receive_orders(struct worker *);
/* Until it tells what our predecessor has left: *fd is ours to close, -1 when
 * there is nothing.  0, or -1 when we are to end. */
int	worker_await_state(struct worker *, int *fd);
/* From then on. */
void	worker_chan_ready(struct loop_fd *, uint32_t events);

/* moves.c: connections of and for other workers */
void	moves_init(struct worker *);
void	moves_close(struct worker *);
/* Another worker; fds: of struct chan_peer. */
void	worker_meet(struct worker *, const struct chan_peer *,
	    const int fds[2]);
/* Whoever goes on with what is ours; NULL: nobody. */
struct handover_peer *moves_heir(struct worker *);
/* Drain: all that can go goes to whoever follows, now or when it can. */
void	moves_begin(struct worker *, uint32_t deadline_ms);
/* Perhaps somebody does now. */
void	moves_followed(struct worker *);

/* passing.c: connections whose next request is another pool's, and those that
 * others of ours have more room for */
void	passing_init(struct worker *);
void	passing_close(struct worker *);
/* Somebody has taken some, or has gone. */
void	passing_room(struct worker *);
/* A connection was accepted. */
void	passing_accepted(struct worker *, struct http_conn *);
/* The worker of pool that a connection should go to; NULL: nobody now. */
struct handover_peer *passing_choose(struct worker *,
	    const struct conf_pool *, const struct conn_away *);
/* Who serves that slot of our pool: the last one that has begun to, while one
 * follows another.  NULL: nobody but us, perhaps. */
struct handover_peer *passing_slot(const struct worker *, uint32_t slot);
/* The one of ours that it should go to for balance; NULL: it should not. */
struct handover_peer *passing_lighter(struct worker *);

/* succession.c: what plugins remember, over a reload */
/* Have those that are created load it.  0, or -1 when we are to end. */
int	worker_inherit(struct worker *);
/* Accept no more, and have them save it, each at most max bytes. */
void	worker_bequeath(struct worker *, uint64_t max);
/* It was for nothing. */
void	worker_go_on(struct worker *);

/* secure.c: TLS.  Contexts for all blocks, from what the configuration has. */
void	worker_secure(struct worker *);
void	worker_secure_close(struct worker *);
struct tls_context *worker_tls(const struct worker *,
	    const struct conf_tls *);

/* readiness.c: until no plugin holds us back.  0, or -1: told to end. */
int	worker_await_plugins(struct worker *);

/* calls.c: commands of plugins */
void	worker_calls_init(struct worker *);
void	worker_calls_close(struct worker *);
void	worker_calls_take(struct worker *, const struct chan_msg *);
/* The master may have room for more of the answers. */
void	worker_calls_flush(struct worker *);

/* names.c: servers of upstreams, as far as one worker looks after them for
 * all */
void	worker_lead(struct worker *);
/* First requests would find no server: until names are known, or are not. */
void	worker_await_names(struct worker *);

/* serve.c */
void	worker_hold_signals(void);
/* What the master says, and SIGTERM. */
void	worker_listen(struct worker *);
void	worker_start_serving(struct worker *);
void	worker_borrow(struct worker *, struct acceptor *);
void	worker_return(struct worker *, uint32_t slot);
/* Accept nobody, for the time being. */
void	worker_hold(struct worker *, int on);
/* Clients shall go to another node; or not any more. */
void	worker_leave(struct worker *, int on, uint32_t window_ms);
void	worker_drain(struct worker *, uint64_t deadline_ms, int last);
void	worker_conn_ended(struct http_server *);

#endif
