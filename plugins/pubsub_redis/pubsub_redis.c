/* SPDX-License-Identifier: BSD-2-Clause */
/* Channels between nodes by Redis, or Redis Cluster: the plugin's keys, life
 * and table. */
#include <stdlib.h>
#include <string.h>
#include "backend.h"

static REDIS_KEY(key_prefix, "prefix", STRING, "hostd:", 0, PREFIX_MAX,
    "In front of the names of channels, so that several systems can share "
    "one Redis.");
static const char *const cluster_choices[] = { "auto", "yes", "no", NULL };
static const struct hostd_key key_cluster = {
	sizeof(struct hostd_key), HOSTD_KEY_ENUM, 0, "cluster", "auto",
	"Is it a Redis Cluster, whose nodes are to be found?  With no, one of "
	"them brings it all.", 0, 0, cluster_choices
};
static REDIS_KEY(key_pending, "max_pending", SIZE, "16m", 65536,
    INT64_C(1) << 30,
    "Bytes that Redis has not confirmed, beyond which messages are dropped, "
    "and a connection is begun anew when subscriptions come and go; above half "
    "of it, publishers are told to slow down.");

static const struct hostd_key *const keys[] = {
	&redis_key_url, &redis_key_password, &redis_key_password_file,
	&redis_key_ca, &redis_key_cert, &redis_key_verify,
	&key_prefix, &key_cluster, &redis_key_connect, &redis_key_ping,
	&redis_key_answer, &redis_key_retry, &key_pending, NULL
};

/* -- what the host asks for -- */

/* With our prefix; 0: it is too long. */
static size_t
full_name(const struct hostd_inst *in, hostd_buf channel, char *name)
{
	if (channel.n > CHANNEL_MAX)
		return 0;
	memcpy(name, in->prefix.p, in->prefix.n);
	memcpy(name + in->prefix.n, channel.p, channel.n);
	return in->prefix.n + channel.n;
}

static int32_t
publish(struct hostd_inst *in, hostd_buf channel, hostd_buf envelope)
{
	char name[PREFIX_MAX + CHANNEL_MAX];
	hostd_buf full = { name, full_name(in, channel, name) };
	struct node *n;

	if (full.n == 0)
		return HOSTD_E_INVAL;
	if ((n = node_of(in, full)) == NULL)
		return HOSTD_E_FULL;
	return node_publish(n, full, envelope);
}

static int32_t
subscribe_sharded(struct hostd_inst *in, hostd_buf name, int on)
{
	struct node *n = node_of(in, name);
	int32_t rc = HOSTD_E_STATE;

	if (!on && waiting_remove(&in->cluster.waiting, name))
		return HOSTD_OK;
	if (n != NULL)
		rc = redis_subscribe(n->sub, on ? "SSUBSCRIBE" :
		    "SUNSUBSCRIBE", name);
	else
		cluster_ask(in);
	if (rc != HOSTD_E_STATE)
		return rc;
	return on ? cluster_wait(in, name, 0) : HOSTD_OK;
}

/* node.c says when it is in force.  Where a connection has just been lost, all
 * is asked for again after the next up. */
static int32_t
subscribe_code(const struct hostd_inst *in, int32_t rc, int on)
{
	if (rc < 0 && rc != HOSTD_E_STATE && rc != HOSTD_E_FULL)
		return rc;
	return on && HOSTD_HAS(in->pubsub, subscribed) ? HOSTD_AGAIN :
	    HOSTD_OK;
}

static int32_t
subscribe(struct hostd_inst *in, hostd_buf channel, int32_t on)
{
	char name[PREFIX_MAX + CHANNEL_MAX];
	hostd_buf full = { name, full_name(in, channel, name) };

	if (full.n == 0)
		return HOSTD_E_INVAL;
	if (in->mode == MODE_CLUSTER)
		return subscribe_code(in, subscribe_sharded(in, full, on != 0),
		    on);
	if (in->mode != MODE_PLAIN)
		return HOSTD_E_STATE;
	return subscribe_code(in, redis_subscribe(in->home.sub, on ?
	    "SUBSCRIBE" : "UNSUBSCRIBE", full), on);
}

/* -- configuration -- */

static int32_t
read_conf(struct hostd_inst *in, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	(void)conf->get_str(conf, "prefix", &in->prefix);
	if (in->prefix.p == NULL)
		in->prefix = hostd_str("");
	in->want = redis_number_key(conf, "cluster");
	return redis_settings_read(&in->settings, &in->redis, conf,
	    in->want == WANT_CLUSTER, err);
}

/* -- life -- */

static void
destroy(struct hostd_inst *in)
{
	node_close(&in->home);
	cluster_close(in);
	redis_settings_free(&in->settings);
	free(in);
}

static int32_t
bind_tables(struct hostd_inst *in, const struct hostd_host *host,
    struct hostd_err *err)
{
	in->host = host;
	in->pubsub = redis_table(host, HOSTD_EXT_PUBSUB, err);
	return in->pubsub == NULL ? HOSTD_E_NOTSUP :
	    redis_bind(&in->redis, host, err);
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	struct hostd_inst *in = calloc(1, sizeof(*in));
	int32_t rc;

	if (in == NULL)
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	in->home.in = in;
	cluster_init(in);
	if ((rc = bind_tables(in, host, err)) != HOSTD_OK ||
	    (rc = read_conf(in, conf, err)) != HOSTD_OK) {
		destroy(in);
		return rc;
	}
	(void)snprintf(in->home.at.host, sizeof(in->home.at.host), "%s",
	    in->settings.url.host);
	in->home.at.port = in->settings.url.port;
	redis_presence_declare(&in->presence, host);
	*out = in;
	return HOSTD_OK;
}

/* A Redis that is not there is no reason not to serve. */
static int32_t
start(struct hostd_inst *in)
{
	return node_open(&in->home, 0) == 0 ? HOSTD_OK : HOSTD_E_NOMEM;
}

static const struct hostd_pubsub_ops ops = {
	.struct_size = sizeof(ops),
	.publish = publish,
	.subscribe = subscribe,
};
static const struct hostd_provide provide = {
	.struct_size = sizeof(provide),
	.kind = HOSTD_KIND_PUBSUB_BACKEND,
	.ops = &ops,
};
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(0),
	.id = "pubsub_redis",
	.version = "0.1.0",
	.built_with = HOSTD_SDK_VERSION,
	.provides = provides,
	.keys = keys,
	.create = create,
	.start = start,
	.destroy = destroy,
};
