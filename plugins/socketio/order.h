/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Orders and questions as bytes: what the workers tell each other.  Pure.
 *
 * An order's head is whom it is for, and what joins and leaves; what behind it
 * is said to sockets is the packet, as they get it, so that it is made only
 * once.
 */
#ifndef SOCKETIO_ORDER_H
#define SOCKETIO_ORDER_H

#include <hostd/socketio_adapter.h>
#include "pack.h"

#define ORDER_FEW 6

/* What was read; lists and texts lie in the record. */
struct order {
	struct hostd_sio_order o;
	struct hostd_sio_to to;
	struct hostd_sio_args args;	/* of SERVER_EVENT */
	hostd_buf text;			/* of BROADCAST: the packet */
	const hostd_buf *bins;
	uint32_t nbins;
	/* ours */
	hostd_buf few[ORDER_FEW];
	uint32_t nfew, nlists;
	hostd_buf *lists[6];
};

void	order_pack_head(struct pack *, const struct hostd_sio_order *);
/* Behind the head; text and bins are those of the packet. */
void	order_pack_packet(struct pack *, hostd_buf text, const hostd_buf *bins,
	    uint32_t nbins);
void	order_pack_event(struct pack *, hostd_buf name,
	    const struct hostd_sio_args *);

/* 0, or -1: it is none.  order_free in both cases. */
int	order_read_head(struct order *, struct unpack *);
int	order_read(struct order *, struct unpack *);
/* Parts of one, into zeroed memory: a packet; a list, to to.rooms. */
int	order_read_packet(struct order *, struct unpack *);
void	order_list_read(struct order *, struct unpack *);
void	order_free(struct order *);

void	question_pack(struct pack *, const struct hostd_sio_question *);
/* What is asked, with the order's lists. */
int	question_read(struct hostd_sio_question *, struct order *,
	    struct unpack *);

void	reply_pack(struct pack *, const struct hostd_sio_reply *);
struct reply {
	struct hostd_sio_reply r;
	struct hostd_sio_remote *remotes;
	struct order lists;
};
int	reply_read(struct reply *, struct unpack *);
void	reply_free(struct reply *);

#endif
