/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/model.h"
#include "net/listener.h"

static int
set_option(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

static int
listener_socket(const struct addr *a)
{
	return socket(
	    a->ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static int
tcp_bind(int fd, const struct listener_opts *o, int share)
{
	const struct addr *a = o->addr;

	if (set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) == -1)
		return -1;
	if (share && set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1) == -1)
		return -1;
	/* Accepted sockets inherit it: a system call less for each. */
	if (set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1) == -1)
		return -1;
	if (a->ss.ss_family == AF_INET6 &&
	    set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, o->v6only) == -1)
		return -1;
	return bind(fd, (const struct sockaddr *)&a->ss, a->len);
}

/*
 * SO_REUSEPORT would let us share the port with any other program of the same
 * user, who would then get a part of our connections.
 */
static int
tcp_is_free(const struct listener_opts *o)
{
	int fd, rc, saved;

	fd = listener_socket(o->addr);
	if (fd == -1)
		return -1;
	rc = tcp_bind(fd, o, 0);
	saved = errno;
	(void)close(fd);
	errno = saved;
	return rc;
}

static const char *
unix_path(const struct addr *a)
{
	return ((const struct sockaddr_un *)&a->ss)->sun_path;
}

/* Remove a socket that nobody listens on; anything else stays. */
static int
unix_clear(const struct addr *a)
{
	struct stat st;
	int fd, rc;

	if (lstat(unix_path(a), &st) == -1)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISSOCK(st.st_mode)) {
		errno = EEXIST;
		return -1;
	}
	fd = listener_socket(a);
	if (fd == -1)
		return -1;
	rc = connect(fd, (const struct sockaddr *)&a->ss, a->len);
	if (rc == -1 && errno == ECONNREFUSED) {
		(void)close(fd);
		return unlink(unix_path(a));
	}
	if (rc == 0 || errno == EAGAIN)
		errno = EADDRINUSE;
	rc = errno;
	(void)close(fd);
	errno = rc;
	return -1;
}

static int
unix_bind(struct listener *l, const struct listener_opts *o)
{
	const char *path = unix_path(o->addr);
	struct stat st;
	mode_t mask;
	int rc;

	if (unix_clear(o->addr) == -1)
		return -1;
	mask = umask(0777 & ~(mode_t)o->mode);
	rc = bind(l->fd, (const struct sockaddr *)&o->addr->ss, o->addr->len);
	(void)umask(mask);
	if (rc == -1)
		return -1;
	if (chmod(path, (mode_t)o->mode) == -1 || lstat(path, &st) == -1) {
		rc = errno;
		(void)unlink(path);
		errno = rc;
		return -1;
	}
	l->shared = 1;
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	return 0;
}

static const char *
listener_hint(int error)
{
	switch (error) {
	case EADDRINUSE:
		return "; another program listens there";
	case EACCES:
		return "; ports below 1024 and some directories need root";
	case EADDRNOTAVAIL:
		return "; no interface has this address";
	case EEXIST:
		return "; the path is there and is no socket";
	default:
		return "";
	}
}

struct listener *
listener_open(const struct listener_opts *o, char *why, size_t size)
{
	struct listener *l = xcalloc(1, sizeof(*l));
	int rc, saved;

	l->addr = *o->addr;
	l->refs = 1;
	l->fd = listener_socket(o->addr);
	if (l->fd == -1)
		goto fail;
	if (addr_is_unix(o->addr))
		rc = unix_bind(l, o);
	else if (o->alone && tcp_is_free(o) == -1)
		rc = -1;
	else
		rc = tcp_bind(l->fd, o, 1);
	if (rc == 0)
		return l;
fail:
	saved = errno;
	(void)snprintf(
	    why, size, "%s%s", strerror(saved), listener_hint(saved));
	if (l->fd != -1)
		(void)close(l->fd);
	free(l);
	errno = saved;
	return NULL;
}

int
listener_start(struct listener *l, int backlog)
{
	if (listen(l->fd, backlog) == -1)
		return -1;
	l->listening = 1;
	return 0;
}

struct listener *
listener_ref(struct listener *l)
{
	l->refs++;
	return l;
}

void
listener_unref(struct listener *l)
{
	struct stat st;

	if (--l->refs > 0)
		return;
	/* Not the path of a successor that has replaced ours. */
	if (l->shared && lstat(unix_path(&l->addr), &st) == 0 &&
	    st.st_dev == l->dev && st.st_ino == l->ino)
		(void)unlink(unix_path(&l->addr));
	(void)close(l->fd);
	free(l);
}

int
listener_is_at(const struct listener *l, const struct addr *a)
{
	return l->addr.len == a->len &&
	    memcmp(&l->addr.ss, &a->ss, a->len) == 0;
}

/* How well a listening address fits a connection to local. */
static int
fitness(const struct addr *at, const struct sockaddr_storage *local)
{
	if (!addr_covers(&at->ss, local))
		return 0;
	return memcmp(&at->ss, local, at->len) == 0 ? 2 : 1;
}

const struct conf_listen *
listener_block(const struct conf *c, int fd)
{
	struct sockaddr_storage local = { 0 };
	socklen_t n = sizeof(local);
	const struct conf_listen *l, *found = NULL;
	int fit, best = 0;

	if (getsockname(fd, (struct sockaddr *)&local, &n) == -1)
		return NULL;
	TAILQ_FOREACH (l, &c->listens, entry) {
		if ((fit = fitness(&l->addr, &local)) <= best)
			continue;
		best = fit;
		found = l;
	}
	return found;
}
