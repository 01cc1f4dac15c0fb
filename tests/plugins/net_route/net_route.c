/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connects where a request says, does there what its query says, and answers
 * with what happened.
 *
 *	run?host=H&port=P	until on_close; the answer is its story
 *	hold?host=H&port=P	until connected; the answer is its id
 *	poke?id=N		call everything with that id
 *	resume			the one that was paused
 *	wrong, flood, thread	what connect does not take
 *
 * Of run: say=TEXT and fill=N bytes are sent when connected, or in the event
 * that at= names; shut= and close= name the event in which that is called;
 * pause=1 reads nothing at first.
 */
#include <pthread.h>
#include <hostd/easy.h>
#include <hostd/net.h>

#define FLOOD 1100
#define BLOCK 16384

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_net_api *net;
	int calling;		/* the host: it must not call us */
	struct run *paused;
};

struct run {
	struct hostd_inst *in;
	hostd_req req;
	hostd_conn conn;
	int held, paused, again, full;
	uint64_t fill, out, received;
	uint32_t sum;		/* of the bytes received */
	char say[128], at[16], shut[16], close[16];
	size_t len;
	char story[1024];
};

/* -- what happened -- */

static void HOSTD_PRINTF(2, 3)
tell(struct run *r, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(r->story + r->len, sizeof(r->story) - r->len, fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n < sizeof(r->story) - r->len)
		r->len += (size_t)n;
}

/* One word of the story; one that repeats is told once, but for the end. */
static void
event(struct run *r, const char *name)
{
	size_t n = strlen(name);

	if (r->in->calling)
		hostd_logf(r->in->easy.host, HOSTD_LOG_HOST_BUG,
		    "%s before the call has returned", name);
	if (strcmp(name, "eof") == 0 || r->len < n ||
	    memcmp(r->story + r->len - n, name, n) != 0)
		tell(r, "%s%s", r->len == 0 ? "" : " ", name);
}

#define CALL(rc, in, call)		\
	do {				\
		(in)->calling = 1;	\
		(rc) = (call);		\
		(in)->calling = 0;	\
	} while (0)

static void	asked(struct run *, const char *);

static void
fill(struct run *r)
{
	static const char block[BLOCK] = "block";
	struct hostd_inst *in = r->in;
	hostd_buf b = {block, BLOCK};
	int32_t rc = HOSTD_OK;

	if (r->out == r->fill)
		return;
	while (r->out < r->fill && rc >= 0) {
		b.n = r->fill - r->out < BLOCK ? (size_t)(r->fill - r->out)
					       : BLOCK;
		CALL(rc, in, in->net->send(in->easy.host, r->conn, b));
		if (rc >= 0)
			r->out += b.n;
		r->again += rc == HOSTD_AGAIN;
		r->full += rc == HOSTD_E_FULL;
	}
	if (rc == HOSTD_E_FULL && r->full == 1) {
		event(r, "stuffed");
		hostd_logf(in->easy.host, HOSTD_LOG_INFO, "stuffed");
	} else if (rc < 0 && rc != HOSTD_E_FULL) {
		tell(r, " send:%d", (int)rc);
	}
	if (r->out == r->fill)
		asked(r, "filled");
}

static void
asked(struct run *r, const char *name)
{
	struct hostd_inst *in = r->in;
	const struct hostd_host *host = in->easy.host;
	int32_t rc = HOSTD_OK;

	if (strcmp(r->at, name) == 0 && r->say[0] != '\0')
		CALL(rc, in, in->net->send(host, r->conn, hostd_str(r->say)));
	if (strcmp(r->at, name) == 0)
		fill(r);
	if (strcmp(r->shut, name) == 0)
		CALL(rc, in, in->net->shutdown(host, r->conn));
	if (strcmp(r->close, name) == 0)
		CALL(rc, in, in->net->close(host, r->conn));
	if (rc != HOSTD_OK)
		tell(r, " asked:%d", (int)rc);
}

static void
on_connect(struct hostd_inst *in, hostd_conn conn, void *arg)
{
	struct run *r = arg;
	int32_t rc = HOSTD_OK;

	event(r, "connect");
	hostd_logf(in->easy.host, HOSTD_LOG_INFO, "connected %llu",
	    (unsigned long long)conn.id);
	if (conn.id != r->conn.id)
		tell(r, " of another");
	if (r->held) {
		(void)hostd_json(in, r->req, 200, "{\"id\":\"%llu\"}",
		    (unsigned long long)conn.id);
		return;
	}
	if (r->paused) {
		in->paused = r;
		CALL(rc, in, in->net->pause(in->easy.host, conn, 1));
	}
	if (rc != HOSTD_OK)
		tell(r, " pause:%d", (int)rc);
	asked(r, "connect");
}

