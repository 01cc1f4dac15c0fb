/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One request and what a server says to it.  It outlives the request when the
 * server's side has not ended yet, and the other way round.
 */
#ifndef HTTP_PROXY_EXCHANGE_H
#define HTTP_PROXY_EXCHANGE_H

#include "proxy.h"

struct exchange {
	struct exchange *next;		/* unused */
	struct hostd_inst *in;
	hostd_req req;			/* id 0: it has ended */
	hostd_fetch fetch;		/* id 0: there is none (any more) */

	/* the request's body, on its way to a server */
	uint8_t has_body;
	uint8_t collecting;		/* to its end; then a server is asked */
	uint8_t body_done;		/* the client has sent it */
	uint8_t body_sent;		/* the server got it */
	uint8_t up_blocked;		/* the server takes no more */
	uint8_t up_paused;		/* the client is told to wait */

	/* the answer, on its way to the client */
	uint8_t upgrade;		/* asked for */
	uint8_t whole;			/* for the cache: see cache.h */
	uint8_t tunnel;			/* the connection is one */
	uint8_t traced;			/* the host hands its trace on */
	uint8_t begun;
	uint8_t unwanted;		/* we have answered ourselves */
	uint8_t from_cache;		/* compressed on its way: `seen` of
					   it */
	uint8_t complete;		/* the server has sent it */
	uint8_t finished;
	uint8_t buffering;		/* the server need not wait for it */
	uint8_t down_blocked;		/* the client takes no more */
	uint8_t down_paused;		/* the server is told to wait */

	struct spool up, down;
	uint64_t seen;			/* bytes of it, from the server */
	struct gzip *gzip;		/* NULL: it is sent as it is */
	hostd_hdr *trailers;		/* of the answer, one block */
	uint32_t ntrailers;
	size_t nid;
	char id[REQUEST_ID_MAX];	/* of the request; not zeroed */
	struct cache_use cache;		/* cache NULL: it was not asked, and
					   nothing else is set */
};

struct exchange *exchange_new(struct hostd_inst *, hostd_req);
/* When both sides have ended. */
void	exchange_release(struct exchange *);
/* Nothing of it is used. */
void	exchanges_free(struct hostd_inst *);

/* Ask a server.  A code for on_headers or on_body. */
int32_t	exchange_ask(struct exchange *, int64_t length);
/* What is to be asked.  HOSTD_OK, or a negative code. */
int32_t	exchange_request(struct exchange *, int64_t length,
	    struct hostd_fetch_request *);
/* What went wrong: the client gets that status, or is cut off. */
int32_t	exchange_fail(struct exchange *, int32_t status, hostd_buf why);
/* The client must not take what it has got for the whole. */
void	exchange_cut(struct exchange *);
/* Nothing more is wanted of the server. */
void	exchange_drop(struct exchange *);
/* May the server go on when the client leaves? */
int	exchange_outlives(const struct exchange *);
void	exchange_facts(const struct exchange *,
	    const struct hostd_fetch_response *, struct facts *);

/* -- forward.c: the request's head, for a server -- */

/* In the instance's head; HOSTD_OK, or E_FULL: it is too large. */
int32_t	forward_head(struct exchange *, hostd_buf *target);
/* Host as the server sees it; n 0: the group's name. */
hostd_buf forward_host(const struct hostd_inst *, const struct facts *,
	    struct head *);
/* Does the server get something of our own under that name? */
int	forward_is_ours(const struct hostd_inst *, hostd_buf name);
/* Is that of a client's trailers for the server? */
int	forward_may_trail(const struct hostd_inst *, hostd_buf name);
/* May the client change to the protocols that it asks for? */
int	forward_may_upgrade(const struct hostd_inst *,
	    const struct hostd_request *);

/* -- upload.c: the request's body -- */

int32_t	upload_part(struct exchange *, hostd_buf part, int fin);
/* The server takes more. */
void	upload_more(struct exchange *);
/* All of it, to another server: it is buffered. */
void	upload_again(struct exchange *);
/* There is no server any more: the client's body is of no use. */
void	upload_forget(struct exchange *);

/* -- answer.c: the answer's head, for the client -- */

void	answer_info(struct exchange *, const struct hostd_fetch_response *);
void	answer_begin(struct exchange *, const struct hostd_fetch_response *);

/* With what the cache has.  A code for on_headers. */
int32_t	answer_cached(struct exchange *);

/* -- cached.c: what the cache has to do with it -- */

/* Is there something kept?  With *done the code for on_headers, else a server
 * is to be asked as if there were no cache. */
int32_t	cached_ask(struct exchange *, const struct hostd_request *, int *done);
void	cached_ready(struct hostd_inst *, struct cache_use *,
	    enum cache_verdict);
/* A server's head: 1 when the client was given something else. */
int	cached_instead(struct exchange *, const struct hostd_fetch_response *);
/* The same when there is none, and why. */
int	cached_failed(struct exchange *, int32_t status);
void	cached_part(struct exchange *, hostd_buf part, int fin);

/* -- download.c: the answer's body -- */

void	download_part(struct exchange *, hostd_buf part, int fin);
/* All of what the cache has, compressed: what is kept is as it came. */
void	download_cached(struct exchange *);
/* The client takes more. */
void	download_more(struct exchange *);
/* It has gone. */
void	download_forget(struct exchange *);

#endif
