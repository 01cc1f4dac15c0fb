/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLS as a stream's layer (net/stream.h).
 *
 * The handshake is OpenSSL's; when it has ended well, the stream's owner is
 * told that there may be something to read, for the first time, and OpenSSL's
 * part is freed: records are ours (net/tls_record.h).  If it fails, the owner's
 * failed is called; EPROTOTYPE: the peer does not speak TLS at all.  Until then
 * nothing is read or sent, and the stream can't move.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <stddef.h>
#include <openssl/types.h>
#include <hostd/abi.h>
#include "net/stream.h"
#include "net/tls_info.h"

struct stream_io;

/* To be called once for each SSL_CTX whose SSLs come here. */
void	tls_prepare(SSL_CTX *);
/*
 * The stream, which was opened just now, speaks TLS: ssl has its role and is at
 * its beginning, and is the layer's from now on.  p, n: what was read of it
 * already.
 */
void	tls_begin(struct stream *, SSL *, const void *p, size_t n);
/* Is its layer TLS? */
int	tls_is(const struct stream *);
/* Is it in its handshake? */
int	tls_is_beginning(const struct stream *);
/* And has the peer said something of it? */
int	tls_has_begun(const struct stream *);
/* Why a client's handshake has failed; "" if it has not. */
const char *tls_why(const struct stream *);

/* It goes on in another process as stream_save of it has said (stream.h): 0, or
 * -1: that does not fit together. */
int	tls_resume(struct stream *, hostd_buf record);

/* The worker's buffers. */
void	tls_io_free(struct stream_io *);

/* What is known of the peer; NULL: no TLS, or not yet. */
static inline const struct tls_info *
stream_tls(const struct stream *s)
{
	return s->layer != NULL ? s->layer->tls : NULL;
}

#endif
