/* SPDX-License-Identifier: BSD-2-Clause */
/* Events that are about many sockets, or other servers. */
#include <stdlib.h>
#include "app.h"

#define ASK_MS		1500
#define LONG_MS		20000
#define SERVERS_MS	2000

/* Who is asked, and what was answered. */
struct poll {
	hostd_sio_ack ack;
	struct hostd_json answers;
};

static struct hostd_sio_to
to_rooms(const struct call *c, const struct names *names)
{
	struct hostd_sio_to to = {.struct_size = sizeof(to),
	    .nsp = c->info->nsp, .rooms = names->v, .nrooms = names->n};

	return to;
}

static void
one_answered(struct hostd_inst *in, void *arg,
    const struct hostd_sio_args *args)
{
	struct poll *poll = arg;

	(void)in;
	hostd_json_raw(&poll->answers, args != NULL && args->n > 0 ?
	    args->v[0] : hostd_str("null"));
}

static void
all_answered(struct hostd_inst *in, void *arg, int32_t status,
    uint32_t n_asked, uint32_t n_answered)
{
	struct poll *poll = arg;
	hostd_buf list;
	struct hostd_sio_args args = {.struct_size = sizeof(args), .n = 1,
	    .v = &list};

	(void)n_asked;
	(void)n_answered;
	hostd_json_end(&poll->answers, ']');
	list = hostd_json_done(&poll->answers);
	ack_status(in->sio, poll->ack, status, &args);
	hostd_json_free(&poll->answers);
	free(poll);
}

static void
ask_all(struct call *c, uint32_t ms)
{
	struct poll *poll = calloc(1, sizeof(*poll));
	struct names names;
	struct hostd_sio_to to;

	if (poll == NULL)
		return;
	read_names(c, 0, &names);
	to = to_rooms(c, &names);
	poll->ack = c->ack;
	hostd_json_begin(&poll->answers, '[');
	if (c->sio->ask_all(c->sio, &to, hostd_str("question"), &c->rest,
	    ms, one_answered, all_answered, poll) < 0) {
		hostd_json_free(&poll->answers);
		free(poll);
	}
}

void
do_askall(struct call *c)
{
	ask_all(c, ASK_MS);
}

void
do_askalllong(struct call *c)
{
	ask_all(c, LONG_MS);
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

static void
say(struct call *c, uint32_t flags, hostd_sio but)
{
	struct names names;
	struct hostd_sio_to to;

	read_names(c, 0, &names);
	to = to_rooms(c, &names);
	to.flags = flags;
	to.but = but;
	(void)c->sio->broadcast(c->sio, &to, hostd_str("said"), &c->rest);
}

void
do_say(struct call *c)
{
	say(c, 0, (hostd_sio){0});
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
	struct poll *poll = calloc(1, sizeof(*poll));

	if (poll == NULL)
		return;
	poll->ack = c->ack;
	hostd_json_begin(&poll->answers, '[');
	if (c->sio->server_ask(c->sio, c->info->nsp, hostd_str("asked"),
	    c->args, SERVERS_MS, one_answered, all_answered, poll) < 0) {
		hostd_json_free(&poll->answers);
		free(poll);
	}
}
