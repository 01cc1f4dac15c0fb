/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sink.h"
#include "master/logs.h"

int
log_open(const char *path)
{
	if (strcmp(path, "stderr") == 0)
		return sink_open_stderr();
	/* Not to hang on a FIFO nobody reads. */
	return open(path,
	    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
	    0640);
}

void
log_close(int fd)
{
	if (fd > STDERR_FILENO)
		(void)close(fd);
}

int
logs_open(
    struct logs *logs, const struct conf *conf, struct conf_errors *errors)
{
	const struct conf_access_log *l;
	int fd, failed = 0;

	logs->fds = NULL;
	logs->n = 0;
	TAILQ_FOREACH(l, &conf->access_logs, entry)
	{
		fd = -1;
		if (strcmp(l->path, "off") != 0) {
			fd = log_open(l->path);
			if (fd == -1) {
				conf_error(errors, &l->pos, "access_log %s: %s",
				    l->path, strerror(errno));
				failed++;
			}
		}
		logs->fds =
		    xrealloc(logs->fds, (logs->n + 1) * sizeof(logs->fds[0]));
		logs->fds[logs->n++] = fd;
	}
	return failed;
}

void
logs_close(struct logs *logs)
{
	size_t i;

	for (i = 0; i < logs->n; i++)
		log_close(logs->fds[i]);
	free(logs->fds);
	logs->fds = NULL;
	logs->n = 0;
}

json_t *
logs_save(const struct logs *logs, struct record *r)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < logs->n; i++)
		(void)json_array_append_new(list, record_fd(r, logs->fds[i]));
	return list;
}

void
logs_restore(struct logs *logs, const struct conf *conf, const json_t *list,
    struct record *r)
{
	const struct conf_access_log *l;
	size_t i;

	TAILQ_FOREACH (l, &conf->access_logs, entry)
		logs->n++;
	logs->fds = xcalloc(logs->n + 1, sizeof(logs->fds[0]));
	for (i = 0; i < logs->n; i++)
		logs->fds[i] = record_take(r, json_array_get(list, i));
}
