/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests of the sandbox: "/read/etc/hosts" opens that file, "/write/..." as
 * well, and makes it; "/remove/..." removes it; "/work/..." opens it on a
 * thread of the pool; "/run/bin/true" executes that; "/trace" makes a system
 * call that no server needs, "/kill" ends the master, "/limit" asks for its
 * limits, "/owner" has it sent signals, "/socket" makes a raw socket,
 * "/control/run/sock" commands it there.  All answer what came of it, as "ok"
 * or as an error's name.  The file of the key early is opened by create, and
 * with -DCONSTRUCTOR another one by dlopen.  With -DDECLARES the plugin says
 * that it executes programs and reads /etc/passwd; with -DDECLARES=is_plain(),
 * where it has no capability.
 */
#define _GNU_SOURCE
#include <hostd/easy.h>
#include <hostd/sandbox.h>
#include <hostd/work.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_work_api *works;
};

struct job {
	hostd_req req;
	int result;
	char path[512];
};

static int
try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd == -1)
		return errno;
	(void)close(fd);
	return 0;
}

static int
try_run(const char *path)
{
	char *const argv[] = { (char *)(uintptr_t)path, NULL };
	int rc, status;
	pid_t pid;

	if ((rc = posix_spawn(&pid, path, NULL, NULL, argv, NULL)) != 0)
		return rc;
	return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : ECHILD;
}

static int32_t
answer(struct hostd_inst *in, hostd_req req, int error)
{
	return hostd_respond(in, req, 200, "text/plain", error == 0 ? "ok" :
	    strerrorname_np(error));
}

static void
work(void *arg)
{
	struct job *j = arg;

	j->result = try_open(j->path, O_RDONLY);
}

static void
done(struct hostd_inst *in, void *arg, int32_t status)
{
	struct job *j = arg;

	(void)status;
	(void)answer(in, j->req, j->result);
	free(j);
}

static int32_t
later(struct hostd_inst *in, hostd_req req, const char *path)
{
	struct job *j = calloc(1, sizeof(*j));

	if (j == NULL)
		return HOSTD_E_NOMEM;
	j->req = req;
	(void)snprintf(j->path, sizeof(j->path), "%s", path);
	if (in->works->submit(in->easy.host, work, done, j) != HOSTD_OK) {
		free(j);
		return HOSTD_E_FULL;
	}
	return HOSTD_DEFER;
}

/* What is behind "/verb" in path, or NULL: it is another one. */
static const char *
behind(const char *path, const char *verb)
{
	size_t n = strlen(verb);

	return strncmp(path, verb, n) == 0 ? path + n : NULL;
}

static int
try_command(const char *path)
{
	static const char cmd[] = "{\"cmd\": \"status\"}\n";
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;
	char c;

	(void)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	rc = connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0 &&
	    send(fd, cmd, strlen(cmd), MSG_NOSIGNAL) > 0 &&
	    read(fd, &c, 1) == 1 ? 0 : EPIPE;
	(void)close(fd);
	return rc;
}

static int
try_call(const char *path)
{
	struct rlimit rl;

	if (behind(path, "/trace") != NULL)
		return ptrace(PTRACE_SEIZE, getppid(), 0, 0) == -1 ? errno : 0;
	if (behind(path, "/kill") != NULL)
		return kill(getppid(), 0) == -1 ? errno : 0;
	if (behind(path, "/limit") != NULL)
		return prlimit(getppid(), RLIMIT_NOFILE, NULL, &rl) == -1 ?
		    errno : 0;
	if (behind(path, "/owner") != NULL)
		return fcntl(0, F_SETOWN, getppid()) == -1 ? errno : 0;
	if (behind(path, "/control") != NULL)
		return try_command(behind(path, "/control"));
	if (behind(path, "/socket") != NULL)
		return socket(AF_PACKET, SOCK_RAW, 0) == -1 ? errno : 0;
	return EINVAL;
}

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_request *r = hostd_request_of(in, req);
	const char *what;
	char path[512];

	(void)d;
	(void)snprintf(path, sizeof(path), "%.*s", (int)r->path.n,
	    (const char *)r->path.p);
	if ((what = behind(path, "/read")) != NULL)
		return answer(in, req, try_open(what, O_RDONLY));
	if ((what = behind(path, "/write")) != NULL)
		return answer(in, req, try_open(what, O_WRONLY | O_CREAT));
	if ((what = behind(path, "/remove")) != NULL)
		return answer(in, req, unlink(what) == -1 ? errno : 0);
	if ((what = behind(path, "/run")) != NULL)
		return answer(in, req, try_run(what));
	if ((what = behind(path, "/work")) != NULL)
		return later(in, req, what);
	return answer(in, req, try_call(path));
}

#ifdef CONSTRUCTOR
static __attribute__((constructor)) void
construct(void)
{
	(void)try_open(CONSTRUCTOR, O_RDONLY);
}
#endif

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	hostd_buf early;
	int32_t rc = hostd_easy_create(sizeof(**out), host, out, err);

	if (rc != HOSTD_OK)
		return rc;
	(*out)->works = host->get_ext(host, HOSTD_EXT_WORK);
	(void)conf->get_str(conf, "early", &early);
	if (early.p != NULL)
		(void)try_open(early.p, O_RDONLY);
	return HOSTD_OK;
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

static const struct hostd_key key_early = { .struct_size = sizeof(key_early),
	.type = HOSTD_KEY_STRING, .name = "early" };
static const struct hostd_key key_reads = { .struct_size = sizeof(key_reads),
	.type = HOSTD_KEY_PATH, .name = "reads" };
static const struct hostd_key key_file = { .struct_size = sizeof(key_file),
	.type = HOSTD_KEY_PATH, .flags = HOSTD_KEY_WRITE, .name = "file" };
static const struct hostd_key key_dir = { .struct_size = sizeof(key_dir),
	.type = HOSTD_KEY_PATH, .flags = HOSTD_KEY_WRITE | HOSTD_KEY_DIR,
	.name = "dir" };
static const struct hostd_key key_own = { .struct_size = sizeof(key_own),
	.type = HOSTD_KEY_PATH, .name = "own", .dflt = "$state/own" };
static const struct hostd_key *const keys[] = { &key_early, &key_reads,
	&key_file, &key_dir, &key_own, NULL };

static const struct hostd_http_ops ops = { .struct_size = sizeof(ops),
	.on_headers = on_headers };
static const struct hostd_provide provide = { .struct_size = sizeof(provide),
	.kind = HOSTD_KIND_HTTP_ROUTE, .ops = &ops, .route = "/" };
static const struct hostd_provide *const provides[] = { &provide, NULL };

#ifdef DECLARES
static const char *const reads[] = { "/etc/passwd", NULL };
static const struct hostd_p_sandbox needs = { .struct_size = sizeof(needs),
	.flags = HOSTD_SANDBOX_EXEC, .reads = reads };
#endif

static inline int
is_plain(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	return syscall(SYS_capget, &head, data) == 0 &&
	    (data[0].effective | data[1].effective) == 0;
}

static const void *
get_ext(const char *id)
{
#ifdef DECLARES
	if (strcmp(id, HOSTD_P_SANDBOX) == 0 && DECLARES)
		return &needs;
#endif
	(void)id;
	return NULL;
}

HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(4), .id = "sandbox_route",
	.version = "1.0", .built_with = HOSTD_SDK_VERSION,
	.provides = provides, .keys = keys, .create = create,
	.destroy = destroy, .get_ext = get_ext };
