/* SPDX-License-Identifier: BSD-2-Clause */
/* Mistakes of handlers, told in the log. */
#ifndef HTTP_BLAME_H
#define HTTP_BLAME_H

#include <stdint.h>
#include "http/request.h"

/*
 * "plugin NAME: METHOD PATH: ..." in the log; a few lines a second for each
 * handler, and then how many were left out.  Nothing when no handler has the
 * request: the host's own answers are not at fault.
 */
void	blame(struct http_req *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/* "HOSTD_E_IO (-7)"; the number alone for what is no code. */
#define CODE_TEXT 40
const char *code_text(char buf[CODE_TEXT], int32_t code);

#endif
