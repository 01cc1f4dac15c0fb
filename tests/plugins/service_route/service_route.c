/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The services behind get_ext, at their edges.  By path (behind the route's
 * prefix):
 *
 *	crash	work on a thread that aborts
 *	sum	work on a thread; answered when it is done
 *	timers	as many timers as there may be: how many, and what the next says
 *	delay?N	answered by a timer after N ms
 *	posts	functions that post each other: ms of the loop's clock between
 *	thread	a thread of its own, which logs when there is a writer to dir
 *	path	the key dir, as the host gives it
 *
 * With the key thread, create makes a thread that never ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>
#include <hostd/easy.h>
#include <hostd/timer.h>
#include <hostd/work.h>

#define POSTS 3
#define POST_MS 20 /* that a posted function takes */

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_timer_api *timers;
	const struct hostd_work_api *work;
	hostd_buf dir;
	uint64_t posted_ms;
	hostd_req posting;
	int posts;
	uint64_t gaps[POSTS];
};

/* Of each request. */
struct late {
	hostd_req req;
	hostd_timer timer;
};

struct job {
	hostd_req req;
	int crash;
	unsigned long sum;
};

/* -- work -- */

static void
work(void *arg)
{
	struct job *j = arg;
	unsigned long i;

	if (j->crash)
		abort();
	for (i = 1; i <= 1000; i++)
		j->sum += i;
}

static void
done(struct hostd_inst *in, void *arg, int32_t status)
{
	struct job *j = arg;

	if (status == HOSTD_OK)
		(void)hostd_json(in, j->req, 200, "{\"sum\":%lu}", j->sum);
	free(j);
}

static int32_t
submit(struct hostd_inst *in, hostd_req req, int crash)
{
	struct job *j = calloc(1, sizeof(*j));
	int32_t rc;

	if (j == NULL)
		return HOSTD_E_NOMEM;
	j->req = req;
	j->crash = crash;
	rc = in->work->submit(in->easy.host, work, done, j);
	if (rc == HOSTD_OK)
		return HOSTD_DEFER;
	free(j);
	return rc;
}

/* -- timers -- */

static void
never(struct hostd_inst *in, hostd_timer timer, void *arg)
{
	(void)in;
	(void)timer;
	(void)arg;
}

static int32_t
fill(struct hostd_inst *in, hostd_req req)
{
	hostd_timer first = {0}, t;
	int32_t rc, again;
	unsigned n = 0;

	while ((rc = in->timers->start(
		    in->easy.host, 3600000, 0, never, NULL, &t)) == HOSTD_OK &&
	    n < 100000)
		if (n++ == 0)
			first = t;
	(void)in->timers->stop(in->easy.host, first);
	again = in->timers->start(in->easy.host, 3600000, 0, never, NULL, &t);
	return hostd_json(in, req, 200, "{\"n\":%u,\"next\":%d,\"again\":%d}",
	    n, (int)rc, (int)again);
}

static void
answer_late(struct hostd_inst *in, hostd_timer timer, void *arg)
{
	const struct late *l = arg;

	(void)timer;
	(void)hostd_respond(in, l->req, 200, "text/plain", "late\n");
}

static int32_t
delay(struct hostd_inst *in, const struct hostd_request *r, struct late *l)
{
	char digits[16];
	int32_t rc;

	(void)snprintf(digits, sizeof(digits), "%.*s", (int)r->query.n,
	    (const char *)r->query.p);
	rc = in->timers->start(in->easy.host, strtoul(digits, NULL, 10), 0,
	    answer_late, l, &l->timer);
	return rc == HOSTD_OK ? HOSTD_DEFER : rc;
}

/* -- posts -- */

static int64_t
clock_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* The loop's clock stands still during a turn; this one does not. */
static void
take_time(void)
{
	int64_t until = clock_ms() + POST_MS;

	while (clock_ms() < until)
		;
}

static void
posted(struct hostd_inst *in, void *arg)
{
	const struct hostd_host *host = in->easy.host;
	uint64_t now = host->now_ms(host);

	(void)arg;
	if (in->posts > 0)
		in->gaps[in->posts - 1] = now - in->posted_ms;
	in->posted_ms = now;
	if (in->posts++ < POSTS) {
		(void)host->post(host, posted, NULL);
		take_time();
		return;
	}
	(void)hostd_json(in, in->posting, 200, "[%llu,%llu,%llu]",
	    (unsigned long long)in->gaps[0], (unsigned long long)in->gaps[1],
	    (unsigned long long)in->gaps[2]);
}

