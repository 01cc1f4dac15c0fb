/* SPDX-License-Identifier: BSD-2-Clause */
/* What was asked for on the command line, and the kinds of load. */
#ifndef WSLOAD_H
#define WSLOAD_H

#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>

struct options {
	struct sockaddr_in addr;
	char authority[64];	/* "127.0.0.1:8080" */
	const char *path;
	unsigned connections;
	unsigned depth;		/* messages under way, or published at once */
	size_t size;		/* bytes of a message */
	double seconds;
	double rate;		/* requests in a second */
	int text;		/* else binary */
	int deflate;		/* offer permessage-deflate */
	int spread;		/* half of the connections to either worker */
	int http;		/* no WebSocket */
	int socketio;		/* Engine.IO and Socket.IO around messages */
	const char *publisher_url;	/* of a fan-out, where it is another
					   server's; else NULL */
	const struct options *publisher;	/* what that says */
};

/*
 * Each opens what it needs, says so on standard output, and begins when a line
 * (or the end) comes on standard input.  Whatever is not as expected ends the
 * program.
 */
void	load_echo(const struct options *);
void	load_fanout(const struct options *);
void	load_idle(const struct options *);
void	load_connect(const struct options *);
void	load_arrive(const struct options *);
void	load_paced(const struct options *);

/* For them. */
void	say_ready(void);	/* returns when we may begin */
double	now_seconds(void);
/* The result: what was counted since `since`, how many seconds that is, and how
 * many of CPU it cost us. */
void	say_result(uint64_t count, double since);

#endif
