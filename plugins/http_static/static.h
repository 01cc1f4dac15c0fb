/* SPDX-License-Identifier: BSD-2-Clause */
/* One instance of http_static, and how its parts fit together. */
#ifndef HTTP_STATIC_STATIC_H
#define HTTP_STATIC_STATIC_H

#include <hostd/easy.h>
#include <hostd/work.h>
#include <web/conditional.h>
#include <web/encoding.h>
#include <web/range.h>
#include "cache.h"

#define PATH_MAX_LEN 4096
#define PAIR_WORD_MAX 255	/* of an item of types or cache_control */
#define PAIR_VALUE_MAX 255

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_work_api *work;
	struct cache cache;
	int root;
	struct stat root_st;
	uint64_t root_checked_ms;
	const char *root_path;
	/* the configuration; texts are [instance] */
	const char *fallback;		/* NULL: none */
	hostd_buf *index;
	uint32_t nindex;
	hostd_buf *types, *gzip_types, *cache_control;
	uint32_t ntypes, ngzip_types, ncache_control;
	int listing, gzip, precompressed, dotfiles, pass_missing;
	uint64_t gzip_min, gzip_max, in_memory, valid_ms;
};

/* What a request's headers say. */
struct wanted {
	struct conditions cond;
	hostd_buf range, accept_encoding, accept;
	int head;
	size_t njoined;
	char joined[2048];	/* values that came in several lines */
};

/* An answer under way: for the host's per-request data. */
struct transfer {
	struct file *file;	/* a reference; NULL: nothing to do */
	uint32_t n, i;		/* ranges, and the present one */
	int in_body;		/* the part's head is written */
	char boundary[24];
	struct range ranges[RANGES_MAX];
};

/* Answer with the file: conditions, ranges, the right coding. */
int32_t	send_file(struct hostd_inst *, hostd_req, struct transfer *,
	    struct file *, const struct wanted *);
/* Go on where AGAIN stopped it. */
void	send_more(struct hostd_inst *, hostd_req, struct transfer *);
void	send_end(struct transfer *);
/* A status without a body of its own: the host's error page. */
int32_t	send_status(struct hostd_inst *, hostd_req, int status);

/*
 * The file at path, from the cache or the disk, with its precompressed
 * siblings; a reference.  NULL with *kind saying what is there instead.
 */
struct file *lookup_file(struct hostd_inst *, const char *path, size_t len,
	    enum file_kind *kind);
/* Have it compressed on a thread, unless that was done or is no use. */
void	lookup_compress(struct hostd_inst *, const char *path, size_t len,
	    struct file *);

/* The directory as a page. */
int32_t	listing_send(struct hostd_inst *, hostd_req, const char *path,
	    const char *shown);

/* Append the bytes of a path, percent-encoded; the new length, or size when
 * it does not fit. */
size_t	path_encode(char *out, size_t at, size_t size, const char *p,
	    size_t n);

#endif
