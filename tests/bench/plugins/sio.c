/* SPDX-License-Identifier: BSD-2-Clause */
/* Socket.IO: "m" goes to all others in the room, "e" comes back. */
#include <stdlib.h>

#include <hostd/easy.h>
#include <hostd/socketio.h>

#define ROOM "fan"

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_sio_api *io;
};

static void
on_connect(struct hostd_inst *in, hostd_sio s, void *d, int32_t recovered)
{
	(void)d;
	(void)recovered;
	(void)in->io->join(in->io, s, hostd_str(ROOM));
}

static int32_t
on_event(struct hostd_inst *in, hostd_sio s, void *d,
    const struct hostd_sio_event *ev)
{
	hostd_buf room = hostd_str(ROOM);
	struct hostd_sio_to to = { .struct_size = sizeof(to), .rooms = &room,
		.nrooms = 1, .but = s };

	(void)d;
	if (ev->name.n != 1)
		return HOSTD_PASS;
	if (*(const char *)ev->name.p == 'e')
		return in->io->emit(in->io, s, 0, ev->name, ev->args);
	return in->io->broadcast(in->io, &to, ev->name, ev->args);
}

static const struct hostd_sio_ops ops = {
	.struct_size = sizeof(ops),
	.on_connect = on_connect,
	.on_event = on_event,
};

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	struct hostd_inst *in = calloc(1, sizeof(*in));
	int32_t rc;

	(void)conf;
	if (in == NULL)
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	rc = hostd_easy_init(&in->easy, host, err);
	if (rc != HOSTD_OK) {
		free(in);
		return rc;
	}
	in->io = host->get_ext(host, HOSTD_EXT_SOCKETIO);
	*out = in;
	return HOSTD_OK;
}

static const struct hostd_provide app = {
	sizeof(app), 0, HOSTD_KIND_SIO_HANDLER, "bench", &ops, NULL
};
static const struct hostd_provide *const provides[] = { &app, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(5), "sio", "1.0", HOSTD_SDK_VERSION,
	provides, NULL, NULL, create, NULL, NULL, destroy, NULL
};
