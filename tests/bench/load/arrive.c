/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a browser does when it comes to Socket.IO: a handshake by polling, the
 * namespace, then the upgrade to WebSocket; and it leaves.  Again and again,
 * many at a time.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "client.h"

#define EVENTS 256
#define SID_MAX 64

enum step {
	HANDSHAKE,	/* GET: 0{"sid":... */
	CONNECT,	/* POST 40: ok */
	CONNECTED,	/* GET: 40{"sid":... */
	UPGRADE,	/* 101 */
	PROBE,		/* 2probe: 3probe */
	LEAVING,	/* 5 and a close: a close */
	LEFT
};

struct guest {
	int fd;
	enum step step;
	size_t n;
	char sid[SID_MAX];
	char buf[2048];
};

struct arrive {
	const struct options *o;
	uint8_t probe[32], leave[64];
	size_t nprobe, nleave;
	int ep;
};

static void
say(struct guest *g, const void *p, size_t n)
{
	if (send(g->fd, p, n, MSG_NOSIGNAL) != (ssize_t)n)
		err(1, "send");
	g->n = 0;
}

static void
dial(struct arrive *k, struct guest *g)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = g };

	g->fd = client_connect(k->o);
	if (epoll_ctl(k->ep, EPOLL_CTL_ADD, g->fd, &ev) == -1)
		err(1, "epoll_ctl");
}

/* A request of the polling transport. */
static void
ask(struct arrive *k, struct guest *g, const char *body)
{
	char text[512];
	int n = snprintf(text, sizeof(text),
	    "%s %s?EIO=4&transport=polling%s%s HTTP/1.1\r\nHost: %s\r\n",
	    body == NULL ? "GET" : "POST", k->o->path,
	    g->sid[0] == '\0' ? "" : "&sid=", g->sid, k->o->authority);

	if (body != NULL)
		n += snprintf(text + n, sizeof(text) - (size_t)n,
		    "Content-Type: text/plain;charset=UTF-8\r\n"
		    "Content-Length: %zu\r\n\r\n%s", strlen(body), body);
	else
		n += snprintf(text + n, sizeof(text) - (size_t)n, "\r\n");
	say(g, text, (size_t)n);
}

/* The body of an answer that has come as a whole; NULL: not yet. */
static const char *
body_of(const struct guest *g)
{
	const char *end = strstr(g->buf, "\r\n\r\n"),
	    *length = strcasestr(g->buf, "\r\nContent-Length:");

	if (end == NULL)
		return NULL;
	if (strncmp(g->buf, "HTTP/1.1 200 ", 13) != 0 || length == NULL)
		errx(1, "not 200, or no length: %s", g->buf);
	return strlen(end + 4) < strtoul(length + 17, NULL, 10) ? NULL :
	    end + 4;
}

static void
keep_sid(struct guest *g, const char *body)
{
	if (sscanf(body, "0{\"sid\":\"%63[^\"]\"", g->sid) != 1)
		errx(1, "no handshake: %s", body);
}

/* The request for the upgrade, on a connection of its own. */
static void
upgrade(struct arrive *k, struct guest *g)
{
	char text[1024], with[128], *query;
	size_t n = client_request(k->o, text, sizeof(text));
	int more = snprintf(with, sizeof(with), "&sid=%s", g->sid);

	close(g->fd);
	dial(k, g);
	query = strstr(text, "transport=websocket");
	if (query == NULL || n + (size_t)more >= sizeof(text))
		errx(2, "-e is missing, or the path is too long");
	query += strlen("transport=websocket");
	memmove(query + more, query, n + 1 - (size_t)(query - text));
	memcpy(query, with, (size_t)more);
	say(g, text, n + (size_t)more);
}

static void
look_polling(struct arrive *k, struct guest *g)
{
	const char *body = body_of(g);

	if (body == NULL)
		return;
	switch (g->step) {
	case HANDSHAKE:
		keep_sid(g, body);
		ask(k, g, "40");
		break;
	case CONNECT:
		if (strcmp(body, "ok") != 0)
			errx(1, "not ok: %s", body);
		ask(k, g, NULL);
		break;
	default:
		if (strncmp(body, "40{", 3) != 0)
			errx(1, "not let in: %s", body);
		upgrade(k, g);
	}
	g->step++;
}

static void
look_websocket(struct arrive *k, struct guest *g)
{
	static const char probed[] = "\x81\x06" "3probe";

	switch (g->step) {
	case UPGRADE:
		if (strstr(g->buf, "\r\n\r\n") == NULL)
			return;
		if (!client_is_upgraded(k->o, g->buf))
			errx(1, "not upgraded: %s", g->buf);
		say(g, k->probe, k->nprobe);
		break;
	case PROBE:
		if (g->n < sizeof(probed) - 1)
			return;
		if (memcmp(g->buf, probed, sizeof(probed) - 1) != 0)
			errx(1, "no answer to the probe");
		say(g, k->leave, k->nleave);
		break;
	default:
		if (g->n < 2)
			return;
		if ((uint8_t)g->buf[0] != (FRAME_FIN | OP_CLOSE))
			errx(1, "no close came back");
	}
	g->step++;
}

/* 1: it has left as it should. */
static int
has_left(struct arrive *k, struct guest *g)
{
	ssize_t n = recv(g->fd, g->buf + g->n, sizeof(g->buf) - 1 - g->n,
	    MSG_DONTWAIT);

	if (n == -1 && errno == EAGAIN)
		return 0;
	if (n == -1)
		err(1, "recv");
	if (n == 0) {
		if (g->step != LEFT)
			errx(1, "the server closed at step %d", (int)g->step);
		close(g->fd);
		return 1;
	}
	g->n += (size_t)n;
	g->buf[g->n] = '\0';
	if (g->step < UPGRADE)
		look_polling(k, g);
	else
		look_websocket(k, g);
	return 0;
}

static void
come(struct arrive *k, struct guest *g)
{
	g->step = HANDSHAKE;
	g->sid[0] = '\0';
	dial(k, g);
	ask(k, g, NULL);
}

void
load_arrive(const struct options *o)
{
	struct arrive k = { .o = o };
	struct guest *guests = calloc(o->connections, sizeof(*guests));
	struct epoll_event ev[EVENTS];
	uint64_t count = 0;
	double start;
	int i, n;

	if (guests == NULL || (k.ep = epoll_create1(0)) == -1)
		err(1, "arrive");
	k.nprobe = frame_put(k.probe, FRAME_FIN | OP_TEXT, "2probe", 6);
	k.nleave = frame_put(k.leave, FRAME_FIN | OP_TEXT, "5", 1);
	k.nleave += frame_put(k.leave + k.nleave, FRAME_FIN | OP_CLOSE,
	    "\x03\xe8", 2);
	say_ready();
	start = now_seconds();
	for (i = 0; i < (int)o->connections; i++)
		come(&k, &guests[i]);
	while (now_seconds() < start + o->seconds) {
		if ((n = epoll_wait(k.ep, ev, EVENTS, 5000)) == 0)
			errx(1, "the server is stuck");
		for (i = 0; i < n; i++)
			if (has_left(&k, ev[i].data.ptr)) {
				count++;
				come(&k, ev[i].data.ptr);
			}
	}
	say_result(count, start);
	free(guests);
}
