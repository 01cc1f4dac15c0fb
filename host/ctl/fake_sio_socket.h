/* SPDX-License-Identifier: BSD-2-Clause */
/* A socket of Socket.IO, for the files that are its client and its server. */
#ifndef CTL_FAKE_SIO_SOCKET_H
#define CTL_FAKE_SIO_SOCKET_H

#include "ctl/fake_sio.h"

enum sio_state {
	SIO_CONNECTING,
	SIO_OPEN,
	SIO_GOING, /* on_disconnecting and what is behind it */
	SIO_GONE
};

struct fake_sio {
	LIST_ENTRY(fake_sio) entry;
	struct fake *f;
	uint64_t handle;
	char *nsp, *auth;
	char id[24];
	enum sio_state state;
	int verdict; /* 1: accepted, -1: refused */
	int deferred;
	unsigned rooms;
	uint64_t ack; /* that is owed to it; 0: none */
	void *d;
	char *data;
};

/* fake_sio.c: one that nobody was asked or told about; its end, without a word.
 */
struct fake_sio *fake_sio_make(struct fake *, const char *nsp,
	    const char *auth);
void	fake_sio_free(struct fake_sio *);
/* The socket, if it is the plugin's and is there; the one that the
 * plugin owes this acknowledgement. */
struct fake_sio *fake_sio_find(const struct fake *, hostd_sio);
struct fake_sio *fake_sio_owed(const struct fake *, hostd_sio_ack);

/* fake_sio_args.c: what a plugin gives.  HOSTD_OK or HOSTD_E_INVAL. */
int	fake_sio_args_ok(const struct hostd_sio_args *);
int32_t	fake_sio_judge_event(hostd_buf name, const struct hostd_sio_args *);
int32_t	fake_sio_judge_rooms(const hostd_buf *, uint32_t n);
int32_t	fake_sio_judge_to(const struct hostd_sio_to *);

#endif
