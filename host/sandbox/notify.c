/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <seccomp.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/log.h"
#include "base/map.h"
#include "sandbox/filter.h"
#include "sandbox/notify.h"
#include "sandbox/path_call.h"

#define TOLD_MAX	1000	/* different ones, of a process */

static struct {
	const struct sandbox *sandbox;
	const struct board_cell *cell;
	struct map told;
	sem_t begun;
	int fd;			/* of the filter */
	int memory;		/* ours */
} no;

/* A bad address is the caller's mistake, and must not be the end of us. */
static int
copy_checked(void *to, uint64_t from, size_t size, int text)
{
	char *p = to;
	ssize_t n = pread(no.memory, p, size, (off_t)from);

	if (text)
		return n > 0 && memchr(p, '\0', (size_t)n) != NULL ? 0 : -1;
	return n == (ssize_t)size ? 0 : -1;
}

static int
is_own_thread(uint32_t tid)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/task/%u", tid);
	return access(path, F_OK) == 0;
}

/* Is it worth telling?  What it was is left in what. */
static int
is_forbidden(const struct seccomp_notif *n, char *what, size_t size)
{
	const struct path_call *p = path_call_find(n->data.nr);
	const char *name = filter_name(n->data.nr);
	const uint64_t *args = (const uint64_t *)n->data.args;

	if (name == NULL)
		name = "?";
	if (p != NULL && p->kind != PATH_EXEC)
		return is_own_thread(n->pid) && path_call_forbidden(
		    no.sandbox, p, name, args, copy_checked, what, size);
	if (filter_permits(n->data.nr, args))
		return 0;
	path_call_tell(p, name, args, copy_checked, what, size);
	return 1;
}

static void
find_whose(uint32_t tid, char *whose, size_t size)
{
	char plugin[64];
	const char *cb = NULL;

	if (tid == (uint32_t)getpid())
		cb = board_running(no.cell, plugin, sizeof(plugin));
	if (cb != NULL)
		(void)snprintf(whose, size, "plugin %s, %s", plugin, cb);
	else
		(void)snprintf(whose, size, "%s",
		    tid == (uint32_t)getpid() ? "hostd" :
		    "a thread or a program");
}

static void
tell_once(const char *what, const char *whose)
{
	char text[512];
	int n;

	n = snprintf(text, sizeof(text), "%s: %s", whose, what);
	if (n < 0 || no.told.n >= TOLD_MAX ||
	    map_get(&no.told, text, strlen(text)) != NULL)
		return;
	map_put(&no.told, text, strlen(text), &no);
	log_warnx("the sandbox would forbid %s: %s", whose, what);
}

static void
answer(const struct seccomp_notif *n, struct seccomp_notif_resp *r)
{
	char what[256], whose[128];
	int forbidden = is_forbidden(n, what, sizeof(what));

	if (forbidden)
		find_whose(n->pid, whose, sizeof(whose));
	memset(r, 0, sizeof(*r));
	r->id = n->id;
	r->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	/* It may hold a lock that logging needs. */
	(void)seccomp_notify_respond(no.fd, r);
	if (forbidden)
		tell_once(what, whose);
}

static void *
notify_run(void *arg)
{
	struct seccomp_notif *n;
	struct seccomp_notif_resp *r;
	int rc;

	while (sem_wait(&no.begun) == -1 && errno == EINTR)
		continue;
	if (seccomp_notify_alloc(&n, &r) != 0)
		fatalx("sandbox = log: no memory");
	for (;;) {
		memset(n, 0, sizeof(*n));
		rc = seccomp_notify_receive(no.fd, n);
		if (rc == 0)
			answer(n, r);
		else if (rc != -ENOENT && rc != -EINTR && rc != -ECANCELED)
			fatalx("sandbox = log: it can't hear of calls: %s",
			    strerror(-rc));
	}
	return arg;
}

int
notify_start(const struct sandbox *s, struct board_cell *cell)
{
	sigset_t every, before;
	pthread_t thread;
	int rc;

	no.sandbox = s;
	no.cell = cell;
	no.memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	if (no.memory == -1 || sem_init(&no.begun, 0, 0) == -1)
		return -1;
	(void)sigfillset(&every);
	(void)pthread_sigmask(SIG_SETMASK, &every, &before);
	rc = pthread_create(&thread, NULL, notify_run, NULL);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0) {
		(void)close(no.memory);
		errno = rc;
		return -1;
	}
	(void)pthread_detach(thread);
	return 0;
}

void
notify_begin(int fd)
{
	no.fd = fd;
	(void)sem_post(&no.begun);
}
