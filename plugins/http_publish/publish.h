/* SPDX-License-Identifier: BSD-2-Clause */
/* One instance of http_publish, and how its parts fit together. */
#ifndef HTTP_PUBLISH_PUBLISH_H
#define HTTP_PUBLISH_PUBLISH_H

#include <jansson.h>
#include <hostd/easy.h>

#define CHANNEL_MAX	255		/* bytes: hostd.channel/1 */
#define MESSAGE_MAX	(16u << 20)	/* the same */

struct hostd_inst {
	HOSTD_EASY_HEAD;
	uint64_t busy_until;	/* by now_ms; nothing is taken before */
	/* the configuration */
	hostd_buf token;	/* [instance] */
	hostd_buf *channels;	/* patterns */
	uint32_t nchannels, max_batch, back_off;
};

/* -- batch.c: what is asked for, and doing all of it or nothing -- */

struct item {
	hostd_buf channel, message;	/* in the request, or own */
	void *own;
	uint32_t flags;			/* HOSTD_WS_TEXT or HOSTD_WS_BINARY */
};

struct batch {
	json_t *request;
	struct item *items;
	size_t n;
	size_t bad;		/* which of them is wrong; n: the request is */
	char why[256];
};

/* 0, or the status to answer with; why and bad say more. */
int	batch_read(const struct hostd_inst *, struct batch *, hostd_buf body);
/* Publish all; *n is how many were.  Codes of publish: AGAIN when any of them
 * got that, or the first that failed. */
int32_t	batch_publish(struct hostd_inst *, const struct batch *, size_t *n);
void	batch_free(struct batch *);

/* -- token.c: who may -- */

/* NULL, or the WWW-Authenticate to refuse it with. */
const char *token_check(const struct hostd_inst *, hostd_req);
/* May a client send such a token at all? */
int	token_is_sound(hostd_buf);

#endif
