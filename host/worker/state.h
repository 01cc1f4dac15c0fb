/* SPDX-License-Identifier: BSD-2-Clause */
/* One worker process; for the files of this room only. */
#ifndef WORKER_STATE_H
#define WORKER_STATE_H

#include <sys/queue.h>
#include "config/snapshot.h"
#include "http/server.h"
#include "net/acceptor.h"
#include "net/chan.h"
#include "plugin/plugins.h"
#include "ws/server.h"

struct worker {
	struct loop loop;
	struct loop_fd chan;
	struct loop_fd signals;
	struct loop_hook hook;
	struct wheel_timer deadline;
	struct chan_init init;
	struct board board;
	struct board_cell *cell;
	struct snapshot snap;
	struct conf *conf;
	struct conf_errors errs;
	struct plugins plugins;
	struct router *router;
	struct http_server server;
	struct ws_server sockets;
	TAILQ_HEAD(acceptors, acceptor) acceptors;
	struct acceptors returned;	/* closed; events may still name them */
	int log_fds[CHAN_MAX_FDS];	/* until the server takes them */
	int *peer_fds;			/* until the bus takes them */
	size_t npeer_fds;
	int error_log;
	int master_gone;
	int draining;
	int full;			/* at max_connections: not accepting */
	struct chan_msg msg;
};

/* orders.c: what the master says.  Until START: 0, or -1 when it has gone. */
int	worker_receive_orders(struct worker *);
/* From then on. */
void	worker_chan_ready(struct loop_fd *, uint32_t events);

/* serve.c */
void	worker_hold_signals(void);
void	worker_start_serving(struct worker *);
void	worker_borrow(struct worker *, struct acceptor *);
void	worker_return(struct worker *, uint32_t slot);
void	worker_drain(struct worker *, uint64_t deadline_ms, int last);
void	worker_conn_ended(struct http_server *);

#endif
