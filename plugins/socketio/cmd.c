/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <hostd/json_write.h>
#include "api.h"
#include "cluster.h"
#include "cmd.h"

#define ROWS_MAX 1000		/* of one worker's answer */

/* -- answers -- */

/* What was made is the result. */
static int32_t
finish(struct hostd_inst *in, hostd_op op, struct hostd_json *j)
{
	const struct hostd_easy *e = &in->easy;
	hostd_buf made = hostd_json_done(j);
	int32_t rc = HOSTD_E_NOTSUP;

	if (made.p == NULL)
		rc = HOSTD_E_NOMEM;
	else if (e->op != NULL && HOSTD_HAS(e->op, put))
		rc = e->op->put(e->host, op, made);
	hostd_json_free(j);
	return rc;
}

static int32_t
refuse(struct hostd_inst *in, hostd_op op, const char *why)
{
	const struct hostd_easy *e = &in->easy;

	if (e->op == NULL || !HOSTD_HAS(e->op, complete))
		return HOSTD_E_NOTSUP;
	return e->op->complete(e->host, op, HOSTD_E_INVAL, hostd_str(why));
}

static void
put_text(struct hostd_json *j, const char *name, hostd_buf text)
{
	hostd_json_key(j, name);
	if (text.p != NULL && hostd_json_is_utf8(text))
		hostd_json_strn(j, text);
	else
		hostd_json_str(j, NULL);
}

static void
put_number(struct hostd_json *j, const char *name, uint64_t n)
{
	hostd_json_key(j, name);
	hostd_json_int64(j, (int64_t)n);
}

/* Behind the last row. */
static void
end_rows(struct hostd_json *j, uint32_t left_out)
{
	hostd_json_end(j, ']');
	put_number(j, "left_out", left_out);
	hostd_json_end(j, '}');
}

static void
begin_rows(struct hostd_json *j, const char *name)
{
	hostd_json_begin(j, '{');
	hostd_json_key(j, name);
	hostd_json_begin(j, '[');
}

/* -- looking -- */

static int32_t
run_list(struct hostd_inst *in, uint32_t argc, const hostd_buf *argv,
    hostd_op op)
{
	struct hostd_json j = { NULL, 0, 0, 0 };
	const struct space *sp;
	uint32_t n = 0, left_out = 0;

	begin_rows(&j, "namespaces");
	for (sp = space_next(in, NULL); sp != NULL; sp = space_next(in, sp)) {
		if (argc > 0 && (space_name(sp).n != argv[0].n ||
		    memcmp(sp->name, argv[0].p, argv[0].n) != 0))
			continue;
		if (n++ >= ROWS_MAX) {
			left_out++;
			continue;
		}
		hostd_json_begin(&j, '{');
		put_text(&j, "nsp", space_name(sp));
		put_number(&j, "sockets", sp->n);
		put_number(&j, "rooms", sp->rooms.n);
		hostd_json_end(&j, '}');
	}
	end_rows(&j, left_out);
	return finish(in, op, &j);
}

/* But those of sockets' ids. */
static int
is_asked_for(const struct space *sp, hostd_buf name, uint32_t argc,
    const hostd_buf *argv)
{
	if (argc > 1 && (name.n < argv[1].n || memcmp(name.p, argv[1].p,
	    argv[1].n) != 0))
		return 0;
	return socket_find(sp, name) == NULL;
}

static int32_t
run_rooms(struct hostd_inst *in, uint32_t argc, const hostd_buf *argv,
    hostd_op op)
{
	const struct space *sp = space_find(in, argv[0]);
	struct hostd_json j = { NULL, 0, 0, 0 };
	const struct room *r = NULL;
	uint32_t n = 0, left_out = 0;

	begin_rows(&j, "rooms");
	while (sp != NULL && (r = room_next(sp, r)) != NULL) {
		if (!is_asked_for(sp, r->entry.name, argc, argv))
			continue;
		if (n++ >= ROWS_MAX) {
			left_out++;
			continue;
		}
		hostd_json_begin(&j, '{');
		put_text(&j, "room", r->entry.name);
		put_number(&j, "sockets", r->n);
		hostd_json_end(&j, '}');
	}
	end_rows(&j, left_out);
	return finish(in, op, &j);
}

static void
put_socket(struct hostd_json *j, const struct sio_socket *s)
{
	const struct eio_handshake *h = eio_handshake(s->client->eio);

	hostd_json_begin(j, '{');
	put_text(j, "id", hostd_str(s->id));
	put_text(j, "peer", h->peer);
	put_text(j, "transport", hostd_str(eio_transport(s->client->eio) ==
	    HOSTD_SIO_POLLING ? "polling" : "websocket"));
	put_text(j, "user", h->user);
	put_number(j, "rooms", socket_rooms(s, NULL, 0));
	put_number(j, "since", (uint64_t)h->time_ms);
	hostd_json_end(j, '}');
}

static void
to_room(struct hostd_sio_to *to, hostd_buf nsp, const hostd_buf *room)
{
	memset(to, 0, sizeof(*to));
	to->struct_size = sizeof(*to);
	to->nsp = nsp;
	to->rooms = room;
	to->nrooms = room != NULL;
}

