/* SPDX-License-Identifier: BSD-2-Clause */
/* The typed configuration: sessions, and the cookies that name them. */
#ifndef CONFIG_MODEL_SESSION_H
#define CONFIG_MODEL_SESSION_H

#include <stdint.h>
#include <sys/queue.h>
#include "config/tree.h"

enum conf_secure { CONF_SECURE_OFF, CONF_SECURE_ON, CONF_SECURE_AUTO };
enum conf_samesite { CONF_SAMESITE_OFF, CONF_SAMESITE_LAX,
	CONF_SAMESITE_STRICT, CONF_SAMESITE_NONE };
enum conf_priority { CONF_PRIORITY_OFF, CONF_PRIORITY_LOW,
	CONF_PRIORITY_MEDIUM, CONF_PRIORITY_HIGH };

/* What names of blocks, and of their cookies, have room for. */
#define CONF_SESSION_MAX	63
#define CONF_COOKIE_MAX		128

/* One kind of sessions: where they are kept, and the cookie that names them.
 * Bytes and ms. */
struct conf_session {
	TAILQ_ENTRY(conf_session) entry;
	struct conf_pos pos;
	char *name;		/* of the block */
	struct conf_plugin *store;
	char *store_name;
	struct conf_pos store_pos;
	char *cookie;		/* its name: "connect.sid" */
	char *path;		/* of the cookie */
	char *domain;		/* NULL: none, the host that was asked */
	int secure;		/* enum conf_secure */
	int httponly, partitioned;
	int samesite;		/* enum conf_samesite */
	int priority;		/* enum conf_priority */
	char *secrets;		/* one in each line; NULL: not read yet, as it
				   is made */
	char *secret_file;	/* where they are; NULL: not in a file */
	int secret_is_made;	/* once, by us, in that file */
	int64_t max_age;	/* of the cookie; 0: until the browser ends */
	int64_t ttl;		/* in the store, where max_age is 0 */
	int rolling, resave, save_uninitialized;
	int64_t max_size;	/* of one document */
	int64_t timeout;	/* of one call of the store */
	int anonymous;		/* a store that fails: as if there were none;
				   else 503 */
	char *login;		/* where browsers are sent; NULL: 401 */
	char *required_key;	/* NULL: any session will do */
};

/* What a route does with a request's session. */
enum conf_session_use { CONF_SESSION_OFF, CONF_SESSION_OPTIONAL,
	CONF_SESSION_REQUIRED };

#endif