static void
on_data(struct hostd_inst *in, hostd_conn conn, void *arg, hostd_buf data)
{
	const unsigned char *p = data.p;
	struct run *r = arg;
	size_t i;

	(void)in;
	(void)conn;
	event(r, data.n > 0 ? "data" : "eof");
	r->received += data.n;
	for (i = 0; i < data.n; i++)
		r->sum = r->sum * 31 + p[i];
	asked(r, data.n > 0 ? "data" : "eof");
}

static void
on_writable(struct hostd_inst *in, hostd_conn conn, void *arg)
{
	struct run *r = arg;

	(void)in;
	(void)conn;
	event(r, "writable");
	fill(r);
	asked(r, "writable");
}

static void
on_close(struct hostd_inst *in, hostd_conn conn, void *arg, int32_t status,
    hostd_buf text)
{
	struct run *r = arg;
	hostd_buf b = {"x", 1};
	int32_t send, drop;

	event(r, "close");
	CALL(send, in, in->net->send(in->easy.host, conn, b));
	CALL(drop, in, in->net->close(in->easy.host, conn));
	if (send != HOSTD_E_STATE || drop != HOSTD_E_STATE)
		tell(r, " but %d %d", (int)send, (int)drop);
	hostd_logf(in->easy.host, HOSTD_LOG_INFO, "closed %d: %.*s",
	    (int)status, (int)text.n, (const char *)text.p);
	if (!r->held || r->len == strlen("close"))
		(void)hostd_json(in, r->req, 200,
		    "{\"story\":\"%s\",\"status\":%d,\"text\":\"%.*s\","
		    "\"received\":%llu,\"sum\":%u,\"out\":%llu,\"again\":%d,"
		    "\"full\":%d}",
		    r->story, (int)status, (int)text.n, (const char *)text.p,
		    (unsigned long long)r->received, r->sum,
		    (unsigned long long)r->out, r->again, r->full);
	free(r);
}

static const struct hostd_net_ops net_ops = {.struct_size = sizeof(net_ops),
    .on_connect = on_connect,
    .on_data = on_data,
    .on_writable = on_writable,
    .on_close = on_close};

/* -- requests -- */

/* The value of a query's field; "" when it has none. */
static const char *
field(const struct hostd_request *q, const char *name, char *buf, size_t size)
{
	const char *p = q->query.p, *end = p + q->query.n, *stop;
	size_t n = strlen(name), len;

	buf[0] = '\0';
	for (; p != NULL && p < end; p = stop + 1) {
		if ((stop = memchr(p, '&', (size_t)(end - p))) == NULL)
			stop = end;
		if ((size_t)(stop - p) <= n || memcmp(p, name, n) != 0 ||
		    p[n] != '=')
			continue;
		len = (size_t)(stop - p) - n - 1;
		if (len >= size)
			len = size - 1;
		memcpy(buf, p + n + 1, len);
		buf[len] = '\0';
		break;
	}
	return buf;
}

static uint64_t
number(const struct hostd_request *q, const char *name)
{
	char buf[32];

	return strtoull(field(q, name, buf, sizeof(buf)), NULL, 10);
}

static int32_t
run(struct hostd_inst *in, hostd_req req, const struct hostd_request *q,
    int held)
{
	struct hostd_connect to = {.struct_size = sizeof(to)};
	struct run *r = calloc(1, sizeof(*r));
	char host[256];
	int32_t rc;

	if (r == NULL)
		return HOSTD_E_NOMEM;
	r->in = in;
	r->req = req;
	r->held = held;
	r->paused = number(q, "pause") != 0;
	r->fill = number(q, "fill");
	(void)field(q, "say", r->say, sizeof(r->say));
	if (field(q, "at", r->at, sizeof(r->at))[0] == '\0')
		memcpy(r->at, "connect", sizeof("connect"));
	(void)field(q, "shut", r->shut, sizeof(r->shut));
	(void)field(q, "close", r->close, sizeof(r->close));
	to.host = field(q, "host", host, sizeof(host));
	to.port = (uint32_t)number(q, "port");
	to.timeout_ms = (uint32_t)number(q, "timeout");
	to.high_water = (uint32_t)number(q, "high");
	to.flags = (uint32_t)number(q, "flags");
	CALL(rc, in,
	    in->net->connect(in->easy.host, &to, &net_ops, r, &r->conn));
	if (rc != HOSTD_OK) {
		free(r);
		return hostd_json(in, req, 200, "{\"rc\":%d}", (int)rc);
	}
	hostd_logf(in->easy.host, HOSTD_LOG_INFO, "started %llu",
	    (unsigned long long)r->conn.id);
	asked(r, "start");
	return HOSTD_DEFER;
}

