/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cookie that names a session, as Node's express-session reads and writes
 * it: "s:<key>.<signature>", percent-encoded.
 */
#ifndef SESSION_COOKIE_H
#define SESSION_COOKIE_H

#include <stdint.h>
#include <hostd/http.h>
#include "base/buf.h"
#include "config/model.h"
#include "session/id.h"
#include "session/secrets.h"

/* A longer value is not looked at: browsers keep none. */
#define COOKIE_VALUE_MAX	8192
/* Room for one that is decoded. */
#define COOKIE_ROOM		(2 * COOKIE_VALUE_MAX)

/* The value of the first cookie of that name in all Cookie headers, as it was
 * sent, without blanks around it.  p NULL: there is none. */
hostd_buf cookie_find(const hostd_hdr *, uint32_t n, const char *name);

/*
 * What the sender meant: one pair of quotes off, and percent-decoded unless
 * that gives no UTF-8.  Bytes from 0x80 that were not encoded are taken as
 * Latin-1, as Node takes all headers, so the result is UTF-8 and may be longer
 * than what was sent.  Returns its length; room has 2 * sent.n bytes.
 */
size_t	cookie_decode(hostd_buf sent, char *room);

/* Append text as encodeURIComponent would write it. */
void	cookie_encode(struct buf *, const char *text, size_t n);

/*
 * The key that a value as sent holds, if one of the secrets has signed it: in
 * room, which has COOKIE_ROOM bytes.  Returns which secret, or -1: not signed,
 * forged, or nothing that a store could have as a key of up to max bytes
 * (SESSION_KEY_MAX, SESSION_TOKEN_MAX).
 */
int	cookie_open(hostd_buf sent, struct secrets *, size_t max, char *room,
	    hostd_buf *key);

/*
 * Append the value of a Set-Cookie header that names key, signed by the first
 * secret.  expires_ms: since 1970, or -1: it goes when the browser is closed.
 * is_secure: the request came by TLS, for secure = auto.
 */
void	cookie_write(struct buf *, const struct conf_session *,
	    struct secrets *, hostd_buf key, int64_t expires_ms,
	    int is_secure);

/* The same for one that takes the client's away. */
void	cookie_clear(struct buf *, const struct conf_session *,
	    int is_secure);

/* May it be sent?  A secure one only by TLS; its session is stored all the
 * same. */
int	cookie_may_go(const struct conf_session *, int is_secure);
/* Is a request's path one that the cookie is for?  As Node: whatever begins
 * with the cookie's path.  Others have no session. */
int	cookie_covers(const struct conf_session *, hostd_buf path);

#endif
