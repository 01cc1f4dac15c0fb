/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of requests, for logs of several machines to be put together. */
#ifndef HTTP_PROXY_REQUEST_ID_H
#define HTTP_PROXY_REQUEST_ID_H

#include <stdint.h>
#include <hostd/abi.h>

#define REQUEST_ID_MAX	128	/* of one that came */

struct request_ids {
	uint64_t seed[2], count;
};

/* 0, or -1 with errno. */
int	request_ids_init(struct request_ids *);
/* 32 hex digits, never given twice; the length. */
size_t	request_id_make(struct request_ids *, char out[REQUEST_ID_MAX]);
/* May one that came go on? */
int	request_id_is_sound(hostd_buf);

#endif
