/* SPDX-License-Identifier: BSD-2-Clause */
/* What a form says: application/x-www-form-urlencoded, as browsers write it
 * (WHATWG URL section 5). */
#ifndef HTTP_LOGIN_FORM_H
#define HTTP_LOGIN_FORM_H

#include <hostd/abi.h>

#define FORM_FIELDS_MAX	32	/* of any name */

struct form_field {
	const char *name;
	hostd_buf value;	/* decoded; p NULL: it is not there */
};

/*
 * Look for those n fields in text; others are read over.  Values are put into
 * room, of at least text.n bytes.  NULL, or what is wrong with it, whole as it
 * is: it is not UTF-8, has a NUL, is not encoded rightly, has a field of these
 * twice, or too many fields.
 */
const char *form_read(hostd_buf text, struct form_field *, size_t n,
	    char *room);

int	form_is_utf8(hostd_buf);

#endif
