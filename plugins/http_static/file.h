/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file under the root, as it is answered with: its bytes or an open
 * descriptor, and the header lines that go with it, made once.
 *
 * A file is shared by the cache and by every answer that is still being sent;
 * the last one to let go frees it, so that a file that was replaced on disk is
 * sent to its end as it was.
 */
#ifndef HTTP_STATIC_FILE_H
#define HTTP_STATIC_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <hostd/abi.h>
#include <web/date.h>

enum { CODING_NONE, CODING_BR, CODING_GZIP, CODING_N };

#define FILE_HEADERS 7

struct file {
	int refs;
	int fd;			/* -1 when content is in memory */
	char *content;		/* NULL when it is not */
	uint64_t size;
	struct stat st;		/* what identifies this version of it */
	time_t mtime;		/* never in the future: RFC 9110 8.8.2.1 */
	const char *type;
	const char *vary;	/* NULL: it is the same for everybody */
	char etag[80];
	char modified[DATE_SIZE];
	char *cache_control;	/* NULL: none */
	/* Validators first: what a 304 carries. */
	hostd_hdr headers[FILE_HEADERS];
	uint32_t nheaders, nvalidators;
	struct file *coded[CODING_N];	/* precompressed; NULL: none */
	int compressing;		/* asked of a thread, or tried before */
	int made;			/* a coding made here: not on disk */
};

enum file_kind { FILE_MISSING, FILE_REGULAR, FILE_DIRECTORY, FILE_OTHER,
	FILE_BUSY };

/* Open path beneath root, never outside it; -1 with errno. */
int	file_open(int root, const char *path, int flags);
/* What is at path now.  FILE_BUSY: it could not be looked at (EMFILE, EIO). */
enum file_kind file_look(int root, const char *path, struct stat *);

/*
 * Open path, and read it into memory if it has at most in_memory bytes.  NULL
 * with *kind saying why not.
 */
struct file *file_load(int root, const char *path, uint64_t in_memory,
	    enum file_kind *kind);
/* The whole content (malloced) of that version; NULL: it is another by now, or
 * memory is short. */
char	*file_bytes(int fd, const struct stat *);
/* A file of coded bytes (malloced, taken) for plain. */
struct file *file_coded(const struct file *plain, char *bytes, uint64_t size,
	    int coding);

/* Make the header lines.  vary: headers of the request that the answer depends
 * on, or NULL. */
void	file_make_headers(struct file *, const char *type,
	    const char *cache_control, int coding, const char *vary);

struct file *file_ref(struct file *);
void	file_unref(struct file *);
/* Memory it takes, and descriptors. */
uint64_t file_cost(const struct file *);
unsigned file_fds(const struct file *);
/* Is what its descriptor leads to still what its headers say? */
int	file_is_intact(const struct file *);

static inline int
same_version(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev &&
	    a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	    a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	    a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

#endif
