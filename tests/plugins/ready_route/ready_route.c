/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests of hostd.ready/1.  Holds readiness `holds` times, in create and in
 * start by turns, and releases all of it when the file of the key gate is
 * there; one that is not empty has a reason why it will never be ready.  "/"
 * answers the pid and the key text; "/late" what hold and release say by then.
 */
#include <hostd/easy.h>
#include <hostd/ready.h>
#include <hostd/timer.h>
#include <fcntl.h>
#include <unistd.h>

#define LOOK_EVERY 5 /* ms */

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_ready_api *ready;
	const struct hostd_timer_api *timers;
	hostd_buf gate, text;
	int64_t holds;
};

static const hostd_buf none;

static void
release(struct hostd_inst *in, const char *why, ssize_t n)
{
	hostd_buf text = {why, (size_t)n};

	if (n > 0)
		(void)in->ready->release(in->easy.host, HOSTD_E_IO, text);
	for (; n == 0 && in->holds > 0; in->holds--)
		(void)in->ready->release(in->easy.host, HOSTD_OK, none);
}

static void
look(struct hostd_inst *in, hostd_timer timer, void *arg)
{
	char why[128];
	ssize_t n;
	int fd = open(in->gate.p, O_RDONLY);

	(void)arg;
	if (fd == -1)
		return;
	n = read(fd, why, sizeof(why));
	(void)close(fd);
	(void)in->timers->stop(in->easy.host, timer);
	release(in, why, n);
}

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_request *r = hostd_request_of(in, req);
	char body[256];

	(void)d;
	if (r->path.n == 5 && memcmp(r->path.p, "/late", 5) == 0)
		(void)snprintf(body, sizeof(body), "%d %d %d\n",
		    in->ready->hold(in->easy.host, "late"),
		    in->ready->release(in->easy.host, HOSTD_OK, none),
		    in->ready->hold(in->easy.host, NULL));
	else
		(void)snprintf(body, sizeof(body), "%d %.*s\n", (int)getpid(),
		    (int)in->text.n, (const char *)in->text.p);
	return hostd_respond(in, req, 200, "text/plain", body);
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	int32_t rc = hostd_easy_create(sizeof(**out), host, out, err);
	struct hostd_inst *in;
	int64_t i;

	if (rc != HOSTD_OK)
		return rc;
	in = *out;
	in->ready = host->get_ext(host, HOSTD_EXT_READY);
	in->timers = host->get_ext(host, HOSTD_EXT_TIMER);
	if (in->ready == NULL || in->timers == NULL) {
		free(in);
		return hostd_fail(err, HOSTD_E_NOTSUP, "it can't wait here");
	}
	(void)conf->get_str(conf, "gate", &in->gate);
	(void)conf->get_str(conf, "text", &in->text);
	(void)conf->get_int(conf, "holds", &in->holds);
	for (i = 0; i < in->holds; i += 2)
		(void)in->ready->hold(host, "the gate");
	return HOSTD_OK;
}

static int32_t
start(struct hostd_inst *in)
{
	hostd_timer timer;
	int64_t i;

	for (i = 1; i < in->holds; i += 2)
		(void)in->ready->hold(in->easy.host, "the gate, again");
	return in->timers->start(in->easy.host, LOOK_EVERY, LOOK_EVERY, look,
	    NULL, &timer);
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

static const struct hostd_key key_gate = {sizeof(key_gate), HOSTD_KEY_PATH,
    HOSTD_KEY_WRITE,
    "gate", "/", "Releases.", 0, 0, NULL};
static const struct hostd_key key_text = {sizeof(key_text), HOSTD_KEY_STRING, 0,
    "text", "one", "Answered.", 0, 0, NULL};
static const struct hostd_key key_holds = {sizeof(key_holds), HOSTD_KEY_INT, 0,
    "holds", "1", "How often it is held.", 0, 10, NULL};
static const struct hostd_key *const keys[] = {
    &key_gate, &key_text, &key_holds, NULL};

static const struct hostd_http_ops ops = {
    .struct_size = sizeof(ops), .on_headers = on_headers};
static const struct hostd_provide provide = {.struct_size = sizeof(provide),
    .kind = HOSTD_KIND_HTTP_ROUTE,
    .ops = &ops,
    .route = "/"};
static const struct hostd_provide *const provides[] = {&provide, NULL};

HOSTD_PLUGIN_ENTRY = {HOSTD_PREFIX(4), .id = "ready_route", .version = "1.0",
    .built_with = HOSTD_SDK_VERSION, .provides = provides, .keys = keys,
    .create = create, .start = start, .destroy = destroy};
