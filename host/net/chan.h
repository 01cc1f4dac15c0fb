/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The channel between the master and one worker or probe, or between two
 * workers: a SOCK_SEQPACKET pair carrying typed, versioned, length-checked
 * messages and descriptors.
 *
 * This is the only code that passes descriptors between processes.
 *
 * A conversation:
 *
 *	master -> worker  INIT (fds: board, error log, table of servers,
 *			  its live part, and table of limits), TICKETS,
 *			  LISTEN... , LOG...,
 *			  PEER..., START
 *	worker -> master  CREATED: may have a predecessor's state
 *	master -> worker  STATE, or COLD
 *	worker -> master  any number of HELD texts
 *	worker -> master  READY                 or FAILED text, and exits
 *	master -> worker  LISTEN, RETURN: of a slot without a worker
 *	master -> worker  LOG, ERROR_LOG, PEER, PING, UNFOLLOWED, DRAIN, STOP
 *	master -> worker  SAVE: a successor has been CREATED
 *	worker -> master  STATE, SAVED
 *	master -> worker  ACCEPT: the successor came to nothing
 *	worker -> master  RESOLVED, of the one that looks after servers
 *	master -> worker  CALL, of one that is ready
 *	worker -> master  CALLED..., the last one of which is no part
 *	worker -> master  ASK, of a plugin that may
 *	master -> worker  TOLD..., the last one of which is no part
 *	worker -> master  CLOSED, and some time later it exits
 *
 *	master -> probe   INIT, START
 *	probe  -> master  any number of REPORT texts, then READY or FAILED
 *
 *	worker -> worker  MOVE, MOVE_MORE...
 *	worker <- worker  MOVED
 */
#ifndef NET_CHAN_H
#define NET_CHAN_H

#include <stddef.h>
#include <stdint.h>
#include "net/addr.h"

#define CHAN_VERSION	1
#define CHAN_FD		3	/* where a child finds its end */
#define CHAN_MAX	16384	/* bytes in one message, header included */
#define CHAN_MAX_FDS	16
#define CHAN_DATA_MAX	(CHAN_MAX - 16)	/* of it, behind the header */

/* Append only, and never change what a type carries: after an upgrade of the
 * master, workers of the version before are there for a while. */
enum chan_type {
	CHAN_UNKNOWN,		/* received: only another version knows it */
	CHAN_INIT,		/* struct chan_init, fds: board, error log,
				   table of servers, its live part, and
				   table of limits */
	CHAN_LISTEN,		/* struct chan_listen, fd: listening socket */
	CHAN_LOG,		/* struct chan_log, fd: access log file */
	CHAN_START,		/* nothing: all is told, get ready */
	CHAN_DRAIN,		/* struct chan_drain */
	CHAN_STOP,		/* nothing: end now */
	CHAN_ERROR_LOG,		/* "syslog:..." or nothing, fd: error log,
				   reopened */
	CHAN_READY,		/* nothing */
	CHAN_FAILED,		/* text: why not */
	CHAN_REPORT,		/* text: one configuration error */
	CHAN_RETURN,		/* struct chan_return */
	CHAN_CLOSED,		/* nothing: takes no new connections any more */
	CHAN_PEER,		/* struct chan_peer, fds: the bus to another
				   worker, and the channel to it */
	CHAN_MOVE,		/* struct chan_move and the first bytes of a
				   record, fd: a connection */
	CHAN_MOVE_MORE,		/* more bytes of it */
	CHAN_MOVED,		/* struct chan_moved */
	CHAN_CREATED,		/* nothing: instances are made, not started */
	CHAN_SAVE,		/* struct chan_save */
	CHAN_STATE,		/* nothing, fd: a file of states, which grows
				   until SAVED */
	CHAN_SAVED,		/* nothing */
	CHAN_COLD,		/* nothing: there is no state */
	CHAN_ACCEPT,		/* nothing: go on as before SAVE */
	CHAN_PING,		/* nothing: turn your loop */
	CHAN_FOLLOWED,		/* nothing: another worker of the pool is
				   ready, while this one drains */
	CHAN_HELD,		/* text: what getting ready waits for, or "" */
	CHAN_LEAVE,		/* struct chan_leave */
	CHAN_UNFOLLOWED,	/* nothing: its pool will have no worker when
				   DRAIN, which is next, is done */
	CHAN_RESOLVED,		/* struct chan_resolved */
	CHAN_CALL,		/* struct chan_call, then packed (base/pack.h):
				   the texts instance and command, and each
				   argument */
	CHAN_CALLED,		/* struct chan_called, then some of a result */
	CHAN_ASK,		/* struct chan_ask, then packed: the texts
				   instance, name and user */
	CHAN_TOLD,		/* struct chan_told, then some of an answer */
	CHAN_TICKETS,		/* nothing, fd: the keys of TLS tickets, for
				   reading */
	CHAN_NTYPES
};

enum chan_role { CHAN_ROLE_WORKER = 1, CHAN_ROLE_PROBE };

