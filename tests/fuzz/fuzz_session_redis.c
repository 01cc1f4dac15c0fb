/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session_redis, with a host and Redis servers that are played here.
 *
 * The input is what happens, in bytes: an event, and what it needs.  Servers
 * say anything, a few words of the protocol among it, connect and go away at
 * any time, while the host gets, sets and lets time pass.
 *
 * What must hold: every op is answered once at most, with a code that the host
 * knows, and a value only where one was asked for; nothing is left when the
 * instance has ended.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <session_redis/store.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

extern const struct hostd_plugin hostd_plugin_v1;

#define CONNS	64
#define TIMERS	256
#define OPS	256

static void
must(int holds)
{
	if (!holds)
		abort();
}

/* -- what is there -- */

static struct conn {
	enum { FREE, CONNECTING, OPEN, CLOSING } state;
	struct hostd_net_ops ops;
	void *arg;
} conns[CONNS];
static struct timer {
	void (*fn)(struct hostd_inst *, hostd_timer, void *);
	void *arg;
	uint64_t due;
	uint64_t id;			/* 0: none */
} timers[TIMERS];
static struct {
	enum { ANSWERED, OWED, STALE } state;
	int is_get;
} ops[OPS];
static struct hostd_inst *inst;
static uint64_t clock_ms, last_timer;
static size_t nops;
static const uint8_t *in;	/* what is left of the input */
static size_t left;

static unsigned
next(void)
{
	if (left == 0)
		return 0;
	left--;
	return *in++;
}

/* -- the host -- */

static void
quiet(const struct hostd_host *h, int32_t level, const char *text, size_t n)
{
	(void)h;
	must(level != HOSTD_LOG_HOST_BUG && memchr(text, '\0', n) == NULL);
}

static uint64_t
now_ms(const struct hostd_host *h)
{
	(void)h;
	return clock_ms;
}

static int32_t
net_connect(const struct hostd_host *h, const struct hostd_connect *to,
    const struct hostd_net_ops *table, void *arg, hostd_conn *out)
{
	size_t i;

	(void)h;
	must(to->host[0] != '\0' && to->port > 0 && to->port < 65536);
	for (i = 0; i < CONNS && conns[i].state != FREE; i++)
		;
	if (i == CONNS)
		return HOSTD_E_FULL;
	conns[i].state = CONNECTING;
	conns[i].ops = *table;
	conns[i].arg = arg;
	out->id = i + 1;
	return HOSTD_OK;
}

static int32_t
net_send(const struct hostd_host *h, hostd_conn c, hostd_buf b)
{
	(void)h;
	must(c.id > 0 && c.id <= CONNS && b.n > 0);
	return conns[c.id - 1].state == OPEN ? HOSTD_OK : HOSTD_E_STATE;
}

static int32_t
net_close(const struct hostd_host *h, hostd_conn c)
{
	(void)h;
	must(c.id > 0 && c.id <= CONNS && conns[c.id - 1].state != FREE);
	conns[c.id - 1].state = CLOSING;
	return HOSTD_OK;
}

static int32_t
timer_start(const struct hostd_host *h, uint64_t delay, uint64_t repeat,
    void (*fn)(struct hostd_inst *, hostd_timer, void *), void *arg,
    hostd_timer *out)
{
	size_t i;

	(void)h;
	must(repeat == 0);
	for (i = 0; i < TIMERS && timers[i].id != 0; i++)
		;
	if (i == TIMERS)
		return HOSTD_E_FULL;
	out->id = ++last_timer;
	timers[i] = (struct timer){ fn, arg, clock_ms + delay, out->id };
	return HOSTD_OK;
}

static int32_t
timer_stop(const struct hostd_host *h, hostd_timer t)
{
	size_t i;

	(void)h;
	for (i = 0; i < TIMERS && timers[i].id != t.id; i++)
		;
	must(t.id != 0 && i < TIMERS);
	timers[i].id = 0;
	return HOSTD_OK;
}

static void	new_op(void);

static int32_t
complete(const struct hostd_host *h, hostd_op op, int32_t status,
    hostd_buf result)
{
	(void)h;
	must(op.id > 0 && op.id <= nops);
	must(ops[op.id - 1].state != ANSWERED);
	must(status == HOSTD_OK || status == HOSTD_E_IO ||
	    status == HOSTD_E_FULL || status == HOSTD_E_STATE);
	must(result.p == NULL || (ops[op.id - 1].is_get && status == HOSTD_OK));
	if (ops[op.id - 1].state == STALE) {
		ops[op.id - 1].state = ANSWERED;
		return HOSTD_E_GONE;
	}
	ops[op.id - 1].state = ANSWERED;
	if (op.id % 8 == 0)
		new_op();	/* a host that is told asks for more */
	return HOSTD_OK;
}

