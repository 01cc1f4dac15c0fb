/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions in Redis, or Redis Cluster, as connect-redis keeps them: the
 * plugin's keys, life and table. */
#include "store.h"

static REDIS_KEY(key_nodes, "nodes", LIST, NULL, 0, SEEDS_MAX - 1,
    "More nodes of a Redis Cluster, as host:port: any of them can say who the "
    "others are, when that of the URL is away.");
static REDIS_KEY(key_prefix, "prefix", STRING, "sess:", 0, PREFIX_MAX,
    "In front of the ids of sessions; the default is that of connect-redis.");
static const char *const cluster_choices[] = { "auto", "yes", "no", NULL };
static const struct hostd_key key_cluster = {
	sizeof(struct hostd_key), HOSTD_KEY_ENUM, 0, "cluster", "auto",
	"Is it a Redis Cluster, whose nodes are to be found?", 0, 0,
	cluster_choices
};
static REDIS_KEY(key_connections, "connections", INT, "2", 1, CONNECTIONS_MAX,
    "Connections to each Redis, of each worker; over each of them many "
    "commands are under way at a time.");
static REDIS_KEY(key_command, "answer_timeout", DURATION, "2s", 100, 3600000,
    "How long Redis may be silent while commands wait for answers; then the "
    "connection is taken for dead, and until another one is there sessions "
    "fail at once.  A worker that starts waits so long for Redis.");
static REDIS_KEY(key_pending, "max_pending", SIZE, "16m", 65536,
    INT64_C(1) << 30,
    "Bytes on a connection that Redis has not answered, beyond which sessions "
    "fail at once.");

static const struct hostd_key *const keys[] = {
	&redis_key_url, &redis_key_password, &redis_key_password_file,
	&redis_key_ca, &redis_key_cert, &redis_key_verify,
	&key_nodes, &key_prefix, &key_cluster, &key_connections, &key_command,
	&redis_key_connect, &redis_key_ping, &redis_key_answer,
	&redis_key_retry, &key_pending, NULL
};

/* -- what the host asks for -- */

static int32_t
get(struct hostd_inst *in, hostd_buf key, hostd_op op)
{
	return call_start(in, CALL_GET, op, key, hostd_str(NULL), 0, NULL);
}

static int32_t
set(struct hostd_inst *in, hostd_buf key, hostd_buf value, uint64_t ttl_ms,
    const hostd_buf *expect, hostd_op op)
{
	return call_start(in, CALL_SET, op, key, value, ttl_ms, expect);
}

static int32_t
touch(struct hostd_inst *in, hostd_buf key, uint64_t ttl_ms, hostd_op op)
{
	return call_start(in, CALL_TOUCH, op, key, hostd_str(NULL), ttl_ms,
	    NULL);
}

static int32_t
del(struct hostd_inst *in, hostd_buf key, hostd_op op)
{
	return call_start(in, CALL_DEL, op, key, hostd_str(NULL), 0, NULL);
}

/* -- configuration -- */

static struct node *
seed_add(struct hostd_inst *in, const struct redis_url *u)
{
	struct redis_node_addr at = { .port = u->port };
	struct node *n;

	(void)snprintf(at.host, sizeof(at.host), "%s", u->host);
	if ((n = node_at(in, &at)) != NULL)
		n->is_seed = 1;
	return n;
}

/* As a URL that has nothing but an address. */
static int32_t
read_node(struct hostd_inst *in, hostd_buf item, struct hostd_err *err)
{
	struct redis_url u;
	const char *why = "it is not host:port";
	char text[300];
	int32_t rc = HOSTD_OK;

	(void)snprintf(text, sizeof(text), "redis://%.*s", (int)item.n,
	    (const char *)item.p);
	if (item.n > 280 || memchr(item.p, '@', item.n) != NULL ||
	    memchr(item.p, '/', item.n) != NULL ||
	    redis_url_parse(text, &u, &why) == -1)
		return hostd_fail(err, HOSTD_E_INVAL, "nodes: \"%.*s\": %s",
		    (int)(item.n > 280 ? 280 : item.n), (const char *)item.p,
		    why);
	if (seed_add(in, &u) == NULL)
		rc = hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	redis_url_free(&u);
	return rc;
}

