/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <unistd.h>
#include "chat.h"

static int32_t
send_text(struct hostd_inst *in, hostd_ws ws, const char *text)
{
	return text == NULL ? HOSTD_E_NOMEM : hostd_ws_text(in, ws, text);
}

int32_t
reply_send(struct hostd_inst *in, hostd_ws ws, json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT);
	int32_t rc = send_text(in, ws, text);

	free(text);
	json_decref(o);
	return rc;
}

int32_t
reply_publish(struct hostd_inst *in, enum room_channel which, hostd_buf room,
    json_t *o)
{
	const struct hostd_easy *e = hostd_easy_of(in);
	char name[CHANNEL_MAX], *text = json_dumps(o, JSON_COMPACT);
	hostd_ws nobody = { 0 };
	int32_t rc = HOSTD_E_NOMEM;

	if (text != NULL)
		rc = e->channel->publish(e->host, room_channel(in, which, room,
		    name), hostd_str(text), HOSTD_WS_TEXT, nobody);
	free(text);
	json_decref(o);
	return rc;
}

int32_t
reply_error(struct hostd_inst *in, hostd_ws ws, const char *code,
    const char *text)
{
	return reply_send(in, ws, json_pack("{s:s,s:s,s:s}", "type", "error",
	    "code", code, "text", text));
}

json_t *
reply_news(struct hostd_inst *in, const char *type, hostd_buf room,
    hostd_buf name)
{
	char id[64];

	(void)snprintf(id, sizeof(id), "%016" PRIx64 "-%" PRIu64, in->origin,
	    ++in->count);
	return json_pack("{s:s,s:s%,s:s%,s:s}", "type", type, "room",
	    (const char *)room.p, room.n, "name", (const char *)name.p, name.n,
	    "id", id);
}

/* -- welcome -- */

/* What this worker is called: the status knows who has our pid. */
static void
find_worker(const json_t *status, char *out, size_t size)
{
	const json_t *pool, *worker;
	size_t i, j;

	json_array_foreach(json_object_get(status, "pools"), i, pool)
		json_array_foreach(json_object_get(pool, "workers"), j, worker)
			if (json_integer_value(json_object_get(worker,
			    "pid")) == getpid())
				(void)snprintf(out, size, "%s.%lld pid %ld",
				    json_string_value(json_object_get(pool,
				    "name")), (long long)json_integer_value(
				    json_object_get(worker, "slot")),
				    (long)getpid());
}

static json_t *
read_status(struct hostd_inst *in)
{
	hostd_buf text;

	if (in->status == NULL || !HOSTD_HAS(in->status, json) ||
	    in->status->json(in->easy.host, &text) != HOSTD_OK)
		return NULL;
	return json_loadb(text.p, text.n, 0, NULL);
}

static char *
make_welcome(struct hostd_inst *in)
{
	json_t *status = read_status(in), *o;
	const char *node = json_string_value(json_object_get(status, "node"));
	char worker[160], *text;

	(void)snprintf(worker, sizeof(worker), "pid %ld", (long)getpid());
	find_worker(status, worker, sizeof(worker));
	o = json_pack("{s:s,s:s,s:s}", "type", "welcome", "worker", worker,
	    "node", node == NULL ? "" : node);
	text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	json_decref(status);
	return text;
}

int32_t
reply_welcome(struct hostd_inst *in, hostd_ws ws, hostd_buf user)
{
	json_t *o;

	if (in->welcome == NULL)
		in->welcome = make_welcome(in);
	if (user.p == NULL || in->welcome == NULL)
		return send_text(in, ws, in->welcome);
	o = json_loads(in->welcome, 0, NULL);
	(void)json_object_set_new(o, "user", json_stringn(user.p, user.n));
	return reply_send(in, ws, o);
}
