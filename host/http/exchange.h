/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One request on a connection: from the bytes of its head, through its
 * handler, to the moment its answer is completely queued.
 */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include <stddef.h>
#include "http/conn.h"

/* Both take what they can use of the n bytes at p and say how much; 0 means
 * more is needed, or the connection does not want any now. */
size_t	exchange_head(struct http_conn *, const char *p, size_t n);
size_t	exchange_body(struct http_conn *, const char *p, size_t n);

/* The same of a stream of HTTP/2: its head is there, its body has ended. */
void	exchange_fields(struct http_conn *);
void	exchange_end_stream(struct http_conn *);

/* Follow up on what the handler did since: finish the exchange if it can be. */
void	exchange_advance(struct http_conn *);

/* The host answers instead: the handler's part ends with why, and the
 * connection closes after it. */
void	exchange_refuse(struct http_conn *, int status, int why);

/* It will be another worker's: the handler's part ends. */
void	exchange_moved(struct http_req *);

/* What it has agreed to become is lost, and the handler's part ends. */
void	exchange_lose_upgrade(struct http_req *, int why);

/* Answer status though no request was read. */
void	exchange_refuse_unread(struct http_conn *, int status);

/* Over: counted, logged, the handler told, memory back to the pool. */
void	exchange_end(struct http_req *, int why);

#endif
