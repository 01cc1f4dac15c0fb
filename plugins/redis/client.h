/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection to a Redis over hostd.net/1, kept up: it greets (AUTH, SELECT,
 * PING), asks for a sign of life when it has not had one for a while, ends when
 * nothing comes that is owed, and connects again when it was lost, after a
 * random time that grows (exponential back-off with full jitter).
 *
 * Commands are answered in order, each once; those without an answer when the
 * connection is lost are answered NULL.  Nothing is sent again.
 *
 * A subscriber also gets what it did not ask for: messages, and that the server
 * has ended a subscription.
 *
 * All calls are [loop].  No callback comes before the call returns.
 */
#ifndef REDIS_CLIENT_H
#define REDIS_CLIENT_H

#include <stddef.h>
#include <stdint.h>
#include <hiredis/hiredis.h>
#include <hostd/abi.h>
#include <hostd/net.h>
#include <hostd/timer.h>

struct redis_client;

/* What a plugin gives to all of its clients; good as long as they are. */
struct redis_host {
	const struct hostd_host *host;
	const struct hostd_net_api *net;
	const struct hostd_timer_api *timers;
	const char *user, *password;	/* NULL: none */
	uint32_t db;
	uint32_t tls;			/* HOSTD_NET_TLS...; 0: none */
	const char *tls_ca, *tls_cert;	/* files; NULL: the system's, none */
	uint32_t connect_ms;
	uint32_t ping_ms;		/* silence before a PING */
	uint32_t answer_ms;		/* limit for its answer, and to greet */
	uint32_t retry_ms;		/* longest time between two attempts */
	uint32_t command_ms;		/* silence beside commands without an
					   answer; 0: any */
	size_t max_pending;		/* bytes without an answer */
	size_t max_reply;		/* bytes of one answer */
};

/* reply NULL: the connection was lost before it came.  [call] */
typedef void (*redis_answer_fn)(struct redis_client *, void *arg,
    const redisReply *reply);

struct redis_client_ops {
	/* Commands may be sent. */
	void (*up)(struct redis_client *);
	/* was_up 0: an attempt has failed.  Another one follows. */
	void (*down)(struct redis_client *, int was_up, const char *why);
	/* Subscribers only: what came unasked. */
	void (*push)(struct redis_client *, const redisReply *);
	/* Subscribers only: the answer to redis_subscribe. */
	void (*subscribed)(struct redis_client *, const char *verb,
	    hostd_buf channel, const redisReply *);
	/* Optional.  Room again after AGAIN or E_FULL. */
	void (*writable)(struct redis_client *);
};

#define REDIS_SUBSCRIBER 0x1u

/* host (a name, an address or "/path") is copied; arg is for
 * redis_client_arg.  NULL: out of memory. */
struct redis_client *redis_client_new(const struct redis_host *,
	    const char *host, uint32_t port, unsigned flags,
	    const struct redis_client_ops *, void *arg);
/* Begin to connect. */
void	redis_client_start(struct redis_client *);
/* No callback of it comes any more, not even answers.  It may be called from
 * one. */
void	redis_client_free(struct redis_client *);
void	*redis_client_arg(const struct redis_client *);
const char *redis_client_host(const struct redis_client *);
/* NULL is not. */
int	redis_client_is_up(const struct redis_client *);
/* Commands without an answer. */
size_t	redis_client_pending(const struct redis_client *);

/*
 * Send a command.  fn may be NULL.
 *   OK, AGAIN  on its way; AGAIN: more than half of max_pending is
 *   E_FULL     not taken: max_pending bytes wait for answers
 *   E_STATE    not up
 *   E_NOMEM
 */
int32_t	redis_command(struct redis_client *, redis_answer_fn fn, void *arg,
	    int argc, const char *const *argv, const size_t *lens);
/* The same of NUL-ended words; the list ends with NULL. */
int32_t	redis_words(struct redis_client *, redis_answer_fn fn, void *arg, ...)
	    __attribute__((sentinel));
/* Subscribers only.  verb, a constant: SUBSCRIBE, UNSUBSCRIBE, SSUBSCRIBE or
 * SUNSUBSCRIBE; subscribed() gets that very pointer.  Codes as above.  As many
 * may wait as there are subscriptions, and max_pending bytes beside them; one
 * more (E_FULL) ends the connection, since none must be left out. */
int32_t	redis_subscribe(struct redis_client *, const char *verb,
	    hostd_buf channel);
/* End the connection, as if it had been lost for this reason. */
void	redis_client_drop(struct redis_client *, const char *why);

/* Does an error start with this word? */
int	redis_is_error(const redisReply *, const char *word);

#endif
