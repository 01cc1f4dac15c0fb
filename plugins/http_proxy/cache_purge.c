/* SPDX-License-Identifier: BSD-2-Clause */
/* Removing what is kept, in all workers. */
#include <stdlib.h>
#include <string.h>
#include "cache_inside.h"

/* Messages are a letter and the key: K of one, P(refix) of all that begin so;
 * O of one that is old, which files of this machine have not any more; or are
 * of cache_order.c. */
#define CHANNEL	HOSTD_CHANNEL_OWN "purge"

static hostd_buf
channel(void)
{
	return hostd_str(CHANNEL);
}

static void
on_purge(struct hostd_inst *in, hostd_sub sub, void *arg,
    const struct hostd_channel_event *e)
{
	struct cache *c = arg;
	const char *p = e->msg.p;
	hostd_buf key;

	(void)in;
	(void)sub;
	if (e->type == HOSTD_CHANNEL_GAP) {
		/* Whatever it was: what is not kept can't be wrong. */
		key = (hostd_buf){ "", 0 };
		if (c->disk.dir == -1)
			store_drop(c, key, 1);
		else
			store_spoil(c, key, 1);
		return;
	}
	if (e->msg.n == 0)
		return;
	if (strchr(ORDER_LETTERS, *p) != NULL && *p != '\0') {
		order_message(c, e->msg);
		return;
	}
	key = (hostd_buf){ p + 1, e->msg.n - 1 };
	if (*p == 'O' && c->disk.dir != -1)
		store_spoil(c, key, 0);
	else
		store_drop(c, key, *p == 'P');
}

int32_t
purge_start(struct cache *c)
{
	hostd_sub sub;

	if (c->easy->channel == NULL)
		return HOSTD_OK;
	return c->easy->channel->subscribe(c->easy->host, channel(), on_purge,
	    c, &sub);
}

int
purge_publish(struct cache *c, hostd_buf msg)
{
	hostd_ws nobody = { 0 };

	if (c->easy->channel == NULL)
		return -1;
	return c->easy->channel->publish(c->easy->host, channel(), msg,
	    HOSTD_WS_BINARY, nobody) < 0 ? -1 : 0;
}

void
purge_tell(struct cache *c, hostd_buf key, char what)
{
	hostd_buf msg;
	char *p;

	/* Here at once; the message of our own does no harm. */
	store_drop(c, key, what == 'P');
	if ((p = malloc(key.n + 1)) == NULL)
		return;
	p[0] = what;
	if (key.n > 0)
		memcpy(p + 1, key.p, key.n);
	msg = (hostd_buf){ p, key.n + 1 };
	(void)purge_publish(c, msg);
	free(p);
}

int
purge_is(const struct cache *c, const struct hostd_request *r)
{
	return c->nnets > 0 && r->method == HOSTD_METHOD_OTHER &&
	    r->method_name.n == 5 && memcmp(r->method_name.p, "PURGE", 5) == 0;
}

enum cache_verdict
purge_answer(struct cache_use *use, const struct cache_asked *a)
{
	const struct hostd_easy *e = use->cache->easy;
	hostd_hdr type = hostd_header("Content-Type", "text/plain");
	hostd_buf key = a->key, none = { NULL, 0 };
	int prefix = key.n > 0 && ((const char *)key.p)[key.n - 1] == '*';

	if (!purge_allows(use->cache, a->request->peer)) {
		(void)e->http->respond(e->host, a->req, 403, NULL, 0, none);
		return CACHE_ANSWERED;
	}
	key.n -= (size_t)prefix;
	purge_tell(use->cache, key, prefix ? 'P' : 'K');
	(void)e->http->respond(e->host, a->req, 200, &type, 1,
	    hostd_str("purged\n"));
	return CACHE_ANSWERED;
}
