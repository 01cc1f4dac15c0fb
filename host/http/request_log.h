/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Access logs of requests: one line per answered request, in nginx's
 * "combined", as JSON, or in a format with
 *
 *	$remote_addr $remote_user $request $request_method $request_uri $uri
 *	$args $server_protocol $host $status $body_bytes_sent $bytes_sent
 *	$request_length $request_time $content_length $http_NAME
 *	$jwt_claim_NAME $sent_http_NAME $connection_requests $request_id
 *	$upstream_addr $upstream_status $upstream_connect_time
 *	$upstream_header_time $upstream_response_time $upstream_cache_status
 *	$trace_id $span_id $parent_id $traceparent $trace_json
 *
 * $request_id and $upstream_cache_status are what the client was told: the
 * answer's X-Request-ID and X-Cache-Status.  $trace_json is for JSON: two
 * members and a comma before them, nothing without a trace.  Tokens in URLs are
 * left out (http/veil.h).
 */
#ifndef HTTP_REQUEST_LOG_H
#define HTTP_REQUEST_LOG_H

#include "base/accesslog.h"

struct http_req;
struct sent_names;

extern const struct access_kind request_log_kind;

/* Headers of answers that they tell of have to be kept for them: when all logs
 * have been added. */
void	request_log_want(struct access_logs *, struct sent_names *);
/* The request is over. */
void	request_log_note(struct access_logs *, const struct http_req *,
	    uint64_t bytes_sent, uint64_t now_ms);

#endif
