/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Access logs: a line for each thing of a kind that has happened (a request,
 * http/request_log.h; a TCP connection, upstream/tcp_log.h), in a format with
 * nginx's variable names.  Those that any kind has are
 *
 *	$time_local $time_iso8601 $msec $pid $worker
 *
 * Lines are collected and written once per turn of the loop.  A log that can't
 * take them at once (a pipe, a full disk) loses whole lines, which are
 * counted, and told of in the error log when it begins and when it is over; the
 * loop never waits.
 */
#ifndef BASE_ACCESSLOG_H
#define BASE_ACCESSLOG_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <hostd/abi.h>
#include "base/buf.h"
#include "base/sink.h"
#include "base/syslog.h"

struct access_log;
struct access_logs;
struct access_op;

/* Write the value that it has in what has happened. */
typedef void access_put(struct access_log *, const struct access_op *,
    const void *what);

/* A piece of a format: text, and a variable behind it. */
struct access_op {
	char *text;		/* zeroes up to a multiple of ACCESS_TEXT */
	size_t len;
	access_put *put;	/* NULL: the format ends with text */
	int var;		/* for put */
	char *name;		/* of the header that is meant, or the like */
	size_t name_len;
	unsigned which;		/* the kind's own */
};

#define ACCESS_TEXT	16

struct access_var {
	const char *name;
	access_put *put;
	int var;
};

struct access_kind {
	/* A format of its own in a word, "combined", and the same as JSON. */
	const char *combined, *json;
	const struct access_var *vars;	/* NULL-ended */
	/* Others, a part of whose name says what is meant: 0 or -1.  May be
	 * NULL. */
	int (*find)(struct access_op *, const char *name, size_t n);
	int (*status)(const void *what);
	uint64_t (*ms)(const void *what);	/* that it has taken */
};

/* What a line is written for; all of it has to hold. */
struct access_when {
	struct access_span {
		int from, to;
	} *statuses;
	size_t nstatuses;		/* 0: any */
	int64_t slower_ms;		/* 0: any */
	int64_t sample;			/* parts of RATIO_ONE */
	char *var;			/* "$name", neither empty nor "0" nor
					   "-"; NULL: none */
};

struct access_log {
	const struct access_kind *kind;
	struct access_logs *logs;	/* that it is one of */
	struct sink sink;	/* fd -1: off */
	struct access_op *ops;	/* the compiled format */
	size_t nops;
	int json;		/* values are escaped for JSON */
	struct buf out;		/* lines not yet written */
	char *name;		/* for the error log */
	struct syslog *form;	/* of the sink, if it is one; else NULL */
	const struct access_when *when;	/* NULL: always */
	struct access_op *if_ops;	/* when->var */
	size_t nif;
	int error;		/* errno: lines are lost since; 0: none are */
	uint64_t lost;		/* since then */
	int torn;		/* a part of a line was written */
};

struct access_logs {
	struct access_log *v;
	size_t n;
	uint64_t dropped;
	uint64_t random;	/* for samples */
	pid_t pid;
	char worker[80];	/* "web.0" */
	int stamped;		/* in this turn of the loop */
	int64_t stamp_s;	/* the second the stamps below are for */
	char time_local[40], time_iso[40];
	size_t time_local_len, time_iso_len;
};

/* Is this a format?  0, or -1 and the offending variable in *bad. */
int	access_format_check(const struct access_kind *, const char *format,
	    char *bad, size_t size);
/* Append a log; it is off until access_logs_set_fd.  Good until the next, and
 * all of them stay where they are. */
struct access_log *access_logs_add(struct access_logs *,
	    const struct access_kind *, const char *format);
/* It is called so, lines are for these alone, which stay the caller's, and a
 * descriptor will be one of syslog_open if form is not NULL. */
void	access_log_set(struct access_log *, const char *name,
	    const struct access_when *, const struct syslog *form);
/* Takes fd; the one before is closed. */
void	access_logs_set_fd(struct access_logs *, size_t index, int fd);
/* It has happened. */
void	access_logs_note(struct access_logs *, const struct access_kind *,
	    const void *what);
void	access_logs_flush(struct access_logs *);
void	access_logs_free(struct access_logs *);

/* Is any log of that kind on? */
static inline int
access_logs_want(const struct access_logs *logs, const struct access_kind *k)
{
	size_t i;

	for (i = 0; i < logs->n; i++)
		if (logs->v[i].kind == k && logs->v[i].sink.fd != -1)
			return 1;
	return 0;
}

/* For find: put, of the header with that name, "_" in which means "-".  0, or
 * -1: it is empty. */
int	access_op_header(struct access_op *, access_put *, const char *name,
	    size_t n);

/* -- values -- */

/* "-" where there is nothing.  What others have said can't end a value, or a
 * line. */
void	access_put_text(struct access_log *, hostd_buf);
/* The same, and nothing where there is nothing. */
void	access_put_escaped(struct access_log *, hostd_buf);
void	access_put_number(struct access_log *, uint64_t);
/* With three decimals. */
void	access_put_seconds(struct access_log *, uint64_t ms);

#endif
