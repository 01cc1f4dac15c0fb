/* SPDX-License-Identifier: BSD-2-Clause */
#include <err.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include "client.h"

#define MIN(a, b) ((a) < (b) ? (a) : (b))
/* From this size on, the rest of a message is dropped unseen. */
#define UNSEEN 32768
/* Seconds that an answer may take before the load begins. */
#define PATIENCE 10

/* Key and answer of RFC 6455 section 1.3. */
#define KEY	"dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT	"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

/* -- before -- */

int
client_connect(const struct options *o)
{
	int fd, on = 1;

	if ((fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		err(1, "socket");
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, (const struct sockaddr *)(const void *)&o->addr,
		sizeof(o->addr)) == -1)
		err(1, "connect to %s", o->authority);
	return fd;
}

size_t
client_request(const struct options *o, char *to, size_t size)
{
	int n = snprintf(to, size, "GET %s%s HTTP/1.1\r\n"
	    "Host: %s\r\n"
	    "Upgrade: websocket\r\n"
	    "Connection: Upgrade\r\n"
	    "Sec-WebSocket-Key: " KEY "\r\n"
	    "Sec-WebSocket-Version: 13\r\n"
	    "%s\r\n", o->path, o->socketio ? "?EIO=4&transport=websocket" : "",
	    o->authority, o->deflate ? "Sec-WebSocket-Extensions: "
	    "permessage-deflate; client_max_window_bits\r\n" : "");

	if (n < 0 || (size_t)n >= size)
		errx(2, "the path is too long");
	return (size_t)n;
}

int
client_is_upgraded(const struct options *o, const char *head)
{
	return strncmp(head, "HTTP/1.1 101 ", 13) == 0 &&
	    strstr(head, ACCEPT) != NULL &&
	    !o->deflate == !strcasestr(head, "permessage-deflate");
}

static void
read_fully(struct client *c, void *to, size_t n)
{
	ssize_t got;

	if (n == 0)
		return;
	got = recv(c->fd, to, n, MSG_WAITALL);
	if (got == -1)
		err(1, "no answer");
	if ((size_t)got != n)
		errx(1, "the server closed too early");
}

/* The answer's head, and not a byte more. */
static void
read_head(struct client *c, char *head, size_t size)
{
	char *end = NULL;
	ssize_t n = 0;

	while (end == NULL && (size_t)n < size - 1) {
		n = recv(c->fd, head, size - 1, MSG_PEEK);
		if (n <= 0)
			errx(1, "no answer to the upgrade");
		head[n] = '\0';
		end = strstr(head, "\r\n\r\n");
	}
	if (end == NULL)
		errx(1, "the answer's head does not end");
	end += 4;
	read_fully(c, head, (size_t)(end - head));
	*end = '\0';
}

static void
enter_namespace(struct client *c)
{
	char text[512];
	uint8_t frame[FRAME_HEAD_MAX + 2];

	if (client_frame(c, text, sizeof(text)) != (FRAME_FIN | OP_TEXT) ||
	    text[0] != '0')
		errx(1, "no Engine.IO handshake: %s", text);
	client_send(c, frame,
	    frame_put(frame, FRAME_FIN | OP_TEXT, "40", 2));
	if (client_frame(c, text, sizeof(text)) != (FRAME_FIN | OP_TEXT) ||
	    strncmp(text, "40", 2) != 0)
		errx(1, "not let into the namespace: %s", text);
}

void
client_open(struct client *c, const struct options *o)
{
	struct timeval patience = { PATIENCE, 0 };
	char head[2048];

	memset(c, 0, sizeof(*c));
	c->fd = client_connect(o);
	(void)setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
	    sizeof(patience));
	client_send(c, head, client_request(o, head, sizeof(head)));
	read_head(c, head, sizeof(head));
	if (!client_is_upgraded(o, head))
		errx(1, "not upgraded: %s", head);
	if (o->socketio)
		enter_namespace(c);
}

void
client_send(struct client *c, const void *p, size_t n)
{
	if (send(c->fd, p, n, MSG_NOSIGNAL) != (ssize_t)n)
		err(1, "send");
}

unsigned
client_frame(struct client *c, char *payload, size_t max)
{
	uint8_t head[2], more[8];
	size_t i, n, size;

	read_fully(c, head, 2);
	n = head[1];
	size = n == 126 ? 2 : n == 127 ? 8 : 0;
	read_fully(c, more, size);
	for (i = 0; i < size; i++)
		n = (i == 0 ? 0 : n << 8) | more[i];
	if (n >= max)
		errx(1, "a frame of %zu bytes is too long", n);
	read_fully(c, payload, n);
	payload[n] = '\0';
	return head[0];
}

void
client_expect(struct client *c, const struct message *m)
{
	uint8_t *got = malloc(m->nin);

	if (got == NULL)
		err(1, "malloc");
	read_fully(c, got, m->nin);
	if (memcmp(got, m->in, m->nin) != 0)
		errx(1, "another answer than expected: %.*s", (int)m->nin,
		    (const char *)got);
	free(got);
}

/* -- during -- */

void
client_watch(struct client *c, int ep)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLET,
		.data.ptr = c };

	if (epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev) == -1)
		err(1, "epoll_ctl");
}

/* Does the middle of m come, of which so much is left that it is cheaper not
 * to copy it? */
static int
is_unseen(const struct client *c, const struct message *m)
{
	return c->in >= m->nhead && m->nin - c->in >= UNSEEN;
}

/* n bytes came.  How many messages end in them. */
static unsigned
take(struct client *c, const struct message *m, const uint8_t *p, size_t n)
{
	unsigned ends = 0;
	size_t k;

	while (n > 0) {
		k = MIN(n, m->nin - c->in);
		if (memcmp(p, m->in + c->in, k) != 0)
			errx(1, "another message than expected: %.*s",
			    (int)MIN(k, 200), (const char *)p);
		p += k;
		n -= k;
		c->in += k;
		if (c->in == m->nin) {
			c->in = 0;
			ends++;
		}
	}
	return ends;
}

unsigned
client_read(struct client *c, const struct message *m)
{
	static uint8_t buf[65536];
	unsigned ends = 0;
	size_t want;
	ssize_t n;
	int drop;

	do {
		drop = is_unseen(c, m);
		want = drop ? m->nin - c->in : sizeof(buf);
		n = recv(c->fd, drop ? NULL : buf, want,
		    MSG_DONTWAIT | (drop ? MSG_TRUNC : 0));
		if (n == -1 && errno == EAGAIN)
			break;
		if (n == -1)
			err(1, "recv");
		if (n == 0)
			errx(1, "the server closed");
		if (!drop)
			ends += take(c, m, buf, (size_t)n);
		else if ((c->in += (size_t)n) == m->nin) {
			c->in = 0;
			ends++;
		}
	} while ((size_t)n == want);
	return ends;
}

void
client_write(struct client *c, const struct message *m)
{
	size_t want;
	ssize_t n;

	while (c->owed > 0) {
		want = MIN(c->owed, m->nout * m->copies - c->out);
		n = send(c->fd, m->out + c->out, want,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n == -1 && errno == EAGAIN)
			return;
		if (n == -1)
			err(1, "send");
		c->owed -= (uint64_t)n;
		c->out = (c->out + (size_t)n) % m->nout;
		if ((size_t)n < want)
			return;
	}
}
