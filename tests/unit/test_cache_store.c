/* SPDX-License-Identifier: BSD-2-Clause */
/* The proxy's cache keeps answers in memory and in files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <hostd/easy.h>
#include "cache_disk.h"
#include "cache_memory.h"

#define BODY	"the body"

static char dir[64];

static size_t
make_head(const char *key, char head[OBJECT_HEAD_MAX])
{
	hostd_hdr h[] = { hostd_header("ETag", "\"a\""),
	    hostd_header("Connection", "close, X-Hop"),
	    hostd_header("x-hop", "1"), hostd_header("Age", "3"),
	    hostd_header("Content-Type", "text/plain") };
	struct object_facts f = { .status = 200, .key = hostd_str(key),
	    .vary = "accept", .vary_hash = 77, .headers = h, .nheaders = 5 };
	size_t n;

	f.fresh.stored = 1000;
	f.fresh.lifetime = 60;
	n = object_pack(&f, head);
	assert_true(n > 0);
	object_seal(head, n, strlen(BODY));
	return n;
}

static void
heads(void **state)
{
	char head[OBJECT_HEAD_MAX];
	size_t n = make_head("k", head), i;
	struct cache_object *o = object_unpack(head, n);

	(void)state;
	assert_non_null(o);
	assert_int_equal(o->status, 200);
	assert_int_equal(o->nheaders, 2);
	assert_int_equal(o->etag.n, 3);
	assert_string_equal(o->vary, "accept");
	assert_int_equal(o->fresh.lifetime, 60);
	assert_int_equal(o->body_len, strlen(BODY));
	object_unref(o);
	/* Any byte that is another one, and any length. */
	for (i = 0; i < n; i++) {
		head[i] ^= 0x20;
		assert_null(object_unpack(head, n));
		head[i] ^= 0x20;
		assert_null(object_unpack(head, i));
	}
}

static void
renewed_heads(void **state)
{
	char head[OBJECT_HEAD_MAX];
	struct cache_object *old = object_unpack(head, make_head("k", head));
	hostd_hdr h[] = { hostd_header("X-New", "1"),
	    hostd_header("etag", "\"b\""),
	    hostd_header("Content-Type", "of/304") };
	struct object_facts f = { .status = 200, .key = hostd_str("k"),
	    .vary = "", .headers = h, .nheaders = 3, .older = old };
	struct cache_object *o;
	size_t n = object_pack(&f, head);

	(void)state;
	object_seal(head, n, 0);
	o = object_unpack(head, n);
	assert_non_null(o);
	assert_int_equal(o->nheaders, 3);
	assert_memory_equal(o->etag.p, "\"b\"", 3);
	assert_memory_equal(fresh_header(o->headers, 3, "content-type").p,
	    "text/plain", 10);
	object_unref(o);
	object_unref(old);
}

static struct cache_object *
object_of(const char *key, uint64_t body_len)
{
	char head[OBJECT_HEAD_MAX];
	size_t n = make_head(key, head);

	object_seal(head, n, body_len);
	return object_unpack(head, n);
}

/* All variants of a key go with it, and nothing else does. */
static void
memory_variants(void **state)
{
	struct cache_memory m;
	struct cache_name name;
	struct cache_object *o;
	char key[16];
	uint64_t i, v;

	(void)state;
	assert_int_equal(memory_init(&m, 1 << 24), 0);
	for (i = 0; i < 100; i++)
		for (v = 0; v < 10; v++) {
			(void)snprintf(key, sizeof(key), "k%d", (int)i);
			object_name(hostd_str(key), v, &name);
			o = object_of(key, 0);
			assert_int_equal(memory_put(&m, &name, o), 0);
			object_unref(o);
		}
	assert_int_equal(m.n, 1000);
	assert_int_equal(memory_drop(&m, hostd_str("k"), 0), 0);
	assert_int_equal(memory_drop(&m, hostd_str("k7"), 0), 10);
	assert_int_equal(memory_drop(&m, hostd_str("k7"), 0), 0);
	for (v = 0; v < 10; v++) {
		object_name(hostd_str("k7"), v, &name);
		assert_null(memory_get(&m, &name, hostd_str("k7")));
		object_name(hostd_str("k70"), v, &name);
		o = memory_get(&m, &name, hostd_str("k70"));
		assert_non_null(o);
		object_unref(o);
	}
	assert_int_equal(memory_drop(&m, hostd_str("k7"), 1), 100);
	assert_int_equal(m.n, 890);
	memory_free(&m);
}

