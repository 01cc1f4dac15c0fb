/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plugin that makes one mistake of each kind: compiled once with -DMISTAKE=n
 * for every line of the list below, and with 0 for none.  The checker must
 * notice each, in the words given.
 *
 * 1	create returned -2 but says nothing
 * 2	a failed create leaks about
 * 3	leaves descriptors open
 * 4	leaks about
 * 5	there was no answer
 * 6	called respond after it had begun
 * 7	the header Content-Length, which is the host's
 * 8	with byte 0x0a in its value
 * 9	called respond with status 99
 * 10	touched memory lent to on_headers
 * 11	touched the request's data block beyond its end
 * 12	touched the request's data block after its time
 * 13	is there a global variable?
 * 14	which is [loop], on another thread
 * 15	sent more than the 2 bytes promised
 * 16	finished after 2 of the 4 bytes promised
 * 17	a slow client gets
 * 18	has no help
 * 19	for key "undeclared", which it does not declare
 * 20	while in on_body of POST
 * 21	threads running
 * 22	before the release function of write_file
 * 23	host without get_ext: called get_ext of host
 * 24	returned HOSTD_PASS for GET /clumsy after
 * 25	outside of create
 * 26	ended the process with status 3
 * 27	crashed with SIGABRT, while in on_end
 * 28	called request with a request of instance
 * 29	called finish twice
 * 30	made a counter go down
 */
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <hostd/easy.h>
#include <hostd/metrics.h>
#include <hostd/timer.h>
#include <hostd/work.h>

#ifndef MISTAKE
#define MISTAKE 0
#endif
/* A constant, so that all of it is compiled, whichever is chosen. */
#define IS(n) (MISTAKE == (n))

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_timer_api *timer;
	const struct hostd_work_api *work;
	const struct hostd_metrics_api *metrics;
	uint32_t counter;
	int fd;
};

struct data {
	hostd_req req;
	uint32_t bytes;
	int32_t defers;
};

static const struct hostd_host *global_host;
static hostd_req global_req;
static const void *kept;
static volatile int zero;

static void *
sleeper(void *arg)
{
	(void)arg;
	for (;;)
		(void)pause();
	return NULL;
}

static void
start_thread(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, sleeper, NULL) == 0)
		(void)pthread_detach(t);
}

static void
define_counter(struct hostd_inst *in)
{
	struct hostd_metric m;

	memset(&m, 0, sizeof(m));
	m.struct_size = sizeof(m);
	m.type = HOSTD_METRIC_COUNTER;
	m.name = "requests_total";
	m.help = "Requests.";
	(void)in->metrics->define(in->easy.host, &m, &in->counter);
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	struct hostd_inst *in;
	hostd_buf b;
	int32_t rc;

	if (IS(1))
		return HOSTD_E_NOMEM;
	if (IS(2))
		kept = malloc(100);
	if (IS(13) && global_host == NULL)
		global_host = host;
	if (IS(19))
		(void)conf->get_str(conf, "undeclared", &b);
	rc = hostd_easy_create(sizeof(*in), host, out, err);
	if (rc != HOSTD_OK)
		return rc;
	in = *out;
	in->timer = host->get_ext(host, HOSTD_EXT_TIMER);
	in->work = host->get_ext(host, HOSTD_EXT_WORK);
	in->metrics = host->get_ext(host, HOSTD_EXT_METRICS);
	if (in->timer == NULL || in->work == NULL || in->metrics == NULL) {
		free(in);
		return hostd_fail(err, HOSTD_E_NOTSUP, "too old a host");
	}
	if (!IS(25))
		define_counter(in);
	in->fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	return HOSTD_OK;
}

static int32_t
start(struct hostd_inst *in)
{
	if (IS(25))
		define_counter(in);
	if (IS(21))
		start_thread();
	return HOSTD_OK;
}

static void
destroy(struct hostd_inst *in)
{
	if (!IS(3))
		(void)close(in->fd);
	free(in);
}

static void
nothing(struct hostd_inst *in, void *arg)
{
	(void)in, (void)arg;
}

static void
work_badly(void *arg)
{
	const struct hostd_easy *e = arg;

	(void)e->http->request(e->host, global_req);
}

static void
work_done(struct hostd_inst *in, void *arg, int32_t status)
{
	(void)in, (void)arg, (void)status;
}

/* The deferred answer.  It looks the request up by handle, never by d. */
static void
later(struct hostd_inst *in, hostd_timer timer, void *arg)
{
	hostd_req req;

	(void)timer;
	req.id = (uint64_t)(uintptr_t)arg;
	if (IS(12))
		req = ((struct data *)arg)->req;
	(void)hostd_respond(in, req, 200, "text/plain", "later\n");
}

