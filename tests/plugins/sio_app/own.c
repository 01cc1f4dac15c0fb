/* SPDX-License-Identifier: BSD-2-Clause */
/* Events that are about the socket that sends them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "app.h"

#define ASK_MS		20000
#define SHORT_MS	1500

static hostd_buf
header(const struct hostd_sio_info *info, const char *name)
{
	uint32_t i;

	for (i = 0; i < info->nheaders; i++)
		if (is_same(info->headers[i].name, name))
			return info->headers[i].value;
	return hostd_str(NULL);
}

void
do_back(struct call *c)
{
	ack(c, c->args);
}

void
do_echo(struct call *c)
{
	(void)c->sio->emit(c->sio, c->s, 0, hostd_str("echo"), c->args);
	ack(c, c->args);
}

void
do_twice(struct call *c)
{
	hostd_buf again = hostd_str("\"again\"");

	ack(c, c->args);
	ack_list(c->sio, c->ack, &again, 1);
}

void
do_rooms(struct call *c)
{
	struct hostd_json j = {NULL, 0, 0, 0};
	hostd_buf list;

	if (c->sio->rooms(c->sio, c->s, &list) == HOSTD_OK)
		put_sorted(&j, list, hostd_str(NULL));
	ack_json(c->sio, c->ack, &j);
}

void
do_whoami(struct call *c)
{
	struct hostd_json j = {NULL, 0, 0, 0};
	const struct hostd_sio_info *info = c->info;
	hostd_buf test = header(info, "x-test");

	hostd_json_begin(&j, '{');
	put_name(&j, "id", info->id);
	put_name(&j, "nsp", info->nsp);
	put_flag(&j, "recovered", c->seat->recovered);
	put_auth(&j, info->auth);
	hostd_json_key(&j, "query");
	hostd_json_begin(&j, '{');
	put_query(&j, info->query, "EIO");
	put_query(&j, info->query, "transport");
	put_query(&j, info->query, "name");
	hostd_json_end(&j, '}');
	if (test.p == NULL)
		put_member(&j, "header", hostd_str("null"));
	else
		put_name(&j, "header", test);
	put_member(&j, "data", info->data);
	put_flag(&j, "xdomain", header(info, "origin").p != NULL);
	put_flag(&j, "secure", 0);
	hostd_json_end(&j, '}');
	ack_json(c->sio, c->ack, &j);
}

static void
asked(struct hostd_inst *in, void *arg, int32_t status,
    const struct hostd_sio_args *args)
{
	hostd_sio_ack to = {(uintptr_t)arg};

	ack_status(in->sio, to, status, args);
}

static void
ask(struct call *c, uint32_t ms)
{
	(void)c->sio->ask(c->sio, c->s, 0, hostd_str("question"), c->args, ms,
	    asked, (void *)(uintptr_t)c->ack.id);
}

void
do_ask(struct call *c)
{
	ask(c, ASK_MS);
}

void
do_askshort(struct call *c)
{
	ask(c, SHORT_MS);
}

void
do_asklong(struct call *c)
{
	ask(c, 0);
}

static void
ack_pid(struct hostd_inst *in, hostd_sio_ack to)
{
	char text[24];
	hostd_buf v;

	(void)snprintf(text, sizeof(text), "%ld", (long)getpid());
	v = hostd_str(text);
	ack_list(in->sio, to, &v, 1);
}

void
do_pid(struct call *c)
{
	ack_pid(c->in, c->ack);
}

static void
is_later(struct hostd_inst *in, hostd_timer timer, void *arg)
{
	(void)timer;
	ack_pid(in, (hostd_sio_ack){(uintptr_t)arg});
}

void
do_later(struct call *c)
{
	hostd_timer timer;
	int64_t ms = 0;

	if (c->args->n > 0)
		(void)hostd_json_int(c->args->v[0], &ms);
	(void)c->in->timer->start(c->in->easy.host, (uint64_t)ms, 0, is_later,
	    (void *)(uintptr_t)c->ack.id, &timer);
}

void
do_join(struct call *c)
{
	struct names names;
	uint32_t i;

	read_names(c, 0, &names);
	for (i = 0; i < names.n; i++)
		(void)c->sio->join(c->sio, c->s, names.v[i]);
}

void
do_leave(struct call *c)
{
	struct names names;
	uint32_t i;

	read_names(c, 0, &names);
	for (i = 0; i < names.n; i++)
		(void)c->sio->leave(c->sio, c->s, names.v[i]);
}

void
do_many(struct call *c)
{
	hostd_buf v[NAMES_MAX];
	struct hostd_sio_args args = {.struct_size = sizeof(args), .v = v,
	    .bins = c->args->bins, .nbins = c->args->nbins};
	char number[24];
	int64_t i, n = 0;

	if (c->args->n == 0 || c->args->n > NAMES_MAX)
		return;
	(void)hostd_json_int(c->args->v[0], &n);
	memcpy(v, c->args->v, c->args->n * sizeof(v[0]));
	args.n = c->args->n;
	for (i = 0; i < n; i++) {
		(void)snprintf(number, sizeof(number), "%lld", (long long)i);
		v[0] = hostd_str(number);
		(void)c->sio->emit(c->sio, c->s, 0, hostd_str("item"), &args);
	}
}

void
do_setdata(struct call *c)
{
	struct hostd_json j = {NULL, 0, 0, 0};

	hostd_json_begin(&j, '{');
	put_member(&j, "x", c->args->n > 0 ? c->args->v[0] : hostd_str(NULL));
	hostd_json_end(&j, '}');
	(void)c->sio->set_data(c->sio, c->s, hostd_json_done(&j));
	hostd_json_free(&j);
}

void
do_bye(struct call *c)
{
	(void)c->sio->disconnect(c->sio, c->s, is_true(c, 0));
}