static void
memory_lru(void **state)
{
	struct cache_memory m;
	struct cache_name name;
	struct cache_object *o;
	char key[16];
	int i;

	(void)state;
	assert_int_equal(memory_init(&m, 100000), 0);
	for (i = 0; i < 40; i++) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		object_name(hostd_str(key), 0, &name);
		o = object_of(key, 9000);
		assert_int_equal(memory_put(&m, &name, o), 0);
		object_unref(o);
		/* Used again and again. */
		object_name(hostd_str("k0"), 0, &name);
		o = memory_get(&m, &name, hostd_str("k0"));
		assert_non_null(o);
		object_unref(o);
	}
	assert_true(m.bytes <= 100000);
	object_name(hostd_str("k1"), 0, &name);
	assert_null(memory_get(&m, &name, hostd_str("k1")));
	object_name(hostd_str("k39"), 0, &name);
	assert_null(memory_get(&m, &name, hostd_str("other")));
	assert_int_equal(memory_drop(&m, hostd_str("k39"), 0), 1);
	assert_true(memory_drop(&m, hostd_str("k"), 1) > 5);
	assert_int_equal(m.bytes, 0);
	o = object_of("large", 200000);
	assert_int_equal(memory_put(&m, &name, o), -1);
	object_unref(o);
	memory_free(&m);
}

/* -- files -- */

static int
unlink_one(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st;
	(void)flag;
	(void)f;
	return remove(path);
}

