/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A message on its way to many connections: framed once, and compressed once
 * for each size of window, however many it goes to.  Reference-counted; belongs
 * to one worker.
 */
#ifndef WS_MESSAGE_H
#define WS_MESSAGE_H

#include <stddef.h>
#include <stdint.h>
#include <hostd/abi.h>

struct ws_zpool;

struct ws_packed {
	size_t n;		/* 0: not made yet */
	char *p;		/* the whole frame */
};

struct ws_message {
	uint32_t refs;
	uint32_t flags;		/* HOSTD_WS_* */
	size_t head;		/* bytes of the frame's header */
	size_t n;		/* of the frame, header included */
	struct ws_packed *packed;	/* by bits - 9; NULL: none */
	char frame[];
};

/* One reference is the caller's. */
struct ws_message *ws_message_new(hostd_buf payload, uint32_t flags);
void	ws_message_unref(struct ws_message *);

static inline struct ws_message *
ws_message_ref(struct ws_message *m)
{
	m->refs++;
	return m;
}

static inline hostd_buf
ws_message_payload(const struct ws_message *m)
{
	return (hostd_buf){ m->frame + m->head, m->n - m->head };
}

/* The frame compressed with a fresh window of that size; p NULL when memory is
 * lacking. */
hostd_buf ws_message_packed(struct ws_message *, struct ws_zpool *, int bits);

#endif
