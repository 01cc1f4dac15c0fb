/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "auth/gate.h"
#include "auth/password.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/response.h"

struct auth *
auth_of(struct http_gate *g)
{
	return (struct auth *)(void *)((char *)g -
	    offsetof(struct auth, gate));
}

void
auth_refresh(struct auth *a, int (*load)(struct auth *, char why[AUTH_WHY]))
{
	char why[AUTH_WHY];

	if (!auth_file_changed(&a->file, a->loop->now_ms))
		return;
	if (load(a, why) == -1) {
		log_warnx("auth %s: %s: %s; what it had before counts on",
		    a->conf->name, a->file.path, why);
		return;
	}
	memo_forget(&a->memo);
	log_info("auth %s: %s was read again", a->conf->name, a->file.path);
}

int32_t
auth_answer(struct http_req *r, int status, const char *name,
    const char *value)
{
	const hostd_hdr h = { { name, strlen(name) },
		{ value, strlen(value) } };

	request_drop_body(r);
	(void)response_page(r, status, &h, 1);
	return HOSTD_E_GONE;
}

static int
load(struct auth *a, char why[AUTH_WHY])
{
	switch (a->conf->type) {
	case CONF_AUTH_JWT:
		return bearer_load(a, why);
	case CONF_AUTH_BASIC:
		return basic_load(a, why);
	default:
		return 0;
	}
}

static int32_t (*const enters[])(struct http_gate *, struct http_req *) = {
	[CONF_AUTH_JWT] = bearer_enter,
	[CONF_AUTH_BASIC] = basic_enter,
	[CONF_AUTH_CERTIFICATE] = certificate_enter
};

static struct auth *
auth_new(struct loop *loop, const struct conf_auth *conf)
{
	struct auth *a = xcalloc(1, sizeof(*a));

	a->conf = conf;
	a->loop = loop;
	a->name = xasprintf("auth %s", conf->name);
	a->gate.name = a->name;
	a->gate.enter = enters[conf->type];
	a->file.path = conf->type == CONF_AUTH_BASIC ? conf->users_file :
	    conf->secret_file != NULL ? conf->secret_file :
	    conf->key_file != NULL ? conf->key_file : conf->jwks_file;
	TAILQ_INIT(&a->checks);
	if (memo_init(&a->memo) == -1)
		fatalx("there are no random bytes for auth %s", conf->name);
	return a;
}

void
auths_open(struct auths *all, struct loop *loop, const struct conf *conf,
    struct conf_errors *errs)
{
	const struct conf_auth *c;
	struct auth *a;
	char why[AUTH_WHY];

	TAILQ_INIT(&all->all);
	/* With mistakes in it, which have been told, it may have no keys. */
	if (!TAILQ_EMPTY(errs))
		return;
	TAILQ_FOREACH(c, &conf->auths, entry) {
		a = auth_new(loop, c);
		TAILQ_INSERT_TAIL(&all->all, a, link);
		if (load(a, why) == 0)
			continue;
		if (a->file.path != NULL)
			conf_error(errs, &c->pos, "auth \"%s\": %s: %s",
			    c->name, a->file.path, why);
		else
			conf_error(errs, &c->pos, "auth \"%s\": %s", c->name,
			    why);
	}
}

struct http_gate *
auths_gate(const struct auths *all, const struct conf_auth *conf)
{
	struct auth *a;

	TAILQ_FOREACH(a, &all->all, link)
		if (a->conf == conf)
			return &a->gate;
	return NULL;
}

struct auth *
auths_users(const struct auths *all, const char *name)
{
	struct auth *a;

	TAILQ_FOREACH(a, &all->all, link)
		if (a->conf->type == CONF_AUTH_BASIC &&
		    strcmp(a->conf->name, name) == 0)
			return a;
	return NULL;
}

void
auths_close(struct auths *all)
{
	struct auth *a;

	while ((a = TAILQ_FIRST(&all->all)) != NULL) {
		TAILQ_REMOVE(&all->all, a, link);
		passwords_close(a);
		memo_close(&a->memo);
		keys_free(a->keys);
		users_free(a->users);
		free(a->name);
		free(a);
	}
}
