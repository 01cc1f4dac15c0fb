/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the machine can do: a server that has one epoll loop, and no idea of a
 * protocol beyond what the load's Socket.IO needs.  It answers with a frame of
 * the same bytes, or sends them to all others if they are the event "m"; it
 * checks nothing, and trusts its client.  Prints its port.
 */
#include <sys/epoll.h>
#include <sys/socket.h>

#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOM	(80 << 10)	/* for a frame that has not ended */
#define CONNS	4096
#define EVENTS	256

/* The answer to the only key that the load has; then Engine.IO's first
 * packet. */
#define HELLO	"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n" \
	"Connection: Upgrade\r\n" \
	"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n" \
	"\x81\x03" "0{}"
#define ENTERED	"\x81\x0d" "40{\"sid\":\"0\"}"

struct conn {
	int fd, is_upgraded;
	size_t at, len;		/* of in: parsed, and filled */
	uint8_t in[ROOM];
};

static struct conn *conns[CONNS];
static size_t nconns;

static void
put(struct conn *c, const void *p, size_t n)
{
	if (send(c->fd, p, n, MSG_NOSIGNAL) != (ssize_t)n)
		err(1, "send");
}

static size_t
put_head(uint8_t *to, size_t n)
{
	size_t i, size = n < 126 ? 0 : n < 65536 ? 2 : 8;

	to[0] = 0x81;
	to[1] = (uint8_t)(size == 0 ? n : size == 2 ? 126 : 127);
	for (i = 0; i < size; i++)
		to[2 + i] = (uint8_t)(n >> 8 * (size - 1 - i));
	return 2 + size;
}

static void
unmask(uint8_t *p, size_t n, const uint8_t *key)
{
	uint64_t k, word;
	size_t i;

	memcpy(&k, key, 4);
	memcpy((uint8_t *)&k + 4, key, 4);
	for (i = 0; i + 8 <= n; i += 8) {
		memcpy(&word, p + i, 8);
		word ^= k;
		memcpy(p + i, &word, 8);
	}
	for (; i < n; i++)
		p[i] ^= key[i & 3];
}

/* The n bytes at p, with room for a head before them. */
static void
answer(struct conn *c, uint8_t *p, size_t n)
{
	uint8_t head[10];
	size_t i, nhead = put_head(head, n);

	if (n == 2 && memcmp(p, "40", 2) == 0) {
		put(c, ENTERED, sizeof(ENTERED) - 1);
		return;
	}
	memcpy(p - nhead, head, nhead);
	if (n < 5 || memcmp(p, "42[\"m", 5) != 0) {
		put(c, p - nhead, nhead + n);
		return;
	}
	for (i = 0; i < nconns; i++)
		if (conns[i] != c)
			put(conns[i], p - nhead, nhead + n);
}

/* Is there another whole frame?  It is answered. */
static int
take_frame(struct conn *c)
{
	uint8_t *p = c->in + c->at;
	size_t i, n, size, left = c->len - c->at;

	if (left < 2)
		return 0;
	n = p[1] & 0x7f;
	size = n == 126 ? 2 : n == 127 ? 8 : 0;
	if (left < 2 + size + 4)
		return 0;
	for (i = 0; i < size; i++)
		n = (i == 0 ? 0 : n << 8) | p[2 + i];
	if (left < 2 + size + 4 + n)
		return 0;
	p += 2 + size + 4;
	unmask(p, n, p - 4);
	c->at += 2 + size + 4 + n;
	answer(c, p, n);
	return 1;
}

static void
hang_up(struct conn *c)
{
	size_t i;

	for (i = 0; conns[i] != c; i++)
		;
	conns[i] = conns[--nconns];
	(void)close(c->fd);
	free(c);
}

static void
take(struct conn *c)
{
	ssize_t n = recv(c->fd, c->in + c->len, ROOM - c->len, 0);

	if (n <= 0) {
		hang_up(c);
		return;
	}
	c->len += (size_t)n;
	if (!c->is_upgraded) {
		if (memmem(c->in, c->len, "\r\n\r\n", 4) == NULL)
			return;
		c->is_upgraded = 1;
		c->at = c->len;
		put(c, HELLO, sizeof(HELLO) - 1);
	}
	while (take_frame(c))
		;
	if (c->at < c->len)
		memmove(c->in, c->in + c->at, c->len - c->at);
	c->len -= c->at;
	c->at = 0;
}

static void
let_in(int ep, int listener)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int on = 1, fd = accept(listener, NULL, NULL);
	struct conn *c;

	if (fd == -1)
		err(1, "accept");
	if (nconns == CONNS || (c = malloc(sizeof(*c))) == NULL)
		errx(1, "too many connections");
	c->fd = fd;
	c->is_upgraded = 0;
	c->at = c->len = 0;
	conns[nconns++] = c;
	ev.data.ptr = c;
	(void)setsockopt(fd, SOL_TCP, TCP_NODELAY, &on, sizeof(on));
	if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) == -1)
		err(1, "epoll_ctl");
}

static int
listen_somewhere(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd == -1 || bind(fd, (struct sockaddr *)(void *)&sin, n) == -1 ||
	    listen(fd, 4096) == -1 ||
	    getsockname(fd, (struct sockaddr *)(void *)&sin, &n) == -1)
		err(1, "listen");
	(void)printf("%u\n", ntohs(sin.sin_port));
	(void)fflush(stdout);
	return fd;
}

int
main(void)
{
	int i, n, listener = listen_somewhere(), ep = epoll_create1(0);
	struct epoll_event ev = { .events = EPOLLIN }, evs[EVENTS];

	if (ep == -1 || epoll_ctl(ep, EPOLL_CTL_ADD, listener, &ev) == -1)
		err(1, "epoll");
	for (;;) {
		if ((n = epoll_wait(ep, evs, EVENTS, -1)) == -1)
			err(1, "epoll_wait");
		for (i = 0; i < n; i++)
			if (evs[i].data.ptr == NULL)
				let_in(ep, listener);
			else
				take(evs[i].data.ptr);
	}
}
