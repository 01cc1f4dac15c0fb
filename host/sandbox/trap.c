/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The handler of SIGSYS.  It makes calls with paths for whoever made them, with
 * the key that lets them through, and looks at those that landlock has refused.
 * It keeps nobody from anything: that is landlock's, and the filter's.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include "base/log.h"
#include "sandbox/arch.h"
#include "sandbox/filter.h"
#include "sandbox/path_call.h"
#include "sandbox/trap.h"

/* Not in the C library's headers. */
#ifndef SYS_SECCOMP
#define SYS_SECCOMP	1
#endif

static const struct sandbox *sandbox;
static struct board_cell *cell;
static void (*blame_thread)(void);

void
sandbox_set_blame(void (*blame)(void))
{
	blame_thread = blame;
}

/* The kernel has read it just now, or is not asked to. */
static int
copy_own(void *to, uint64_t from, size_t size, int text)
{
	const void *p = (const void *)(uintptr_t)from;
	size_t n = text ? strnlen(p, size) : size;

	if (n == size && text)
		return -1;
	memcpy(to, p, n);
	if (text)
		((char *)to)[n] = '\0';
	return 0;
}

/* As by default, for our master to see. */
static void
end_by_signal(int sig)
{
	sigset_t set;

	(void)signal(sig, SIG_DFL);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, sig);
	(void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	(void)raise(sig);
}

static void
stop(int sig)
{
	if (blame_thread != NULL)
		blame_thread();
	log_last_words();
	end_by_signal(sig);
}

static void
trapped(int sig, siginfo_t *si, void *context)
{
	const struct path_call *p = path_call_find(si->si_syscall);
	const char *name = filter_name(si->si_syscall);
	uint64_t a[6];
	int saved = errno;
	long rc;

	if (si->si_code != SYS_SECCOMP)
		end_by_signal(sig);	/* somebody has sent it */
	arch_args(context, a);
	if (name == NULL)
		name = "a system call that is not known";
	if (p == NULL || p->kind == PATH_EXEC) {
		path_call_tell(p, name, a, copy_own, cell->forbidden,
		    sizeof(cell->forbidden));
		stop(sig);
	}
	rc = syscall(si->si_syscall, a[0], a[1], a[2], a[3], a[4],
	    sandbox_key);
	if (rc == -1)
		rc = -errno;
	if ((rc == -EACCES || (rc == -EXDEV && p->path2 != 0)) &&
	    path_call_forbidden(sandbox, p, name, a, copy_own,
	    cell->forbidden, sizeof(cell->forbidden)))
		stop(sig);
	arch_result(context, rc);
	errno = saved;
}

void
trap_init(const struct sandbox *s, struct board_cell *c)
{
	struct sigaction sa = { .sa_sigaction = trapped,
		.sa_flags = SA_SIGINFO | SA_ONSTACK };

	sandbox = s;
	cell = c;
	(void)sigaction(SIGSYS, &sa, NULL);
}
