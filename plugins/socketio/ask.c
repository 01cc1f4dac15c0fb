/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Questions to all, this worker among them.  Behind the head:
 *
 *	BUS_QUESTION	u64 id, question_pack
 *	BUS_REPLY	u64 id, reply_pack
 *
 * What is answered here is told from a post, so never from within.
 */
#include "away.h"
#include "cluster_inside.h"

#define LATE_MS	250	/* more than the others have, for their last word */

/* A reply of ours, until it is told. */
struct word {
	STAILQ_ENTRY(word) link;
	size_t n;
	char bytes[];
};

struct ask {
	struct table_entry entry;	/* of c->asks: the bytes of its id */
	struct cluster *c;
	uint64_t id;
	uint32_t type;
	void (*reply)(struct hostd_inst *, void *,
	    const struct hostd_sio_reply *);
	void (*done)(struct hostd_inst *, void *, int32_t);
	void *arg;
	uint64_t *waiting;		/* processes that have not answered */
	uint32_t nwaiting;
	int here, adapter;		/* neither has this worker, it */
	uint32_t clients, answers;
	int32_t status;
	hostd_timer late;
	STAILQ_HEAD(, word) words;
	int is_posted;
	int is_busy;			/* reply is being called */
};

static struct ask *
ask_find(const struct cluster *c, uint64_t id)
{
	struct table_entry *e = table_find(&c->asks,
	    (hostd_buf){ &id, sizeof(id) });

	return e == NULL ? NULL : TABLE_OF(e, struct ask, entry);
}

/* The one behind it, which may go then; from NULL on. */
static struct ask *
ask_next(const struct cluster *c, const struct ask *a)
{
	struct table_entry *e = table_next(&c->asks, a == NULL ? NULL :
	    &a->entry);

	return e == NULL ? NULL : TABLE_OF(e, struct ask, entry);
}

static void
ask_free(struct ask *a)
{
	struct hostd_inst *in = a->c->in;
	struct word *w;

	(void)in->timer->stop(in->easy.host, a->late);
	table_remove(&a->c->asks, &a->entry);
	while ((w = STAILQ_FIRST(&a->words)) != NULL) {
		STAILQ_REMOVE_HEAD(&a->words, link);
		free(w);
	}
	free(a->waiting);
	free(a);
	away_look(in);
}

static void
ask_done(struct ask *a)
{
	struct hostd_inst *in = a->c->in;
	void (*done)(struct hostd_inst *, void *, int32_t) = a->done;
	void *arg = a->arg;
	int32_t status = a->status;

	if (status == HOSTD_OK && a->answers < a->clients)
		status = HOSTD_E_TIMEOUT;
	ask_free(a);
	done(in, arg, status);
}

static void
ask_check(struct ask *a)
{
	if (a->is_busy)
		return;
	if (a->nwaiting == 0 && !a->here && !a->adapter &&
	    STAILQ_EMPTY(&a->words))
		ask_done(a);
}

static void
ask_tell(struct ask *a, const struct hostd_sio_reply *r)
{
	a->clients += r->clients;
	if (r->args != NULL && a->type == HOSTD_SIO_ASK_CLIENTS)
		a->answers++;
	a->is_busy = 1;
	a->reply(a->c->in, a->arg, r);
	a->is_busy = 0;
}

/* -- this worker's -- */

static void
tell_words(struct hostd_inst *in, void *arg)
{
	struct ask *a = ask_find(in->cluster, (uint64_t)(uintptr_t)arg);
	struct reply p;
	struct unpack u;
	struct word *w;

	if (a == NULL)
		return;
	a->is_posted = 0;
	while ((w = STAILQ_FIRST(&a->words)) != NULL) {
		STAILQ_REMOVE_HEAD(&a->words, link);
		u = (struct unpack){ w->bytes, w->n, 0 };
		if (reply_read(&p, &u) == 0)
			ask_tell(a, &p.r);
		reply_free(&p);
		free(w);
	}
	ask_check(a);
}

static void
ask_post(struct ask *a)
{
	const struct hostd_host *host = a->c->in->easy.host;

	if (!a->is_posted && host->post(host, tell_words,
	    (void *)(uintptr_t)a->id) == HOSTD_OK)
		a->is_posted = 1;
}

static void
on_here(struct hostd_inst *in, void *arg, const struct hostd_sio_reply *r)
{
	struct ask *a = ask_find(in->cluster, (uint64_t)(uintptr_t)arg);
	struct pack b = { NULL, 0, 0, 0 };
	struct word *w;

	if (a == NULL)
		return;
	if ((r->flags & HOSTD_SIO_LAST) != 0)
		a->here = 0;
	reply_pack(&b, r);
	if (!b.failed && (w = malloc(sizeof(*w) + b.n)) != NULL) {
		w->n = b.n;
		memcpy(w->bytes, b.p, b.n);
		STAILQ_INSERT_TAIL(&a->words, w, link);
	}
	pack_free(&b);
	ask_post(a);
}

/* -- others' -- */

static void
waits_not(struct ask *a, uint64_t process)
{
	uint32_t i;

	for (i = 0; i < a->nwaiting; i++)
		if (a->waiting[i] == process) {
			a->waiting[i] = a->waiting[--a->nwaiting];
			return;
		}
}

void
ask_replied(struct cluster *c, struct bus_message *m)
{
	struct ask *a = ask_find(c, unpack_u64(&m->body));
	struct reply p;

	if (a == NULL)
		return;
	if (reply_read(&p, &m->body) == 0) {
		if ((p.r.flags & HOSTD_SIO_LAST) != 0)
			waits_not(a, m->process);
		ask_tell(a, &p.r);
	}
	reply_free(&p);
	ask_check(a);
}

