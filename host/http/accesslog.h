/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Access logs: one line per answered request, in nginx's "combined", as JSON,
 * or in a format with nginx's variable names:
 *
 *	$remote_addr $remote_user $time_local $time_iso8601 $msec $request
 *	$request_method $request_uri $uri $args $server_protocol $host $status
 *	$body_bytes_sent $bytes_sent $request_length $request_time
 *	$content_length $http_NAME $sent_http_NAME $pid $worker
 *	$connection_requests $request_id $upstream_addr $upstream_status
 *	$upstream_connect_time $upstream_header_time $upstream_response_time
 *	$upstream_cache_status
 *
 * $request_id and $upstream_cache_status are what the client was told: the
 * answer's X-Request-ID and X-Cache-Status.
 *
 * Lines are collected and written once per turn of the loop.  A log that can't
 * take them at once (a pipe, a full disk) loses whole lines, which are
 * counted; the loop never waits.
 */
#ifndef HTTP_ACCESSLOG_H
#define HTTP_ACCESSLOG_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/buf.h"
#include "base/sink.h"
#include "http/sent.h"

struct http_req;
struct log_op;

struct access_log {
	struct sink sink;	/* fd -1: off */
	struct log_op *ops;	/* the compiled format */
	size_t nops;
	int json;		/* values are escaped for JSON */
	struct buf out;		/* lines not yet written */
};

struct access_logs {
	struct access_log *v;
	size_t n;
	uint64_t dropped;
	int active;		/* any of them is on */
	struct sent_names sent;	/* headers of answers that they tell of */
	pid_t pid;
	char worker[80];	/* "web.0" */
	int64_t stamp_s;	/* the second the stamps below are for */
	char time_local[40], time_iso[40];
};

/* Is this a format?  0, or -1 and the offending variable in *bad. */
int	access_format_check(const char *format, char *bad, size_t size);
/* Append a log; it is off until access_logs_set_fd. */
void	access_logs_add(struct access_logs *, const char *format);
/* Takes fd; the one before is closed. */
void	access_logs_set_fd(struct access_logs *, size_t index, int fd);
/* The request is over. */
void	access_logs_note(struct access_logs *, const struct http_req *,
	    uint64_t bytes_sent, uint64_t now_ms);
void	access_logs_flush(struct access_logs *);
void	access_logs_free(struct access_logs *);

#endif
