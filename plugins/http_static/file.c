/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "file.h"

#define OPEN_TRIES 64
#define READ_TRIES 4

int
file_open(int root, const char *path, int flags)
{
	struct open_how how;
	int fd, tries = 0;

	memset(&how, 0, sizeof(how));
	/* A FIFO must not hold us up; O_PATH opens nothing and takes no more
	 * flags. */
	if (!(flags & O_PATH))
		flags |= O_NONBLOCK;
	how.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC);
	how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
	if (path[0] == '\0')
		path = ".";
	/* EAGAIN: something was renamed while the kernel followed a "..". */
	do
		fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	while (fd == -1 && errno == EAGAIN && ++tries < OPEN_TRIES);
	return fd;
}

static enum file_kind
kind_of_error(int error)
{
	switch (error) {
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case EIO:
	case EAGAIN:
		return FILE_BUSY;
	case EACCES:
	case EPERM:
	case EXDEV:
	case ELOOP:
		return FILE_OTHER;
	default:
		return FILE_MISSING;
	}
}

static enum file_kind
kind_of_mode(mode_t mode)
{
	if (S_ISREG(mode))
		return FILE_REGULAR;
	return S_ISDIR(mode) ? FILE_DIRECTORY : FILE_OTHER;
}

enum file_kind
file_look(int root, const char *path, struct stat *st)
{
	int fd = file_open(root, path, O_PATH);
	int rc;

	if (fd == -1)
		return kind_of_error(errno);
	rc = fstat(fd, st);
	close(fd);
	return rc == -1 ? FILE_BUSY : kind_of_mode(st->st_mode);
}

char *
file_bytes(int fd, const struct stat *st)
{
	size_t size = (size_t)st->st_size, done = 0;
	char *p = malloc(size + 1);
	struct stat after;
	ssize_t n = 0;

	if (p == NULL)
		return NULL;
	while (done < size &&
	    (n = pread(fd, p + done, size - done, (off_t)done)) > 0)
		done += (size_t)n;
	if (done == size && fstat(fd, &after) == 0 &&
	    same_version(st, &after))
		return p;
	free(p);
	return NULL;
}

static struct file *
file_new(const struct stat *st)
{
	struct file *f = calloc(1, sizeof(*f));
	time_t now = time(NULL);

	if (f == NULL)
		return NULL;
	f->refs = 1;
	f->fd = -1;
	f->st = *st;
	f->mtime = st->st_mtim.tv_sec < now ? st->st_mtim.tv_sec : now;
	f->size = (uint64_t)st->st_size;
	return f;
}

/* What fd leads to; NULL: it does not hold still, or memory is short. */
static struct file *
file_read(int fd, uint64_t in_memory)
{
	char *content = NULL;
	struct file *f;
	struct stat st;
	int tries = 0;

	do {
		if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))
			return NULL;
		if ((uint64_t)st.st_size > in_memory)
			break;
		content = file_bytes(fd, &st);
	} while (content == NULL && ++tries < READ_TRIES);
	if (tries == READ_TRIES || (f = file_new(&st)) == NULL) {
		free(content);
		return NULL;
	}
	f->content = content;
	return f;
}

struct file *
file_load(int root, const char *path, uint64_t in_memory,
    enum file_kind *kind)
{
	struct stat st;
	struct file *f;
	int fd;

	/* Look first: opening a device may do something. */
	if ((*kind = file_look(root, path, &st)) != FILE_REGULAR)
		return NULL;
	if ((fd = file_open(root, path, O_RDONLY)) == -1) {
		*kind = kind_of_error(errno);
		return NULL;
	}
	if ((f = file_read(fd, in_memory)) == NULL)
		*kind = FILE_BUSY;
	if (f != NULL && f->content == NULL)
		f->fd = fd;
	else
		close(fd);
	return f;
}

struct file *
file_coded(const struct file *plain, char *bytes, uint64_t size, int coding)
{
	struct file *f = file_new(&plain->st);

	if (f == NULL) {
		free(bytes);
		return NULL;
	}
	f->content = bytes;
	f->size = size;
	f->made = 1;
	file_make_headers(f, plain->type, plain->cache_control, coding,
	    plain->vary);
	return f;
}

static void
add_header(struct file *f, const char *name, const char *value)
{
	hostd_hdr *h = &f->headers[f->nheaders++];

	h->name.p = name;
	h->name.n = strlen(name);
	h->value.p = value;
	h->value.n = strlen(value);
}

void
file_make_headers(struct file *f, const char *type, const char *cache_control,
    int coding, const char *vary)
{
	static const char *const names[] = { "", "br", "gzip" };

	f->type = type;
	f->vary = vary;
	f->nheaders = 0;
	(void)snprintf(f->etag, sizeof(f->etag), "\"%llx-%llx-%llx%s%s\"",
	    (unsigned long long)f->st.st_mtim.tv_sec * 1000000000ull +
	    (unsigned long long)f->st.st_mtim.tv_nsec,
	    (unsigned long long)f->st.st_size,
	    (unsigned long long)f->st.st_ino,
	    coding != CODING_NONE ? "-" : "", names[coding]);
	date_format(f->mtime, f->modified);
	if (cache_control != NULL && f->cache_control == NULL)
		f->cache_control = strdup(cache_control);
	add_header(f, "ETag", f->etag);
	add_header(f, "Last-Modified", f->modified);
	if (f->cache_control != NULL)
		add_header(f, "Cache-Control", f->cache_control);
	if (vary != NULL)
		add_header(f, "Vary", vary);
	f->nvalidators = f->nheaders;
	add_header(f, "Accept-Ranges", "bytes");
	add_header(f, "Content-Type", type);
	if (coding != CODING_NONE)
		add_header(f, "Content-Encoding", names[coding]);
}

struct file *
file_ref(struct file *f)
{
	f->refs++;
	return f;
}

void
file_unref(struct file *f)
{
	int i;

	if (f == NULL || --f->refs > 0)
		return;
	for (i = 0; i < CODING_N; i++)
		file_unref(f->coded[i]);
	if (f->fd != -1)
		close(f->fd);
	free(f->content);
	free(f->cache_control);
	free(f);
}

uint64_t
file_cost(const struct file *f)
{
	uint64_t n = sizeof(*f) + (f->content != NULL ? f->size : 0);
	int i;

	for (i = 0; i < CODING_N; i++)
		if (f->coded[i] != NULL)
			n += file_cost(f->coded[i]);
	return n;
}

unsigned
file_fds(const struct file *f)
{
	unsigned n = f->fd != -1;
	int i;

	for (i = 0; i < CODING_N; i++)
		if (f->coded[i] != NULL)
			n += file_fds(f->coded[i]);
	return n;
}

int
file_is_intact(const struct file *f)
{
	struct stat st;
	int i;

	if (f->fd != -1 && (fstat(f->fd, &st) == -1 ||
	    !same_version(&st, &f->st)))
		return 0;
	for (i = 0; i < CODING_N; i++)
		if (f->coded[i] != NULL && !file_is_intact(f->coded[i]))
			return 0;
	return 1;
}