void
ask_reply(struct cluster *c, uint64_t id, const struct hostd_sio_reply *r)
{
	struct ask *a = ask_find(c, id);

	if (a == NULL)
		return;
	ask_tell(a, r);
	ask_check(a);
}

void
ask_ended(struct cluster *c, uint64_t id, int32_t status)
{
	struct ask *a = ask_find(c, id);

	if (a == NULL)
		return;
	a->adapter = 0;
	if (status != HOSTD_OK)
		a->status = HOSTD_E_TIMEOUT;
	ask_check(a);
}

void
asks_peer_left(struct cluster *c, uint64_t process)
{
	struct ask *a, *next;
	uint32_t n;

	for (a = ask_next(c, NULL); a != NULL; a = next) {
		next = ask_next(c, a);
		n = a->nwaiting;
		waits_not(a, process);
		if (a->nwaiting == n)
			continue;
		a->status = HOSTD_E_TIMEOUT;
		ask_post(a);
	}
}

static void
cancel(struct ask *a)
{
	struct adapter *by = adapter_up(a->c);

	if (a->adapter && by != NULL)
		adapter_cancel(by, a->id);
	a->adapter = 0;
}

static void
ask_late(struct hostd_inst *in, hostd_timer t, void *arg)
{
	struct ask *a = arg;
	uint64_t *silent = a->waiting;
	uint32_t n = a->nwaiting;

	(void)t;
	if (a->nwaiting > 0 || a->here || a->adapter)
		a->status = HOSTD_E_TIMEOUT;
	a->waiting = NULL;
	a->nwaiting = 0;
	a->here = 0;
	cancel(a);
	if (a->type != HOSTD_SIO_ASK_SERVERS && a->type !=
	    HOSTD_SIO_ASK_CLIENTS)
		peers_silent(in->cluster, silent, n);
	free(silent);
	if (STAILQ_EMPTY(&a->words))
		ask_done(a);
}

/* -- asking -- */

static int
wait_for_peers(struct ask *a)
{
	struct peer *p;
	uint32_t n = 0;

	LIST_FOREACH(p, &a->c->peers, link)
		n++;
	if (n == 0)
		return 0;
	if ((a->waiting = calloc(n, sizeof(*a->waiting))) == NULL)
		return -1;
	LIST_FOREACH(p, &a->c->peers, link)
		a->waiting[a->nwaiting++] = p->process;
	return 0;
}

static int32_t
ask_others(struct ask *a, const struct hostd_sio_question *q)
{
	struct cluster *c = a->c;
	struct adapter *by = adapter_up(c);
	struct pack *b;

	if (by != NULL) {
		a->adapter = 1;
		if (adapter_ask(by, q, a->id) >= 0)
			return HOSTD_OK;
		a->adapter = 0;
	}
	if (wait_for_peers(a) == -1)
		return HOSTD_E_NOMEM;
	if (a->nwaiting == 0)
		return HOSTD_OK;
	b = bus_begin(c, BUS_QUESTION, c->seq);
	pack_u64(b, a->id);
	question_pack(b, q);
	return bus_tell(c);
}

static struct ask *
ask_new(struct cluster *c, uint32_t type, uint32_t timeout_ms)
{
	struct hostd_inst *in = c->in;
	struct ask *a = calloc(1, sizeof(*a));
	uint32_t late = type == HOSTD_SIO_ASK_CLIENTS ? LATE_MS : 0;

	if (a == NULL)
		return NULL;
	a->c = c;
	a->type = type;
	STAILQ_INIT(&a->words);
	a->id = ++c->last_ask;
	a->entry.name = (hostd_buf){ &a->id, sizeof(a->id) };
	if (table_add(&c->asks, &a->entry) == -1) {
		free(a);
		return NULL;
	}
	if (in->timer->start(in->easy.host, (uint64_t)timeout_ms + late, 0,
	    ask_late, a, &a->late) != HOSTD_OK) {
		ask_free(a);
		return NULL;
	}
	return a;
}

int32_t
cluster_ask(struct hostd_inst *in, const struct hostd_sio_question *question,
    void (*reply)(struct hostd_inst *, void *, const struct hostd_sio_reply *),
    void (*done)(struct hostd_inst *, void *, int32_t), void *arg)
{
	struct hostd_sio_question q = *question;
	struct ask *a;
	int32_t rc = HOSTD_OK;

	if (q.timeout_ms == 0)
		q.timeout_ms = in->opt.requests_timeout;
	if ((a = ask_new(in->cluster, q.type, q.timeout_ms)) == NULL)
		return HOSTD_E_NOMEM;
	a->reply = reply;
	a->done = done;
	a->arg = arg;
	if ((q.to->flags & HOSTD_SIO_LOCAL) == 0)
		rc = ask_others(a, &q);
	if (rc < 0) {
		ask_free(a);
		return rc;
	}
	if (q.type != HOSTD_SIO_ASK_SERVERS) {
		a->here = 1;
		cluster_answer_here(in, &q, on_here, (void *)(uintptr_t)a->id);
	}
	ask_post(a);
	return HOSTD_OK;
}

void
asks_destroy(struct cluster *c)
{
	struct ask *a, *next;

	for (a = ask_next(c, NULL); a != NULL; a = next) {
		next = ask_next(c, a);
		ask_free(a);
	}
	table_free(&c->asks);
}
