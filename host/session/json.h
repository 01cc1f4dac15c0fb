/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON that stays as it was written (RFC 8259): whether a text is one value,
 * where the members of an object are, and the few values that the host itself
 * reads.  Nothing is allocated, nothing is converted; slices point into the
 * text.
 *
 * A text is UTF-8, without a BOM, nested at most JTEXT_DEPTH deep.  Numbers
 * have any size, and strings any \u, as for Node: "\u0000" and halves of pairs
 * too.
 */
#ifndef SESSION_JSON_H
#define SESSION_JSON_H

#include <stdint.h>
#include <hostd/abi.h>
#include "base/buf.h"

#define JTEXT_DEPTH	64

/* Is it one value, with blanks around it at most? */
int	jtext_is_value(const char *, size_t);
/* And an object? */
int	jtext_is_object(const char *, size_t);
/* One value, with which a member of an object is not nested too deeply? */
int	jtext_is_member(const char *, size_t);

/*
 * The members of an object, in their order, of a text that jtext_is_object or
 * a part of one.
 */
struct jtext_walk {
	const char *p, *end;
};

struct jtext_member {
	hostd_buf key;		/* with its quotes, as written */
	hostd_buf value;	/* without blanks around it */
	const char *from;	/* behind the member before it, or the
				   bracket */
	const char *to;		/* behind the value */
};

void	jtext_walk_start(struct jtext_walk *, hostd_buf object);
/* 1, or 0 behind the last. */
int	jtext_walk_next(struct jtext_walk *, struct jtext_member *);

/* The value that JSON.parse would give the key: that of the last one.  p NULL:
 * there is none. */
hostd_buf jtext_get(hostd_buf object, hostd_buf key);

/* Does a string as written, with its quotes, say these bytes? */
int	jtext_says(hostd_buf string, hostd_buf bytes);
/* Append bytes of UTF-8 as a string, as JSON.stringify writes it. */
void	jtext_quote(struct buf *, hostd_buf bytes);
/* What a string as written says, without NUL.  room has string.n bytes.
 * Returns its length. */
size_t	jtext_unquote(hostd_buf string, char *room);

/* Is it a number, and which, cut to a whole one?  Beyond +-2^53: 0. */
int	jtext_number(hostd_buf value, int64_t *out);
int	jtext_is_word(hostd_buf value, const char *word);

#endif
