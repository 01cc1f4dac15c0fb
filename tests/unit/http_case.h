/* SPDX-License-Identifier: BSD-2-Clause */
/* The client of an HTTP server that is in the same process, and the limits of
 * that. */
#ifndef UNIT_HTTP_CASE_H
#define UNIT_HTTP_CASE_H

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/conn.h"
#include "http/server.h"
#include "loop_case.h"

static struct conf conf;
static int client = -1;		/* the socket */
static char heard[4096];	/* since the last hear began */

static inline void
limits_open(void)
{
	TAILQ_INIT(&conf.error_pages);
	conf.http = (struct conf_http){ .max_request_line = 512,
		.max_head = 2048, .max_headers = 16, .max_body = 100,
		.head_timeout = 60000, .body_timeout = 60000,
		.idle_timeout = 60000, .send_timeout = 60000,
		.keepalive_requests = 1000, .max_connections = 10,
		.lingering_timeout = 60000, .output_high = 65536 };
}

/* A connection to srv. */
static inline struct http_conn *
client_open(struct http_server *srv)
{
	struct sockaddr sa = { .sa_family = AF_UNIX };
	struct http_conn *c;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    fds), 0);
	client = fds[1];
	c = conn_open(srv, fds[0], &sa);
	assert_non_null(c);
	return c;
}

static inline void
client_close(void)
{
	if (client != -1)
		(void)close(client);
	client = -1;
}

static inline void
say(const char *text)
{
	assert_int_equal(send(client, text, strlen(text), MSG_NOSIGNAL),
	    strlen(text));
}

/* The next answers begin and end so, and have that in them. */
static inline void
hear_with(const char *begin, const char *has, const char *last)
{
	size_t n = 0, len = strlen(last);
	ssize_t got;
	int turns;

	for (turns = 0; turns < TURNS_MAX; turns++) {
		turn();
		got = recv(client, heard + n, sizeof(heard) - 1 - n,
		    MSG_DONTWAIT);
		if (got > 0)
			n += (size_t)got;
		heard[n] = '\0';
		if (n > len && strncmp(heard, begin, strlen(begin)) == 0 &&
		    strstr(heard, has) != NULL &&
		    strcmp(heard + n - len, last) == 0)
			return;
	}
	fail_msg("no answer \"%s\" ... \"%s\" ... \"%s\", but \"%s\"", begin,
	    has, last, heard);
}

static inline void
hear(const char *begin, const char *last)
{
	hear_with(begin, "", last);
}

static inline void
hear_nothing(void)
{
	char c;
	int i;

	for (i = 0; i < 20; i++)
		turn();
	assert_int_equal(recv(client, &c, 1, MSG_DONTWAIT), -1);
}

#endif
