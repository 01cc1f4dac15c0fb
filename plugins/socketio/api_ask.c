/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.socketio/1: questions to many, and what comes of them. */
#include <stdlib.h>
#include <string.h>
#include <hostd/json.h>
#include "api.h"
#include "cluster.h"

/* One question, from the call to done. */
struct asking {
	LIST_ENTRY(asking) link;
	struct app *app;		/* NULL: nobody wants the answer */
	void *arg;
	void (*each)(struct hostd_inst *, void *arg,
	    const struct hostd_sio_args *);
	void (*counted)(struct hostd_inst *, void *arg, int32_t status,
	    uint32_t asked, uint32_t answered);
	void (*fetched)(struct hostd_inst *, void *arg, int32_t status,
	    const struct hostd_sio_remote *, uint32_t n);
	void (*listed)(struct hostd_inst *, void *arg, int32_t status,
	    hostd_buf rooms);
	uint32_t asked, answered;
	struct remote *sockets;
	uint32_t nsockets, size_sockets;
	struct table rooms;
	int failed;			/* no memory for all of it */
};

/* A socket that was fetched: one block. */
struct remote {
	struct hostd_sio_remote r;
	char *bytes;
};

struct room_name {
	struct table_entry entry;
	char text[];
};

static struct asking *
asking_new(const struct hostd_sio_api *api, void *arg)
{
	struct asking *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return NULL;
	q->app = api_app(api);
	q->arg = arg;
	LIST_INSERT_HEAD(&q->app->in->apps->asking, q, link);
	return q;
}

static void
asking_free(struct asking *q)
{
	struct table_entry *e, *next;
	uint32_t i;

	for (i = 0; i < q->nsockets; i++)
		free(q->sockets[i].bytes);
	free(q->sockets);
	for (e = table_next(&q->rooms, NULL); e != NULL; e = next) {
		next = table_next(&q->rooms, e);
		table_remove(&q->rooms, e);
		free(TABLE_OF(e, struct room_name, entry));
	}
	table_free(&q->rooms);
	LIST_REMOVE(q, link);
	free(q);
}

void
api_forget_asking(const struct app *a)
{
	struct asking *q;

	LIST_FOREACH(q, &a->in->apps->asking, link)
		if (q->app == a)
			q->app = NULL;
}

void
apis_destroy(struct hostd_inst *in)
{
	struct asking *q;

	while ((q = LIST_FIRST(&in->apps->asking)) != NULL)
		asking_free(q);
}

/* -- replies -- */

static hostd_buf
take(char **to, hostd_buf from)
{
	hostd_buf b = { *to, from.n };

	if (from.n > 0)
		memcpy(*to, from.p, from.n);
	*to += from.n;
	return b;
}

static int
add_socket(struct asking *q, const struct hostd_sio_remote *r)
{
	uint32_t size = q->size_sockets == 0 ? 16 : q->size_sockets * 2;
	struct remote *p;
	char *to;

	if (q->nsockets == q->size_sockets) {
		if ((p = realloc(q->sockets, size * sizeof(*p))) == NULL)
			return -1;
		q->sockets = p;
		q->size_sockets = size;
	}
	p = &q->sockets[q->nsockets];
	to = malloc(r->id.n + r->rooms.n + r->data.n + r->handshake.n + 1);
	if ((p->bytes = to) == NULL)
		return -1;
	memset(&p->r, 0, sizeof(p->r));
	p->r.struct_size = sizeof(p->r);
	p->r.id = take(&to, r->id);
	p->r.rooms = take(&to, r->rooms);
	p->r.data = take(&to, r->data);
	p->r.handshake = take(&to, r->handshake);
	q->nsockets++;
	return 0;
}

/* A JSON array of names, of which some may be there already. */
static int
add_rooms(struct asking *q, hostd_buf array)
{
	struct hostd_json_walk w = hostd_json_walk(array);
	struct room_name *name;
	hostd_buf value;

	while (hostd_json_next(&w, &value)) {
		if (table_find(&q->rooms, value) != NULL)
			continue;
		if ((name = malloc(sizeof(*name) + value.n)) == NULL)
			return -1;
		memcpy(name->text, value.p, value.n);
		name->entry.name.p = name->text;
		name->entry.name.n = value.n;
		if (table_add(&q->rooms, &name->entry) == -1) {
			free(name);
			return -1;
		}
	}
	return 0;
}

static void
tell_each(struct asking *q, const struct hostd_sio_args *args)
{
	struct hostd_inst *user;

	q->answered++;
	if (q->each == NULL || (user = app_enter(q->app)) == NULL)
		return;
	q->each(user, q->arg, args);
	app_leave(q->app);
}

static void
on_reply(struct hostd_inst *in, void *arg, const struct hostd_sio_reply *r)
{
	struct asking *q = arg;
	uint32_t i;

	(void)in;
	if (q->app == NULL)
		return;
	q->asked += r->clients;
	for (i = 0; i < r->nsockets && !q->failed; i++)
		q->failed = add_socket(q, &r->sockets[i]) == -1;
	if (r->rooms.n > 0 && !q->failed)
		q->failed = add_rooms(q, r->rooms) == -1;
	if (r->args != NULL)
		tell_each(q, r->args);
}

/* -- done -- */

static void
tell_fetched(const struct asking *q, struct hostd_inst *user, int32_t status)
{
	struct hostd_sio_remote *all;
	uint32_t i;

	if ((all = calloc(q->nsockets + 1, sizeof(*all))) == NULL) {
		q->fetched(user, q->arg, HOSTD_E_NOMEM, NULL, 0);
		return;
	}
	for (i = 0; i < q->nsockets; i++)
		all[i] = q->sockets[i].r;
	q->fetched(user, q->arg, status, all, q->nsockets);
	free(all);
}

