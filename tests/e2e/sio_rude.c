/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A handler that calls whatever it can at every moment, and aborts when the
 * answer is not what <hostd/socketio.h> promises.  Events:
 *
 *	end(close)	it disconnects itself, in the middle of the event
 *	ask		it asks, and again when nobody answers, for ever
 *	wait		it keeps the acknowledgement until the socket goes
 *	others		all others of the namespace are put out
 */
#include <hostd/socketio_easy.h>

#define PROMISED(what) do {						\
	if (!(what)) {							\
		hostd_logf(in->easy.host, HOSTD_LOG_ERROR,		\
		    "broken promise: " #what);				\
		abort();						\
	}								\
} while (0)

struct hostd_inst {
	HOSTD_SIO_EASY_HEAD;
	int is_calling;			/* what is called back comes later */
	int32_t again;			/* what asking once more has returned */
};

struct seat {
	hostd_sio_ack ack;
	int32_t is_connected, has_gone;
	uint64_t zero;
};

static const hostd_buf none = { NULL, 0 };

static void
answered(struct hostd_inst *in, void *arg, int32_t status,
    const struct hostd_sio_args *args)
{
	hostd_sio s = { (uint64_t)(uintptr_t)arg };

	PROMISED(!in->is_calling);
	PROMISED((status == HOSTD_OK) == (args != NULL));
	if (status != HOSTD_OK)
		in->again = in->sio->ask(in->sio, s, 0, hostd_str("question"),
		    NULL, 0, answered, arg);
}

static void
fetched(struct hostd_inst *in, void *arg, int32_t status,
    const struct hostd_sio_remote *sockets, uint32_t n)
{
	(void)arg;
	(void)status;
	(void)sockets;
	(void)n;
	PROMISED(!in->is_calling);
}

static void
counted(struct hostd_inst *in, void *arg, int32_t status, uint32_t asked,
    uint32_t n)
{
	(void)arg;
	(void)status;
	PROMISED(!in->is_calling);
	PROMISED(n <= asked);
}

/* What may be called at any time, and what comes of it for s. */
static void
call_all(struct hostd_inst *in, hostd_sio s, int32_t sent, int32_t joined)
{
	const struct hostd_sio_api *api = in->sio;
	struct hostd_sio_to to = { .struct_size = sizeof(to), .but = s };
	hostd_buf rooms, x = hostd_str("x"), id;

	in->is_calling = 1;
	PROMISED(api->info(api, s) != NULL);
	id = api->info(api, s)->id;
	PROMISED(api->data(api, s) != NULL);
	PROMISED(api->emit(api, s, 0, x, NULL) == sent);
	PROMISED(api->emit(api, s, 0, hostd_str("connect"), NULL) < 0);
	PROMISED(api->join(api, s, x) == joined);
	PROMISED(api->join(api, s, id) == joined);
	PROMISED(api->join(api, s, none) < 0);
	PROMISED(api->rooms(api, s, &rooms) == HOSTD_OK);
	PROMISED(api->leave(api, s, x) == HOSTD_OK);
	PROMISED(api->set_data(api, s, hostd_str("{")) == HOSTD_E_INVAL);
	PROMISED(api->set_data(api, s, hostd_str("[1]")) == HOSTD_OK);
	PROMISED(api->broadcast(api, &to, x, NULL) >= 0);
	PROMISED(api->fetch_sockets(api, &to, fetched, NULL) == HOSTD_OK);
	PROMISED(api->ask_all(api, &to, x, NULL, 50, NULL, counted, NULL) ==
	    HOSTD_OK);
	in->is_calling = 0;
}

static int32_t
on_connecting(struct hostd_inst *in, hostd_sio s, void *d)
{
	const struct seat *seat = d;

	PROMISED(seat->zero == 0 && ((uintptr_t)d & 15) == 0);
	call_all(in, s, HOSTD_E_STATE, HOSTD_OK);
	PROMISED(in->sio->disconnect(in->sio, s, 0) == HOSTD_E_STATE);
	PROMISED(in->sio->accept(in->sio, s) == HOSTD_OK);
	PROMISED(in->sio->accept(in->sio, s) == HOSTD_E_STATE);
	PROMISED(in->sio->refuse(in->sio, s, none, none) == HOSTD_E_STATE);
	return HOSTD_DEFER;
}

