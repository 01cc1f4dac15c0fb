/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a master tells the one that takes its place over exec(2): one JSON
 * object in a memfd, behind a line with the format's version and the object's
 * length, and descriptors that stay open.
 *
 * Whoever reads may be older or newer than whoever has written.  So members
 * that are not known are ignored, missing ones have defaults, descriptors that
 * nobody takes are closed, and no member ever changes its meaning: a new
 * meaning gets a new name.
 *
 * Each module saves and restores its own things (..._save, ..._restore); they
 * say beside their structs what is carried over.  Restoring does nothing to
 * the world: a process that only tries whether it could does the same.
 */
#ifndef MASTER_RECORD_H
#define MASTER_RECORD_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"

struct record {
	json_t *root;
	int *fds;		/* those that go along; never 0 to 2 */
	char *taken;		/* of these, by whoever reads */
	size_t nfds;
};

/* ---- writing ---- */

void	record_init(struct record *);
/* Descriptors go by their number; -1 is one, too. */
json_t *record_fd(struct record *, int fd);
/* One that goes along without being in the object. */
void	record_carry(struct record *, int fd);
/* For what need not be UTF-8. */
json_t *record_bytes(const void *, size_t);
/* Ends the object.  A memfd, close-on-exec, or -1 with a reason in why. */
int	record_write(struct record *, char *why, size_t size);
/* Let the descriptors stay over exec, or not. */
void	record_pass(const struct record *, int pass);

/* ---- reading ---- */

/* 0, or -1 with a reason in why. */
int	record_read(struct record *, int fd, char *why, size_t size);
/* Each of these gives its default when o has no such member, or when it is of
 * another type. */
int64_t	record_int(const json_t *o, const char *name, int64_t otherwise);
int	record_flag(const json_t *o, const char *name);
const char *record_text(const json_t *o, const char *name,
	    const char *otherwise);
/* Appended to the buffer. */
void	record_get_bytes(const json_t *o, const char *name, struct buf *);
/* A text that was saved as bytes, to be freed; NULL: there is none. */
char	*record_get_text(const json_t *o, const char *name);
/* -1: there is none, or it is not open. */
int	record_take(struct record *, const json_t *value);
int	record_take_fd(struct record *, const json_t *o, const char *name);
/* What was taken is ours alone from now on; the others are closed. */
void	record_settle(const struct record *);

void	record_free(struct record *);

#endif
