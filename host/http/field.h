/* SPDX-License-Identifier: BSD-2-Clause */
/* Values of fields that say how a message is framed: read the same way in
 * requests and answers. */
#ifndef HTTP_FIELD_H
#define HTTP_FIELD_H

#include <stdint.h>
#include <hostd/abi.h>

/* Is word among the comma-separated tokens of list?  Case does not matter. */
int	field_has(hostd_buf list, const char *word);
/* Content-Length: 1 to 18 digits and nothing else.  0 or -1. */
int	field_length(hostd_buf, int64_t *out);

#endif
