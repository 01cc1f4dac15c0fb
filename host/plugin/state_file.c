/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "plugin/state_file.h"

#define RECORD_MAGIC	0x48535431u	/* "HST1" */
#define ALIGN		16u		/* as malloc does */
#define WAIT_MAX	65536u

/* Then the name and the id, then the state; each part starts aligned. */
struct record_head {
	uint32_t magic;		/* 0: there are no more */
	uint32_t version;
	uint32_t name_len, id_len;
	uint64_t size;
	uint64_t reserved;
};

static uint64_t
aligned(uint64_t n)
{
	return (n + ALIGN - 1) / ALIGN * ALIGN;
}

/* -- writing -- */

static int
write_at(int fd, const void *data, size_t n, uint64_t at)
{
	const char *p = data;
	ssize_t done;

	while (n > 0) {
		done = pwrite(fd, p, n, (off_t)at);
		if (done == -1 && errno == EINTR)
			continue;
		if (done == -1)
			return -1;
		p += done;
		n -= (size_t)done;
		at += (uint64_t)done;
	}
	return 0;
}

/* There is no record at that place, whatever was there. */
static int
write_end(struct state_file *f, uint64_t at)
{
	static const struct record_head none;

	return write_at(f->fd, &none, sizeof(none), at);
}

int
state_file_open(struct state_file *f)
{
	int saved;

	memset(f, 0, sizeof(*f));
	f->fd = memfd_create("hostd-state", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (f->fd == -1)
		return -1;
	if (fcntl(f->fd, F_ADD_SEALS, F_SEAL_SHRINK) == 0 &&
	    write_end(f, 0) == 0)
		return 0;
	saved = errno;
	(void)close(f->fd);
	f->fd = -1;
	errno = saved;
	return -1;
}

static int
flush(struct state_file *f)
{
	if (write_at(f->fd, f->wait.p, f->wait.len, f->at) == -1)
		return -1;
	f->at += f->wait.len;
	f->wait.len = 0;
	return 0;
}

int
state_file_begin(struct state_file *f, const char *name, const char *id,
    uint32_t version)
{
	f->version = version;
	f->name_len = (uint32_t)strlen(name);
	f->id_len = (uint32_t)strlen(id);
	f->size = 0;
	f->wait.len = 0;
	f->at = f->start + sizeof(struct record_head);
	if (write_end(f, f->start) == -1 ||
	    write_at(f->fd, name, f->name_len, f->at) == -1 ||
	    write_at(f->fd, id, f->id_len, f->at + f->name_len) == -1)
		return -1;
	f->at += aligned((uint64_t)f->name_len + f->id_len);
	return 0;
}

/* Small parts are gathered. */
int
state_file_add(struct state_file *f, const void *p, size_t n)
{
	if (n >= WAIT_MAX) {
		if (flush(f) == -1 || write_at(f->fd, p, n, f->at) == -1)
			return -1;
		f->at += n;
	} else if (n > 0) {
		buf_append(&f->wait, p, n);
		if (f->wait.len >= WAIT_MAX && flush(f) == -1)
			return -1;
	}
	f->size += n;
	return 0;
}

/* The head comes last: it makes the record. */
int
state_file_commit(struct state_file *f)
{
	struct record_head head = { RECORD_MAGIC, f->version, f->name_len,
	    f->id_len, f->size, 0 };
	uint64_t end;

	if (flush(f) == -1)
		return -1;
	end = aligned(f->at);
	if (write_end(f, end) == -1 ||
	    write_at(f->fd, &head, sizeof(head), f->start) == -1)
		return -1;
	f->start = end;
	return 0;
}

void
state_file_close(struct state_file *f)
{
	(void)fcntl(f->fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_WRITE |
	    F_SEAL_SEAL);
	buf_free(&f->wait);
}

/* -- reading -- */

int
state_map_open(struct state_map *map, int fd)
{
	struct stat st;
	void *p;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals == -1 || fstat(fd, &st) == -1)
		return -1;
	if (!(seals & F_SEAL_SHRINK) || st.st_size <= 0) {
		errno = EINVAL;
		return -1;
	}
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return -1;
	map->p = p;
	map->n = (size_t)st.st_size;
	return 0;
}

void
state_map_close(struct state_map *map)
{
	if (map->p != NULL)
		(void)munmap((void *)(uintptr_t)map->p, map->n);
	map->p = NULL;
	map->n = 0;
}

/* The record at *at, and where the next one is.  0, or -1: there is none, or
 * none that is sound. */
static int
map_next(const struct state_map *map, uint64_t *at, struct record_head *head,
    const char **names, const char **state)
{
	uint64_t left = map->n - *at, names_size;

	if (*at > map->n || left < sizeof(*head))
		return -1;
	memcpy(head, map->p + *at, sizeof(*head));
	names_size = aligned((uint64_t)head->name_len + head->id_len);
	left -= sizeof(*head);
	if (head->magic != RECORD_MAGIC || names_size > left ||
	    head->size > left - names_size)
		return -1;
	*names = map->p + *at + sizeof(*head);
	*state = *names + names_size;
	*at += sizeof(*head) + names_size + aligned(head->size);
	return 0;
}

int
state_map_find(const struct state_map *map, const char *name, const char *id,
    struct state_record *found)
{
	struct record_head head;
	const char *names, *state;
	uint64_t at = 0;

	while (map_next(map, &at, &head, &names, &state) == 0) {
		if (head.name_len != strlen(name) ||
		    head.id_len != strlen(id) ||
		    memcmp(names, name, head.name_len) != 0 ||
		    memcmp(names + head.name_len, id, head.id_len) != 0)
			continue;
		found->version = head.version;
		found->state.p = state;
		found->state.n = (size_t)head.size;
		return 1;
	}
	return 0;
}
