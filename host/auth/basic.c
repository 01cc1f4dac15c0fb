/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * type = basic: names and passwords (RFC 7617).  A hash takes its time, so it
 * is computed on a thread, few of them at once; requests that say the same at
 * the same time wait for the same one, and what was right is remembered.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>
#include "auth/gate.h"
#include "auth/token.h"
#include "base/base64.h"
#include "base/mem.h"
#include "http/conn.h"

#define SAID_MAX	768	/* name, colon and password */
#define RUNNING_MAX	2	/* of the threads, which others need, too */
#define CHECKS_MAX	32	/* more wait for nothing: 503 */
#define CLOSE_MS	250
#define CHALLENGE_MAX	256

/* A name and a password that are being compared, or are to be. */
struct check {
	uv_work_t uv;			/* first */
	TAILQ_ENTRY(check) link;
	struct auth *auth;
	LIST_HEAD(, waiter) waiters;
	int running;
	int known;			/* else nothing is right */
	int fits;
	uint64_t edition;
	unsigned char mac[MEMO_MAC];
	char *hash;
	size_t nsaid;
	char *password;			/* within said */
	char said[];			/* "name" NUL "password" NUL */
};

/* A request that waits for it. */
struct waiter {
	struct http_errand errand;	/* first */
	LIST_ENTRY(waiter) link;
	struct check *check;
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

/* -- checks -- */

static void
check_free(struct check *c)
{
	struct auth *a = c->auth;

	TAILQ_REMOVE(&a->checks, c, link);
	a->nchecks--;
	OPENSSL_cleanse(c->said, c->nsaid);
	free(c->hash);
	free(c);
}

static void
check_run(uv_work_t *uv)
{
	struct check *c = (struct check *)(void *)uv;

	c->fits = password_fits(c->password, c->hash) && c->known;
}

/* Every one of them is taken off the check first: what it does next may end
 * others. */
static void
check_tell(struct check *c, struct identity *who)
{
	struct auth *a = c->auth;
	struct http_req *r;
	struct waiter *w;

	while ((w = LIST_FIRST(&c->waiters)) != NULL) {
		r = w->r;
		LIST_REMOVE(w, link);
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
}

static void	check_next(struct auth *);

static void
check_done(uv_work_t *uv, int status)
{
	struct check *c = (struct check *)(void *)uv;
	struct auth *a = c->auth;
	struct identity *who = NULL;

	a->nrunning--;
	if (status == 0 && c->fits) {
		who = identity_new((hostd_buf){ c->said, strlen(c->said) },
		    (hostd_buf){ NULL, 0 });
		/* What it was compared with may be there no more. */
		if (c->edition == a->edition && a->conf->remember > 0)
			memo_put(&a->memo, c->mac, who, a->loop->now_ms +
			    (uint64_t)a->conf->remember);
	}
	check_tell(c, who);
	identity_unref(who);
	check_free(c);
	check_next(a);
}

/* As many as may run, in the order in which they came. */
static void
check_next(struct auth *a)
{
	struct check *c;

	TAILQ_FOREACH(c, &a->checks, link) {
		if (a->nrunning >= RUNNING_MAX)
			break;
		if (c->running)
			continue;
		c->running = 1;
		a->nrunning++;
		(void)uv_queue_work(loop_uv(a->loop), &c->uv, check_run,
		    check_done);
	}
}

static struct check *
check_find(const struct auth *a, const unsigned char mac[MEMO_MAC])
{
	struct check *c;

	TAILQ_FOREACH(c, &a->checks, link)
		if (c->edition == a->edition &&
		    CRYPTO_memcmp(c->mac, mac, MEMO_MAC) == 0)
			return c;
	return NULL;
}

/* said: "name:password", with the colon at that place. */
static struct check *
check_new(struct auth *a, const char *said, size_t n, size_t colon,
    const unsigned char mac[MEMO_MAC])
{
	struct check *c = xcalloc(1, sizeof(*c) + n + 1);
	const char *hash = users_hash(a->users, (hostd_buf){ said, colon });
	uint32_t number;

	c->auth = a;
	c->edition = a->edition;
	c->known = hash != NULL;
	/* Whoever tries names must not see by the time it takes which there
	 * are.  By the name alone, or the password would change it. */
	if (hash == NULL) {
		unsigned char of_name[MEMO_MAC];

		memo_mac(&a->memo, (hostd_buf){ said, colon }, of_name);
		memcpy(&number, of_name, sizeof(number));
		hash = users_stand_in(a->users, number);
	}
	c->hash = xstrdup(hash);
	memcpy(c->mac, mac, MEMO_MAC);
	memcpy(c->said, said, n);
	c->said[colon] = '\0';
	c->password = c->said + colon + 1;
	c->nsaid = n;
	TAILQ_INSERT_TAIL(&a->checks, c, link);
	a->nchecks++;
	return c;
}

static void
waiter_gone(struct http_errand *e)
{
	struct waiter *w = (struct waiter *)(void *)e;
	struct check *c = w->check;

	LIST_REMOVE(w, link);
	free(w);
	if (LIST_EMPTY(&c->waiters) && !c->running)
		check_free(c);
}

static void
wait_for(struct check *c, struct http_req *r)
{
	struct waiter *w = xcalloc(1, sizeof(*w));

	w->errand.ended = waiter_gone;
	w->check = c;
	w->r = r;
	LIST_INSERT_HEAD(&r->errands, &w->errand, link);
	LIST_INSERT_HEAD(&c->waiters, w, link);
}

/* -- requests -- */

static int32_t
compare(struct auth *a, struct http_req *r, const char *said, size_t n,
    size_t colon)
{
	unsigned char mac[MEMO_MAC];
	struct identity *who;
	struct check *c;

	memo_mac(&a->memo, (hostd_buf){ said, n }, mac);
	who = memo_get(&a->memo, mac, a->loop->now_ms);
	if (who != NULL) {
		request_set_identity(r, who);
		return HOSTD_OK;
	}
	c = check_find(a, mac);
	if (c == NULL && a->nchecks >= CHECKS_MAX)
		return auth_answer(r, 503, "Retry-After", "1");
	if (c == NULL)
		c = check_new(a, said, n, colon, mac);
	wait_for(c, r);
	check_next(a);
	return HOSTD_DEFER;
}

int32_t
basic_enter(struct http_gate *g, struct http_req *r)
{
	struct auth *a = auth_of(g);
	char said[BASE64_ROOM(SAID_MAX / 3 * 4)], *colon = NULL;
	hostd_buf text;
	int32_t rc;
	ssize_t n = -1;

	auth_refresh(a, basic_load);
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
	/* crypt(3) would read up to a NUL. */
	if (n > 0 && memchr(said, '\0', (size_t)n) == NULL)
		colon = memchr(said, ':', (size_t)n);
	rc = colon == NULL ? challenge(a, r) :
	    compare(a, r, said, (size_t)n, (size_t)(colon - said));
	OPENSSL_cleanse(said, sizeof(said));
	return rc;
}

void
basic_close(struct auth *a)
{
	struct check *c;

	TAILQ_FOREACH(c, &a->checks, link)
		if (c->running)
			(void)uv_cancel((uv_req_t *)&c->uv);
	while (a->nrunning > 0)
		loop_turn_uv(a->loop, CLOSE_MS);
}
