/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everybody is in one room: what one says, all others get.  "?" is answered
 * with a name of this worker.
 */
#include <unistd.h>

#include <hostd/easy.h>

#define ROOM "fan"

static void
on_open(struct hostd_inst *in, hostd_ws ws, void *d)
{
	(void)d;
	(void)hostd_room_join(in, ws, ROOM);
}

static int32_t
on_message(struct hostd_inst *in, hostd_ws ws, void *d, hostd_buf msg,
    uint32_t flags)
{
	char name[32];

	(void)d;
	if (msg.n == 1 && *(const char *)msg.p == '?') {
		(void)snprintf(name, sizeof(name), "%ld", (long)getpid());
		return hostd_ws_text(in, ws, name);
	}
	return hostd_room_send(in, ROOM, msg, flags, ws);
}

HOSTD_EASY_WS("fan", "1.0", "/fan", on_open, on_message, NULL)