static int32_t
send_file(struct hostd_inst *in, hostd_req req)
{
	const struct hostd_easy *e = &in->easy;
	int fd = dup(in->fd);

	(void)e->http->begin(e->host, req, 200, NULL, 0, 4);
	(void)e->http->write_file(e->host, req, fd, 0, 4, nothing, NULL);
	(void)close(fd);
	return e->http->finish(e->host, req);
}

static int32_t
stream(struct hostd_inst *in, hostd_req req)
{
	const struct hostd_easy *e = &in->easy;
	int64_t length = IS(15) ? 2 : IS(16) ? 4 : -1;

	(void)e->http->begin(e->host, req, 200, NULL, 0, length);
	(void)e->http->write(e->host, req, hostd_str("ab"));
	if (IS(15) || IS(17))
		(void)e->http->write(e->host, req, hostd_str("cd"));
	(void)e->http->finish(e->host, req);
	return IS(29) ? e->http->finish(e->host, req) : HOSTD_OK;
}

static int32_t
respond_badly(struct hostd_inst *in, hostd_req req)
{
	const struct hostd_easy *e = &in->easy;
	hostd_hdr h = hostd_header("X-A", "b");

	if (IS(7))
		h = hostd_header("Content-Length", "0");
	if (IS(8))
		h = hostd_header("X-A", "b\nSet-Cookie: c");
	return e->http->respond(e->host, req, IS(9) ? 99 : 200, &h, 1,
	    hostd_str(""));
}

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_request *q = hostd_request_of(in, req);
	struct data *data = d;
	hostd_timer t;

	data->req = req;
	in->metrics->add(in->easy.host, in->counter, IS(30) ? -1 : 1);
	if (IS(4) || IS(10)) {
		if (IS(10) && kept != NULL)
			return *(const volatile char *)kept == 'x';
		kept = IS(10) ? q->path.p : malloc(50);
	}
	if (IS(6)) {
		(void)hostd_respond(in, req, 200, "text/plain", "once");
		return hostd_respond(in, req, 200, "text/plain", "twice");
	}
	if (IS(7) || IS(8) || IS(9))
		return respond_badly(in, req);
	if (IS(13))
		(void)in->easy.http->request(global_host, req);
	if (IS(14)) {
		global_req = req;
		(void)in->work->submit(in->easy.host, work_badly, work_done,
		    &in->easy);
		return HOSTD_DEFER;
	}
	if (IS(15) || IS(16) || IS(17) || IS(29))
		return stream(in, req);
	if (IS(22))
		return send_file(in, req);
	if (IS(24)) {
		(void)hostd_respond(in, req, 200, "text/plain", "once");
		return HOSTD_PASS;
	}
	if (IS(26))
		_exit(3);
	if (IS(28)) {
		if (global_req.id != 0)
			(void)hostd_request_of(in, global_req);
		global_req = req;
	}
	if (q->content_length != 0 && !IS(23))
		return HOSTD_OK;
	data->defers = 1;
	(void)in->timer->start(in->easy.host, 10, 0, later,
	    IS(12) ? d : (void *)(uintptr_t)req.id, &t);
	return HOSTD_DEFER;
}

static int32_t
on_body(struct hostd_inst *in, hostd_req req, void *d, hostd_buf part,
    int32_t fin)
{
	struct data *data = d;

	data->bytes += (uint32_t)part.n;
	if (data->defers)
		return HOSTD_DEFER;
	if (IS(11))
		((volatile char *)d)[16 + data->bytes] = 1;
	if (IS(20) && part.n == 1)
		data->bytes /= (uint32_t)zero;
	if (!fin || IS(5))
		return HOSTD_OK;
	if (IS(10) && *(const volatile char *)kept == 'x')
		return HOSTD_E_IO;
	return hostd_json(in, req, 200, "{\"bytes\":%u}", data->bytes);
}

static void
on_end(struct hostd_inst *in, hostd_req req, void *d, int32_t why)
{
	(void)in, (void)req, (void)d;
	if (IS(27) && why == HOSTD_END_SHUTDOWN)
		abort();
}

static const struct hostd_key key = { sizeof(key), HOSTD_KEY_INT, 0, "n", "1",
	IS(18) ? "" : "A number.", 0, 9, NULL };
static const struct hostd_key *const keys[] = { &key, NULL };
static const struct hostd_http_ops ops = { sizeof(ops), 0,
	sizeof(struct data), 0, on_headers, on_body, NULL, on_end };
static const struct hostd_provide provide = { sizeof(provide), 0,
	HOSTD_KIND_HTTP_ROUTE, NULL, &ops, "/clumsy" };
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), "clumsy", "1.0", HOSTD_SDK_VERSION,
	provides, keys, NULL, create, start, NULL, destroy, NULL };
