/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UTF-8 checked in pieces (RFC 3629: no surrogates, nothing overlong, nothing
 * above U+10FFFF).  Zeroed memory is the start of a text.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

struct utf8 {
	uint8_t left;		/* continuation bytes that must come */
	uint8_t low, high;	/* bounds of the next one */
};

/* 0; or -1 as soon as no continuation could make it a text. */
int	utf8_feed(struct utf8 *, const void *, size_t);

/* Not in the middle of a character? */
static inline int
utf8_is_whole(const struct utf8 *u)
{
	return u->left == 0;
}

/* A text in one piece? */
int	utf8_is_valid(const void *, size_t);

#endif
