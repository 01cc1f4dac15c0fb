/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/fake_group.h"
#include "ctl/fake_memory.h"

#define FIRST_ID 7001u /* so that an index is no id */
#define COOKIE_ROOM 512u
#define TEXT_ROOM 32u
#define FLAGS (HOSTD_PEER_DOWN | HOSTD_PEER_DRAINING)

struct server {
	uint32_t flags, weight, share, inflight;
	int there; /* as the test has it */
	int known; /* as the balancer was told last */
	uint32_t known_flags;
};

struct fake_group {
	LIST_ENTRY(fake_group) entry;
	struct fake *fake;
	const struct hostd_balancer_ops *ops;
	void *data;
	struct server servers[FAKE_SERVERS];
	uint32_t out; /* picks that were not reported */
	uint64_t seed;
};

static LIST_HEAD(, fake_group) groups = LIST_HEAD_INITIALIZER(groups);

/* -- the host's table -- */

static struct fake_group *
group_of(const struct fake *f, const void *data)
{
	struct fake_group *g;

	LIST_FOREACH(g, &groups, entry)
		if (g->fake == f && g->data == data)
			return g;
	return NULL;
}

static int32_t
fake_load_of(const struct hostd_host *host, const void *data,
    const uint32_t *ids, uint32_t n, hostd_peer_load *out)
{
	struct fake *f = fake_called(host, "load");
	struct fake_group *g = group_of(f, data);
	uint32_t i, at;

	if (g == NULL)
		check_fail("load: group is not the d of a group of this "
			   "instance");
	if (n > 0 && (ids == NULL || out == NULL))
		check_fail("load: ids or out is NULL");
	memset(out, 0, n * sizeof(*out));
	for (i = 0; i < n; i++) {
		at = ids[i] - FIRST_ID;
		if (at >= FAKE_SERVERS || !g->servers[at].there)
			continue;
		out[i].inflight = g->servers[at].inflight;
		out[i].latency_us = at % 3 == 0 ? 0 : at * 997;
	}
	return HOSTD_OK;
}

const struct hostd_balancer_api fake_balancer_api = {
    .struct_size = sizeof(struct hostd_balancer_api),
    .load = fake_load_of,
};

/* -- groups -- */

struct fake_group *
fake_group_open(struct fake *f)
{
	struct fake_group *g = hidden_alloc(sizeof(*g));

	g->fake = f;
	g->ops = module_provides(f->m, HOSTD_KIND_BALANCER)->balancer;
	g->data = guard_alloc(g->ops->data_size, "the d of a group");
	g->seed = 1;
	LIST_INSERT_HEAD(&groups, g, entry);
	fake_group_update(g);
	return g;
}

void
fake_group_close(struct fake_group *g)
{
	if (g->out != 0)
		check_fail("the case has not reported %u picks", g->out);
	if (g->ops->close != NULL) {
		fake_enter(g->fake, "close", NULL);
		g->ops->close(g->fake->inst, g->data);
		fake_leave(g->fake);
	}
	LIST_REMOVE(g, entry);
	guard_retire(g->data);
	hidden_free(g, sizeof(*g));
}

void
fake_group_set(struct fake_group *g, unsigned i, uint32_t flags,
    uint32_t weight, uint32_t share)
{
	struct server *s = &g->servers[i];

	s->there = 1;
	s->flags = flags;
	s->weight = weight;
	s->share = share;
}

void
fake_group_unset(struct fake_group *g, unsigned i)
{
	g->servers[i].there = 0;
}

static void
peer_fill(
    struct hostd_peer *p, const struct server *s, uint32_t i, char *text)
{
	(void)snprintf(text, TEXT_ROOM, "192.0.%u.%u:3000", i / 250,
	    i % 250 + 1);
	p->struct_size = sizeof(*p);
	p->flags = s->flags;
	p->id = FIRST_ID + i;
	p->weight = s->weight;
	p->share = s->share;
	p->name.p = p->addr.p = text;
	p->name.n = p->addr.n = strlen(text);
}

/* In three pieces of memory: there are only so many. */
static const struct hostd_peer **
lend_peers(const struct fake_group *g, uint32_t *n)
{
	const struct hostd_peer **list;
	struct hostd_peer *peers;
	char *texts;
	uint32_t i;

	for (*n = 0, i = 0; i < FAKE_SERVERS; i++)
		*n += (uint32_t)g->servers[i].there;
	list = fake_lend((*n + 1) * sizeof(*list));
	peers = fake_lend((*n + 1) * sizeof(*peers));
	texts = fake_lend((*n + 1) * TEXT_ROOM);
	for (*n = 0, i = 0; i < FAKE_SERVERS; i++)
		if (g->servers[i].there) {
			list[*n] = &peers[*n];
			peer_fill(&peers[*n], &g->servers[i], i,
			    texts + *n * TEXT_ROOM);
			++*n;
		}
	return list;
}