static int32_t
poke(struct hostd_inst *in, hostd_req req, hostd_conn conn)
{
	const struct hostd_host *host = in->easy.host;
	hostd_buf b = {"x", 1};
	int32_t send, pause, shut, drop;

	send = in->net->send(host, conn, b);
	pause = in->net->pause(host, conn, 1);
	shut = in->net->shutdown(host, conn);
	drop = in->net->close(host, conn);
	return hostd_json(in, req, 200, "[%d,%d,%d,%d]", (int)send, (int)pause,
	    (int)shut, (int)drop);
}

static int32_t
resume(struct hostd_inst *in, hostd_req req)
{
	struct run *r = in->paused;

	in->paused = NULL;
	tell(r, " %llu bytes before", (unsigned long long)r->received);
	return hostd_json(in, req, 200, "%d",
	    (int)in->net->pause(in->easy.host, r->conn, 0));
}

/* Arguments that connect refuses, and how. */
static int32_t
wrong(struct hostd_inst *in, hostd_req req)
{
	const struct hostd_host *host = in->easy.host;
	struct hostd_net_ops no_close = net_ops, shorter = net_ops;
	char path[200];
	struct hostd_connect ok = {.struct_size = sizeof(ok),
	    .host = "127.0.0.1",
	    .port = 1};
	struct hostd_connect to[8];
	int32_t rc[11];
	hostd_conn c;
	int i;

	memset(path, '/', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	for (i = 0; i < 8; i++)
		to[i] = ok;
	to[0].host = NULL;
	to[1].host = "";
	to[2].port = 0;
	to[3].port = 65536;
	to[4].host = path;
	to[5].flags = 0x80;
	to[6].reserved = 1;
	to[7].struct_size = 8;
	no_close.on_close = NULL;
	shorter.struct_size = 16;
	for (i = 0; i < 8; i++)
		rc[i] = in->net->connect(host, &to[i], &net_ops, NULL, &c);
	rc[8] = in->net->connect(host, &ok, &no_close, NULL, &c);
	rc[9] = in->net->connect(host, &ok, &shorter, NULL, &c);
	rc[10] = in->net->connect(host, &ok, &net_ops, NULL, NULL);
	return hostd_json(in, req, 200,
	    "[%d,%d,%d,%d,%d,%d,%d,%d,%d,%d,%d]", (int)rc[0], (int)rc[1],
	    (int)rc[2], (int)rc[3], (int)rc[4], (int)rc[5], (int)rc[6],
	    (int)rc[7], (int)rc[8], (int)rc[9], (int)rc[10]);
}

static void
flood_close(struct hostd_inst *in, hostd_conn conn, void *arg, int32_t status,
    hostd_buf text)
{
	int *left = arg;

	(void)conn;
	(void)status;
	(void)text;
	if (--*left == 0)
		hostd_logf(in->easy.host, HOSTD_LOG_INFO, "the flood is over");
	if (*left == 0)
		free(left);
}

/* As many as there can be, and none of them is begun. */
static int32_t
flood(struct hostd_inst *in, hostd_req req)
{
	struct hostd_connect to = {
	    .struct_size = sizeof(to), .host = "127.0.0.1", .port = 9};
	struct hostd_net_ops ops = net_ops;
	int *left = calloc(1, sizeof(*left));
	hostd_conn c[FLOOD];
	int32_t rc = HOSTD_OK;
	int i, n = 0;

	if (left == NULL)
		return HOSTD_E_NOMEM;
	ops.on_close = flood_close;
	while (n < FLOOD && (rc = in->net->connect(in->easy.host, &to, &ops,
		   left, &c[n])) == HOSTD_OK)
		n++;
	*left = n;
	for (i = 0; i < n; i++)
		(void)in->net->close(in->easy.host, c[i]);
	return hostd_json(in, req, 200, "{\"n\":%d,\"rc\":%d}", n, (int)rc);
}

struct stranger {
	struct hostd_inst *in;
	hostd_conn conn;
	int32_t rc[5];
};

static void *
strange(void *arg)
{
	struct hostd_connect to = {
	    .struct_size = sizeof(to), .host = "127.0.0.1", .port = 9};
	struct stranger *s = arg;
	struct hostd_inst *in = s->in;
	const struct hostd_host *host = in->easy.host;
	hostd_buf b = {"x", 1};
	hostd_conn c;

	s->rc[0] = in->net->connect(host, &to, &net_ops, NULL, &c);
	s->rc[1] = in->net->send(host, s->conn, b);
	s->rc[2] = in->net->pause(host, s->conn, 1);
	s->rc[3] = in->net->shutdown(host, s->conn);
	s->rc[4] = in->net->close(host, s->conn);
	return NULL;
}

static int32_t
thread(struct hostd_inst *in, hostd_req req, hostd_conn conn)
{
	struct stranger s = {.in = in, .conn = conn};
	pthread_t t;

	if (pthread_create(&t, NULL, strange, &s) != 0)
		return HOSTD_E_NOMEM;
	(void)pthread_join(t, NULL);
	return hostd_json(in, req, 200, "[%d,%d,%d,%d,%d]", (int)s.rc[0],
	    (int)s.rc[1], (int)s.rc[2], (int)s.rc[3], (int)s.rc[4]);
}

static int
is(const struct hostd_request *q, const char *name)
{
	return q->rest.n == strlen(name) &&
	    memcmp(q->rest.p, name, q->rest.n) == 0;
}

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_request *q = hostd_request_of(in, req);
	hostd_conn conn = {number(q, "id")};

	(void)d;
	if (is(q, "run"))
		return run(in, req, q, 0);
	if (is(q, "hold"))
		return run(in, req, q, 1);
	if (is(q, "poke"))
		return poke(in, req, conn);
	if (is(q, "resume"))
		return resume(in, req);
	if (is(q, "wrong"))
		return wrong(in, req);
	if (is(q, "flood"))
		return flood(in, req);
	if (is(q, "thread"))
		return thread(in, req, conn);
	return HOSTD_PASS;
}

