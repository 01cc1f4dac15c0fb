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

/* A descriptor, which is STDERR_FILENO for "stderr"; -1 with errno. */
int	log_open(const char *path);
/* Not when it is stderr. */
void	log_close(int fd);

#endif
