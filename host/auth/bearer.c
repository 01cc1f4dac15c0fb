/* SPDX-License-Identifier: BSD-2-Clause */
/* type = jwt: a signed token says who it is (RFC 6750, 7519). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <openssl/crypto.h>
#include "auth/bearer.h"
#include "auth/gate.h"
#include "auth/jwks.h"
#include "auth/jwt.h"
#include "auth/token.h"
#include "base/log.h"
#include "http/request.h"

#define CHALLENGE_MAX	512

/* -- keys -- */

static int
add_file(struct auth *a, struct keys *keys, const char *p, size_t n,
    char why[KEY_WHY])
{
	int rc;

	if (a->conf->secret_file != NULL)
		return keys_add_secrets(keys, p, n, why);
	if (a->conf->key_file != NULL)
		return keys_add_pem(keys, p, n, why);
	rc = jwks_add(keys, p, n, why);
	if (rc == 0 && why[0] != '\0')
		log_warnx("auth %s: %s: a key was left out: %s", a->conf->name,
		    a->file.path, why);
	return rc;
}

static int
read_file(struct auth *a, struct keys *keys, char why[AUTH_WHY])
{
	char *text;
	size_t n;
	int rc;

	if ((text = auth_file_read(&a->file, &n, why, AUTH_WHY)) == NULL)
		return -1;
	rc = add_file(a, keys, text, n, why);
	OPENSSL_cleanse(text, n);
	free(text);
	return rc;
}

static int
read_env(const char *name, struct keys *keys, char why[AUTH_WHY])
{
	const char *secret = getenv(name);

	if (secret != NULL)
		return keys_add_secret(keys, secret, strlen(secret), why);
	(void)snprintf(why, AUTH_WHY, "secret_env: the environment has no "
	    "\"%.100s\"; set it for hostd, or by \"env\" of the pools", name);
	return -1;
}

int
bearer_load(struct auth *a, char why[AUTH_WHY])
{
	struct keys *keys = keys_new((enum key_alg)a->conf->algorithm);
	const char *secret = a->conf->secret;
	int rc;

	if (a->file.path != NULL)
		rc = read_file(a, keys, why);
	else if (secret != NULL)
		rc = keys_add_secret(keys, secret, strlen(secret), why);
	else
		rc = read_env(a->conf->secret_env, keys, why);
	if (rc == -1) {
		keys_free(keys);
		return -1;
	}
	keys_free(a->keys);
	a->keys = keys;
	return 0;
}

/* -- answers -- */

/* error NULL: the client has said nothing yet (RFC 6750 section 3.1). */
static int32_t
challenge(const struct auth *a, struct http_req *r, int status,
    const char *error, const char *description)
{
	char text[CHALLENGE_MAX];
	int n = snprintf(text, sizeof(text), "Bearer realm=\"%s\"",
	    a->conf->realm);

	if (error != NULL)
		(void)snprintf(text + n, sizeof(text) - (size_t)n, ", "
		    "error=\"%s\", error_description=\"%s\"", error,
		    description);
	return auth_answer(r, status, "WWW-Authenticate", text);
}

/* -- tokens -- */

static struct identity *
remember(struct auth *a, const struct jwt *jwt,
    const unsigned char mac[MEMO_MAC], int64_t now)
{
	const char *name = a->conf->user_claim;
	hostd_buf claims = { jwt->claims, jwt->nclaims }, json;
	struct buf user = { NULL, 0, 0 };
	int64_t until = now + a->conf->remember / 1000;
	struct identity *who;

	if (claim_find(claims, (hostd_buf){ name, strlen(name) }, &json))
		claim_put_text(json, &user);
	who = identity_new((hostd_buf){ user.p, user.len }, claims);
	buf_free(&user);
	if (until > jwt->expires)
		until = jwt->expires;
	if (until > now)
		memo_put(&a->memo, mac, who, (uint64_t)until);
	return who;
}

/* A reference to *out when it is JWT_OK. */
static enum jwt_verdict
judge(struct auth *a, hostd_buf token, struct identity **out)
{
	const struct jwt_rules rules = { a->keys, a->conf->issuer,
		a->conf->audience, a->conf->naudience,
		a->conf->leeway / 1000 };
	unsigned char mac[MEMO_MAC];
	int64_t now = (int64_t)time(NULL);
	enum jwt_verdict v;
	struct jwt jwt;

	memo_mac(&a->memo, token, mac);
	*out = identity_ref(memo_get(&a->memo, mac, (uint64_t)now));
	if (*out != NULL)
		return JWT_OK;
	if ((v = jwt_check(&rules, token, now, &jwt)) == JWT_OK)
		*out = remember(a, &jwt, mac, now);
	return v;
}

static int32_t
check(struct auth *a, struct http_req *r, hostd_buf token)
{
	struct identity *who;
	enum jwt_verdict v;

	if (token.n > JWT_MAX)
		return challenge(a, r, 401, "invalid_token", "too long");
	if ((v = judge(a, token, &who)) != JWT_OK) {
		log_debug("auth %s: a token of %.*s is refused: %s",
		    a->conf->name, (int)r->view.peer.n,
		    (const char *)r->view.peer.p, jwt_verdict_text(v));
		return challenge(a, r, 401, "invalid_token",
		    jwt_verdict_text(v));
	}
	request_set_identity(r, who);
	identity_unref(who);
	return HOSTD_OK;
}

struct auth *
auths_tokens(const struct auths *all, const char *name)
{
	struct auth *a;

	TAILQ_FOREACH(a, &all->all, link)
		if (a->conf->type == CONF_AUTH_JWT &&
		    strcmp(a->conf->name, name) == 0)
			return a;
	return NULL;
}

struct identity *
bearer_check(struct auth *a, hostd_buf token)
{
	struct identity *who;
	enum jwt_verdict v;

	auth_refresh(a, bearer_load);
	if (token.n > JWT_MAX)
		return NULL;
	if ((v = judge(a, token, &who)) == JWT_OK)
		return who;
	log_debug("auth %s: a token is refused: %s", a->conf->name,
	    jwt_verdict_text(v));
	return NULL;
}

int32_t
bearer_enter(struct http_gate *g, struct http_req *r)
{
	struct auth *a = auth_of(g);
	hostd_buf token;

	auth_refresh(a, bearer_load);
	switch (token_find(r, a->conf->from, a->conf->nfrom, &token)) {
	case TOKEN_NONE:
		return challenge(a, r, 401, NULL, NULL);
	case TOKEN_TWICE:
		return challenge(a, r, 400, "invalid_request",
		    "several Authorization headers");
	default:
		return check(a, r, token);
	}
}