struct chan_init {
	uint32_t role;		/* enum chan_role */
	uint32_t slot;		/* index within the pool */
	uint32_t cell;		/* of the board; the worker's own */
	uint32_t generation;
	char pool[64];
	char snapshot[256];	/* path of the generation's snapshot file */
};

struct chan_listen {
	char name[64];		/* of the listen block */
	uint32_t shared;	/* 1: other workers accept from the same socket
				   (unix): wake one at a time */
	uint32_t slot;		/* whose it is; another's is lent */
};

struct chan_return {
	uint32_t slot;		/* its sockets are lent no more */
	uint32_t reserved;
};

struct chan_log {
	uint32_t index;		/* of the access_log block, in file order */
	uint32_t reserved;
};

struct chan_drain {
	uint32_t deadline_ms;	/* 0: end when the last request ends, however
				   long that takes */
	uint32_t last;		/* 1: nobody follows, so connections without a
				   request are closed at once */
};

struct chan_save {
	uint64_t max;		/* bytes of one instance's state */
};

struct chan_leave {
	uint32_t on;		/* 1: ask clients to go to another node */
	uint32_t window_ms;	/* and close those that don't within it */
};

struct chan_peer {
	uint32_t slot;
	uint32_t cell;		/* of the board */
	uint32_t generation;
	uint32_t reserved;
	char pool[64];
};

struct chan_move {
	uint32_t id;		/* the giver's; not 0 */
	uint32_t kind;
	uint32_t size;		/* bytes of the record */
	uint32_t reserved;
};

struct chan_moved {
	uint32_t id;
	uint32_t answer;	/* enum handover_answer */
};

/* All that a server's name leads to now: what is not among it, does not lead
 * there any more. */
#define CHAN_ADDRS	64

struct chan_resolved {
	char group[64];
	char server[192];	/* as configured: "app.example.com:3000" */
	uint32_t n;		/* 1-CHAN_ADDRS */
	uint32_t reserved;
	struct addr addrs[CHAN_ADDRS];	/* with the port; zeroed behind len */
};

/* What a CALL asks for. */
enum {
	CALL_LIST = 1,		/* all commands: instance and command are "" */
	CALL_ASK,		/* could it be called? */
	CALL_RUN
};

struct chan_call {
	uint32_t id;		/* the master's */
	uint32_t what;		/* CALL_* */
	uint32_t limit_ms;
	uint32_t max;		/* bytes of the result */
	uint32_t nargs;
	uint32_t reserved;
};

/* How it went. */
enum {
	CALLED_PART = 1,	/* what is here is a part, more comes */
	CALLED_DONE,		/* run, or listed: status says how that went */
	CALLED_HERE,		/* to ASK: yes */
	CALLED_ABSENT,		/* no such instance here */
	CALLED_REFUSED		/* as it stands; a text says why */
};

struct chan_called {
	uint32_t id;		/* of the CALL */
	uint32_t how;		/* CALLED_* */
	int32_t status;		/* HOSTD_OK, or a negative code */
	uint32_t flags;		/* HOSTD_CMD_*, of HERE and DONE */
};

/* What an instance asks the master for (hostd.control/1). */
struct chan_ask {
	uint32_t id;		/* the worker's */
	uint32_t what;		/* HOSTD_CONTROL_* */
	int64_t number;
	uint32_t max;		/* bytes of the answer */
	uint32_t reserved;
};

struct chan_told {
	uint32_t id;		/* of the ASK */
	int32_t status;		/* HOSTD_OK, or a negative code */
	uint32_t more;		/* 1: this is a part, more comes */
	uint32_t reserved;
};

struct chan_msg {
	uint32_t type;
	uint32_t len;		/* of data */
	int nfds;
	int fds[CHAN_MAX_FDS];	/* the receiver's to close */
	_Alignas(8) char data[CHAN_MAX];
};

/* A connected pair, close-on-exec, not blocking.  0 or -1 with errno. */
int	chan_pair(int fds[2]);
/*
 * Send one message; the descriptors stay the caller's.  0, or -1 with errno
 * (EAGAIN: the peer does not read).
 */
int	chan_send(int fd, enum chan_type, const void *data, size_t len,
	    const int *fds, int nfds);
int	chan_send_text(int fd, enum chan_type, const char *text);
/*
 * Receive one.  1: *msg is filled in (CHAN_UNKNOWN: it is empty and to be
 * ignored), its length fits its type and a text is
 * NUL-ended; 0: the peer has closed; -1 with errno (EAGAIN: nothing there;
 * EPROTO: a malformed message, which is logged; EMFILE: *msg is filled in, but
 * its descriptors are lost, as there are too many open here already).
 */
int	chan_recv(int fd, struct chan_msg *msg);
/*
 * From now on keep some descriptors back for what comes over channels: who uses
 * up all others must still hear of a successor, and be able to let go of its
 * connections.
 */
void	chan_reserve(void);
void	chan_close_fds(struct chan_msg *);

#endif