/* -- life -- */

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	struct hostd_connect to = {
	    .struct_size = sizeof(to), .host = "127.0.0.1"};
	struct hostd_inst *in;
	struct run *r;
	int64_t port = 0, refuse = 0;
	int32_t rc;

	rc = hostd_easy_create(sizeof(*in), host, out, err);
	if (rc != HOSTD_OK)
		return rc;
	in = *out;
	in->net = host->get_ext(host, HOSTD_EXT_NET);
	if (in->net == NULL) {
		free(in);
		return hostd_fail(err, HOSTD_E_NOTSUP, "no " HOSTD_EXT_NET);
	}
	(void)conf->get_int(conf, "early", &port);
	(void)conf->get_int(conf, "refuse", &refuse);
	if (port == 0)
		return HOSTD_OK;
	if ((r = calloc(1, sizeof(*r))) == NULL)
		return HOSTD_E_NOMEM;
	r->in = in;
	r->held = 1;
	to.port = (uint32_t)port;
	rc = in->net->connect(host, &to, &net_ops, r, &r->conn);
	if (rc != HOSTD_OK || refuse) {
		/* Nobody will call on_close. */
		free(r);
		free(in);
		return hostd_fail(err, HOSTD_E_STATE, "connect: %d", (int)rc);
	}
	return HOSTD_OK;
}

static void
destroy(struct hostd_inst *in)
{
	hostd_logf(in->easy.host, HOSTD_LOG_INFO, "destroyed");
	free(in);
}

static const struct hostd_key early = {.struct_size = sizeof(early),
    .type = HOSTD_KEY_INT,
    .name = "early",
    .help = "A port to connect to in create.",
    .max = 65535};
static const struct hostd_key refuse = {.struct_size = sizeof(refuse),
    .type = HOSTD_KEY_BOOL,
    .name = "refuse",
    .dflt = "off",
    .help = "Then let create fail."};
static const struct hostd_key *const keys[] = {&early, &refuse, NULL};
static const struct hostd_http_ops ops = {
    .struct_size = sizeof(ops), .on_headers = on_headers};
static const struct hostd_provide provide = {
    .struct_size = sizeof(provide), .kind = HOSTD_KIND_HTTP_ROUTE, .ops = &ops};
static const struct hostd_provide *const provides[] = {&provide, NULL};

HOSTD_PLUGIN_ENTRY = {HOSTD_PREFIX(0), .id = "net_route", .version = "1.0",
    .built_with = HOSTD_SDK_VERSION, .provides = provides, .keys = keys,
    .create = create, .destroy = destroy};
