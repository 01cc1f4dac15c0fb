/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Log files: opened by the master, written by workers, which could not open
 * them after they have given up their privileges.
 */
#ifndef MASTER_LOGS_H
#define MASTER_LOGS_H

#include <stddef.h>
#include "config/model.h"
#include "master/record.h"

/* Access logs by the order of their blocks; -1: off. */
struct logs {
	int *fds;
	size_t n;
};

/* Each that can't be opened is an error; the number of them is returned. */
int	logs_open(struct logs *, const struct conf *, struct conf_errors *);
void	logs_close(struct logs *);
/* As open files, for a master's successor. */
json_t *logs_save(const struct logs *, struct record *);
void	logs_restore(struct logs *, const struct conf *, const json_t *,
	    struct record *);

/* A descriptor, which may be STDOUT_FILENO or STDERR_FILENO; -1 with errno. */
int	log_open(const char *path);
/* "stdout" or "stderr"? */
int	log_is_std(const char *path);
/* Our own lines go there, which log_open has opened. */
void	log_use(const char *path, int fd);
/* And those of a child. */
struct child;
void	log_tell(struct child *, const char *path, int fd);
/* Not when it is one of those two. */
void	log_close(int fd);

#endif
