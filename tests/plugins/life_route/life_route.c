/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests of a worker's life.  "/" answers the worker's pid and the key text;
 * "/hold" answers when the file of the key gate is there; "/stop" stops the
 * process first (SIGSTOP); "/crash", "/exit" and "/_exit" end the process; the
 * key create makes a start fail in several ways, and so does the file of the
 * key bomb, if there is one.  With create = once only one start works, which
 * makes that file; a probe does not count.  One that hangs makes it, too.  The
 * key status is that of all answers, and spin how long each takes to make, on
 * the loop.
 */
#include <hostd/easy.h>
#include <hostd/timer.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#define LOOK_EVERY 5 /* ms */

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_timer_api *timers;
	hostd_buf text, gate, bomb;
	int64_t how, status, spin;
};

/* One request of "/hold"; may end before its timer does. */
struct held {
	hostd_timer timer;
	int waits;
};

static int32_t
answer(struct hostd_inst *in, hostd_req req)
{
	char body[256];

	(void)snprintf(body, sizeof(body), "%d %.*s\n", (int)getpid(),
	    (int)in->text.n, (const char *)in->text.p);
	return hostd_respond(in, req, (int32_t)in->status, "text/plain", body);
}

static void
look(struct hostd_inst *in, hostd_timer timer, void *arg)
{
	hostd_req req = {(uint64_t)(uintptr_t)arg};

	if (access(in->gate.p, F_OK) == -1)
		return;
	(void)in->timers->stop(in->easy.host, timer);
	(void)answer(in, req);
}

static int32_t
hold(struct hostd_inst *in, hostd_req req, struct held *h)
{
	int32_t rc;

	rc = in->timers->start(in->easy.host, LOOK_EVERY, LOOK_EVERY, look,
	    (void *)(uintptr_t)req.id, &h->timer);
	if (rc != HOSTD_OK)
		return rc;
	h->waits = 1;
	return HOSTD_DEFER;
}

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_request *r = hostd_request_of(in, req);

	if (r->path.n == 6 && memcmp(r->path.p, "/crash", 6) == 0)
		abort();
	if (r->path.n == 5 && memcmp(r->path.p, "/stop", 5) == 0)
		(void)raise(SIGSTOP);
	if (r->path.n == 5 && memcmp(r->path.p, "/exit", 5) == 0)
		exit(0);
	if (r->path.n == 6 && memcmp(r->path.p, "/_exit", 6) == 0)
		_exit(7);
	if (r->path.n == 5 && memcmp(r->path.p, "/hold", 5) == 0)
		return hold(in, req, d);
	if (in->spin > 0)
		(void)usleep((useconds_t)in->spin * 1000);
	return answer(in, req);
}

static void
on_end(struct hostd_inst *in, hostd_req req, void *d, int32_t why)
{
	struct held *h = d;

	(void)req;
	(void)why;
	if (h->waits)
		(void)in->timers->stop(in->easy.host, h->timer);
}

enum { CREATE_OK, CREATE_FAIL, CREATE_CRASH, CREATE_HANG, CREATE_ONCE,
	CREATE_EXIT };

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	hostd_buf bomb;
	int64_t how;
	int32_t rc;

	(void)conf->get_int(conf, "create", &how);
	if (how == CREATE_FAIL)
		return hostd_fail(err, HOSTD_E_INVAL, "told to fail");
	(void)conf->get_str(conf, "bomb", &bomb);
	if (how == CREATE_CRASH ||
	    (how != CREATE_ONCE && access(bomb.p, F_OK) == 0))
		abort();
	if (how == CREATE_EXIT)
		exit(0);
	if (how == CREATE_HANG)
		(void)close(open(bomb.p, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	while (how == CREATE_HANG)
		(void)pause();
	rc = hostd_easy_create(sizeof(**out), host, out, err);
	if (rc != HOSTD_OK)
		return rc;
	(*out)->timers = host->get_ext(host, HOSTD_EXT_TIMER);
	(void)conf->get_str(conf, "text", &(*out)->text);
	(void)conf->get_str(conf, "gate", &(*out)->gate);
	(void)conf->get_int(conf, "status", &(*out)->status);
	(void)conf->get_int(conf, "spin", &(*out)->spin);
	(*out)->bomb = bomb;
	(*out)->how = how;
	return HOSTD_OK;
}

static int32_t
start(struct hostd_inst *in)
{
	int fd;

	if (in->how != CREATE_ONCE)
		return HOSTD_OK;
	fd = open(in->bomb.p, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd == -1)
		return HOSTD_E_STATE;
	(void)close(fd);
	return HOSTD_OK;
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

static const char *const creates[] = {
    "ok", "fail", "crash", "hang", "once", "exit", NULL};

static const struct hostd_key key_text = {sizeof(key_text), HOSTD_KEY_STRING, 0,
    "text", "one", "Answered.", 0, 0, NULL};
static const struct hostd_key key_gate = {sizeof(key_gate), HOSTD_KEY_STRING, 0,
    "gate", "/", "Opens /hold.", 0, 0, NULL};
static const struct hostd_key key_bomb = {sizeof(key_bomb), HOSTD_KEY_PATH,
    HOSTD_KEY_WRITE, "bomb", "/absent/bomb", "Makes create crash.", 0, 0, NULL};
static const struct hostd_key key_create = {sizeof(key_create), HOSTD_KEY_ENUM,
    0, "create", "ok", "What create does.", 0, 0, creates};
static const struct hostd_key key_status = {sizeof(key_status), HOSTD_KEY_INT,
    0, "status", "200", "Of answers.", 200, 599, NULL};
static const struct hostd_key key_spin = {sizeof(key_spin), HOSTD_KEY_DURATION,
    0, "spin", "0", "What each takes.", 0, 1000, NULL};
static const struct hostd_key *const keys[] = {&key_text, &key_gate, &key_bomb,
    &key_create, &key_status, &key_spin, NULL};

static const struct hostd_http_ops ops = {.struct_size = sizeof(ops),
    .data_size = sizeof(struct held),
    .on_headers = on_headers,
    .on_end = on_end};
static const struct hostd_provide provide = {.struct_size = sizeof(provide),
    .kind = HOSTD_KIND_HTTP_ROUTE,
    .ops = &ops,
    .route = "/"};
static const struct hostd_provide *const provides[] = {&provide, NULL};

HOSTD_PLUGIN_ENTRY = {HOSTD_PREFIX(4), .id = "life_route", .version = "1.0",
    .built_with = HOSTD_SDK_VERSION, .provides = provides, .keys = keys,
    .create = create, .start = start, .destroy = destroy};
