/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include "base/syslog.h"

#define HEAD_MAX	256
#define ERROR_STAMP	25	/* "2026-01-31T12:00:00.123Z " */

static const char *const facilities[] = { "kern", "user", "mail", "daemon",
	"auth", "intern", "lpr", "news", "uucp", "clock", "authpriv", "ftp",
	"ntp", "audit", "alert", "cron", "local0", "local1", "local2", "local3",
	"local4", "local5", "local6", "local7", NULL };
static const char *const severities[] = { "emerg", "alert", "crit", "error",
	"warn", "notice", "info", "debug", NULL };

static int
index_of(const char *const *words, const char *word)
{
	int i;

	for (i = 0; words[i] != NULL; i++)
		if (strcasecmp(words[i], word) == 0)
			return i;
	return -1;
}

int
syslog_facility(const char *word)
{
	return index_of(facilities, word);
}

int
syslog_severity(const char *word)
{
	return index_of(severities, word);
}

int
syslog_open(const struct syslog *s)
{
	int saved, fd = socket(s->to.ss_family,
	    SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1)
		return -1;
	if (connect(fd, (const struct sockaddr *)&s->to, s->len) == 0)
		return fd;
	saved = errno;
	(void)close(fd);
	errno = saved;
	return -1;
}

static void
stamp_update(struct syslog *s, time_t now)
{
	struct tm tm;

	if (s->host[0] == '\0' &&
	    (gethostname(s->host, sizeof(s->host) - 1) == -1 ||
	    s->host[0] == '\0'))
		(void)strcpy(s->host, "-");
	if (s->stamp_s == (long)now)
		return;
	s->stamp_s = (long)now;
	localtime_r(&now, &tm);
	if (!s->rfc5424) {
		(void)strftime(s->stamp, sizeof(s->stamp), "%b %e %H:%M:%S",
		    &tm);
		return;
	}
	(void)strftime(s->stamp, sizeof(s->stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)strftime(s->zone, sizeof(s->zone), "%z", &tm);
	/* +0100 -> +01:00 */
	memmove(s->zone + 4, s->zone + 3, 3);
	s->zone[3] = ':';
}

/* Of a line of the error log: behind its time is its level. */
static int
severity_of(const struct syslog *s, const char **p, size_t *n)
{
	char word[8];
	size_t len;
	int v;

	if (!s->levels || *n < ERROR_STAMP)
		return s->severity;
	*p += ERROR_STAMP;
	*n -= ERROR_STAMP;
	for (len = 0; len < *n && len < sizeof(word) - 1 && (*p)[len] != ' ';
	    len++)
		word[len] = (*p)[len];
	word[len] = '\0';
	v = syslog_severity(word);
	return v == -1 ? s->severity : v;
}

static size_t
put_head(struct syslog *s, int severity, char *head)
{
	struct timespec now;
	int n, pri;

	clock_gettime(CLOCK_REALTIME, &now);
	stamp_update(s, now.tv_sec);
	pri = s->facility * 8 + severity;
	if (s->rfc5424)
		n = snprintf(head, HEAD_MAX, "<%d>1 %s.%06ld%s %s %s %d - - ",
		    pri, s->stamp, now.tv_nsec / 1000, s->zone,
		    s->nohostname ? "-" : s->host, s->tag, (int)getpid());
	else if (s->nohostname || s->to.ss_family == AF_UNIX)
		n = snprintf(head, HEAD_MAX, "<%d>%s %s: ", pri, s->stamp,
		    s->tag);
	else
		n = snprintf(head, HEAD_MAX, "<%d>%s %s %s: ", pri, s->stamp,
		    s->host, s->tag);
	return n < 0 ? 0 : (size_t)n;
}

/* A daemon that was started anew has another socket at the same place.  The
 * socket is that of all workers, so this is done for all. */
static int
is_connected_again(struct syslog *s, int fd)
{
	struct timespec now;

	if (s->to.ss_family != AF_UNIX)
		return errno == ECONNREFUSED;	/* of what was sent before */
	if (errno != ECONNREFUSED && errno != ENOTCONN && errno != ECONNRESET)
		return 0;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if (s->tried_s == (long)now.tv_sec + 1)
		return 0;
	s->tried_s = (long)now.tv_sec + 1;
	return connect(fd, (const struct sockaddr *)&s->to, s->len) == 0;
}

ssize_t
syslog_send(struct syslog *s, int fd, const char *p, size_t n)
{
	const char *nl = memchr(p, '\n', n);
	size_t line = nl == NULL ? n : (size_t)(nl - p), len = line;
	char head[HEAD_MAX];
	int severity = severity_of(s, &p, &len);
	struct iovec iov[2] = {
		{ .iov_base = head, .iov_len = put_head(s, severity, head) },
		{ .iov_base = (void *)(uintptr_t)p,
		    .iov_len = len < SYSLOG_TEXT ? len : SYSLOG_TEXT },
	};
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t w = sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (w == -1 && is_connected_again(s, fd))
		w = sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (w == -1)
		return errno == ENOBUFS ? 0 : -1;
	return (ssize_t)(line + (nl != NULL));
}
