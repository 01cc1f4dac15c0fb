/* SPDX-License-Identifier: BSD-2-Clause */
/* Nodes of Socket.IO by Redis: the plugin's keys, life and table. */
#include <sys/random.h>
#include <stdlib.h>
#include <string.h>
#include <hostd/worker.h>
#include "adapter.h"

static REDIS_KEY(key_key, "key", STRING, "socket.io", 1, KEY_MAX,
    "What the names of channels begin with: the option key of Node's adapter, "
    "which all nodes must have in common.");
static const char *const mode_choices[] = { "classic", "sharded", NULL };
static const struct hostd_key key_mode = {
	sizeof(struct hostd_key), HOSTD_KEY_ENUM, 0, "mode", "classic",
	"How nodes speak: classic as those of Node's createAdapter, sharded as "
	"those of its createShardedAdapter, which needs Redis 7.  All nodes "
	"must have the same.", 0, 0, mode_choices
};
static const char *const subscription_choices[] = { "static", "dynamic",
	"dynamic-private", NULL };
static const struct hostd_key key_subscription = {
	sizeof(struct hostd_key), HOSTD_KEY_ENUM, 0, "subscription_mode",
	"dynamic", "Sharded: which rooms have channels of their own: none, all "
	"but those of single sockets, or those, too; the option of that name "
	"of Node's adapter, which all nodes must have in common.", 0, 0,
	subscription_choices
};
static REDIS_KEY(key_own, "publish_on_specific_response_channel", BOOL,
    "off", 0, 0,
    "Answer on the channel of the node that asks, which nobody else hears.");
static REDIS_KEY(key_pending, "max_pending", SIZE, "16m", 65536,
    INT64_C(1) << 30,
    "Bytes that Redis has not confirmed, beyond which messages are dropped; "
    "above half of it, who broadcasts is told to slow down.");
static REDIS_KEY(key_hold, "hold_timeout", DURATION, "8s", 100, 3600000,
    "How long a worker that starts is held back until Redis has confirmed all "
    "that it subscribes, so that nothing is lost at a reload; less than "
    "ready_timeout.");

static const struct hostd_key *const keys[] = {
	&redis_key_url, &redis_key_password, &redis_key_password_file,
	&redis_key_ca, &redis_key_cert, &redis_key_verify,
	&key_key, &key_mode, &key_subscription, &key_own,
	&redis_key_connect, &redis_key_ping, &redis_key_answer,
	&redis_key_retry, &key_pending, &key_hold, NULL
};

static int32_t
read_conf(struct hostd_inst *in, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	(void)conf->get_str(conf, "key", &in->key);
	in->on_own_channel = redis_number_key(conf,
	    "publish_on_specific_response_channel") != 0;
	if (redis_number_key(conf, "mode") != 0)
		in->sharded = STATIC + (int)redis_number_key(conf,
		    "subscription_mode");
	in->hold_ms = (uint32_t)redis_number_key(conf, "hold_timeout");
	return redis_settings_read(&in->settings, &in->redis, conf, 0, err);
}

/* -- life -- */

static void
destroy(struct hostd_inst *in)
{
	words_free(in);
	nodes_close(in);
	ask_free(in);
	asked_free(in);
	spaces_free(in);
	heard_free(&in->heard);
	hostd_json_free(&in->json);
	msgpack_sbuffer_destroy(&in->out);
	redis_settings_free(&in->settings);
	free(in);
}

static int32_t
bind_tables(struct hostd_inst *in, const struct hostd_host *host,
    struct hostd_err *err)
{
	in->host = host;
	in->api = redis_table(host, HOSTD_EXT_SIO_ADAPTER, err);
	return in->api == NULL ? HOSTD_E_NOTSUP :
	    redis_bind(&in->redis, host, err);
}

/* 6 bits for each character. */
static void
uid_put(char *to, uint64_t v, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-_";

	for (; n-- > 0; v >>= 6)
		*to++ = digits[v & 63];
}

/* Without the host's word for it, this worker is a machine of its own. */
static int32_t
choose_ids(struct hostd_inst *in, struct hostd_err *err)
{
	const struct hostd_worker_api *api = in->host->get_ext(in->host,
	    HOSTD_EXT_WORKER);
	const struct hostd_worker_info *self = api != NULL &&
	    HOSTD_HAS(api, self) ? api->self(in->host) : NULL;
	uint64_t dice[3];

	if (getrandom(dice, sizeof(dice), 0) != (ssize_t)sizeof(dice))
		return hostd_fail(err, HOSTD_E_IO, "no random numbers");
	in->seed = dice[0];
	uid_put(in->uid, self != NULL ? self->node : dice[1], UID_MACHINE);
	uid_put(in->uid + UID_MACHINE, self != NULL ? self->process : dice[2],
	    UID_LEN - UID_MACHINE);
	return HOSTD_OK;
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	struct hostd_inst *in = calloc(1, sizeof(*in));
	int32_t rc;

	if (in == NULL)
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	if ((rc = bind_tables(in, host, err)) != HOSTD_OK ||
	    (rc = read_conf(in, conf, err)) != HOSTD_OK ||
	    (rc = choose_ids(in, err)) != HOSTD_OK ||
	    (rc = link_counts(in, err)) != HOSTD_OK) {
		destroy(in);
		return rc;
	}
	redis_presence_declare(&in->presence, host);
	*out = in;
	return HOSTD_OK;
}

/* A Redis that is not there is no reason not to serve. */
static int32_t
start(struct hostd_inst *in)
{
	in->started_ms = in->host->now_ms(in->host);
	link_hold(in);
	return nodes_open(in) == 0 ? HOSTD_OK : HOSTD_E_NOMEM;
}

static const struct hostd_sio_adapter_ops ops = {
	.struct_size = sizeof(ops),
	.open = space_open,
	.close = space_close,
	.room = space_room,
	.tell = tell,
	.ask = ask,
	.cancel = ask_cancel,
	.answer = answer,
	.set = words_set,
	.get = words_get,
	.is_apart = space_is_apart,
	.sync = link_sync,
	.settled = link_settled,
};
static const struct hostd_provide provide = {
	.struct_size = sizeof(provide),
	.kind = HOSTD_KIND_SIO_ADAPTER,
	.ops = &ops,
};
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(0),
	.id = "socketio_redis",
	.version = "0.1.0",
	.built_with = HOSTD_SDK_VERSION,
	.provides = provides,
	.keys = keys,
	.create = create,
	.start = start,
	.destroy = destroy,
};
