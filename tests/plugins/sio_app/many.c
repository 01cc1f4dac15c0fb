/* SPDX-License-Identifier: BSD-2-Clause */
/* Events that are about many sockets, or other servers. */
#include <stdlib.h>
#include "app.h"

#define ASK_MS		20000
#define SHORT_MS	1500
#define SERVERS_MS	20000

static struct hostd_sio_to
to_rooms(const struct call *c, const struct names *names)
{
	struct hostd_sio_to to = {.struct_size = sizeof(to),
	    .nsp = c->info->nsp, .rooms = names->v, .nrooms = names->n};

	return to;
}

static void
ask_all(struct call *c, uint32_t ms)
{
	struct poll *poll = poll_new(c->ack);
	struct names names;
	struct hostd_sio_to to;

	if (poll == NULL)
		return;
	read_names(c, 0, &names);
	to = to_rooms(c, &names);
	if (c->sio->ask_all(c->sio, &to, hostd_str("question"), &c->rest,
	    ms, poll_came, poll_done, poll) < 0)
		poll_free(poll);
}

void
do_askall(struct call *c)
{
	ask_all(c, ASK_MS);
}

void
do_askallshort(struct call *c)
{
	ask_all(c, SHORT_MS);
}

static int
compare_remotes(const void *a, const void *b)
{
	const struct hostd_sio_remote *const *x = a, *const *y = b;

	return compare(&(*x)->id, &(*y)->id);
}

static void
fetched(struct hostd_inst *in, void *arg, int32_t status,
    const struct hostd_sio_remote *sockets, uint32_t n)
{
	const struct hostd_sio_remote *sorted[NAMES_MAX];
	struct hostd_json j = {NULL, 0, 0, 0};
	hostd_sio_ack to = {(uintptr_t)arg};
	uint32_t i;

	(void)status;
	for (i = 0; i < n && i < NAMES_MAX; i++)
		sorted[i] = &sockets[i];
	n = i;
	qsort(sorted, n, sizeof(sorted[0]), compare_remotes);
	hostd_json_begin(&j, '[');
	for (i = 0; i < n; i++) {
		hostd_json_begin(&j, '{');
		put_name(&j, "id", sorted[i]->id);
		hostd_json_key(&j, "rooms");
		hostd_json_comma(&j);
		put_sorted(&j, sorted[i]->rooms, hostd_str(NULL));
		put_member(&j, "data", sorted[i]->data);
		hostd_json_end(&j, '}');
	}
	hostd_json_end(&j, ']');
	ack_json(in->sio, to, &j);
}

void
do_fetch(struct call *c)
{
	struct names names;
	struct hostd_sio_to to;

	read_names(c, 0, &names);
	to = to_rooms(c, &names);
	(void)c->sio->fetch_sockets(c->sio, &to, fetched,
	    (void *)(uintptr_t)c->ack.id);
}

static int32_t
say(struct call *c, uint32_t flags, hostd_sio but)
{
	struct names names;
	struct hostd_sio_to to;

	read_names(c, 0, &names);
	to = to_rooms(c, &names);
	to.flags = flags;
	to.but = but;
	return c->sio->broadcast(c->sio, &to, hostd_str("said"), &c->rest);
}

void
do_say(struct call *c)
{
	say(c, 0, (hostd_sio){0});
}

void
do_saystatus(struct call *c)
{
	struct hostd_json j = {NULL, 0, 0, 0};

	hostd_json_int64(&j, say(c, 0, (hostd_sio){0}));
	ack_json(c->sio, c->ack, &j);
}

void
do_others(struct call *c)
{
	say(c, 0, c->s);
}

void
do_local(struct call *c)
{
	say(c, HOSTD_SIO_LOCAL, (hostd_sio){0});
}

void
do_volatile(struct call *c)
{
	say(c, HOSTD_SIO_VOLATILE, (hostd_sio){0});
}

void
do_except(struct call *c)
{
	struct hostd_sio_args rest = c->rest;
	struct names names, not;
	struct hostd_sio_to to;

	read_names(c, 0, &names);
	read_names(c, 1, &not);
	to = to_rooms(c, &names);
	to.except = not.v;
	to.nexcept = not.n;
	rest.v++;
	rest.n--;
	(void)c->sio->broadcast(c->sio, &to, hostd_str("said"), &rest);
}

void
do_joinall(struct call *c)
{
	struct names from, to;
	struct hostd_sio_to who;

	read_names(c, 0, &from);
	read_names(c, 1, &to);
	who = to_rooms(c, &from);
	(void)c->sio->sockets_join(c->sio, &who, to.v, to.n);
}

void
do_leaveall(struct call *c)
{
	struct names from, to;
	struct hostd_sio_to who;

	read_names(c, 0, &from);
	read_names(c, 1, &to);
	who = to_rooms(c, &from);
	(void)c->sio->sockets_leave(c->sio, &who, to.v, to.n);
}

void
do_kick(struct call *c)
{
	struct names names;
	struct hostd_sio_to to;

	read_names(c, 0, &names);
	to = to_rooms(c, &names);
	(void)c->sio->disconnect_sockets(c->sio, &to, is_true(c, 1));
}

void
do_sse(struct call *c)
{
	(void)c->sio->server_emit(c->sio, c->info->nsp, hostd_str("sse"),
	    c->args);
}

void
do_sseask(struct call *c)
{
	struct poll *poll = poll_new(c->ack);

	if (poll != NULL && c->sio->server_ask(c->sio, c->info->nsp,
	    hostd_str("asked"), c->args, SERVERS_MS, poll_came, poll_done,
	    poll) < 0)
		poll_free(poll);
}
