/* SPDX-License-Identifier: BSD-2-Clause */
/* A file with keys or users, which is read again when it has changed. */
#ifndef AUTH_FILE_H
#define AUTH_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#define AUTH_FILE_MAX	(1u << 20)

struct auth_file {
	const char *path;		/* NULL: there is none */
	uint64_t looked_ms;
	/* As it was when it was read last; of one that is not there, zero. */
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec changed;	/* ctime: also of who may read it */
};

/* Has it changed since it was read?  Looked at once a second at most. */
int	auth_file_changed(struct auth_file *, uint64_t now_ms);
/* The whole of it, NUL-ended; NULL and a reason.  Whether it will do or not, it
 * has not changed from then on. */
char	*auth_file_read(struct auth_file *, size_t *n, char *why, size_t size);

#endif
