/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/signals.h"
#include "master/trial.h"

#define LIMIT_MS 10000
#define EXIT_NO_EXEC 127

void
trial_init(struct trial *t, uv_loop_t *loop)
{
	t->pid = 0;
	t->fd = -1;
	(void)uv_timer_init(loop, &t->timer);
	t->timer.data = t;
}

static void
trial_late(uv_timer_t *timer)
{
	struct trial *t = timer->data;

	t->late = 1;
	(void)kill(-t->pid, SIGKILL);
}

/* In the child.  What it starts is in its group, and ends with it. */
static void
trial_exec(const char *exe, char *const argv[], const struct record *r, int fd)
{
	static const char text[] = "it can't be executed: ";
	const char *why;
	sigset_t none;

	if (setpgid(0, 0) == -1 || dup2(fd, STDOUT_FILENO) == -1 ||
	    dup2(fd, STDERR_FILENO) == -1)
		_exit(EXIT_NO_EXEC);
	if (r != NULL)
		record_pass(r, 1);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)execv(exe, argv);
	why = strerrordesc_np(errno);
	(void)!write(fd, text, sizeof(text) - 1);
	(void)!write(fd, why, strlen(why));
	_exit(EXIT_NO_EXEC);
}

/* Signals wait, so that none is handled by the copy of our loop. */
static pid_t
trial_fork(
    const char *exe, char *const argv[], const struct record *r, int fd)
{
	sigset_t every, before;
	pid_t pid;

	(void)sigfillset(&every);
	(void)sigprocmask(SIG_SETMASK, &every, &before);
	pid = fork();
	if (pid == 0)
		trial_exec(exe, argv, r, fd);
	if (pid > 0)
		(void)setpgid(pid, pid); /* whoever of us is first */
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

int
trial_start(struct trial *t, const char *exe, char *const argv[],
    const struct record *r, char *why, size_t size)
{
	int fds[2];

	t->late = t->status = 0;
	t->output[0] = '\0';
	if (pipe2(fds, O_CLOEXEC) == -1) {
		(void)snprintf(why, size, "making a pipe: %s", strerror(errno));
		return -1;
	}
	(void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
	t->pid = trial_fork(exe, argv, r, fds[1]);
	(void)close(fds[1]);
	if (t->pid == -1) {
		(void)snprintf(why, size, "fork: %s", strerror(errno));
		(void)close(fds[0]);
		t->pid = 0;
		return -1;
	}
	t->fd = fds[0];
	(void)uv_timer_start(&t->timer, trial_late, LIMIT_MS, 0);
	return 0;
}

static void
trial_end(struct trial *t)
{
	(void)uv_timer_stop(&t->timer);
	(void)close(t->fd);
	t->fd = -1;
	t->pid = 0;
}

void
trial_cancel(struct trial *t)
{
	if (t->pid == 0)
		return;
	(void)kill(-t->pid, SIGKILL);
	trial_end(t);
}

/* It has ended, so all it will ever say is in the pipe. */
static void
trial_listen(struct trial *t)
{
	ssize_t n = read(t->fd, t->output, sizeof(t->output) - 1);
	char *p;

	t->output[n > 0 ? n : 0] = '\0';
	for (p = t->output; *p != '\0'; p++)
		if (*p == '\n')
			*p = p[1] == '\0' ? '\0' : ' ';
}

int
trial_reaped(struct trial *t, pid_t pid, int status)
{
	if (t->pid == 0 || pid != t->pid)
		return 0;
	t->status = status;
	(void)kill(-pid, SIGKILL);
	trial_listen(t);
	trial_end(t);
	t->done(t);
	return 1;
}

int
trial_is_fine(const struct trial *t)
{
	return !t->late && WIFEXITED(t->status) && WEXITSTATUS(t->status) == 0;
}

void
trial_explain(const struct trial *t, char *why, size_t size)
{
	const char *sep = t->output[0] != '\0' ? ": " : "";
	char sig[SIGNAL_NAME_MAX];

	if (t->late) {
		(void)snprintf(why, size, "it did not end within %d s%s%s",
		    LIMIT_MS / 1000, sep, t->output);
	} else if (WIFSIGNALED(t->status)) {
		(void)snprintf(why, size, "%s%s%s",
		    signal_name(WTERMSIG(t->status), sig), sep, t->output);
	} else if (t->output[0] != '\0') {
		(void)snprintf(why, size, "%s", t->output);
	} else {
		(void)snprintf(
		    why, size, "exit status %d", WEXITSTATUS(t->status));
	}
}