static void
tell_listed(const struct asking *q, struct hostd_inst *user, int32_t status)
{
	const struct table_entry *e = NULL;
	struct hostd_json j = { NULL, 0, 0, 0 };
	hostd_buf all;

	hostd_json_begin(&j, '[');
	while ((e = table_next(&q->rooms, e)) != NULL)
		hostd_json_raw(&j, e->name);
	hostd_json_end(&j, ']');
	all = hostd_json_done(&j);
	q->listed(user, q->arg, all.p == NULL ? HOSTD_E_NOMEM : status, all);
	hostd_json_free(&j);
}

static void
on_done(struct hostd_inst *in, void *arg, int32_t status)
{
	struct asking *q = arg;
	struct hostd_inst *user = app_enter(q->app);

	(void)in;
	if (q->failed)
		status = HOSTD_E_NOMEM;
	if (user != NULL) {
		if (q->counted != NULL)
			q->counted(user, q->arg, status, q->asked > q->answered
			    ? q->asked : q->answered, q->answered);
		else if (q->fetched != NULL)
			tell_fetched(q, user, status);
		else if (q->listed != NULL)
			tell_listed(q, user, status);
		app_leave(q->app);
	}
	asking_free(q);
}

/* The question is the caller's but for `to`; q NULL: no memory. */
static int32_t
ask(struct hostd_inst *in, struct asking *q, const struct hostd_sio_to *from,
    struct hostd_sio_question *question)
{
	struct hostd_sio_to to;
	int32_t rc;

	if (q == NULL)
		return HOSTD_E_NOMEM;
	question->struct_size = sizeof(*question);
	question->to = &to;
	if ((rc = api_to(in, from, &to)) == HOSTD_OK)
		rc = cluster_ask(in, question, on_reply, on_done, q);
	if (rc < 0)
		asking_free(q);
	return rc;
}

static int32_t
ask_counted(const struct hostd_sio_api *api, uint32_t type,
    const struct hostd_sio_to *to, hostd_buf name,
    const struct hostd_sio_args *args, uint32_t timeout_ms,
    void (*each)(struct hostd_inst *, void *, const struct hostd_sio_args *),
    void (*done)(struct hostd_inst *, void *, int32_t, uint32_t, uint32_t),
    void *arg)
{
	struct hostd_sio_question question = {
		.type = type,
		.name = name,
		.timeout_ms = timeout_ms,
	};
	struct asking *q;

	if (done == NULL || api_event(api_app(api)->in, name, &args) !=
	    HOSTD_OK)
		return HOSTD_E_INVAL;
	question.args = args;
	if ((q = asking_new(api, arg)) != NULL) {
		q->each = each;
		q->counted = done;
	}
	return ask(api_app(api)->in, q, to, &question);
}

static int32_t
api_ask_all(const struct hostd_sio_api *api, const struct hostd_sio_to *to,
    hostd_buf name, const struct hostd_sio_args *args, uint32_t timeout_ms,
    void (*each)(struct hostd_inst *, void *, const struct hostd_sio_args *),
    void (*done)(struct hostd_inst *, void *, int32_t, uint32_t, uint32_t),
    void *arg)
{
	return ask_counted(api, HOSTD_SIO_ASK_CLIENTS, to, name, args,
	    timeout_ms, each, done, arg);
}

static int32_t
api_server_ask(const struct hostd_sio_api *api, hostd_buf nsp,
    hostd_buf name, const struct hostd_sio_args *args, uint32_t timeout_ms,
    void (*each)(struct hostd_inst *, void *, const struct hostd_sio_args *),
    void (*done)(struct hostd_inst *, void *, int32_t, uint32_t, uint32_t),
    void *arg)
{
	struct hostd_sio_to to = {
		.struct_size = sizeof(to),
		.nsp = nsp,
	};

	return ask_counted(api, HOSTD_SIO_ASK_SERVERS, &to, name, args,
	    timeout_ms, each, done, arg);
}

static int32_t
api_fetch_sockets(const struct hostd_sio_api *api,
    const struct hostd_sio_to *to, void (*done)(struct hostd_inst *, void *,
    int32_t, const struct hostd_sio_remote *, uint32_t), void *arg)
{
	struct hostd_sio_question question = { .type = HOSTD_SIO_ASK_SOCKETS };
	struct asking *q;

	if (done == NULL)
		return HOSTD_E_INVAL;
	if ((q = asking_new(api, arg)) != NULL)
		q->fetched = done;
	return ask(api_app(api)->in, q, to, &question);
}

static int32_t
api_all_rooms(const struct hostd_sio_api *api, hostd_buf nsp,
    void (*done)(struct hostd_inst *, void *, int32_t, hostd_buf), void *arg)
{
	struct hostd_sio_question question = { .type = HOSTD_SIO_ASK_ROOMS };
	struct hostd_sio_to to = {
		.struct_size = sizeof(to),
		.nsp = nsp,
	};
	struct asking *q;

	if (done == NULL)
		return HOSTD_E_INVAL;
	if ((q = asking_new(api, arg)) != NULL)
		q->listed = done;
	return ask(api_app(api)->in, q, &to, &question);
}

void
api_fill_ask(struct hostd_sio_api *api)
{
	api->ask_all = api_ask_all;
	api->server_ask = api_server_ask;
	api->fetch_sockets = api_fetch_sockets;
	api->all_rooms = api_all_rooms;
}