void
fake_group_update(struct fake_group *g)
{
	uint32_t i, n;
	int32_t rc;

	fake_enter(g->fake, "update", NULL);
	rc = g->ops->update(g->fake->inst, g->data, lend_peers(g, &n));
	fake_leave(g->fake);
	if (rc < 0)
		check_fail("update of %u servers returned %d", n, rc);
	for (i = 0; i < FAKE_SERVERS; i++) {
		g->servers[i].known = g->servers[i].there;
		g->servers[i].known_flags = g->servers[i].flags;
	}
}

/* -- requests -- */

static struct hostd_request *
lend_request(const char *cookies)
{
	struct hostd_request *q = fake_lend(sizeof(*q));
	hostd_hdr *h = fake_lend(3 * sizeof(*h));

	q->struct_size = sizeof(*q);
	q->method = HOSTD_METHOD_GET;
	q->method_name = fake_lend_text("GET");
	q->target = fake_lend_text("/check?id=4711");
	q->path = fake_lend_text("/check");
	q->rest = fake_lend_text("");
	q->query = fake_lend_text("id=4711");
	q->host = fake_lend_text("check.example");
	q->peer = fake_lend_text("192.0.2.77");
	h[0].name = fake_lend_text("Host");
	h[0].value = fake_lend_text("check.example");
	q->nheaders = 1;
	if (cookies != NULL) {
		h[1].name = fake_lend_text("Cookie");
		h[1].value = fake_lend_text(cookies);
		q->nheaders = 2;
	}
	q->headers = h;
	return q;
}

static void
find_key(struct fake_search *s)
{
	struct fake_group *g = s->group;
	char *room;
	hostd_buf out = {NULL, 0};
	int32_t rc;

	if (g->ops->key == NULL || (s->flags & HOSTD_PICK_STREAM) != 0)
		return;
	fake_enter(g->fake, "key", NULL);
	room = fake_lend(HOSTD_BALANCER_ROOM);
	rc = g->ops->key(g->fake->inst, g->data,
	    lend_request(s->cookies[0] == '\0' ? NULL : s->cookies), room,
	    &out);
	if (rc == HOSTD_OK) {
		if (out.p == NULL)
			check_fail("key returned HOSTD_OK and no key");
		if (out.n > sizeof(s->key))
			out.n = sizeof(s->key);
		memcpy(s->key, out.p, out.n);
		s->sticks.p = s->key;
		s->sticks.n = out.n;
	} else if (rc != HOSTD_PASS)
		check_fail("key returned %d instead of HOSTD_OK or "
			   "HOSTD_PASS",
		    rc);
	fake_leave(g->fake);
}

void
fake_search_start(struct fake_search *s, struct fake_group *g,
    const char *cookies, uint32_t flags)
{
	memset(s, 0, sizeof(*s));
	s->group = g;
	s->flags = flags;
	if (cookies != NULL)
		(void)snprintf(
		    s->cookies, sizeof(s->cookies), "%s", cookies);
	find_key(s);
}

static int
is_tried(const struct fake_search *s, uint32_t i)
{
	uint32_t n;

	for (n = 0; n < s->ntried; n++)
		if (s->tried[n] == FIRST_ID + i)
			return 1;
	return 0;
}

static const struct hostd_pick *
lend_pick(struct fake_search *s)
{
	struct hostd_pick *k = fake_lend(sizeof(*k));
	static const unsigned char client[4] = {192, 0, 2, 77};
	uint64_t *seed = &s->group->seed;

	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	k->struct_size = sizeof(*k);
	k->flags = s->flags | (s->ntried > 0 ? HOSTD_PICK_RETRY : 0);
	k->tried = fake_lend_copy(s->tried, s->ntried * sizeof(*s->tried)).p;
	k->ntried = s->ntried;
	k->random = *seed ^ *seed >> 31;
	if (s->sticks.p != NULL)
		k->key = fake_lend_copy(s->sticks.p, s->sticks.n);
	k->client = fake_lend_copy(client, sizeof(client));
	return k;
}

