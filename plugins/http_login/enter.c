/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <inttypes.h>
#include <jansson.h>
#include <time.h>
#include "login.h"

/* What is told to the other workers, and nodes: of whom, not who. */
struct failure {
	uint64_t origin;
	struct rate_tag of_user, of_address;
};

/* -- how often -- */

/* A network is as good as an address where one client has so many. */
static hostd_buf
client_of(struct hostd_inst *in, hostd_req req, unsigned char room[16])
{
	const struct hostd_request *r = hostd_request_of(in, req);
	hostd_buf none = { NULL, 0 }, b = { room, 8 };
	char text[INET6_ADDRSTRLEN];

	if (r == NULL || r->peer.n >= sizeof(text))
		return none;
	memcpy(text, r->peer.p, r->peer.n);
	text[r->peer.n] = '\0';
	if (inet_pton(AF_INET6, text, room) == 1)
		return b;
	b.n = 4;
	return inet_pton(AF_INET, text, room) == 1 ? b : none;
}

static struct rate_limit
limit_of_address(struct hostd_inst *in, hostd_buf client)
{
	struct rate_limit none = { 0, 0 };

	/* By a unix socket all are the same. */
	return client.n == 0 ? none : in->of_address;
}

/* Milliseconds until another try is allowed; 0: this one was counted. */
static uint64_t
count_try(struct hostd_inst *in, struct visit *v)
{
	unsigned char room[16];
	hostd_buf client = client_of(in, v->req, room);
	struct rate_limit of_address = limit_of_address(in, client);
	uint64_t now = in->easy.host->now_ms(in->easy.host), user, address;

	v->of_user = rate_tag_of('u', v->user);
	v->of_address = rate_tag_of('a', client);
	user = rate_wait(in->rate, in->of_user, &v->of_user, now);
	address = rate_wait(in->rate, of_address, &v->of_address, now);
	if (user > 0 || address > 0)
		return user > address ? user : address;
	rate_put(in->rate, in->of_user, &v->of_user, now);
	rate_put(in->rate, of_address, &v->of_address, now);
	return 0;
}

/* It was no failure. */
static void
uncount_try(struct hostd_inst *in, const struct visit *v)
{
	uint64_t now = in->easy.host->now_ms(in->easy.host);

	rate_take_back(in->rate, in->of_user, &v->of_user, now);
	rate_take_back(in->rate, in->of_address, &v->of_address, now);
}

static void
tell_others(struct hostd_inst *in, const struct visit *v)
{
	struct failure f = { in->origin, v->of_user, v->of_address };
	hostd_buf msg = { &f, sizeof(f) };
	hostd_ws nobody = { 0 };

	if (in->easy.channel != NULL)
		(void)in->easy.channel->publish(in->easy.host,
		    hostd_str(ENTER_CHANNEL), msg, HOSTD_WS_BINARY, nobody);
}

void
enter_failed_elsewhere(struct hostd_inst *in, hostd_sub sub, void *arg,
    const struct hostd_channel_event *ev)
{
	uint64_t now = in->easy.host->now_ms(in->easy.host);
	struct failure f;

	(void)sub;
	(void)arg;
	if (ev->type != HOSTD_CHANNEL_MESSAGE || ev->msg.n != sizeof(f))
		return;
	memcpy(&f, ev->msg.p, sizeof(f));
	if (f.origin == in->origin)
		return;
	rate_put(in->rate, in->of_user, &f.of_user, now);
	rate_put(in->rate, in->of_address, &f.of_address, now);
}

/* -- logged in -- */

static int
is_same_user(struct hostd_inst *in, const struct visit *v, hostd_session s)
{
	hostd_buf was;

	return in->easy.session->get(in->easy.host, s, (const char *)in->key.p,
	    HOSTD_SESSION_TEXT, &was) == HOSTD_OK && was.p != NULL &&
	    was.n == v->user.n && memcmp(was.p, v->user.p, was.n) == 0;
}

/* A key that can't be named can't be deleted. */
static int
have_names(const json_t *keys)
{
	const json_t *key;
	size_t i;

	json_array_foreach(keys, i, key)
		if (strlen(json_string_value(key)) != json_string_length(key))
			return 0;
	return json_is_array(keys);
}

/* What is in it was another user's: it is not this one's to see. */
static int32_t
clear(struct hostd_inst *in, hostd_session s)
{
	const struct hostd_session_api *api = in->easy.session;
	const json_t *key;
	hostd_buf text;
	json_t *keys;
	size_t i;
	int32_t rc = api->keys(in->easy.host, s, &text);

	if (rc != HOSTD_OK)
		return rc;
	keys = json_loadb(text.p, text.n, JSON_ALLOW_NUL, NULL);
	rc = have_names(keys) ? HOSTD_OK : HOSTD_E_NOTSUP;
	/* Whether it was remembered is for set_life to know. */
	json_array_foreach(keys, i, key)
		if (rc == HOSTD_OK && strcmp(json_string_value(key),
		    KEY_REMEMBER) != 0)
			rc = api->del(in->easy.host, s, json_string_value(key));
	json_decref(keys);
	return rc;
}

