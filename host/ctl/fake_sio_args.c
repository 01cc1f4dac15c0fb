/* SPDX-License-Identifier: BSD-2-Clause */
/* What a plugin gives to hostd.socketio/1: is it what may be given? */
#include <string.h>

#include <hostd/json_scan.h>

#include "ctl/fake_sio_socket.h"

int
fake_sio_args_ok(const struct hostd_sio_args *a)
{
	uint32_t i;

	for (i = 0; a != NULL && i < a->n; i++)
		if (!hostd_json_ok(a->v[i]))
			return 0;
	return 1;
}

static int
is_reserved(hostd_buf name)
{
	static const char *const names[] = {"connect", "connect_error",
	    "disconnect", "disconnecting", "newListener", "removeListener"};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (name.n == strlen(names[i]) &&
		    memcmp(name.p, names[i], name.n) == 0)
			return 1;
	return 0;
}

int32_t
fake_sio_judge_event(hostd_buf name, const struct hostd_sio_args *a)
{
	return is_reserved(name) || !fake_sio_args_ok(a) ? HOSTD_E_INVAL :
	    HOSTD_OK;
}

int32_t
fake_sio_judge_rooms(const hostd_buf *rooms, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (rooms[i].n == 0 || rooms[i].n > HOSTD_SIO_ROOM_MAX)
			return HOSTD_E_INVAL;
	return HOSTD_OK;
}

int32_t
fake_sio_judge_to(const struct hostd_sio_to *to)
{
	if (to->struct_size == 0)
		check_fail("gave a hostd_sio_to whose struct_size is 0");
	if (fake_sio_judge_rooms(to->rooms, to->nrooms) != HOSTD_OK)
		return HOSTD_E_INVAL;
	return fake_sio_judge_rooms(to->except, to->nexcept);
}
