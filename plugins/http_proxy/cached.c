/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests that the cache has to do with. */
#include <stddef.h>
#include "exchange.h"
#include "hop.h"
#include "text.h"

#define DRAINED	65536	/* as in answer.c */

static int
is_bypassed(const struct settings *s, const struct facts *f, struct head *out)
{
	hostd_buf v;
	uint32_t i;

	for (i = 0; i < s->nbypass; i++) {
		v = template_expand(&s->bypass[i], f, out);
		if (v.n > 0 && !(v.n == 1 && *(const char *)v.p == '0'))
			return 1;
	}
	return 0;
}

/* Has the client said who it is, wherever it has said so? */
static int
is_somebodys(const struct exchange *x)
{
	const struct hostd_inst *in = x->in;
	hostd_buf user;

	return in->auth != NULL && in->auth->user(in->easy.host, x->req,
	    &user) == HOSTD_OK;
}

/* Too old: another one is asked for, without this request's client. */
static void
refresh(struct exchange *x)
{
	struct hostd_fetch_request fr;

	x->whole = 1;
	if (exchange_request(x, 0, &fr) != HOSTD_OK)
		return;
	fr.max_body = x->in->settings.max_response;
	cache_refresh(&x->cache, &fr);
}

static int32_t
answer(struct exchange *x)
{
	int32_t rc = answer_cached(x);

	if (x->cache.refresh)
		refresh(x);
	return rc;
}

/* What to do about a request without a body. */
static int32_t
act(struct exchange *x, enum cache_verdict v)
{
	switch (v) {
	case CACHE_WAIT:
		return HOSTD_DEFER;
	case CACHE_ANSWERED:
		x->begun = x->unwanted = x->finished = 1;
		return HOSTD_OK;
	case CACHE_HIT:
		return answer(x);
	case CACHE_FETCH:
		x->whole = 1;
		break;
	case CACHE_OFF:
		break;
	}
	return exchange_ask(x, 0);
}

int32_t
cached_ask(struct exchange *x, const struct hostd_request *q, int *done)
{
	struct hostd_inst *in = x->in;
	struct cache_asked a = { .req = x->req, .request = q };
	enum cache_verdict v;
	struct facts f;
	struct hop hop;

	*done = 0;
	if (in->cache == NULL)
		return HOSTD_OK;
	hop_read(&hop, q->headers, q->nheaders);
	a.apart = hop_hides(&hop);
	exchange_facts(x, NULL, &f);
	head_clear(&in->head);
	a.key = template_expand(&in->settings.cache_key, &f, &in->head);
	a.bypass = is_bypassed(&in->settings, &f, &in->head);
	a.authorized = is_somebodys(x);
	/* A key that is not whole is another one's. */
	if (in->head.full)
		return HOSTD_OK;
	v = cache_ask(in->cache, &x->cache, &a);
	if (v == CACHE_OFF)
		return HOSTD_OK;
	*done = 1;
	return act(x, v);
}

void
cached_ready(struct hostd_inst *in, struct cache_use *use,
    enum cache_verdict v)
{
	struct exchange *x = (struct exchange *)(void *)((char *)use -
	    offsetof(struct exchange, cache));

	(void)in;
	if (x->req.id != 0)
		(void)act(x, v);
}

int
cached_instead(struct exchange *x, const struct hostd_fetch_response *a)
{
	if (x->cache.cache == NULL || a->status == 101 ||
	    cache_head(&x->cache, a) != CACHE_HIT)
		return 0;
	if (a->content_length < 0 || a->content_length > DRAINED)
		exchange_drop(x);
	(void)answer_cached(x);
	return 1;
}

int
cached_failed(struct exchange *x, int32_t status)
{
	if (x->cache.cache == NULL ||
	    cache_failed(&x->cache, status) != CACHE_HIT)
		return 0;
	(void)answer_cached(x);
	return 1;
}

void
cached_part(struct exchange *x, hostd_buf part, int fin)
{
	if (x->cache.cache == NULL)
		return;
	cache_body(&x->cache, part);
	if (fin)
		cache_done(&x->cache);
}