static void
on_connect(struct hostd_inst *in, hostd_sio s, void *d, int32_t recovered)
{
	struct seat *seat = d;

	(void)recovered;
	PROMISED(!seat->is_connected);
	PROMISED(in->sio->accept(in->sio, s) == HOSTD_E_STATE);
	seat->is_connected = 1;
	seat->zero = 1;
	call_all(in, s, HOSTD_OK, HOSTD_OK);
}

static void
end(struct hostd_inst *in, hostd_sio s, const struct hostd_sio_event *ev)
{
	const struct hostd_sio_api *api = in->sio;

	PROMISED(api->disconnect(api, s, hostd_sio_arg_true(ev, 0)) ==
	    HOSTD_OK);
	PROMISED(api->disconnect(api, s, 0) == HOSTD_OK);
	call_all(in, s, HOSTD_E_STATE, HOSTD_E_GONE);
	PROMISED(api->ask(api, s, 0, hostd_str("x"), NULL, 1, answered,
	    NULL) == HOSTD_E_STATE);
	PROMISED(api->ack(api, ev->ack, NULL) == HOSTD_E_GONE);
}

static int32_t
on_event(struct hostd_inst *in, hostd_sio s, void *d,
    const struct hostd_sio_event *ev)
{
	struct hostd_sio_to to = { .struct_size = sizeof(to), .but = s };
	struct seat *seat = d;

	PROMISED(seat->is_connected && !seat->has_gone);
	call_all(in, s, HOSTD_OK, HOSTD_OK);
	if (hostd_sio_is(ev, "end"))
		end(in, s, ev);
	else if (hostd_sio_is(ev, "wait"))
		seat->ack = ev->ack;
	else if (hostd_sio_is(ev, "others")) {
		PROMISED(in->sio->disconnect_sockets(in->sio, &to, 1) >= 0);
		(void)hostd_sio_ackf(in, ev, "i", in->again);
		PROMISED(in->sio->ack(in->sio, ev->ack, NULL) ==
		    HOSTD_E_GONE);
	} else if (hostd_sio_is(ev, "ask")) {
		in->is_calling = 1;
		PROMISED(in->sio->ask(in->sio, s, 0, hostd_str("question"),
		    NULL, 0, answered, (void *)(uintptr_t)s.id) >= 0);
		in->is_calling = 0;
	}
	return HOSTD_OK;
}

static void
on_disconnecting(struct hostd_inst *in, hostd_sio s, void *d, int32_t reason)
{
	struct seat *seat = d;

	(void)reason;
	PROMISED(seat->is_connected && !seat->has_gone);
	seat->has_gone = 1;
	call_all(in, s, HOSTD_E_STATE, HOSTD_E_GONE);
	PROMISED(in->sio->disconnect(in->sio, s, 0) == HOSTD_OK);
}

static void
on_disconnect(struct hostd_inst *in, hostd_sio s, void *d, int32_t reason)
{
	struct seat *seat = d;

	(void)reason;
	PROMISED(seat->has_gone == 1);
	seat->has_gone = 2;
	call_all(in, s, HOSTD_E_STATE, HOSTD_E_GONE);
	if (seat->ack.id != 0)
		PROMISED(in->sio->ack(in->sio, seat->ack, NULL) ==
		    HOSTD_E_GONE);
	PROMISED(in->sio->disconnect(in->sio, s, 0) == HOSTD_OK);
}

static const char *const spaces[] = { "/", "/rude-*", NULL };
static const struct hostd_sio_ops ops = {
	.struct_size = sizeof(ops),
	.flags = HOSTD_SIO_PLAIN_DATA,
	.data_size = sizeof(struct seat),
	.namespaces = spaces,
	.on_connecting = on_connecting,
	.on_connect = on_connect,
	.on_event = on_event,
	.on_disconnecting = on_disconnecting,
	.on_disconnect = on_disconnect,
};

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	(void)conf;
	return hostd_sio_easy_create(sizeof(struct hostd_inst), host, out,
	    err);
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

static const struct hostd_provide app = {
	sizeof(app), 0, HOSTD_KIND_SIO_HANDLER, NULL, &ops, NULL
};
static const struct hostd_provide *const provides[] = { &app, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(1), "rude", "1", "1", provides, NULL, NULL, create, NULL,
	NULL, destroy, NULL
};