static int32_t
run_sockets(struct hostd_inst *in, uint32_t argc, const hostd_buf *argv,
    hostd_op op)
{
	struct space *sp = space_find(in, argv[0]);
	struct hostd_json j = { NULL, 0, 0, 0 };
	struct sio_socket **v = NULL;
	struct hostd_sio_to to;
	int64_t i, n = 0;

	to_room(&to, argv[0], argc > 1 ? &argv[1] : NULL);
	if (sp != NULL && (n = space_select(sp, &to, &v)) < 0)
		return HOSTD_E_NOMEM;
	begin_rows(&j, "sockets");
	for (i = 0; i < n && i < ROWS_MAX; i++)
		if (v[i]->client != NULL)
			put_socket(&j, v[i]);
	end_rows(&j, n > ROWS_MAX ? (uint32_t)(n - ROWS_MAX) : 0);
	return finish(in, op, &j);
}

/* -- doing -- */

/* Returns how many there were; -1: no memory. */
static int64_t
put_out(struct hostd_inst *in, hostd_buf nsp, hostd_buf target)
{
	static const char prefix[] = "room:";
	const size_t skip = sizeof(prefix) - 1;
	struct space *sp = space_find(in, nsp);
	struct sio_socket **v;
	struct hostd_sio_to to;
	struct hostd_sio_order order = {
		.struct_size = sizeof(order),
		.type = HOSTD_SIO_DISCONNECT,
		.to = &to,
		.close = 1,
	};
	int64_t n = 0;

	if (target.n > skip && memcmp(target.p, prefix, skip) == 0) {
		target.p = (const char *)target.p + skip;
		target.n -= skip;
	}
	to_room(&to, nsp, &target);
	to.flags = HOSTD_SIO_LOCAL;
	if (sp != NULL && (n = space_select(sp, &to, &v)) > 0)
		cluster_do(in, &order);
	return n;
}

static int32_t
run_disconnect(struct hostd_inst *in, uint32_t argc, const hostd_buf *argv,
    hostd_op op)
{
	struct hostd_json j = { NULL, 0, 0, 0 };
	int64_t n, sum = 0;
	uint32_t i;

	for (i = 1; i < argc; i++, sum += n)
		if ((n = put_out(in, argv[0], argv[i])) < 0)
			return HOSTD_E_NOMEM;
	hostd_json_begin(&j, '{');
	put_number(&j, "disconnected", (uint64_t)sum);
	hostd_json_end(&j, '}');
	return finish(in, op, &j);
}

static int32_t
run_emit(struct hostd_inst *in, uint32_t argc, const hostd_buf *argv,
    hostd_op op)
{
	struct hostd_json j = { NULL, 0, 0, 0 };
	struct hostd_sio_args all = {
		.struct_size = sizeof(all),
		.n = argc - 3,
		.v = argv + 3,
	};
	const struct hostd_sio_args *args = &all;
	struct hostd_sio_to to;
	struct hostd_sio_order order = {
		.struct_size = sizeof(order),
		.type = HOSTD_SIO_BROADCAST,
		.to = &to,
		.name = argv[2],
	};
	int is_all = argv[1].n == 1 && *(const char *)argv[1].p == '*';

	to_room(&to, argv[0], is_all ? NULL : &argv[1]);
	if (api_nsp(&to.nsp) != HOSTD_OK ||
	    api_names(to.rooms, to.nrooms) != HOSTD_OK)
		return refuse(in, op, "a namespace begins with \"/\", and a "
		    "room has a name, or \"*\" is all");
	if (api_event(in, argv[2], &args) != HOSTD_OK)
		return refuse(in, op, "arguments are JSON, '\"text\"', say, "
		    "and the event's name none of Socket.IO's own");
	order.args = args;
	if (cluster_tell(in, &order) < 0)
		return refuse(in, op, "not all workers and machines could be "
		    "told; is it over 16 MiB, or what the log says?");
	hostd_json_raw(&j, hostd_str("{\"emitted\":true}"));
	return finish(in, op, &j);
}

#define LOOK (HOSTD_CMD_EVERY | HOSTD_CMD_JSON)
#define CMD(var, flags, name, usage, help, least, most)			\
	static const struct hostd_cmd cmd_##var = {			\
	    sizeof(struct hostd_cmd), flags, name, usage, help, least,	\
	    most, run_##var }

CMD(list, LOOK, "list", "[NSP]", "The namespaces, and how many are in them.",
    0, 1);
CMD(rooms, LOOK, "rooms", "NSP [PREFIX]",
    "The rooms of a namespace, and how many are in them.", 1, 2);
CMD(sockets, LOOK, "sockets", "NSP [ROOM]",
    "The sockets of a namespace, or of a room.", 1, 2);
CMD(disconnect, LOOK | HOSTD_CMD_ADMIN, "disconnect",
    "NSP SOCKET|room:ROOM ...",
    "End the connections of sockets, or of all of this machine in a room.", 2,
    32);
CMD(emit, HOSTD_CMD_JSON | HOSTD_CMD_ADMIN, "emit",
    "NSP ROOM|* EVENT [JSON ...]",
    "Send an event to a room, or to all, of all machines.", 3, 32);

const struct hostd_cmd *const sio_cmds[] = { &cmd_list, &cmd_rooms,
	&cmd_sockets, &cmd_disconnect, &cmd_emit, NULL };