static void
judge_pick(const struct fake_search *s, uint32_t id)
{
	uint32_t i = id - FIRST_ID;
	const struct server *v;

	if (i >= FAKE_SERVERS || !s->group->servers[i].known)
		check_fail("pick chose %u, which is no server of the last "
			   "update",
		    id);
	v = &s->group->servers[i];
	if ((v->known_flags & HOSTD_PEER_DOWN) != 0)
		check_fail("pick chose a server that is down");
	if ((v->known_flags & HOSTD_PEER_DRAINING) != 0 && s->sticks.p == NULL)
		check_fail("pick chose a server that is draining for a "
			   "request without a key");
	if (is_tried(s, i))
		check_fail("pick chose a server that is in tried");
}

static void
judge_full(const struct fake_search *s)
{
	uint32_t i;

	for (i = 0; i < FAKE_SERVERS; i++)
		if (s->group->servers[i].known && !is_tried(s, i) &&
		    (s->group->servers[i].known_flags & FLAGS) == 0)
			check_fail("pick returned HOSTD_E_FULL though there "
				   "was a server");
}

int
fake_search_pick(struct fake_search *s)
{
	struct fake_group *g = s->group;
	uint32_t id = 0;
	int32_t rc;

	fake_enter(g->fake, "pick", NULL);
	rc = g->ops->pick(g->fake->inst, g->data, lend_pick(s), &id);
	fake_leave(g->fake);
	if (rc == HOSTD_E_FULL) {
		judge_full(s);
		return 0;
	}
	if (rc != HOSTD_OK)
		check_fail("pick returned %d instead of HOSTD_OK or "
			   "HOSTD_E_FULL",
		    rc);
	judge_pick(s, id);
	s->tried[s->ntried++] = s->last = id;
	g->servers[id - FIRST_ID].inflight++;
	g->out++;
	return 1;
}

/* -- answers -- */

/* "name=value; ..." -> the next request's. */
static void
take_cookie(struct fake_search *s, hostd_buf line)
{
	const unsigned char *p = line.p;
	size_t i;

	if (line.p == NULL || line.n == 0 || line.n > COOKIE_ROOM)
		check_fail("cookie returned HOSTD_OK and no cookie");
	for (i = 0; i < line.n; i++)
		if (p[i] < ' ' || p[i] == 0x7f)
			check_fail("cookie: a control byte in the value");
	for (i = 0; i < line.n && p[i] != ';'; i++)
		;
	if (memchr(p, '=', i) == NULL)
		check_fail("cookie: \"%.*s\" has no name", (int)i,
		    (const char *)p);
	(void)snprintf(s->cookies, sizeof(s->cookies), "%.*s", (int)i,
	    (const char *)p);
}

static void
head_comes(struct fake_search *s, int32_t status)
{
	struct fake_group *g = s->group;
	hostd_buf out = {NULL, 0};
	hostd_hdr *h;
	char *room;

	if (g->ops->answered != NULL) {
		fake_enter(g->fake, "answered", NULL);
		h = fake_lend(sizeof(*h));
		h->name = fake_lend_text("set-cookie");
		h->value = fake_lend_text("sid=4711; Path=/");
		g->ops->answered(g->fake->inst, g->data, s->last, lend_pick(s),
		    status, h, 1);
		fake_leave(g->fake);
	}
	if (g->ops->cookie == NULL)
		return;
	fake_enter(g->fake, "cookie", NULL);
	room = fake_lend(COOKIE_ROOM);
	if (g->ops->cookie(g->fake->inst, g->data, s->last, lend_pick(s), room,
		COOKIE_ROOM, &out) == HOSTD_OK)
		take_cookie(s, out);
	fake_leave(g->fake);
}

void
fake_search_report(struct fake_search *s, int32_t rc, int32_t status)
{
	struct fake_group *g = s->group;
	struct hostd_report *r;

	if (status != 0)
		head_comes(s, status);
	g->servers[s->last - FIRST_ID].inflight--;
	g->out--;
	if (g->ops->report == NULL)
		return;
	fake_enter(g->fake, "report", NULL);
	r = fake_lend(sizeof(*r));
	r->struct_size = sizeof(*r);
	r->rc = rc;
	r->status = status;
	r->connect_us = s->last % 2 * 120;
	r->header_us = status == 0 ? 0 : 1500;
	r->total_us = 2000;
	g->ops->report(g->fake->inst, g->data, s->last, r);
	fake_leave(g->fake);
}
