/* SPDX-License-Identifier: BSD-2-Clause */
/* The application of tests/e2e/lib/sio_app.mjs, for hostd: what it does is said
 * there. */
#include <stdlib.h>
#include "app.h"

#define SLOW_MS		300

static const char *const reasons[] = {"", "client namespace disconnect",
    "server namespace disconnect", "transport close", "transport error",
    "ping timeout", "parse error", "forced close", "server shutting down"};

static int
is_watcher(const struct hostd_sio_info *info)
{
	return is_same(info->nsp, "/watch");
}

/* Tell /watch; what j is made in is freed. */
static void
tell(struct hostd_inst *in, const char *name, struct hostd_json *j)
{
	struct hostd_sio_to to = {.struct_size = sizeof(to),
	    .nsp = hostd_str("/watch")};
	hostd_buf v = hostd_json_done(j);
	struct hostd_sio_args args = {.struct_size = sizeof(args), .n = 1,
	    .v = &v};

	(void)in->sio->broadcast(in->sio, &to, hostd_str(name), &args);
	hostd_json_free(j);
}

static void
begin_told(struct hostd_json *j, const struct hostd_sio_info *info)
{
	hostd_json_begin(j, '{');
	put_name(j, "id", info->id);
	put_name(j, "nsp", info->nsp);
}

static void
decide_late(struct hostd_inst *in, hostd_timer timer, void *arg)
{
	hostd_sio s = {(uintptr_t)arg};
	const struct hostd_sio_info *info = in->sio->info(in->sio, s);

	(void)timer;
	if (info == NULL)
		return;
	if (hostd_json_get(info->auth, "late").n > 0)
		(void)in->sio->refuse(in->sio, s, hostd_str("too late"),
		    hostd_str(NULL));
	else
		(void)in->sio->accept(in->sio, s);
}

static int32_t
on_connecting(struct hostd_inst *in, hostd_sio s, void *d)
{
	const struct hostd_sio_info *info = in->sio->info(in->sio, s);
	hostd_timer timer;
	int32_t rc;

	(void)d;
	if (is_same(info->nsp, "/private") && !hostd_json_says(
	    hostd_json_get(info->auth, "token"), hostd_str("secret")))
		return in->sio->refuse(in->sio, s, hostd_str("not authorized"),
		    hostd_str("{\"code\":\"E1\",\"hint\":\"log in\"}"));
	if (!is_same(info->nsp, "/slow"))
		return HOSTD_OK;
	if (hostd_json_get(info->auth, "never").n > 0)
		return HOSTD_DEFER;
	rc = in->timer->start(in->easy.host, SLOW_MS, 0, decide_late,
	    (void *)(uintptr_t)s.id, &timer);
	return rc < 0 ? rc : HOSTD_DEFER;
}

static void
on_connect(struct hostd_inst *in, hostd_sio s, void *d, int32_t is_recovered)
{
	const struct hostd_sio_info *info = in->sio->info(in->sio, s);
	struct hostd_json j = {NULL, 0, 0, 0};
	struct seat *seat = d;
	hostd_buf welcome;
	struct hostd_sio_args args = {.struct_size = sizeof(args), .n = 1,
	    .v = &welcome};

	seat->recovered = is_recovered;
	if (is_watcher(info))
		return;
	begin_told(&j, info);
	put_flag(&j, "recovered", is_recovered);
	hostd_json_end(&j, '}');
	tell(in, "came", &j);
	welcome = hostd_json_get(info->auth, "welcome");
	if (welcome.p != NULL)
		(void)in->sio->emit(in->sio, s, 0, hostd_str("welcome"),
		    &args);
}

static void
on_disconnecting(struct hostd_inst *in, hostd_sio s, void *d, int32_t reason)
{
	const struct hostd_sio_info *info = in->sio->info(in->sio, s);
	struct seat *seat = d;
	hostd_buf list;

	(void)reason;
	if (in->sio->rooms(in->sio, s, &list) == HOSTD_OK)
		put_sorted(&seat->rooms, list, info->id);
}

static void
on_disconnect(struct hostd_inst *in, hostd_sio s, void *d, int32_t reason)
{
	const struct hostd_sio_info *info = in->sio->info(in->sio, s);
	struct hostd_json j = {NULL, 0, 0, 0};
	struct seat *seat = d;

	if (!is_watcher(info)) {
		begin_told(&j, info);
		hostd_json_key(&j, "reason");
		hostd_json_str(&j, reasons[reason]);
		put_member(&j, "rooms", hostd_json_done(&seat->rooms));
		hostd_json_end(&j, '}');
		tell(in, "gone", &j);
	}
	hostd_json_free(&seat->rooms);
}

static int32_t
on_server_event(struct hostd_inst *in, hostd_buf nsp,
    const struct hostd_sio_event *ev)
{
	struct hostd_sio_to to = {.struct_size = sizeof(to),
	    .flags = HOSTD_SIO_LOCAL, .nsp = nsp};

	if (is_same(ev->name, "asked"))
		return in->sio->ack(in->sio, ev->ack, ev->args);
	return in->sio->broadcast(in->sio, &to, ev->name, ev->args);
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	int32_t rc = hostd_easy_create(sizeof(struct hostd_inst), host, out,
	    err);

	(void)conf;
	if (rc < 0)
		return rc;
	(*out)->sio = host->get_ext(host, HOSTD_EXT_SOCKETIO);
	(*out)->timer = host->get_ext(host, HOSTD_EXT_TIMER);
	return HOSTD_OK;
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

static const char *const namespaces[] = {"/", "/chat", "/dyn-*", "/slow",
    "/private", "/watch", NULL};
static const struct hostd_sio_ops ops = {.struct_size = sizeof(ops),
    .data_size = sizeof(struct seat), .namespaces = namespaces,
    .on_connecting = on_connecting, .on_connect = on_connect,
    .on_event = on_event, .on_disconnecting = on_disconnecting,
    .on_disconnect = on_disconnect, .on_server_event = on_server_event};
static const struct hostd_provide provide = {.struct_size = sizeof(provide),
    .kind = HOSTD_KIND_SIO_HANDLER, .ops = &ops};
static const struct hostd_provide *const provides[] = {&provide, NULL};

HOSTD_PLUGIN_ENTRY = {HOSTD_PREFIX(5), .id = "sio_app", .version = "1.0",
    .built_with = HOSTD_SDK_VERSION, .provides = provides, .create = create,
    .destroy = destroy};
