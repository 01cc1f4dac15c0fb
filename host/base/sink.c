/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/sink.h"
#include "base/syslog.h"

#define FILE_MAX	65536	/* bytes a write */

void
sink_set(struct sink *s, int fd)
{
	struct stat st;

	s->fd = fd;
	s->form = NULL;
	s->kind = SINK_PIPE;
	if (fd == -1 || fstat(fd, &st) == -1)
		return;
	if (S_ISREG(st.st_mode))
		s->kind = SINK_FILE;
	else if (S_ISSOCK(st.st_mode))
		s->kind = SINK_SOCKET;
}

void
sink_set_syslog(struct sink *s, int fd, struct syslog *form)
{
	sink_set(s, fd);
	s->form = form;
	if (form != NULL)
		s->kind = SINK_SYSLOG;
}

/* The whole lines among the first max bytes; all of them, if there is none. */
static size_t
whole_lines(const char *p, size_t n, size_t max)
{
	const char *nl;

	if (n <= max)
		return n;
	nl = memrchr(p, '\n', max);
	return nl == NULL ? max : (size_t)(nl - p) + 1;
}

/* poll(2) promises room for PIPE_BUF bytes, no more, and those in one piece. */
static ssize_t
pipe_write(int fd, const char *p, size_t n)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };

	if (poll(&pfd, 1, 0) != 1 || !(pfd.revents & (POLLOUT | POLLERR)))
		return 0;
	return write(fd, p, whole_lines(p, n, PIPE_BUF));
}

ssize_t
sink_write(const struct sink *s, const char *p, size_t n)
{
	ssize_t w;

	switch (s->kind) {
	case SINK_FILE:
		w = write(s->fd, p, whole_lines(p, n, FILE_MAX));
		break;
	case SINK_SOCKET:
		w = send(s->fd, p, whole_lines(p, n, PIPE_BUF),
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		break;
	case SINK_SYSLOG:
		w = syslog_send(s->form, s->fd, p, n);
		break;
	default:
		w = pipe_write(s->fd, p, n);
		break;
	}
	if (w == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return w;
}

int
sink_open_std(int std)
{
	int fd = open(std == STDOUT_FILENO ? "/proc/self/fd/1" :
	    "/proc/self/fd/2", O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY |
	    O_NONBLOCK);

	return fd == -1 ? std : fd;
}
