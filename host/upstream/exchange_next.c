/* SPDX-License-Identifier: BSD-2-Clause */
/* A try has come to nothing: is there another one, and where? */
#include "upstream/exchange.h"

/* May another server be asked after what has happened to this try? */
static int
may_try_next(const struct up_exchange *x, uint32_t next)
{
	const struct up_rules *r = &x->rules;
	int begun = x->link != NULL && x->state >= UP_SEND &&
	    x->link->stream.sent != x->sent_from;

	return x->server.len == 0 && !x->answered &&
	    (!x->over || x->rewinds) && !x->cancelled &&
	    (r->next & HOSTD_NEXT_OFF) == 0 && (r->next & next) != 0 &&
	    x->ntries < r->tries &&
	    (r->next_ms == 0 || x->group->all->loop->now_ms - x->began_ms <
	    r->next_ms) &&
	    (!begun || r->is_idempotent || (r->next & HOSTD_NEXT_UNSAFE) != 0);
}

static int
next_peer(struct up_exchange *x, struct up_peer **out)
{
	int full;

	x->search.request = x->view;
	x->search.flags |= HOSTD_PICK_RETRY;
	return group_pick(x->group, &x->search, out, &full) == HOSTD_OK;
}

/* What has come of a connection that was kept need not be about this request;
 * can it be sent again, over a fresh one? */
static int
may_ask_again(const struct up_exchange *x)
{
	return x->link != NULL && !x->fresh && !x->answered && x->ninfo == 0 &&
	    (!x->over || x->rewinds) && !x->cancelled &&
	    (x->rules.is_idempotent ||
	    x->link->stream.sent == x->sent_from);
}

/* Was it only that the server has closed an idle connection meanwhile, or that
 * more came behind the answer before? */
static int
was_idle_closed(const struct up_exchange *x, uint32_t next)
{
	return may_ask_again(x) && (next == HOSTD_NEXT_INVALID ||
	    (next == HOSTD_NEXT_ERROR && !x->got));
}

static int32_t
code_of(uint32_t next)
{
	return next == HOSTD_NEXT_TIMEOUT ? HOSTD_E_TIMEOUT : HOSTD_E_IO;
}

int
exchange_failed(struct up_exchange *x, uint32_t next, uint32_t why,
    uint32_t what, const char *text)
{
	/* What only we lack is no failure of the server's. */
	int32_t rc = why == UP_WHY_NONE ? HOSTD_E_GONE : code_of(next);
	struct up_peer *p;

	if (was_idle_closed(x, next)) {
		exchange_drop(x);
		return exchange_connect(x, 1);
	}
	if (may_try_next(x, next) && next_peer(x, &p)) {
		exchange_drop(x);
		exchange_report(x, rc, why, what);
		return exchange_use(x, p);
	}
	exchange_drop(x);
	exchange_report(x, rc, why, what);
	exchange_over(x, code_of(next), text);
	return -1;
}

static uint32_t
next_of_status(int status)
{
	static const struct {
		int status;
		uint32_t next;
	} all[] = {
		{ 500, HOSTD_NEXT_500 }, { 502, HOSTD_NEXT_502 },
		{ 503, HOSTD_NEXT_503 }, { 504, HOSTD_NEXT_504 },
		{ 403, HOSTD_NEXT_403 }, { 404, HOSTD_NEXT_404 },
		{ 429, HOSTD_NEXT_429 }
	};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i].status == status)
			return all[i].next;
	return 0;
}

int
exchange_tries_next(struct up_exchange *x, int status)
{
	uint32_t next = status < 400 ? 0 : next_of_status(status);
	struct up_peer *p;

	if (next == 0 || !may_try_next(x, next) || !next_peer(x, &p))
		return 0;
	exchange_drop(x);
	/* What is not there, or not allowed, is no failure of the server's. */
	exchange_report(x, status == 403 || status == 404 ? HOSTD_OK :
	    HOSTD_E_IO, UP_WHY_STATUS, (uint32_t)status);
	(void)exchange_use(x, p);
	return 1;
}

int
exchange_asks_again(struct up_exchange *x, int status)
{
	if ((status != 408 && status != 400) || !may_ask_again(x))
		return 0;
	exchange_drop(x);
	(void)exchange_connect(x, 1);
	return 1;
}
