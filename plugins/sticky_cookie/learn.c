/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sessions of an application that sets a cookie of its own: which server has
 * set it.  Each worker keeps what all have learned, in a table that never
 * grows: hashes of cookies, in buckets, of which the one longest unused gives
 * way.  Workers, and other nodes, tell each other over a channel; a successor
 * is given the table, and one that comes back after a crash is told the last
 * that were said on the channel.
 */
#include <stdlib.h>
#include <string.h>
#include <balance/request.h>
#include "sticky.h"

#define SEEN_WAYS	8u
#define KEEP		1000u	/* messages of the channel */
#define WORDS		2u	/* of a message: the cookie, the server */

static uint32_t
now_s(const struct hostd_inst *in)
{
	return (uint32_t)(in->easy.host->now_ms(in->easy.host) / 1000);
}

static uint64_t
cookie_hash(hostd_buf value)
{
	uint64_t h = hash_mix(hash_add(HASH_START, value.p, value.n));

	return h == 0 ? 1 : h;
}

static struct seen *
bucket_of(const struct hostd_inst *in, uint64_t cookie)
{
	return &in->seen[cookie % in->nbuckets * SEEN_WAYS];
}

static struct seen *
seen_find(const struct hostd_inst *in, uint64_t cookie)
{
	struct seen *b = bucket_of(in, cookie);
	uint32_t i;

	for (i = 0; i < SEEN_WAYS; i++)
		if (b[i].cookie == cookie &&
		    now_s(in) - b[i].used < in->learn_ttl)
			return &b[i];
	return NULL;
}

/* Its place: its own, a free one, or that of the longest unused. */
static struct seen *
seen_put(const struct hostd_inst *in, uint64_t cookie, uint64_t server,
    uint32_t used)
{
	struct seen *b = bucket_of(in, cookie), *to = b;
	uint32_t i;

	for (i = 0; i < SEEN_WAYS; i++) {
		if (b[i].cookie == cookie) {
			to = &b[i];
			break;
		}
		if (to->cookie != 0 &&
		    (b[i].cookie == 0 || b[i].used < to->used))
			to = &b[i];
	}
	to->cookie = cookie;
	to->server = server;
	to->used = to->told = used;
	return to;
}

/* -- the others -- */

static void
tell(struct hostd_inst *in, struct seen *e)
{
	uint64_t words[WORDS] = { e->cookie, e->server };
	unsigned char bytes[sizeof(words)];
	hostd_ws nobody = { 0 };
	hostd_buf msg = { bytes, sizeof(bytes) };
	uint32_t i;

	e->told = now_s(in);
	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(words[i / 8] >> i % 8 * 8);
	(void)in->easy.channel->publish(in->easy.host, hostd_str(in->channel),
	    msg, HOSTD_WS_BINARY, nobody);
}

static void
hear(struct hostd_inst *in, const struct hostd_channel_event *ev)
{
	const unsigned char *p = ev->msg.p;
	uint64_t words[WORDS] = { 0 };
	uint32_t i;

	if (ev->type != HOSTD_CHANNEL_MESSAGE || ev->msg.n != sizeof(words))
		return;
	for (i = 0; i < sizeof(words); i++)
		words[i / 8] |= (uint64_t)p[i] << i % 8 * 8;
	if (words[0] != 0)
		(void)seen_put(in, words[0], words[1], now_s(in));
}

static void
on_event(struct hostd_inst *in, hostd_sub sub, void *arg,
    const struct hostd_channel_event *ev)
{
	(void)sub;
	(void)arg;
	hear(in, ev);
}

static void
on_replay(struct hostd_inst *in, void *arg, int32_t status,
    const struct hostd_channel_event *ev)
{
	(void)arg;
	(void)status;
	if (ev != NULL)
		hear(in, ev);
}

int32_t
learn_start(struct hostd_inst *in)
{
	const struct hostd_channel_api *c = in->easy.channel;
	hostd_buf name = hostd_str(in->channel);
	hostd_sub sub;
	int32_t rc;

	rc = c->subscribe(in->easy.host, name, on_event, NULL, &sub);
	if (rc < 0)
		return rc;
	(void)c->keep(in->easy.host, name, KEEP, in->learn_ttl * 1000);
	(void)c->replay(in->easy.host, name, 0, 0, on_replay, NULL);
	return HOSTD_OK;
}

/* -- requests and answers -- */

int32_t
learn_open(struct hostd_inst *in, uint32_t max, struct hostd_err *err)
{
	if (in->easy.channel == NULL || !HOSTD_HAS(in->easy.channel, replay))
		return hostd_fail(err, HOSTD_E_NOTSUP,
		    "mode: learn needs " HOSTD_EXT_CHANNEL);
	in->nbuckets = (max + SEEN_WAYS - 1) / SEEN_WAYS;
	in->seen = calloc((size_t)in->nbuckets * SEEN_WAYS, sizeof(*in->seen));
	return in->seen != NULL ? HOSTD_OK :
	    hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
}

uint64_t
learn_find(struct hostd_inst *in, hostd_buf value)
{
	struct seen *e = seen_find(in, cookie_hash(value));

	if (e == NULL)
		return 0;
	e->used = now_s(in);
	/* The others must not forget what only we are asked for. */
	if (e->used - e->told >= in->learn_ttl / 2)
		tell(in, e);
	return e->server;
}

static void
learn(struct hostd_inst *in, hostd_buf value, uint64_t server)
{
	uint64_t cookie = cookie_hash(value);
	struct seen *e = seen_find(in, cookie);

	if (e != NULL && e->server == server)
		e->used = now_s(in);
	else
		tell(in, seen_put(in, cookie, server, now_s(in)));
}

/* An empty value is a cookie that is being taken away. */
void
learn_answer(struct hostd_inst *in, const struct server *v,
    const hostd_hdr *hdrs, uint32_t nhdrs)
{
	static const hostd_buf set_cookie = { "set-cookie", 10 };
	hostd_buf line, value;
	uint32_t i;

	for (i = 0; i < nhdrs; i++)
		if (header_find(&hdrs[i], 1, set_cookie, &line) &&
		    first_pair(line, in->name, &value) && value.n > 0)
			learn(in, value, v->hash);
}

/* -- over a reload -- */

static int32_t
save(struct hostd_inst *in, int32_t (*put)(void *, hostd_buf), void *arg)
{
	uint32_t i, n = in->nbuckets * SEEN_WAYS;
	hostd_buf part = { NULL, sizeof(*in->seen) };
	int32_t rc = HOSTD_OK;

	for (i = 0; i < n && rc == HOSTD_OK; i++) {
		part.p = &in->seen[i];
		if (in->seen[i].cookie != 0)
			rc = put(arg, part);
	}
	return rc;
}

static int32_t
load(struct hostd_inst *in, uint32_t version, hostd_buf state)
{
	const struct seen *e = state.p;
	size_t i;

	if (version != learn_state.version || state.n % sizeof(*e) != 0)
		return HOSTD_E_NOTSUP;
	if (!in->learns)
		return HOSTD_OK;
	for (i = 0; i < state.n / sizeof(*e); i++)
		if (e[i].cookie != 0)
			seen_put(in, e[i].cookie, e[i].server,
			    e[i].used)->told = e[i].told;
	return HOSTD_OK;
}

const struct hostd_p_state learn_state = {
	.struct_size = sizeof(learn_state), .version = 1,
	.save = save, .load = load,
};
