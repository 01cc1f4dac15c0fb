/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "master/notify.h"

static struct sockaddr_un notify_addr = {.sun_family = AF_UNIX};
static socklen_t notify_len; /* 0: nobody has asked */

static char notify_path[sizeof(notify_addr.sun_path)];

const char *
notify_socket(void)
{
	return notify_len != 0 ? notify_path : NULL;
}

void
notify_use(const char *path)
{
	size_t n;

	if (path == NULL)
		return;
	n = strlen(path);
	if ((path[0] != '/' && path[0] != '@') || n < 2 ||
	    n >= sizeof(notify_addr.sun_path)) {
		log_warnx("NOTIFY_SOCKET is not usable: %s", path);
	} else {
		memcpy(notify_path, path, n + 1);
		memcpy(notify_addr.sun_path, path, n);
		if (path[0] == '@')
			notify_addr.sun_path[0] = '\0'; /* abstract */
		notify_len =
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	}
}

void
notify_init(void)
{
	notify_use(getenv("NOTIFY_SOCKET"));
	(void)unsetenv("NOTIFY_SOCKET");
}

void
notify(const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int fd;

	if (notify_len == 0)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1 ||
	    sendto(fd, text, strlen(text), MSG_NOSIGNAL,
		(struct sockaddr *)&notify_addr, notify_len) == -1)
		log_warn("notifying the service manager");
	if (fd != -1)
		(void)close(fd);
}

void
notify_reloading(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	notify("RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=reloading",
	    (long long)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
}
