/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * As clumsy.c, of applications of Socket.IO.
 *
 * 1	memory lent to on_event
 * 2	on_connecting returned 3
 * 3	d of a socket
 * 4	with a first argument that is not the table
 * 5	without hostd.socketio/1: crashed with SIGSEGV
 * 6	a hostd_sio_to whose struct_size is 0
 * 7	which is [loop], on another thread
 * 8	crashed with SIGABRT
 * 9	called serve behind create
 * 10	save of a socket returned 3
 * 11	load of a socket returned 2
 * 12	load of a socket returned -1 for what save has put
 * 13	touched memory lent to load of a socket
 * 14	touched memory lent to load of a socket beyond its end
 * 15	called put when save had returned
 * 16	its handler has save or load, but not both
 * 17	crashed with SIGABRT, while in load of a socket
 */
#include <pthread.h>
#include <string.h>

#include <hostd/socketio_easy.h>

#ifndef MISTAKE
#define MISTAKE 0
#endif
/* A constant, so that all of it is compiled, whichever is chosen. */
#define IS(n) (MISTAKE == (n))
/* It starts aligned, and ends there at the latest. */
#define BEHIND(n) (((n) + 15) & ~(size_t)15)

struct seat {
	char said[64];
};

struct hostd_inst {
	HOSTD_SIO_EASY_HEAD;
	struct hostd_sio_api copy;
	hostd_buf kept, state;
	struct seat *left;
	int32_t (*put)(void *, hostd_buf);
	void *put_arg;
	char seen;
};

static int32_t
on_connecting(struct hostd_inst *in, hostd_sio s, void *d)
{
	(void)in, (void)s, (void)d;
	return IS(2) ? HOSTD_PASS : HOSTD_OK;
}

static void *
leave_room(void *arg)
{
	struct hostd_inst *in = (struct hostd_inst *)arg;
	hostd_sio nobody = { 0 };

	(void)hostd_sio_leave(in, nobody, "room");
	return NULL;
}

/* What was lent before, and what has gone. */
static void
look_back(struct hostd_inst *in)
{
	if (IS(1) && in->kept.n > 0)
		in->seen = *(const char *)in->kept.p;
	if (IS(3) && in->left != NULL)
		in->seen = in->left->said[0];
	if (IS(13) && in->state.n > 0)
		in->seen = *(const char *)in->state.p;
	if (IS(15) && in->put != NULL)
		(void)in->put(in->put_arg, in->kept);
}

static int32_t
on_event(struct hostd_inst *in, hostd_sio s, void *d,
    const struct hostd_sio_event *ev)
{
	struct hostd_sio_to to = { 0 };
	struct seat *seat = (struct seat *)d;
	pthread_t thread;

	look_back(in);
	in->kept = hostd_sio_arg(ev, 0);
	if (IS(8) && in->kept.n >= sizeof(seat->said))
		abort();
	seat->said[0] = ev->name.n > 0 ? *(const char *)ev->name.p : '\0';
	if (IS(4))
		(void)in->copy.join(&in->copy, s, hostd_str("room"));
	if (IS(6))
		(void)in->sio->broadcast(in->sio, &to, hostd_str("x"), NULL);
	if (IS(7) && pthread_create(&thread, NULL, leave_room, in) == 0)
		(void)pthread_join(thread, NULL);
	if (IS(9))
		(void)in->sio->serve(in->sio, NULL);
	return hostd_sio_ackf(in, ev, "t", 1);
}

static void
on_connect(struct hostd_inst *in, hostd_sio s, void *d, int32_t recovered)
{
	(void)s, (void)d, (void)recovered;
	look_back(in);
}

static void
on_disconnect(struct hostd_inst *in, hostd_sio s, void *d, int32_t reason)
{
	(void)s, (void)reason;
	in->left = (struct seat *)d;
}

static int32_t
save(struct hostd_inst *in, hostd_sio s, void *d,
    int32_t (*put)(void *, hostd_buf), void *arg)
{
	hostd_buf b;

	(void)s;
	in->put = put;
	in->put_arg = arg;
	b.p = d;
	b.n = sizeof(struct seat);
	return IS(10) ? 3 : put(arg, b);
}

static int32_t
load(struct hostd_inst *in, hostd_sio s, void *d, uint32_t from_version,
    hostd_buf state)
{
	(void)s;
	in->state = state;
	if (IS(14))
		in->seen = ((const char *)state.p)[BEHIND(state.n)];
	if (IS(17) && state.n != sizeof(struct seat))
		abort();
	if (from_version != 1 || state.n != sizeof(struct seat) || IS(12))
		return HOSTD_E_INVAL;
	memcpy(d, state.p, state.n);
	return IS(11) ? 2 : HOSTD_OK;
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	const struct hostd_sio_api *api;
	int32_t rc;

	(void)conf;
	api = (const struct hostd_sio_api *)host->get_ext(host,
	    HOSTD_EXT_SOCKETIO);
	if (IS(5) && api->struct_size == 0)
		return hostd_fail(err, HOSTD_E_NOTSUP, "an empty table");
	rc = hostd_sio_easy_create(sizeof(**out), host, out, err);
	if (rc == HOSTD_OK)
		memcpy(&(*out)->copy, api, api->struct_size <
		    sizeof((*out)->copy) ? api->struct_size :
		    sizeof((*out)->copy));
	return rc;
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

static const struct hostd_sio_ops ops = {
	.struct_size = sizeof(ops),
	.data_size = sizeof(struct seat),
	.on_connecting = on_connecting,
	.on_connect = on_connect,
	.on_event = on_event,
	.on_disconnect = on_disconnect,
	.version = 1,
	.save = save,
	.load = IS(16) ? NULL : load,
};
static const struct hostd_provide app = {
	.struct_size = sizeof(app),
	.kind = HOSTD_KIND_SIO_HANDLER,
	.ops = &ops,
};
static const struct hostd_provide *const provides[] = { &app, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(5), "clumsy_sio", "1", HOSTD_SDK_VERSION,
	provides, NULL, NULL, create, NULL, NULL, destroy, NULL
};