static int32_t
read_nodes(struct hostd_inst *in, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	int32_t rc = HOSTD_OK;
	hostd_buf item;
	uint32_t i, n = 0;

	(void)conf->get_count(conf, "nodes", &n);
	if (n > 0 && in->want == WANT_PLAIN)
		return hostd_fail(err, HOSTD_E_INVAL, "nodes: these are for a "
		    "cluster, and cluster is no");
	if ((in->home = seed_add(in, &in->settings.url)) == NULL)
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	for (i = 0; i < n && rc == HOSTD_OK; i++)
		if (conf->get_item(conf, "nodes", i, &item) == HOSTD_OK)
			rc = read_node(in, item, err);
	return rc;
}

static int32_t
read_conf(struct hostd_inst *in, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	struct redis_host *r = &in->redis;
	int32_t rc;

	(void)conf->get_str(conf, "prefix", &in->prefix);
	if (in->prefix.p == NULL)
		in->prefix = hostd_str("");
	in->want = redis_number_key(conf, "cluster");
	in->connections = (unsigned)redis_number_key(conf, "connections");
	r->command_ms = (uint32_t)redis_number_key(conf, "answer_timeout");
	if ((rc = redis_settings_read(&in->settings, r, conf,
	    in->want == WANT_CLUSTER, err)) != HOSTD_OK)
		return rc;
	return read_nodes(in, conf, err);
}

/* -- life -- */

static void
destroy(struct hostd_inst *in)
{
	/* Nobody waits for them any more. */
	calls_close(in);
	cluster_close(in);
	if (in->hold_timer.id != 0)
		(void)in->redis.timers->stop(in->host, in->hold_timer);
	redis_settings_free(&in->settings);
	free(in);
}

static int32_t
bind_tables(struct hostd_inst *in, const struct hostd_host *host,
    struct hostd_err *err)
{
	in->host = host;
	in->ready = host->get_ext(host, HOSTD_EXT_READY);
	in->op = redis_table(host, HOSTD_EXT_OP, err);
	return in->op == NULL ? HOSTD_E_NOTSUP :
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
	LIST_INIT(&in->nodes);
	LIST_INIT(&in->calls);
	LIST_INIT(&in->spare);
	cluster_init(in);
	if ((rc = bind_tables(in, host, err)) != HOSTD_OK ||
	    (rc = read_conf(in, conf, err)) != HOSTD_OK ||
	    (rc = metrics_define(in, err)) != HOSTD_OK) {
		destroy(in);
		return rc;
	}
	redis_presence_declare(&in->presence, host);
	*out = in;
	return HOSTD_OK;
}

static int32_t
start(struct hostd_inst *in)
{
	struct node *n;

	LIST_FOREACH(n, &in->nodes, link)
		if (node_open(n, 1) == -1)
			return HOSTD_E_NOMEM;
	state_hold(in);
	return HOSTD_OK;
}

static const struct hostd_session_store_ops ops = {
	.struct_size = sizeof(ops),
	.flags = HOSTD_STORE_CAS,
	.get = get,
	.set = set,
	.touch = touch,
	.del = del,
};
static const struct hostd_provide provide = {
	.struct_size = sizeof(provide),
	.kind = HOSTD_KIND_SESSION_STORE,
	.ops = &ops,
};
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(0),
	.id = "session_redis",
	.version = "0.1.0",
	.built_with = HOSTD_SDK_VERSION,
	.provides = provides,
	.keys = keys,
	.create = create,
	.start = start,
	.destroy = destroy,
};