static int32_t
set_life(struct hostd_inst *in, const struct visit *v, hostd_session s)
{
	const struct hostd_session_api *api = in->easy.session;
	const struct hostd_host *host = in->easy.host;
	hostd_buf was = { NULL, 0 };
	int32_t rc;

	if (v->remember) {
		rc = api->set(host, s, KEY_REMEMBER, 0, hostd_str("true"));
		return rc == HOSTD_OK ? api->set_max_age(host, s,
		    in->remember_ms) : rc;
	}
	rc = api->get(host, s, KEY_REMEMBER, 0, &was);
	if (rc != HOSTD_OK || was.p == NULL)
		return rc;
	/* This time it is not wanted. */
	rc = api->del(host, s, KEY_REMEMBER);
	return rc == HOSTD_OK ? api->set_max_age(host, s, 0) : rc;
}

static int32_t
set_keys(struct hostd_inst *in, const struct visit *v, hostd_session s)
{
	const struct hostd_session_api *api = in->easy.session;
	const struct hostd_host *host = in->easy.host;
	char since[24];
	struct timespec ts;
	int32_t rc;

	clock_gettime(CLOCK_REALTIME, &ts);
	(void)snprintf(since, sizeof(since), "%" PRId64,
	    (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
	if ((rc = api->set(host, s, (const char *)in->key.p,
	    HOSTD_SESSION_TEXT, v->user)) != HOSTD_OK ||
	    (rc = api->set(host, s, KEY_SINCE, 0, hostd_str(since))) !=
	    HOSTD_OK ||
	    /* A new one with the new id. */
	    (rc = api->del(host, s, KEY_CSRF)) != HOSTD_OK)
		return rc;
	return token_of_session(in, s).n == 0 ? HOSTD_E_IO : HOSTD_OK;
}

static int32_t
log_in(struct hostd_inst *in, struct visit *v, hostd_session s)
{
	hostd_buf value;
	int32_t rc = HOSTD_OK;

	if (user_of(in, s).p != NULL && !is_same_user(in, v, s))
		rc = clear(in, s);
	if (rc == HOSTD_OK)
		rc = in->easy.session->regenerate(in->easy.host, s);
	if (rc == HOSTD_OK)
		rc = set_life(in, v, s);
	if (rc == HOSTD_OK)
		rc = set_keys(in, v, s);
	if (rc != HOSTD_OK) {
		hostd_logf(in->easy.host, HOSTD_LOG_ERROR, "a login can't be "
		    "put into the session: code %d", rc);
		return answer_error(in, v, rc == HOSTD_E_FULL ? 503 : 500,
		    "The session can't take it.\n");
	}
	value = user_of(in, s);
	return answer_done(in, v, in->home, value, token_of_session(in, s));
}

/* -- the password -- */

static int32_t
answer_wrong(struct hostd_inst *in, struct visit *v)
{
	const struct hostd_request *r = hostd_request_of(in, v->req);

	tell_others(in, v);
	if (r != NULL)
		hostd_logf(in->easy.host, HOSTD_LOG_INFO,
		    "a login from %.*s has failed", (int)r->peer.n,
		    (const char *)r->peer.p);
	return answer_form(in, v, 401, "The user or the password is wrong.",
	    0);
}

static int32_t
go_on(struct hostd_inst *in, struct visit *v, int32_t status)
{
	switch (status) {
	case HOSTD_OK:
		uncount_try(in, v);
		return visit_with_session(in, v, log_in);
	case HOSTD_E_INVAL:
		return answer_wrong(in, v);
	default:
		uncount_try(in, v);
		return answer_form(in, v, 503,
		    "Too many are logging in just now.", 1);
	}
}

static void
is_checked(struct hostd_inst *in, void *arg, int32_t status)
{
	struct visit *v = arg;

	visit_settle(in, v, go_on(in, v, status));
}

static int32_t
check(struct hostd_inst *in, struct visit *v, hostd_buf password)
{
	uint64_t wait = count_try(in, v);
	int32_t rc;

	if (wait > 0)
		return answer_form(in, v, 429, "There were too many tries; "
		    "wait a while.", (uint32_t)((wait + 999) / 1000));
	rc = in->auth->check_password(in->easy.host, v->req,
	    (const char *)in->users.p, v->user, password, is_checked, v);
	return rc == HOSTD_DEFER || rc == HOSTD_E_GONE ? rc :
	    go_on(in, v, rc);
}

int32_t
enter(struct hostd_inst *in, struct visit *v, hostd_buf password)
{
	char token[TOKEN_SIZE];

	if (!token_of_cookie(in, v->req, token) ||
	    !token_same(token_sent(in, v), hostd_str(token)))
		return answer_form(in, v, 403, "This form is out of date, or "
		    "your browser takes no cookies; try again.", 0);
	if (v->user.n == 0 || password.n == 0)
		return answer_form(in, v, 400,
		    "A user and a password are needed.", 0);
	return check(in, v, password);
}

int32_t
enter_show(struct hostd_inst *in, struct visit *v, hostd_session s)
{
	hostd_buf value;

	if (user_of(in, s).p == NULL)
		return answer_form(in, v, 200, NULL, 0);
	/* If one has to be made, what was told before is no more. */
	(void)token_of_session(in, s);
	value = user_of(in, s);
	return answer_inside(in, v, value, token_of_session(in, s));
}
