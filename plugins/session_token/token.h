/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A token: bytes that only we can make, and only we can read, with an end.
 *
 * In base64url:
 *
 *	form	1	which cipher; another form is another number
 *	id	4	of the key
 *	salt	24	random
 *	end	6	milliseconds since 1970, most significant byte first
 *	text	n	encrypted
 *	tag	16	of all of the above
 *
 * Each token has a key of its own, which HKDF makes of the form and the salt,
 * and so the nonce is 0.  With one key for all and a random nonce of 96 bits it
 * would have to be renewed after 2^32 tokens (NIST SP 800-38D, 8.3), which a
 * busy site makes in weeks; of salts of 192 bits, two are alike with a
 * probability of 2^-32 after 2^80 tokens.
 *
 * Nothing is compressed: how well a secret compresses with what a client has
 * chosen tells something of it.
 */
#ifndef SESSION_TOKEN_TOKEN_H
#define SESSION_TOKEN_TOKEN_H

#include <stdint.h>
#include <base64/base64.h>
#include <hostd/session_store.h>
#include "keys.h"

#define TOKEN_HEAD	(1 + KEY_ID_BYTES + TOKEN_SALT + 6)
#define TOKEN_SALT	24
#define TOKEN_TAG	16
/* Bytes of a token before base64url, and of what is in it. */
#define TOKEN_RAW	(HOSTD_STORE_TOKEN_MAX * 3 / 4)
#define TOKEN_TEXT	(TOKEN_RAW - TOKEN_HEAD - TOKEN_TAG)
/* Characters of a token with n bytes in it. */
#define TOKEN_LEN(n)	BASE64URL_LEN(TOKEN_HEAD + (n) + TOKEN_TAG)

enum token_form {		/* never another meaning of a number */
	TOKEN_AES_256_GCM = 1,
	TOKEN_CHACHA20_POLY1305 = 2
};

struct sealer;

/* NULL: OpenSSL has no such cipher, or there is no memory. */
struct sealer *sealer_new(void);
void	sealer_free(struct sealer *);

/*
 * Seal text by the first key.  *out is good until the next call.
 * HOSTD_OK; E_FULL (longer than TOKEN_TEXT); E_IO (no random bytes, or OpenSSL
 * fails).
 */
int32_t	token_seal(struct sealer *, struct keys *, enum token_form,
	    hostd_buf text, uint64_t end_ms, hostd_buf *out);

/*
 * The text of a token, whichever form and key it has.  *out is good until the
 * next call; p NULL: it is none of ours, is not what it was, or has ended.
 */
void	token_open(struct sealer *, struct keys *, hostd_buf token,
	    uint64_t now_ms, hostd_buf *out);

#endif