static int32_t
start_posts(struct hostd_inst *in, hostd_req req)
{
	int32_t rc;

	in->posts = 0;
	in->posting = req;
	rc = in->easy.host->post(in->easy.host, posted, NULL);
	return rc == HOSTD_OK ? HOSTD_DEFER : rc;
}

/* -- threads -- */

static void *
log_when_told(void *arg)
{
	struct hostd_inst *in = arg;
	int fd = open(in->dir.p, O_RDONLY | O_CLOEXEC);

	hostd_logf(in->easy.host, HOSTD_LOG_INFO, "from a thread: %s",
	    fd == -1 ? strerror(errno) : "told");
	if (fd != -1)
		(void)close(fd);
	return NULL;
}

static void *
stay(void *arg)
{
	(void)arg;
	for (;;)
		(void)pause();
	return NULL;
}

static int32_t
thread(struct hostd_inst *in, void *(*fn)(void *))
{
	pthread_t t;

	if (pthread_create(&t, NULL, fn, in) != 0)
		return HOSTD_E_NOMEM;
	(void)pthread_detach(t);
	hostd_logf(in->easy.host, HOSTD_LOG_INFO, "there is a thread");
	return HOSTD_OK;
}

static int32_t
start_thread(struct hostd_inst *in, hostd_req req)
{
	int32_t rc = thread(in, log_when_told);

	return rc < 0 ? rc
		      : hostd_respond(in, req, 200, "text/plain", "thread\n");
}

/* -- requests -- */

static int
is(const struct hostd_request *r, const char *name)
{
	return r->rest.n == strlen(name) &&
	    memcmp(r->rest.p, name, r->rest.n) == 0;
}

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_request *r = hostd_request_of(in, req);
	struct late *l = d;

	l->req = req;
	if (is(r, "crash"))
		return submit(in, req, 1);
	if (is(r, "sum"))
		return submit(in, req, 0);
	if (is(r, "timers"))
		return fill(in, req);
	if (is(r, "delay"))
		return delay(in, r, l);
	if (is(r, "posts"))
		return start_posts(in, req);
	if (is(r, "thread"))
		return start_thread(in, req);
	if (is(r, "path"))
		return hostd_respond(in, req, 200, "text/plain", in->dir.p);
	return HOSTD_PASS;
}

static void
on_end(struct hostd_inst *in, hostd_req req, void *d, int32_t why)
{
	struct late *l = d;

	(void)req;
	(void)in->timers->stop(in->easy.host, l->timer);
	hostd_logf(
	    in->easy.host, HOSTD_LOG_INFO, "a request ended why %d", (int)why);
}

/* -- life -- */

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	int64_t with_thread = 0;
	int32_t rc;

	rc = hostd_easy_create(sizeof(**out), host, out, err);
	if (rc != HOSTD_OK)
		return rc;
	(*out)->timers = host->get_ext(host, HOSTD_EXT_TIMER);
	(*out)->work = host->get_ext(host, HOSTD_EXT_WORK);
	(void)conf->get_str(conf, "dir", &(*out)->dir);
	(void)conf->get_int(conf, "thread", &with_thread);
	return with_thread ? thread(*out, stay) : HOSTD_OK;
}

static void
destroy(struct hostd_inst *in)
{
	hostd_logf(in->easy.host, HOSTD_LOG_INFO, "destroyed");
	free(in);
}

static const struct hostd_key dir = {.struct_size = sizeof(dir),
    .type = HOSTD_KEY_PATH,
    .name = "dir",
    .dflt = "below",
    .help = "A directory."};
static const struct hostd_key with = {.struct_size = sizeof(with),
    .type = HOSTD_KEY_BOOL,
    .name = "thread",
    .dflt = "off",
    .help = "Make a thread."};
static const struct hostd_key *const keys[] = {&dir, &with, NULL};
static const struct hostd_http_ops ops = {.struct_size = sizeof(ops),
    .data_size = sizeof(struct late),
    .on_headers = on_headers,
    .on_end = on_end};
static const struct hostd_provide provide = {
    .struct_size = sizeof(provide), .kind = HOSTD_KIND_HTTP_ROUTE, .ops = &ops};
static const struct hostd_provide *const provides[] = {&provide, NULL};

HOSTD_PLUGIN_ENTRY = {HOSTD_PREFIX(0), .id = "service_route", .version = "1.0",
    .built_with = HOSTD_SDK_VERSION, .provides = provides, .keys = keys,
    .create = create, .destroy = destroy};
