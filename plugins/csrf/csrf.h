/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tokens against requests that other sites' pages make: random bytes that a
 * page of ours knows, and sends back.
 */
#ifndef CSRF_CSRF_H
#define CSRF_CSRF_H

#include <hostd/abi.h>

#define TOKEN_SIZE	33	/* NUL-ended */

/* 0, or -1: no random numbers. */
int	token_make(char token[TOKEN_SIZE]);
/* A copy of what may be one, as a cookie's value; 0: it is none, and the copy
 * is "". */
int	token_copy(hostd_buf, char token[TOKEN_SIZE]);
/* Takes as long for any two of that length.  Nothing is no token. */
int	token_same(hostd_buf, hostd_buf);

#endif
