/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>
#include "auth/gate.h"
#include "auth/password.h"
#include "base/mem.h"

#define SAID_MAX	(PASSWORD_MAX + 2)
#define RUNNING_MAX	2	/* of the threads, which others need, too */
#define CHECKS_MAX	32	/* more wait for nothing */
#define CLOSE_MS	250

/* A name and a password that are being compared, or are to be. */
struct check {
	uv_work_t uv;			/* first */
	TAILQ_ENTRY(check) link;
	struct auth *auth;
	LIST_HEAD(, password_ask) asks;
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
	struct password_ask *ask;

	while ((ask = LIST_FIRST(&c->asks)) != NULL) {
		LIST_REMOVE(ask, link);
		ask->told(ask, who);
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

/* said: the name, which ends at nname, a NUL, and the password. */
static struct check *
check_new(struct auth *a, const char *said, size_t n, size_t nname,
    const unsigned char mac[MEMO_MAC])
{
	struct check *c = xcalloc(1, sizeof(*c) + n + 1);
	const char *hash = users_hash(a->users, (hostd_buf){ said, nname });
	uint32_t number;

	c->auth = a;
	c->edition = a->edition;
	c->known = hash != NULL;
	/* Whoever tries names must not see by the time it takes which there
	 * are.  By the name alone, or the password would change it. */
	if (hash == NULL) {
		unsigned char of_name[MEMO_MAC];

		memo_mac(&a->memo, (hostd_buf){ said, nname }, of_name);
		memcpy(&number, of_name, sizeof(number));
		hash = users_stand_in(a->users, number);
	}
	c->hash = xstrdup(hash);
	memcpy(c->mac, mac, MEMO_MAC);
	memcpy(c->said, said, n);
	c->password = c->said + nname + 1;
	c->nsaid = n;
	TAILQ_INSERT_TAIL(&a->checks, c, link);
	a->nchecks++;
	return c;
}

/* -- asking -- */

/* What is said, as it is kept.  Its length; 0: it can't be anybody's.
 * crypt(3) would read up to a NUL. */
static size_t
said_put(hostd_buf name, hostd_buf password, char said[SAID_MAX])
{
	if (name.n > PASSWORD_MAX || password.n > PASSWORD_MAX - name.n ||
	    (name.n > 0 && memchr(name.p, '\0', name.n) != NULL) ||
	    (password.n > 0 && memchr(password.p, '\0', password.n) != NULL))
		return 0;
	if (name.n > 0)
		memcpy(said, name.p, name.n);
	said[name.n] = '\0';
	if (password.n > 0)
		memcpy(said + name.n + 1, password.p, password.n);
	return name.n + 1 + password.n;
}

struct identity *
password_known(struct auth *a, hostd_buf name, hostd_buf password)
{
	unsigned char mac[MEMO_MAC];
	char said[SAID_MAX];
	size_t n = said_put(name, password, said);

	auth_refresh(a, basic_load);
	if (n == 0)
		return NULL;
	memo_mac(&a->memo, (hostd_buf){ said, n }, mac);
	OPENSSL_cleanse(said, n);
	return memo_get(&a->memo, mac, a->loop->now_ms);
}

int32_t
password_ask(struct auth *a, hostd_buf name, hostd_buf password,
    struct password_ask *ask)
{
	unsigned char mac[MEMO_MAC];
	char said[SAID_MAX];
	size_t n = said_put(name, password, said);
	struct check *c;

	if (n == 0)
		return HOSTD_E_INVAL;
	memo_mac(&a->memo, (hostd_buf){ said, n }, mac);
	c = check_find(a, mac);
	if (c == NULL && a->nchecks < CHECKS_MAX)
		c = check_new(a, said, n, name.n, mac);
	OPENSSL_cleanse(said, n);
	if (c == NULL)
		return HOSTD_E_FULL;
	ask->check = c;
	LIST_INSERT_HEAD(&c->asks, ask, link);
	check_next(a);
	return HOSTD_DEFER;
}

void
password_forget(struct password_ask *ask)
{
	struct check *c = ask->check;

	LIST_REMOVE(ask, link);
	if (LIST_EMPTY(&c->asks) && !c->running)
		check_free(c);
}

void
passwords_close(struct auth *a)
{
	struct check *c;

	TAILQ_FOREACH(c, &a->checks, link)
		if (c->running)
			(void)uv_cancel((uv_req_t *)&c->uv);
	while (a->nrunning > 0)
		loop_turn_uv(a->loop, CLOSE_MS);
}
