/* SPDX-License-Identifier: BSD-2-Clause */
/* type = basic: names and passwords (RFC 7617). */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>
#include "auth/gate.h"
#include "auth/password.h"
#include "auth/token.h"
#include "base/base64.h"
#include "base/mem.h"
#include "http/conn.h"

#define SAID_MAX	(PASSWORD_MAX + 2)	/* with the colon; of 3 */
#define CHALLENGE_MAX	256

/* A request that waits for its password to be checked. */
struct waiter {
	struct http_errand errand;	/* first */
	struct password_ask ask;
	struct auth *auth;
	struct http_req *r;
};

int
basic_load(struct auth *a, char why[AUTH_WHY])
{
	struct users *users;
	char *text;
	size_t n;

	if ((text = auth_file_read(&a->file, &n, why, AUTH_WHY)) == NULL)
		return -1;
	users = users_parse(text, n, why);
	free(text);
	if (users == NULL)
		return -1;
	users_free(a->users);
	a->users = users;
	a->edition++;
	return 0;
}

/* -- answers -- */

static int32_t
challenge(const struct auth *a, struct http_req *r)
{
	char text[CHALLENGE_MAX];

	(void)snprintf(text, sizeof(text), "Basic realm=\"%s\", "
	    "charset=\"UTF-8\"", a->conf->realm);
	return auth_answer(r, 401, "WWW-Authenticate", text);
}

/* -- waiting -- */

static void
waiter_told(struct password_ask *ask, struct identity *who)
{
	struct waiter *w = (struct waiter *)(void *)((char *)ask -
	    offsetof(struct waiter, ask));
	struct auth *a = w->auth;
	struct http_req *r = w->r;

	LIST_REMOVE(&w->errand, link);
	free(w);
	if (who != NULL) {
		request_set_identity(r, who);
		gate_open(r);
	} else {
		(void)challenge(a, r);
		conn_wake(r->conn);
	}
}

static void
waiter_gone(struct http_errand *e)
{
	struct waiter *w = (struct waiter *)(void *)e;

	password_forget(&w->ask);
	free(w);
}

static int32_t
wait_for(struct auth *a, struct http_req *r, hostd_buf name,
    hostd_buf password)
{
	struct waiter *w = xcalloc(1, sizeof(*w));
	int32_t rc;

	w->errand.ended = waiter_gone;
	w->ask.told = waiter_told;
	w->auth = a;
	w->r = r;
	rc = password_ask(a, name, password, &w->ask);
	if (rc == HOSTD_DEFER)
		LIST_INSERT_HEAD(&r->errands, &w->errand, link);
	else
		free(w);
	return rc;
}

static int32_t
compare(struct auth *a, struct http_req *r, hostd_buf name, hostd_buf password)
{
	struct identity *who = password_known(a, name, password);
	int32_t rc;

	if (who != NULL) {
		request_set_identity(r, who);
		return HOSTD_OK;
	}
	rc = wait_for(a, r, name, password);
	if (rc == HOSTD_E_FULL)
		return auth_answer(r, 503, "Retry-After", "1");
	return rc == HOSTD_DEFER ? rc : challenge(a, r);
}

/* -- requests -- */

int32_t
basic_enter(struct http_gate *g, struct http_req *r)
{
	struct auth *a = auth_of(g);
	char said[BASE64_ROOM(SAID_MAX / 3 * 4)], *colon = NULL;
	hostd_buf text;
	int32_t rc;
	ssize_t n = -1;

	switch (token_authorization(r, "Basic", &text)) {
	case TOKEN_TWICE:
		return auth_answer(r, 400, "Cache-Control", "no-store");
	case TOKEN_NONE:
		return challenge(a, r);
	default:
		break;
	}
	if (text.n <= SAID_MAX / 3 * 4)
		n = base64_read(text.p, text.n, said);
	if (n > 0)
		colon = memchr(said, ':', (size_t)n);
	rc = colon == NULL ? challenge(a, r) :
	    compare(a, r, (hostd_buf){ said, (size_t)(colon - said) },
	    (hostd_buf){ colon + 1, (size_t)(said + n - colon) - 1 });
	OPENSSL_cleanse(said, sizeof(said));
	return rc;
}
