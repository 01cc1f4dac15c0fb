/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The head of a message while it is made.  There is one, the instance's: it is
 * given to the host, who copies it, before the next is begun.
 */
#ifndef HTTP_PROXY_HEAD_H
#define HTTP_PROXY_HEAD_H

#include <hostd/abi.h>

#define HEAD_FIELDS	400
#define HEAD_TEXT	131072

struct head {
	uint32_t n;
	int full;			/* something did not fit */
	size_t used, mark;
	hostd_hdr v[HEAD_FIELDS];
	char text[HEAD_TEXT];
};

void	head_clear(struct head *);
/* name and value stay as they are until it is given away. */
void	head_add(struct head *, hostd_buf name, hostd_buf value);
/* A text in memory of the head's: open, put any number of times, take. */
void	head_open(struct head *);
void	head_put(struct head *, hostd_buf);
void	head_puts(struct head *, const char *);
hostd_buf head_take(struct head *);

#endif
