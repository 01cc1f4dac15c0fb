/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/shared.h"

#define TRIES	100

static void
close_kept(int fd)
{
	int saved = errno;

	(void)close(fd);
	errno = saved;
}

int
shared_create(const char *name, size_t size)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd == -1)
		return -1;
	/* Of mode 0777 anybody could open it again, see shared_reader. */
	if (fchmod(fd, 0600) == -1 || ftruncate(fd, (off_t)size) == -1 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == -1) {
		close_kept(fd);
		return -1;
	}
	return fd;
}

static void *
map_as(int fd, size_t size, int prot)
{
	struct stat st;
	void *p;

	if (fstat(fd, &st) == -1) {
		close_kept(fd);
		return NULL;
	}
	if ((size_t)st.st_size != size) {
		(void)close(fd);
		errno = EPROTO;
		return NULL;
	}
	p = mmap(NULL, size, prot, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		close_kept(fd);
		return NULL;
	}
	return p;
}

void *
shared_map(int fd, size_t size)
{
	return map_as(fd, size, PROT_READ | PROT_WRITE);
}

void *
shared_map_read(int fd, size_t size)
{
	return map_as(fd, size, PROT_READ);
}

int
shared_reader(int fd)
{
	char path[40];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

size_t
shared_round(size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (n + page - 1) / page * page;
}

void
shared_zero(int fd, void *base, void *start, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t off = (size_t)((char *)start - (char *)base);
	size_t from = shared_round(off), to = (off + len) / page * page;

	if (from >= to ||
	    fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		(off_t)from, (off_t)(to - from)) == -1) {
		memset(start, 0, len);
		return;
	}
	memset(start, 0, from - off);
	memset((char *)base + to, 0, off + len - to);
}

int
shared_is_torn(const _Atomic uint32_t *sequence, uint32_t before, int *tries)
{
	const struct timespec moment = { 0, 1000000 };

	atomic_thread_fence(memory_order_acquire);
	if (before % 2 == 0 && atomic_load(sequence) == before)
		return 0;
	if (++*tries == TRIES)
		return 0;
	(void)nanosleep(&moment, NULL);
	return 1;
}