static int32_t
left_ms(const struct hostd_host *h, hostd_op op, uint64_t *out)
{
	(void)h;
	must(op.id > 0 && op.id <= nops);
	*out = 2000;
	return ops[op.id - 1].state == OWED ? HOSTD_OK : HOSTD_E_GONE;
}

static const struct hostd_net_api net_api = { .struct_size = sizeof(net_api),
	.connect = net_connect, .send = net_send, .close = net_close };
static const struct hostd_timer_api timer_api = {
	.struct_size = sizeof(timer_api), .start = timer_start,
	.stop = timer_stop };
static const struct hostd_op_api op_api = { .struct_size = sizeof(op_api),
	.complete = complete, .left_ms = left_ms };

static const void *
get_ext(const struct hostd_host *h, const char *id)
{
	(void)h;
	return strcmp(id, HOSTD_EXT_NET) == 0 ? (const void *)&net_api :
	    strcmp(id, HOSTD_EXT_TIMER) == 0 ? (const void *)&timer_api :
	    strcmp(id, HOSTD_EXT_OP) == 0 ? (const void *)&op_api : NULL;
}

static const struct hostd_host host = { .struct_size = sizeof(host),
	.get_ext = get_ext, .log = quiet, .now_ms = now_ms };

/* -- its configuration -- */

static int32_t
get_int(const struct hostd_conf *c, const char *key, int64_t *out)
{
	(void)c;
	*out = strcmp(key, "cluster") == 0 ? 0 :
	    strcmp(key, "connections") == 0 ? 2 :
	    strcmp(key, "max_pending") == 0 ? 4096 : 1000;
	return HOSTD_OK;
}

static int32_t
get_str(const struct hostd_conf *c, const char *key, hostd_buf *out)
{
	(void)c;
	*out = hostd_str(strcmp(key, "url") == 0 ? "redis://h:1" :
	    strcmp(key, "prefix") == 0 ? "sess:" : NULL);
	return HOSTD_OK;
}

static int32_t
get_count(const struct hostd_conf *c, const char *key, uint32_t *out)
{
	(void)c;
	(void)key;
	*out = 1;
	return HOSTD_OK;
}

static int32_t
get_item(const struct hostd_conf *c, const char *key, uint32_t i,
    hostd_buf *out)
{
	(void)c;
	(void)key;
	(void)i;
	*out = hostd_str("h:2");
	return HOSTD_OK;
}

static const struct hostd_conf conf = { .struct_size = sizeof(conf),
	.get_int = get_int, .get_str = get_str, .get_count = get_count,
	.get_item = get_item };

/* -- what happens -- */

#define NODE(port) "*3\r\n$1\r\nh\r\n:" port "\r\n$2\r\nid\r\n"
#define ALL_OK "$16\r\ncluster_state:ok\r\n"

static const char *const words[] = {
	"+PONG\r\n", "-ERR no\r\n", "$-1\r\n", ":1\r\n", ":0\r\n", "+OK\r\n",
	"$1\r\nx\r\n", "$0\r\n\r\n", "-NOSCRIPT no\r\n", "-TRYAGAIN no\r\n",
	"-MOVED 1 h:1\r\n", "-MOVED 1 h:3\r\n", "-ASK 1 h:2\r\n",
	"-ASK 1 :4\r\n", "-READONLY no\r\n", "-OOM no\r\n",
	"-CLUSTERDOWN no\r\n", "-LOADING no\r\n",
	"-ERR unknown command, with args sess:key\r\n",
	ALL_OK "*1\r\n*3\r\n:0\r\n:16383\r\n" NODE("1"),
	ALL_OK "*2\r\n*3\r\n:0\r\n:8000\r\n" NODE("1")
	    "*3\r\n:8001\r\n:16383\r\n" NODE("3"),
	ALL_OK "*1\r\n*3\r\n:0\r\n:16000\r\n" NODE("4"),
	"$18\r\ncluster_state:fail\r\n*0\r\n", "+PONG\r\n-ERR a\r\n-ERR b\r\n"
};

