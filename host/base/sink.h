/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where log lines go: a file, a pipe, a terminal, a socket, or syslog.  Nobody
 * ever waits for it: what it can't take at once, it does not take.
 */
#ifndef BASE_SINK_H
#define BASE_SINK_H

#include <stddef.h>
#include <sys/types.h>

struct syslog;

enum sink_kind { SINK_FILE, SINK_PIPE, SINK_SOCKET, SINK_SYSLOG };

struct sink {
	int fd;			/* -1: none */
	enum sink_kind kind;
	struct syslog *form;	/* SYSLOG: how lines are told */
};

/* fd stays the caller's. */
void	sink_set(struct sink *, int fd);
/* The same; form is for a socket of syslog_open, NULL: it is none. */
void	sink_set_syslog(struct sink *, int fd, struct syslog *form);
/*
 * Write what goes, at most n bytes of p, which must be lines.  Returns how many
 * bytes were taken, in whole lines where lines could be mixed with those of
 * others; 0 when it would have to wait; -1 with errno when it has failed.
 */
ssize_t	sink_write(const struct sink *, const char *p, size_t n);
/* Standard output or error (1, 2) for the same, without making it so for
 * whoever shares it: a descriptor of our own where possible. */
int	sink_open_std(int fd);

#endif
