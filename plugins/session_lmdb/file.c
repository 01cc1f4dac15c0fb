/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "file.h"

/* -- before it is opened -- */

static int
refuse(char *why, size_t size, const char *what)
{
	(void)snprintf(why, size, "%s", what);
	return -1;
}

static int
refuse_access(char *why, size_t size, const char *what, unsigned owner)
{
	(void)snprintf(why, size, "%s: %s; workers, which run as uid %u, must "
	    "be able to read and write it (it is uid %u's)", what,
	    strerror(errno), (unsigned)geteuid(), owner);
	return -1;
}

static int
check_directory(const char *path, char *why, size_t size)
{
	char copy[PATH_MAX];
	struct stat st;
	const char *dir;

	if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy))
		return refuse(why, size, "the name is too long");
	dir = dirname(copy);
	if (stat(dir, &st) == -1) {
		(void)snprintf(why, size, "its directory: %s; make it",
		    strerror(errno));
		return -1;
	}
	if (access(dir, R_OK | W_OK | X_OK) == -1)
		return refuse_access(why, size, "its directory", st.st_uid);
	return 0;
}

int
file_check(const char *path, char *why, size_t size)
{
	struct stat st;

	if (stat(path, &st) == -1) {
		if (errno == ENOENT)
			return check_directory(path, why, size);
		(void)snprintf(why, size, "%s", strerror(errno));
		return -1;
	}
	if (S_ISDIR(st.st_mode))
		return refuse(why, size, "it is a directory; path names a "
		    "file");
	if (!S_ISREG(st.st_mode))
		return refuse(why, size, "it is no regular file");
	if (access(path, R_OK | W_OK) == -1)
		return refuse_access(why, size, "the file", st.st_uid);
	return check_directory(path, why, size);
}

int
file_is_short(int fd, uint64_t last_page, unsigned page_size)
{
	struct stat st;

	return fstat(fd, &st) == -1 || (uint64_t)st.st_size / page_size <=
	    last_page;
}

/* -- the tree -- */

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && UINTPTR_MAX == UINT64_MAX

/* As LMDB 0.9 lays it out, data version 1. */
#define PAGE_HEAD	16
#define PAGE_BRANCH	0x01
#define PAGE_LEAF	0x02
#define PAGE_OVERFLOW	0x04
#define NODE_HEAD	8
#define NODE_BIG	0x01
#define NODE_TREE	0x02
#define TREE_SIZE	48
#define TREE_ROOT	40
#define META_TREES	(PAGE_HEAD + 24)
#define NO_PAGE		UINT64_MAX
#define DEPTH_MAX	32	/* LMDB's own bound on a cursor */

struct walk {
	int fd;
	unsigned page_size;
	uint64_t npages;	/* of the file, whole ones */
	uint64_t seen;		/* pages; more than npages: in circles */
};

static uint16_t
u16_at(const unsigned char *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t
u64_at(const unsigned char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static int
read_page(struct walk *w, uint64_t n, unsigned char *page, unsigned flags)
{
	if (n >= w->npages || w->seen++ > w->npages ||
	    pread(w->fd, page, w->page_size, (off_t)(n * w->page_size)) !=
	    (ssize_t)w->page_size)
		return -1;
	return u64_at(page) == n && (u16_at(page + 10) & flags) ? 0 : -1;
}

static int walk_tree(struct walk *, uint64_t root, int depth);

/* A value that has pages of its own: the first knows how many. */
static int
walk_big(struct walk *w, uint64_t n, uint64_t size)
{
	uint64_t pages = (PAGE_HEAD - 1 + size) / w->page_size + 1;
	unsigned char head[PAGE_HEAD];

	if (n >= w->npages || pages > w->npages - n ||
	    pread(w->fd, head, sizeof(head), (off_t)(n * w->page_size)) !=
	    (ssize_t)sizeof(head))
		return -1;
	w->seen += pages;
	return u64_at(head) == n && (u16_at(head + 10) & PAGE_OVERFLOW) ?
	    0 : -1;
}

/* left: bytes from the node's start to the page's end. */
static int
walk_leaf(struct walk *w, const unsigned char *node, size_t left, int depth)
{
	uint64_t size = u16_at(node) | (uint64_t)u16_at(node + 2) << 16;
	unsigned flags = u16_at(node + 4);
	size_t at = NODE_HEAD + u16_at(node + 6);
	size_t here = flags & NODE_BIG ? sizeof(uint64_t) : size;

	if (at > left || here > left - at)
		return -1;
	if (flags & NODE_BIG)
		return walk_big(w, u64_at(node + at), size);
	if (!(flags & NODE_TREE))
		return 0;
	return size == TREE_SIZE ?
	    walk_tree(w, u64_at(node + at + TREE_ROOT), depth + 1) : -1;
}

static int
walk_node(struct walk *w, const unsigned char *page, unsigned offset, int depth)
{
	const unsigned char *node = page + offset;

	if (offset < PAGE_HEAD || offset + NODE_HEAD > w->page_size)
		return -1;
	if (u16_at(page + 10) & PAGE_LEAF)
		return walk_leaf(w, node, w->page_size - offset, depth);
	return walk_tree(w, u16_at(node) | (uint64_t)u16_at(node + 2) << 16 |
	    (uint64_t)u16_at(node + 4) << 32, depth + 1);
}

static int
walk_tree(struct walk *w, uint64_t root, int depth)
{
	unsigned lower, i;
	unsigned char *page;
	int rc = -1;

	if (root == NO_PAGE)
		return 0;
	if (depth > DEPTH_MAX || (page = malloc(w->page_size)) == NULL)
		return -1;
	if (read_page(w, root, page, PAGE_BRANCH | PAGE_LEAF) == 0) {
		lower = u16_at(page + 12);
		rc = lower < PAGE_HEAD || lower > w->page_size ? -1 : 0;
		for (i = PAGE_HEAD; rc == 0 && i + 1 < lower; i += 2)
			rc = walk_node(w, page, u16_at(page + i), depth);
	}
	free(page);
	return rc;
}

int
file_walk(int fd, uint64_t txn_id, unsigned page_size)
{
	struct walk w = { .fd = fd, .page_size = page_size };
	unsigned char trees[2 * TREE_SIZE];
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -1;
	w.npages = (uint64_t)st.st_size / page_size;
	if (pread(fd, trees, sizeof(trees),
	    (off_t)((txn_id & 1) * page_size + META_TREES)) !=
	    (ssize_t)sizeof(trees))
		return -1;
	if (walk_tree(&w, u64_at(trees + TREE_ROOT), 0) == -1)
		return -1;
	return walk_tree(&w, u64_at(trees + TREE_SIZE + TREE_ROOT), 0);
}

#else

/* Nodes look different there. */
int
file_walk(int fd, uint64_t txn_id, unsigned page_size)
{
	(void)fd;
	(void)txn_id;
	(void)page_size;
	return 0;
}

#endif
