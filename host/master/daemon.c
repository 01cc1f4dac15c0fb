/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "master/daemon.h"

static int terminal = STDERR_FILENO;
static const char *announcement;

/* The child says one byte when it serves, or just ends. */
static void
daemon_wait(int fd, pid_t pid)
{
	int status;
	ssize_t n;
	char c;

	do
		n = read(fd, &c, 1);
	while (n == -1 && errno == EINTR);
	if (n == 1)
		_exit(0);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	_exit(WIFEXITED(status) && WEXITSTATUS(status) != 0
		? WEXITSTATUS(status)
		: 1);
}

/*
 * Whoever has started us may wait until nobody has its standard output open, so
 * not even workers may have it.  Only why a start has failed is still said
 * there.
 */
static void
daemon_leave_terminal(void)
{
	int null, i;

	terminal = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (terminal == -1 || null == -1)
		fatal("going into the background");
	for (i = 0; i <= STDERR_FILENO; i++)
		(void)dup2(null, i);
	(void)close(null);
}

int
daemon_fork(void)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) == -1)
		fatal("going into the background");
	pid = fork();
	if (pid == -1)
		fatal("going into the background");
	if (pid > 0) {
		(void)close(fds[1]);
		daemon_wait(fds[0], pid);
	}
	(void)close(fds[0]);
	(void)setsid();
	daemon_leave_terminal();
	return fds[1];
}

void
daemon_announce(const char *text)
{
	announcement = text;
}

void
daemon_detach(int *parent)
{
	if (announcement != NULL) {
		(void)fputs(announcement, stdout);
		(void)fflush(stdout);
		announcement = NULL;
	}
	if (*parent == -1)
		return;
	(void)close(terminal);
	terminal = STDERR_FILENO;
	if (write(*parent, "", 1) != 1)
		log_warn("telling the parent that we serve");
	(void)close(*parent);
	*parent = -1;
}

void
daemon_complain(const char *text)
{
	(void)dprintf(terminal, "hostd: %s\n", text);
}

int
pid_file_write(const char *path, char *why, size_t size)
{
	char *tmp = xasprintf("%s.new", path);
	int fd, ok = 0;

	fd = open(
	    tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd != -1) {
		ok = dprintf(fd, "%d\n", (int)getpid()) > 0;
		ok = close(fd) == 0 && ok && rename(tmp, path) == 0;
	}
	if (!ok) {
		(void)snprintf(
		    why, size, "pid_file %s: %s", path, strerror(errno));
		if (fd != -1)
			(void)unlink(tmp);
	}
	free(tmp);
	return ok ? 0 : -1;
}

void
pid_file_remove(const char *path)
{
	char text[32] = "";
	FILE *f = fopen(path, "re");

	if (f == NULL)
		return;
	if (fgets(text, sizeof(text), f) != NULL &&
	    strtol(text, NULL, 10) == (long)getpid())
		(void)unlink(path);
	(void)fclose(f);
}
