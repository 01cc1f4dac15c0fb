/* SPDX-License-Identifier: BSD-2-Clause */
/* A chat for Socket.IO: who has joined a room hears what is said there. */
#include <hostd/socketio_easy.h>

static int32_t
join_room(struct hostd_inst *in, hostd_sio s, void *d,
    const struct hostd_sio_event *ev)
{
	char room[64];

	(void)d;
	if (hostd_sio_arg_text(ev, 0, room, sizeof(room)) <= 0 ||
	    hostd_sio_join(in, s, room) != HOSTD_OK)
		return hostd_sio_ackf(in, ev, "s", "no such room");
	return hostd_sio_ackf(in, ev, "n");
}

static int32_t
leave_room(struct hostd_inst *in, hostd_sio s, void *d,
    const struct hostd_sio_event *ev)
{
	char room[64];

	(void)d;
	if (hostd_sio_arg_text(ev, 0, room, sizeof(room)) > 0)
		(void)hostd_sio_leave(in, s, room);
	return hostd_sio_ackf(in, ev, "n");
}

static int32_t
send_message(struct hostd_inst *in, hostd_sio s, void *d,
    const struct hostd_sio_event *ev)
{
	char room[64];

	(void)d;
	if (hostd_sio_arg_text(ev, 0, room, sizeof(room)) <= 0)
		return hostd_sio_ackf(in, ev, "s", "say a room and a message");
	(void)hostd_sio_ackf(in, ev, "n");
	return hostd_sio_to_room(in, s, room, "message", "sa", room, ev, 1);
}

static int32_t
whoami(struct hostd_inst *in, hostd_sio s, void *d,
    const struct hostd_sio_event *ev)
{
	const struct hostd_sio_info *info = hostd_sio_info_of(in, s);

	(void)d;
	return hostd_sio_ackf(in, ev, info->user.p == NULL ? "bn" : "bb",
	    info->id, info->user);
}

static const struct hostd_sio_event_fn events[] = {
	{ "joinRoom", join_room }, { "leaveRoom", leave_room },
	{ "sendMessage", send_message }, { "whoami", whoami }, { NULL, NULL }
};
HOSTD_SIO_EASY("sio_chat", "1.0", events)