static int
setup(void **state)
{
	static struct cache_disk d;
	struct hostd_err err;

	(void)snprintf(dir, sizeof(dir), "/tmp/test_cache.XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(disk_open(&d, dir, 1 << 20, &err), HOSTD_OK);
	*state = &d;
	return 0;
}

static int
teardown(void **state)
{
	disk_close(*state);
	return nftw(dir, unlink_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void
keep(struct cache_disk *d, const char *key, uint64_t variant)
{
	char head[OBJECT_HEAD_MAX];
	struct cache_name name;
	struct disk_part p;
	size_t n = make_head(key, head);

	object_name(hostd_str(key), variant, &name);
	assert_int_equal(disk_lock(d, &name, &p), 0);
	assert_int_equal(disk_write(&p, BODY, strlen(BODY), n), 0);
	assert_int_equal(disk_write(&p, head, n, 0), 0);
	assert_int_equal(disk_commit(d, &p, &name), 0);
}

static int
has(struct cache_disk *d, const char *key, uint64_t variant)
{
	struct cache_name name;
	struct cache_object *o;
	char body[16];

	object_name(hostd_str(key), variant, &name);
	if ((o = disk_get(d, &name, hostd_str(key), time(NULL))) == NULL)
		return 0;
	assert_int_equal(pread(o->fd, body, o->body_len, (off_t)o->body_at),
	    strlen(BODY));
	assert_memory_equal(body, BODY, strlen(BODY));
	object_unref(o);
	return 1;
}

static void
path_of(const char *key, const char *suffix, char *out, size_t size)
{
	char path[DISK_NAME_MAX];
	struct cache_name name;

	object_name(hostd_str(key), 0, &name);
	disk_path(&name, suffix, path);
	(void)snprintf(out, size, "%s/%s", dir, path);
}

static void
files(void **state)
{
	struct cache_disk *d = *state;
	struct cache_name name;
	struct disk_part p, q;

	assert_false(has(d, "k", 0));
	keep(d, "k", 0);
	assert_true(has(d, "k", 0));
	/* One at a time. */
	object_name(hostd_str("k"), 0, &name);
	assert_int_equal(disk_lock(d, &name, &p), 0);
	assert_int_equal(disk_lock(d, &name, &q), DISK_BUSY);
	assert_true(has(d, "k", 0));
	disk_abort(d, &p);
	assert_int_equal(disk_lock(d, &name, &p), 0);
	disk_abort(d, &p);
}

/* What is not sound is not there, and goes. */
static void
broken_files(void **state)
{
	struct cache_disk *d = *state;
	char path[128];
	struct stat st;
	off_t i, size;
	int fd;

	path_of("k", "", path, sizeof(path));
	keep(d, "k", 0);
	assert_int_equal(stat(path, &st), 0);
	size = st.st_size;
	for (i = 0; i < size; i += 5) {
		keep(d, "k", 0);
		assert_int_equal(truncate(path, i), 0);
		assert_false(has(d, "k", 0));
		assert_int_equal(access(path, F_OK), -1);
	}
	keep(d, "k", 0);
	assert_int_equal(truncate(path, size + 1), 0);
	assert_false(has(d, "k", 0));
	keep(d, "k", 0);
	fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, "x", 1, 40), 1);
	close(fd);
	assert_false(has(d, "k", 0));
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_false(has(d, "k", 0));
}

static void
purges(void **state)
{
	struct cache_disk *d = *state;

	keep(d, "a/1", 0);
	keep(d, "a/1", 9);
	keep(d, "a/2", 0);
	keep(d, "b", 0);
	assert_int_equal(disk_purge(d->dir, hostd_str("a/1"), 0), 2);
	assert_false(has(d, "a/1", 0));
	assert_false(has(d, "a/1", 9));
	assert_true(has(d, "a/2", 0));
	assert_int_equal(disk_purge(d->dir, hostd_str("a/"), 1), 1);
	assert_true(has(d, "b", 0));
	assert_int_equal(disk_purge(d->dir, hostd_str(""), 1), 1);
}

/* Those used last stay; what dead writers left goes, what lives stays. */
static void
sweeps(void **state)
{
	struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	struct cache_disk *d = *state;
	struct cache_name name;
	struct disk_part p;
	char path[128], key[16];
	int i, n = 0;

	for (i = 0; i < 32; i++) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		keep(d, key, 0);
		path_of(key, "", path, sizeof(path));
		if (i != 7)
			assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	}
	object_name(hostd_str("alive"), 0, &name);
	assert_int_equal(disk_lock(d, &name, &p), 0);
	path_of("k1", ".part", path, sizeof(path));
	close(open(path, O_CREAT | O_WRONLY, 0600));
	disk_sweep(d->dir, 1 << 30);
	assert_int_equal(access(path, F_OK), -1);
	assert_true(has(d, "k31", 0));
	disk_sweep(d->dir, 16 * 4096);
	for (i = 0; i < 32; i++) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		n += has(d, key, 0);
	}
	assert_true(n > 0 && n <= 16);
	assert_true(has(d, "k7", 0));
	path_of("alive", ".part", path, sizeof(path));
	assert_int_equal(access(path, F_OK), 0);
	disk_abort(d, &p);
}

static void
renewed_files(void **state)
{
	struct cache_disk *d = *state;
	char head[OBJECT_HEAD_MAX];
	struct cache_object *o;
	struct cache_name name;
	struct disk_part p;
	size_t n = make_head("k", head);

	keep(d, "k", 0);
	object_name(hostd_str("k"), 0, &name);
	o = disk_get(d, &name, hostd_str("k"), time(NULL));
	assert_non_null(o);
	assert_int_equal(disk_lock(d, &name, &p), 0);
	assert_int_equal(disk_copy(&p, head, n, o->fd, o->body_at,
	    o->body_len), 0);
	assert_int_equal(disk_commit(d, &p, &name), 0);
	object_unref(o);
	assert_true(has(d, "k", 0));
}

static void
no_directory(void **state)
{
	struct cache_disk d;
	struct hostd_err err;

	(void)state;
	memset(&err, 0, sizeof(err));
	assert_int_equal(disk_open(&d, "/proc/self/cache", 1, &err),
	    HOSTD_E_IO);
	assert_non_null(strstr(err.msg, "cache_dir /proc/self/cache: "));
	assert_int_equal(disk_open(&d, "/proc/self/task", 1, &err),
	    HOSTD_E_IO);
	assert_non_null(strstr(err.msg, "no file can be made there"));
}

#define FILES(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads),
		cmocka_unit_test(renewed_heads),
		cmocka_unit_test(memory_lru),
		cmocka_unit_test(memory_variants),
		FILES(files),
		FILES(broken_files),
		FILES(purges),
		FILES(sweeps),
		FILES(renewed_files),
		cmocka_unit_test(no_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
