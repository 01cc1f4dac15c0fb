/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/log.h"
#include "base/sink.h"
#include "config/syslog.h"
#include "master/child.h"
#include "master/logs.h"

int
log_is_std(const char *path)
{
	return strcmp(path, "stderr") == 0 || strcmp(path, "stdout") == 0;
}

int
log_open(const char *path)
{
	struct syslog form;
	char why[256];

	if (log_is_std(path))
		return sink_open_std(strcmp(path, "stdout") == 0 ?
		    STDOUT_FILENO : STDERR_FILENO);
	if (syslog_is(path)) {
		errno = EINVAL;
		return syslog_parse(path, &form, why, sizeof(why)) == -1 ?
		    -1 : syslog_open(&form);
	}
	/* Not to hang on a FIFO nobody reads. */
	return open(path,
	    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
	    0640);
}

void
log_use(const char *path, int fd)
{
	struct syslog form;

	log_set_sink(fd, syslog_of_errors(path, &form) ? &form : NULL);
}

/* Only what is not as it looks needs a word. */
void
log_tell(struct child *c, const char *path, int fd)
{
	int is_syslog = path != NULL && syslog_is(path);

	child_send(c, CHAN_ERROR_LOG, is_syslog ? path : NULL,
	    is_syslog ? strlen(path) : 0, fd);
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
