/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines as datagrams for a syslog daemon, as nginx's
 * "syslog:server=unix:/dev/log,facility=local7,tag=hostd,severity=info": RFC
 * 3164, or RFC 5424 with rfc=5424.  A daemon on this machine expects no host's
 * name in the former, as syslog(3) sends none.
 */
#ifndef BASE_SYSLOG_H
#define BASE_SYSLOG_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#define SYSLOG_TAG	32
#define SYSLOG_TEXT	8192	/* bytes of a line; longer ones are cut */

struct syslog {
	struct sockaddr_storage to;
	socklen_t len;
	int facility, severity;
	int rfc5424, nohostname;
	int levels;		/* lines are the error log's: each says its
				   severity itself, and its time */
	char tag[SYSLOG_TAG + 1];
	/* written by syslog_send */
	char host[65];		/* "" before the first line */
	long stamp_s;		/* what stamp is for */
	char stamp[40], zone[8];
	long tried_s;		/* to connect again */
};

/* "local7", "daemon" -> number; -1: no such word. */
int	syslog_facility(const char *word);
/* "info", "warn" -> number; -1 likewise. */
int	syslog_severity(const char *word);

/* A connected socket; -1 with errno. */
int	syslog_open(const struct syslog *);
/*
 * The first of the lines at p: how many bytes of p it has, with its "\n", if it
 * was taken; 0: not now; -1 with errno.
 */
ssize_t	syslog_send(struct syslog *, int fd, const char *p, size_t n);

#endif
