/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kept answer: what is known of it, and its body in memory or in a file.
 *
 * What is known is one piece of bytes, the same in memory and at the start of a
 * file.  It is read as strictly as anything foreign.
 */
#ifndef HTTP_PROXY_CACHE_OBJECT_H
#define HTTP_PROXY_CACHE_OBJECT_H

#include <hostd/abi.h>
#include "cache_fresh.h"

#define OBJECT_HEAD_MAX		65536	/* larger answers are not kept */
#define OBJECT_HEADERS_MAX	256

/* Where it is kept: a hash of the key, and one of what it varies with. */
struct cache_name {
	uint64_t a, b;
	uint64_t variant;		/* 0: the first one */
};

struct cache_body {
	unsigned refs;
	char bytes[];
};

struct cache_object {
	unsigned refs;
	uint32_t status;
	struct freshness fresh;
	uint64_t body_len;
	struct cache_body *body;	/* NULL: in fd, from body_at */
	int fd;				/* -1: none */
	uint64_t body_at;
	hostd_buf key;			/* into head, as all that follows */
	const char *vary;		/* "": none; see vary_names */
	uint64_t vary_hash;
	hostd_buf etag, modified;	/* p NULL: none */
	uint32_t nheaders;
	hostd_hdr *headers;
	uint32_t nhead;			/* its bytes */
	char head[];
};

/* What a head is made of. */
struct object_facts {
	uint32_t status;
	struct freshness fresh;
	hostd_buf key;
	const char *vary;
	uint64_t vary_hash;
	const hostd_hdr *headers;
	uint32_t nheaders;
	/* Headers that these replace, after a 304; NULL: none. */
	const struct cache_object *older;
};

/*
 * Write a head to out.  Headers of the connection and those that are to be made
 * anew are left out.  Its size, or 0: it does not fit.
 */
size_t	object_pack(const struct object_facts *, char out[OBJECT_HEAD_MAX]);
/* Where the key is in a head. */
size_t	object_key_at(void);
/* Say how long the body has become. */
void	object_seal(char *head, size_t n, uint64_t body_len);
/* Size of the head that begins with these bytes; 0: it is none. */
#define OBJECT_START	32
size_t	object_head_size(const char start[OBJECT_START]);
/* Read a head of just n bytes; a copy is made.  NULL: it is none, or no
 * memory.  One reference, no body. */
struct cache_object *object_unpack(const char *head, size_t n);

struct cache_object *object_ref(struct cache_object *);
void	object_unref(struct cache_object *);	/* NULL is none */
void	body_unref(struct cache_body *);

void	object_name(hostd_buf key, uint64_t variant, struct cache_name *);

#endif
