/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a browser does when it comes to Socket.IO: a handshake by polling, the
 * namespace, then the upgrade to WebSocket; and it leaves.  Again and again,
 * many at a time.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "guests.h"

enum step {
	HANDSHAKE,	/* GET: 0{"sid":... */
	CONNECT,	/* POST 40: ok */
	CONNECTED,	/* GET: 40{"sid":... */
	UPGRADE,	/* 101 */
	PROBE,		/* 2probe: 3probe */
	LEAVING,	/* 5 and a close: a close */
	LEFT
};

struct arrive {
	struct guests guests;
	uint8_t probe[32], leave[64];
	size_t nprobe, nleave;
};

/* A request of the polling transport. */
static void
ask(const struct guests *k, struct guest *g, const char *body)
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
	guest_say(g, text, (size_t)n);
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
upgrade(struct guests *k, struct guest *g)
{
	char text[1024], with[128], *query;
	size_t n = client_request(k->o, text, sizeof(text));
	int more = snprintf(with, sizeof(with), "&sid=%s", g->sid);

	guest_dial(k, g);
	query = strstr(text, "transport=websocket");
	if (query == NULL || n + (size_t)more >= sizeof(text))
		errx(2, "-e is missing, or the path is too long");
	query += strlen("transport=websocket");
	memmove(query + more, query, n + 1 - (size_t)(query - text));
	memcpy(query, with, (size_t)more);
	guest_say(g, text, n + (size_t)more);
}

static void
look_polling(struct guests *k, struct guest *g)
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
look_websocket(const struct arrive *k, struct guest *g)
{
	static const char probed[] = "\x81\x06" "3probe";

	switch (g->step) {
	case UPGRADE:
		if (strstr(g->buf, "\r\n\r\n") == NULL)
			return;
		if (!client_is_upgraded(k->guests.o, g->buf))
			errx(1, "not upgraded: %s", g->buf);
		guest_say(g, k->probe, k->nprobe);
		break;
	case PROBE:
		if (g->n < sizeof(probed) - 1)
			return;
		if (memcmp(g->buf, probed, sizeof(probed) - 1) != 0)
			errx(1, "no answer to the probe");
		guest_say(g, k->leave, k->nleave);
		break;
	default:
		if (g->n < 2)
			return;
		if ((uint8_t)g->buf[0] != (FRAME_FIN | OP_CLOSE))
			errx(1, "no close came back");
	}
	g->step++;
}

static void
look(struct guests *k, struct guest *g)
{
	if (g->step < UPGRADE)
		look_polling(k, g);
	else
		look_websocket((struct arrive *)k, g);
}

static void
come(struct guests *k, struct guest *g)
{
	ask(k, g, NULL);
}

void
load_arrive(const struct options *o)
{
	struct arrive k = { .guests = { .o = o, .left = LEFT, .come = come,
	    .look = look } };

	k.nprobe = frame_put(k.probe, FRAME_FIN | OP_TEXT, "2probe", 6);
	k.nleave = frame_put(k.leave, FRAME_FIN | OP_TEXT, "5", 1);
	k.nleave += frame_put(k.leave + k.nleave, FRAME_FIN | OP_CLOSE,
	    "\x03\xe8", 2);
	guests_run(&k.guests);
}
