/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The auth blocks of the configuration, as gates of routes: who they let
 * through has an identity (http/identity.h); others are answered 401, or 403
 * where a certificate is asked for.
 */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include <sys/queue.h>
#include "config/model.h"
#include "http/gate.h"
#include "net/loop.h"

struct auths {
	TAILQ_HEAD(, auth) all;
};

/* Keys and users are read now; what is wrong with them is added to the
 * errors. */
void	auths_open(struct auths *, struct loop *, const struct conf *,
	    struct conf_errors *);
struct http_gate *auths_gate(const struct auths *, const struct conf_auth *);
/* No request is left; waits for what a thread is at. */
void	auths_close(struct auths *);

#endif
