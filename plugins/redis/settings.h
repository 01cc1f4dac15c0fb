/* SPDX-License-Identifier: BSD-2-Clause */
/* The keys of a plugin's block that say where Redis is, as whom to talk to it,
 * and how long to wait. */
#ifndef REDIS_SETTINGS_H
#define REDIS_SETTINGS_H

#include "client.h"
#include "url.h"

#define REDIS_URL_DEFAULT "redis://127.0.0.1:6379"

#define REDIS_KEY(var, name, type, dflt, min, max, help)		\
	const struct hostd_key var = {					\
		sizeof(struct hostd_key), HOSTD_KEY_##type, 0, name,	\
		dflt, help, min, max, NULL				\
	}

extern const struct hostd_key redis_key_url, redis_key_password,
    redis_key_password_file, redis_key_ca, redis_key_cert, redis_key_verify,
    redis_key_connect, redis_key_ping,
    redis_key_answer, redis_key_retry;

/* A table of the host's that the plugin cannot do without, or NULL and why. */
const void *redis_table(const struct hostd_host *, const char *name,
	    struct hostd_err *);
/* Those that connections are made with, for the redis_host. */
int32_t	redis_bind(struct redis_host *, const struct hostd_host *,
	    struct hostd_err *);

/* Zeroed memory is empty.  What a redis_host points to is in it. */
struct redis_settings {
	struct redis_url url;
	char *password;		/* of the file; NULL: there is none */
};

/* Fill what those keys say into the host, too, and max_pending, which each
 * plugin explains in its own words.  is_cluster: only database 0 will do. */
int32_t	redis_settings_read(struct redis_settings *, struct redis_host *,
	    const struct hostd_conf *, int is_cluster, struct hostd_err *);
/* Leaves nothing of a password in memory. */
void	redis_settings_free(struct redis_settings *);

/* A number of any type; 0 when it is not set. */
int64_t	redis_number_key(const struct hostd_conf *, const char *name);

#endif
