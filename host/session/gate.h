/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session = required: a request comes through if the store has a session for
 * it, with required_key in it if the block names one.  Browsers that have none
 * are sent to the block's login (303), others get 401; login itself is open, or
 * nobody could log in.
 */
#ifndef SESSION_GATE_H
#define SESSION_GATE_H

#include "http/gate.h"
#include "session/session.h"

struct session_gate {
	struct http_gate gate;		/* for route_add_gate (http/router.h) */
	struct session_kind *kind;
};

void	session_gate_init(struct session_gate *, struct session_kind *);

#endif