static void
new_op(void)
{
	static const char *const keys[] = { "key", "other", "{a}key", "" };
	unsigned what = next();
	const struct hostd_session_store_ops *table =
	    hostd_plugin_v1.provides[0]->ops;
	hostd_buf key = hostd_str(keys[what >> 4 & 3]);
	hostd_buf value = hostd_str("{\"cookie\":{}}");
	hostd_buf nothing = { NULL, 0 };
	hostd_op op;
	int32_t rc;

	if (nops == OPS)
		return;
	ops[nops].state = OWED;
	ops[nops].is_get = what % 4 == 0;
	op.id = ++nops;
	switch (what % 4) {
	case 0:
		rc = table->get(inst, key, op);
		break;
	case 1:
		rc = table->set(inst, key, value, 1000, what & 4 ? NULL :
		    what & 8 ? &nothing : &value, op);
		break;
	case 2:
		rc = table->touch(inst, key, 1000, op);
		break;
	default:
		rc = table->del(inst, key, op);
	}
	must(rc == HOSTD_DEFER || (rc < 0 &&
	    ops[op.id - 1].state != ANSWERED));
	if (rc < 0)
		ops[op.id - 1].state = ANSWERED;
}

static void
connection_ends(struct conn *c)
{
	hostd_conn id = { (uint64_t)(c - conns) + 1 };

	c->ops.on_close(inst, id, c->arg, HOSTD_E_IO, hostd_str("gone"));
	c->state = FREE;
}

/* The end of a turn. */
static void
turn(void)
{
	size_t i;

	for (i = 0; i < CONNS; i++)
		if (conns[i].state == CLOSING)
			connection_ends(&conns[i]);
}

static void
server_says(struct conn *c, const void *p, size_t n)
{
	hostd_conn id = { (uint64_t)(c - conns) + 1 };
	hostd_buf b = { malloc(n + 1), n };	/* reading beyond is noticed */

	memcpy((void *)(uintptr_t)b.p, p, n);
	if (c->state == OPEN)
		c->ops.on_data(inst, id, c->arg, b);
	free((void *)(uintptr_t)b.p);
}

static void
server_event(unsigned what)
{
	struct conn *c = &conns[next() % CONNS];
	hostd_conn id = { (uint64_t)(c - conns) + 1 };
	const uint8_t *text;
	const char *word;
	size_t n;

	switch (what) {
	case 0:
		if (c->state != CONNECTING)
			return;
		c->state = OPEN;
		c->ops.on_connect(inst, id, c->arg);
		return;
	case 1:
		if (c->state == CONNECTING || c->state == OPEN)
			connection_ends(c);
		return;
	case 2:
		word = words[next() % (sizeof(words) / sizeof(words[0]))];
		server_says(c, word, strlen(word));
		return;
	default:
		n = next();
		n = n < left ? n : left;
		text = in;
		in += n;
		left -= n;
		server_says(c, text, n);
	}
}

static void
time_passes(void)
{
	hostd_timer id;
	struct timer t;
	size_t i;

	clock_ms += next() * 10;
	for (i = 0; i < TIMERS; i++) {
		t = timers[i];
		if (t.id == 0 || t.due > clock_ms)
			continue;
		timers[i].id = 0;
		id.id = t.id;
		t.fn(inst, id, t.arg);
	}
}

static void
happen(void)
{
	unsigned what = next() % 8, which;

	if (what < 4)
		server_event(what);
	else if (what < 6)
		new_op();
	else if (what == 6)
		time_passes();
	else if ((which = next()) < nops && ops[which].state == OWED)
		ops[which].state = STALE;
	turn();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct hostd_err err = { .struct_size = sizeof(err) };
	size_t i;

	in = p;
	left = n;
	nops = 0;
	clock_ms = 1000;
	must(hostd_plugin_v1.create(&host, &conf, &inst, &err) == HOSTD_OK);
	must(hostd_plugin_v1.start(inst) == HOSTD_OK);
	while (left > 0)
		happen();
	hostd_plugin_v1.destroy(inst);
	for (i = 0; i < CONNS; i++) {
		must(conns[i].state == FREE || conns[i].state == CLOSING);
		if (conns[i].state == CLOSING)
			connection_ends(&conns[i]);
	}
	for (i = 0; i < TIMERS; i++)
		must(timers[i].id == 0);
	return 0;
}
