/* SPDX-License-Identifier: BSD-2-Clause */
/* From a fork of the master to a program of its own. */
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <unistd.h>

#include "master/child.h"
#include "master/output.h"
#include "master/proc.h"

/* In the child.  What is ignored here stays so over exec: what a terminal
 * sends to all of its processes is for the master alone. */
static void
child_signals(void)
{
	static const int ignored[] = {
	    SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGPIPE};
	struct sigaction sa = {.sa_handler = SIG_DFL};
	sigset_t none;
	size_t i;

	(void)sigaction(SIGTERM, &sa, NULL);
	(void)sigaction(SIGCHLD, &sa, NULL);
	sa.sa_handler = SIG_IGN;
	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		(void)sigaction(ignored[i], &sa, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * What we are, whatever is installed by now.  By its name while it has one, for
 * those who watch us (valgrind); "... (deleted)" is none.
 */
static void
exec_ours(const char *exe, char *const argv[])
{
	static const char self[] = "/proc/self/exe";
	char path[PATH_MAX];
	ssize_t n = readlink(self, path, sizeof(path) - 1);

	if (n > 0) {
		path[n] = '\0';
		(void)execv(path, argv);
		(void)execv(self, argv);
	}
	(void)execv(exe, argv);
}

static void
child_exec(const char *exe, const char *title, const struct child_opts *o,
    int fd, const int output[2])
{
	char *const argv[] = {
	    (char *)(uintptr_t)title, (char *)(uintptr_t) "--child", NULL};

	child_signals();
	proc_env(o->conf, o->pool);
	output_redirect(output);
	if (fd == CHAN_FD) {
		fd = dup(fd); /* dup2 to itself would leave FD_CLOEXEC */
		if (fd == -1)
			_exit(CHILD_NO_EXEC);
	}
	if (dup2(fd, CHAN_FD) == -1)
		_exit(CHILD_NO_EXEC);
	if (fd != CHAN_FD)
		(void)close(fd);
	exec_ours(exe, argv);
	_exit(CHILD_NO_EXEC);
}

/* Signals wait, so that none is handled by the copy of our loop. */
pid_t
child_fork(const char *exe, const char *title, const struct child_opts *o,
    int fd, const int output[2])
{
	sigset_t every, before;
	pid_t pid;

	(void)sigfillset(&every);
	(void)sigprocmask(SIG_SETMASK, &every, &before);
	pid = fork();
	if (pid == 0)
		child_exec(exe, title, o, fd, output);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}
