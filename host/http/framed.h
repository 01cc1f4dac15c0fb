/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a connection that is one stream of HTTP/2 shares with whoever frames it
 * (http2/stream.c): the request's fields as they came, and where in its output
 * heads (http/packed.h), trailers and the end lie.  The end is one byte, so
 * that it waits, is sent and is taken back as everything else.
 */
#ifndef HTTP_FRAMED_H
#define HTTP_FRAMED_H

#include <stdint.h>
#include <hostd/abi.h>
#include "base/buf.h"

struct guard_limits;
struct http_req;
struct unpack;

enum framed_kind { FRAMED_INTERIM, FRAMED_HEAD, FRAMED_TRAILERS, FRAMED_END };

struct framed_mark {
	uint64_t at;			/* in the stream's count of bytes */
	uint32_t len;
	uint32_t kind;			/* enum framed_kind */
};

/* A name, and its value behind it. */
struct framed_field {
	uint32_t at, name_len, value_len;
};

/* In the order of their names in framed.c. */
enum framed_pseudo {
	PSEUDO_METHOD, PSEUDO_SCHEME, PSEUDO_AUTHORITY, PSEUDO_PATH,
	PSEUDO_PROTOCOL, PSEUDO_N
};

#define FRAMED_KEY 24		/* the base64 of 16 bytes */

struct http_framed {
	/* the request's head */
	struct buf text;
	struct framed_field pseudo[PSEUDO_N];	/* name_len 0: absent */
	struct framed_field *fields;	/* room for as many as are allowed */
	uint32_t nfields;
	struct buf cookie;		/* crumbs, joined */
	char key[FRAMED_KEY];		/* for a server that is asked to
					   upgrade; if it names a protocol */
	size_t size;			/* as the lines of a head would be */
	uint16_t refuse;		/* status; 0: it is in order so far */
	uint8_t no_body;		/* it ends with its head */
	struct buf trailers;		/* lines */

	/* its answer */
	struct framed_mark *marks;
	uint32_t first, nmarks, room;
};

void	framed_init(struct http_framed *, size_t max_headers);
/* Ready for the next request; what is large is given back. */
void	framed_reset(struct http_framed *);
void	framed_free(struct http_framed *);

/* The next field of a request's head, of its trailers. */
void	framed_add(struct http_framed *, const struct guard_limits *,
	    hostd_buf name, hostd_buf value);
void	framed_add_trailer(struct http_framed *, hostd_buf name,
	    hostd_buf value);
/* The request is to be answered so. */
void	framed_refuse(struct http_framed *, unsigned status);
/* All have come. */
void	framed_complete(struct http_framed *, const struct guard_limits *);

/* A request's head for another worker, and of it: 0, or -1: it does not fit
 * together.  Fields above its limits are refused. */
void	framed_pack(const struct http_framed *, struct buf *);
int	framed_unpack(struct http_framed *, const struct guard_limits *,
	    struct unpack *);

/* The first mark that is not taken; NULL: there is none. */
const struct framed_mark *framed_next(const struct http_framed *);
void	framed_take(struct http_framed *);
void	framed_mark(struct http_framed *, enum framed_kind, uint64_t at,
	    size_t len);
/* Marks from there on are taken back. */
void	framed_truncate(struct http_framed *, uint64_t at);

#endif
