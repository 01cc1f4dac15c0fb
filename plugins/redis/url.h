/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a Redis is, and as whom to talk to it:
 *
 *	redis://[user[:password]@]host[:port][/db]
 *	unix://[user[:password]@]/path/to/redis.sock[?db=N]
 *
 * All parts may be percent-encoded.  "redis://:password@host" is the password
 * of the default user.
 */
#ifndef REDIS_URL_H
#define REDIS_URL_H

#include <stddef.h>
#include <stdint.h>

#define REDIS_PORT	6379
#define REDIS_DB_MAX	65535

struct redis_url {
	char *text;		/* all strings are in it */
	size_t size;
	const char *host;	/* name, address without brackets, or "/path" */
	uint32_t port;
	uint32_t db;
	int tls;		/* rediss:// */
	const char *user;	/* NULL: the default user */
	const char *password;	/* NULL: none */
};

/* 0, or -1 with a reason in *why, which shows nothing of the text. */
int	redis_url_parse(const char *, struct redis_url *, const char **why);
/* Leaves nothing of a password in memory. */
void	redis_url_free(struct redis_url *);

#endif
