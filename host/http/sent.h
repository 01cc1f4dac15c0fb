/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Headers of an answer that access logs want to know: they are kept from when
 * the head is made until the line is written.  Which ones is known beforehand;
 * without any nothing is looked at.
 */
#ifndef HTTP_SENT_H
#define HTTP_SENT_H

#include <stdint.h>
#include <hostd/http.h>

#define SENT_NAMES	16
#define SENT_ROOM	512	/* bytes of all values; what is longer is cut */

struct sent_names {
	unsigned n;
	struct {
		char *p;
		size_t n;
	} v[SENT_NAMES];
};

struct http_sent {
	uint16_t told;			/* values that there are */
	uint16_t end[SENT_NAMES];	/* of each, in text; not zeroed */
	char text[SENT_ROOM];
};

/* Which one it is; -1: there are too many. */
int	sent_want(struct sent_names *, const char *name, size_t n);
void	sent_names_free(struct sent_names *);

/* The first header of each name; "" when there is none. */
void	sent_note(struct http_sent *, const struct sent_names *,
	    const hostd_hdr *, uint32_t n);
/* n 0: it was not sent. */
hostd_buf sent_value(const struct http_sent *, unsigned which);

#endif
