/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The services behind get_ext, at their edges.  By path (behind the route's
 * prefix):
 *
 *	crash	work on a thread that aborts
 *	sum	work on a thread; answered when it is done
 *	timers	as many timers as there may be: how many, and what the next says
 *	path	the key dir, as the host gives it
 */
#include <hostd/easy.h>
#include <hostd/timer.h>
#include <hostd/work.h>

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_timer_api *timers;
	const struct hostd_work_api *work;
	hostd_buf dir;
};

struct job {
	hostd_req req;
	int crash;
	unsigned long sum;
};

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

	while ((rc = in->timers->start(in->easy.host, 3600000, 0, never, NULL,
		    &t)) == HOSTD_OK && n < 100000)
		if (n++ == 0)
			first = t;
	(void)in->timers->stop(in->easy.host, first);
	again = in->timers->start(
	    in->easy.host, 3600000, 0, never, NULL, &t);
	return hostd_json(in, req, 200, "{\"n\":%u,\"next\":%d,\"again\":%d}",
	    n, (int)rc, (int)again);
}

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_request *r = hostd_request_of(in, req);
	const char *rest = r->rest.p;

	(void)d;
	if (r->rest.n == 0)
		return HOSTD_PASS;
	switch (*rest) {
	case 'c':
		return submit(in, req, 1);
	case 's':
		return submit(in, req, 0);
	case 't':
		return fill(in, req);
	default:
		return hostd_respond(in, req, 200, "text/plain", in->dir.p);
	}
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	int32_t rc;

	rc = hostd_easy_create(sizeof(**out), host, out, err);
	if (rc != HOSTD_OK)
		return rc;
	(*out)->timers = host->get_ext(host, HOSTD_EXT_TIMER);
	(*out)->work = host->get_ext(host, HOSTD_EXT_WORK);
	(void)conf->get_str(conf, "dir", &(*out)->dir);
	return HOSTD_OK;
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

static const struct hostd_key dir = {.struct_size = sizeof(dir),
    .type = HOSTD_KEY_PATH,
    .name = "dir",
    .dflt = "below",
    .help = "A directory."};
static const struct hostd_key *const keys[] = {&dir, NULL};
static const struct hostd_http_ops ops = {
    .struct_size = sizeof(ops), .on_headers = on_headers};
static const struct hostd_provide provide = {.struct_size = sizeof(provide),
    .kind = HOSTD_KIND_HTTP_ROUTE,
    .ops = &ops};
static const struct hostd_provide *const provides[] = {&provide, NULL};

HOSTD_PLUGIN_ENTRY = {HOSTD_PREFIX(0), .id = "service_route", .version = "1.0",
    .built_with = HOSTD_SDK_VERSION, .provides = provides, .keys = keys,
    .create = create, .destroy = destroy};
