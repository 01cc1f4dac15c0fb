/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is counted, for operators: per namespace, and of sessions.  Namespaces
 * of a pattern count under it.  Beyond METRICS_SPACES of them the rest is
 * "other": names may come from clients.  Without hostd.metrics/1 nothing is
 * counted.
 */
#ifndef SOCKETIO_METRICS_H
#define SOCKETIO_METRICS_H

#include "sio.h"

#define METRICS_SPACES 8u

enum metrics_what {
	METRICS_CONNECTED,	/* sockets that were accepted */
	METRICS_REFUSED,	/* and were not */
	METRICS_RECEIVED,	/* events of clients */
	METRICS_SENT,		/* events to clients, each socket's */
	METRICS_BROADCASTS,	/* of this worker's applications */
	METRICS_LATE_ACKS,	/* that did not come in time */
	METRICS_COUNTERS
};

/* In create only. */
int32_t	metrics_create(struct hostd_inst *, struct hostd_err *);
void	metrics_destroy(struct hostd_inst *);

/* For space->metrics: by its name, or its pattern. */
uint32_t metrics_space(struct hostd_inst *, hostd_buf name);
void	metrics_count(struct hostd_inst *, uint32_t space, enum metrics_what,
	    uint32_t n);
/* A socket is in it from now on, 1, or has left, -1. */
void	metrics_sockets(struct hostd_inst *, uint32_t space, int change);
/* reason: HOSTD_SIO_*. */
void	metrics_disconnected(struct hostd_inst *, uint32_t space,
	    int32_t reason);

/* A session of that transport, HOSTD_SIO_*, has begun, 1, or ended, -1. */
void	metrics_sessions(struct hostd_inst *, uint32_t transport, int change);
void	metrics_upgraded(struct hostd_inst *);
void	metrics_polled(struct hostd_inst *);
/* A packet or a body that is none. */
void	metrics_invalid(struct hostd_inst *);

#endif
