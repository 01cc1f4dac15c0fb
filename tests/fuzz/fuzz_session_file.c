/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that session_lmdb looks through before LMDB maps them, and records.
 *
 * The first byte: 0x01 the id of the transaction, 0x02 pages of 4096 bytes
 * instead of 256.  The others are the file, and, as they are, a record and an
 * entry of the index.
 *
 * What must hold: it comes to an end, and a file that is found to be sound has
 * all pages that it speaks of, so one that is cut before its last page that is
 * of use is not.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <session_lmdb/file.h>
#include <session_lmdb/record.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(int holds)
{
	if (!holds)
		abort();
}

/* What is read is written back the same. */
static void
try_record(const uint8_t *p, size_t n)
{
	unsigned char key_bytes[EXPIRY_MAX], *copy;
	struct record r;
	hostd_buf key;
	uint64_t ms;

	if (record_read(p, n, &r) == 0) {
		must(record_size(r.value.n) == n);
		copy = malloc(n);
		must(copy != NULL);
		record_write(copy, &r);
		must(memcmp(copy, p, n) == 0);
		free(copy);
	}
	if (expiry_read(p, n, &ms, &key) == 0) {
		must(expiry_write(key_bytes, ms, key) == n);
		must(memcmp(key_bytes, p, n) == 0);
	}
}

/* Shorter, it can only be worse. */
static void
try_file(int fd, uint64_t txn_id, unsigned page_size, size_t n)
{
	int before = file_walk(fd, txn_id, page_size), now;

	while (n > page_size) {
		n -= page_size;
		must(ftruncate(fd, (off_t)n) == 0);
		now = file_walk(fd, txn_id, page_size);
		must(before == 0 || now != 0);
		before = now;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	int fd;

	if (n < 1 || n > 1 << 16)
		return 0;
	try_record(p + 1, n - 1);
	fd = memfd_create("fuzz", MFD_CLOEXEC);
	must(fd != -1);
	must(write(fd, p + 1, n - 1) == (ssize_t)(n - 1));
	try_file(fd, p[0] & 1, p[0] & 2 ? 4096 : 256, n - 1);
	must(close(fd) == 0);
	return 0;
}
