/* SPDX-License-Identifier: BSD-2-Clause */
/* The typed configuration: how clients say who they are. */
#ifndef CONFIG_MODEL_AUTH_H
#define CONFIG_MODEL_AUTH_H

#include <stdint.h>
#include <sys/queue.h>
#include "config/tree.h"

/* How clients of a route say who they are. */
struct conf_auth {
	TAILQ_ENTRY(conf_auth) entry;
	struct conf_pos pos;
	char *name;
	int type;		/* enum conf_auth_type */
	char *realm;
	int64_t remember;	/* ms */
	/* JWT */
	int algorithm;		/* enum conf_jwt */
	char *secret, *secret_file, *secret_env;	/* one of these five; */
	char *key_file, *jwks_file;			/* the others NULL */
	char *issuer;		/* NULL: any */
	char **audience;
	size_t naudience;	/* 0: any */
	int64_t leeway;		/* ms */
	char *user_claim;
	struct conf_token {
		int where;	/* enum conf_token_where */
		char *name;	/* or prefix; not of the header */
	} *from;
	size_t nfrom;
	/* BASIC */
	char *users_file;
	/* CERTIFICATE */
	int user_from;		/* enum conf_user_from */
	char **users;
	size_t nusers;		/* 0: any */
};

enum conf_auth_type { CONF_AUTH_JWT, CONF_AUTH_BASIC, CONF_AUTH_CERTIFICATE };
enum conf_user_from { CONF_USER_CN, CONF_USER_DN, CONF_USER_SERIAL,
	CONF_USER_FINGERPRINT };
enum conf_jwt { CONF_JWT_HS256, CONF_JWT_HS384, CONF_JWT_HS512,
	CONF_JWT_RS256, CONF_JWT_ES256, CONF_JWT_EDDSA };
enum conf_token_where { CONF_TOKEN_HEADER, CONF_TOKEN_COOKIE,
	CONF_TOKEN_QUERY, CONF_TOKEN_SUBPROTOCOL };

#endif
