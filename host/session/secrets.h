/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The secrets that the cookies of one session block are signed with: the first
 * signs, all verify.  HMAC-SHA-256 in base64 without padding, as Node's
 * cookie-signature writes it.
 *
 * As a text they are one in each line, "\n" or "\r\n"; empty lines are none.
 * All bytes of a line count, blanks too.  No secret is ever part of an error.
 *
 * Not for two threads at a time.
 */
#ifndef SESSION_SECRETS_H
#define SESSION_SECRETS_H

#include <stddef.h>
#include "config/model.h"

#define SECRETS_MAX		32	/* in one list */
#define SECRETS_TEXT_MAX	65536	/* bytes of a file of them */
#define SECRETS_MAC_LEN		43

struct secrets;

/* All functions that take why, size: NULL or -1, and a reason that says what
 * to do in why, when it can't be. */

/* Of a text; the caller wipes that. */
struct secrets *secrets_new(const char *text, size_t n, char *why,
	    size_t size);
/* Of a file that secrets_make has made. */
struct secrets *secrets_read(const char *path, char *why, size_t size);
/* Of a session block, whichever way it has them.  To be called before
 * privileges are dropped. */
struct secrets *secrets_of(const struct conf_session *, char *why,
	    size_t size);
/* Wipes them; NULL is none. */
void	secrets_free(struct secrets *);

size_t	secrets_count(const struct secrets *);
/* Of text, by the first one.  Not NUL-ended. */
void	secrets_sign(struct secrets *, const void *text, size_t n,
	    char mac[SECRETS_MAC_LEN]);
/* Which one has signed text so (0: the first), or -1; takes as long whichever
 * byte is wrong. */
int	secrets_verify(struct secrets *, const void *text, size_t n,
	    const char *mac, size_t mac_len);

/*
 * The file of a session block that names no secret: made once, of mode 0600,
 * with one random secret, and kept.  That is the master's to do, before it
 * starts workers (master/generation.c); they only read it.  The directory is
 * there.  An existing file is left as it is, and is an error if others could
 * have read or written it.
 */
int	secrets_make(const char *path, char *why, size_t size);

#endif
