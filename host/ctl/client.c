/* SPDX-License-Identifier: BSD-2-Clause */
/* One request to the master's control socket, and its answer. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "ctl/ctl.h"

static int
client_connect(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	(void)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static int
client_complain(const char *path)
{
	const char *why = strerror(errno);

	if (errno == ENOENT || errno == ECONNREFUSED)
		why = "no hostd is running there; -s says where";
	(void)fprintf(stderr, "hostctl: %s: %s\n", path, why);
	return errno == EACCES || errno == EPERM ? CTL_FAILED : CTL_NO_MASTER;
}

/* A line that fits the socket's buffer.  It may be closed already: hostd does
 * not listen to everybody, and may have said why. */
static int
client_send(int fd, json_t *request)
{
	char *text = json_dumps(request, JSON_COMPACT), *line;
	size_t n;
	int rc;

	if (text == NULL)
		return -1;
	line = xasprintf("%s\n", text);
	n = strlen(line);
	rc = send(fd, line, n, MSG_NOSIGNAL) == (ssize_t)n || errno == EPIPE
	    ? 0 : -1;
	free(line);
	free(text);
	return rc;
}

static void
client_show(const json_t *line)
{
	const char *progress, *error;

	progress = json_string_value(json_object_get(line, "progress"));
	error = json_string_value(json_object_get(line, "error"));
	if (progress != NULL)
		(void)printf("%s\n", progress);
	if (error != NULL)
		(void)fprintf(stderr, "hostctl: %s\n", error);
	(void)fflush(stdout);
}

/* For a machine, which acts on each as it comes. */
static void
client_pass(const char *line)
{
	(void)fputs(line, stdout);
	(void)fflush(stdout);
}

/* Is it for nobody?  Who asks for a change waits for its outcome all the same;
 * whoever follows would do so for ever. */
static int
client_is_unread(const struct ctl_lines *lines)
{
	return lines != NULL && ferror(stdout);
}

/* Lines up to the one with "ok". */
static json_t *
client_read(const struct ctl *ctl, FILE *f, const struct ctl_lines *lines)
{
	char *line = NULL;
	size_t cap = 0;
	json_t *o = NULL;

	while (!client_is_unread(lines) && getline(&line, &cap, f) > 0) {
		o = json_loads(line, 0, NULL);
		if (lines != NULL && lines->take(lines->arg, o))
			;
		else if (ctl->json)
			client_pass(line);
		else
			client_show(o);
		if (json_object_get(o, "ok") != NULL)
			break;
		json_decref(o);
		o = NULL;
	}
	free(line);
	return o;
}

int
ctl_ask(const struct ctl *ctl, json_t *request, json_t **answer)
{
	return ctl_ask_lines(ctl, request, NULL, answer);
}

int
ctl_ask_lines(const struct ctl *ctl, json_t *request,
    const struct ctl_lines *lines, json_t **answer)
{
	json_t *o = NULL;
	FILE *f = NULL;
	int fd, status = CTL_FAILED;

	fd = client_connect(ctl->socket);
	if (fd == -1) {
		json_decref(request);
		return client_complain(ctl->socket);
	}
	f = fdopen(fd, "r");
	if (f != NULL && client_send(fd, request) == 0)
		o = client_read(ctl, f, lines);
	json_decref(request);
	if (o == NULL && !client_is_unread(lines))
		(void)fprintf(stderr,
		    "hostctl: %s: hostd has ended, or does "
		    "not let this user in\n",
		    ctl->socket);
	if (json_is_true(json_object_get(o, "ok")))
		status = CTL_OK;
	if (f != NULL)
		(void)fclose(f);
	else
		(void)close(fd);
	if (answer != NULL)
		*answer = o;
	else
		json_decref(o);
	return status;
}
