/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.socketio.adapter/1: nobody is asked, and nobody listens. */
#include <hostd/socketio_adapter.h>

#include "ctl/fake_sio.h"

static void
adapter_called(const struct hostd_sio_adapter_api *api, const char *function)
{
	(void)fake_sio_caller(api, HOSTD_EXT_SIO_ADAPTER, function);
}

static void
adapter_up(const struct hostd_sio_adapter_api *api, int32_t on)
{
	adapter_called(api, "up");
	if (on != 0 && on != 1)
		check_fail("called up with %d", on);
}

static void
adapter_told(
    const struct hostd_sio_adapter_api *api, const struct hostd_sio_order *o)
{
	adapter_called(api, "told");
	if (o->struct_size == 0)
		check_fail("told of an order whose struct_size is 0");
}

static void
adapter_asked(const struct hostd_sio_adapter_api *api, uint64_t ref,
    const struct hostd_sio_question *q)
{
	adapter_called(api, "asked");
	(void)ref;
	if (q->struct_size == 0)
		check_fail("was asked a question whose struct_size is 0");
}

static void
adapter_reply(const struct hostd_sio_adapter_api *api, uint64_t id,
    const struct hostd_sio_reply *r)
{
	adapter_called(api, "reply");
	(void)r;
	check_fail("replied to question %llu, which nobody has asked",
	    (unsigned long long)id);
}

static void
adapter_done(const struct hostd_sio_adapter_api *api, uint64_t id,
    int32_t status)
{
	adapter_called(api, "done");
	(void)status;
	check_fail("is done with question %llu, which nobody has asked",
	    (unsigned long long)id);
}

static void
adapter_synced(const struct hostd_sio_adapter_api *api)
{
	adapter_called(api, "synced");
	check_fail("is synced, which nobody has asked for");
}

const struct hostd_sio_adapter_api fake_sio_adapter_api = {
    .struct_size = sizeof(struct hostd_sio_adapter_api),
    .up = adapter_up,
    .told = adapter_told,
    .asked = adapter_asked,
    .reply = adapter_reply,
    .done = adapter_done,
    .synced = adapter_synced,
};
