/* SPDX-License-Identifier: BSD-2-Clause */
/* What changes do to the file, and files that will not do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <session_lmdb/change.h>
#include <session_lmdb/file.h>

#define DAY	86400000ull

struct fixture {
	char dir[64], path[96], why[200];
	struct env env;
};

static hostd_buf
text(const char *s)
{
	return (hostd_buf){ s, strlen(s) };
}

static const char *
name_in(struct fixture *f, const char *suffix)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s%s", f->path, suffix);
	return path;
}

static int
open_env(struct fixture *f)
{
	f->env.path = f->path;
	if (f->env.max_size == 0)
		f->env.max_size = 4 << 20;
	f->env.sync = ENV_SYNC_OFF;
	return env_open(&f->env, f->why, sizeof(f->why));
}

static int
setup(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	f.env.claim.fd = -1;
	(void)snprintf(f.dir, sizeof(f.dir), "/tmp/session_lmdb.XXXXXX");
	if (mkdtemp(f.dir) == NULL)
		return -1;
	(void)snprintf(f.path, sizeof(f.path), "%s/s", f.dir);
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	env_close(&f->env);
	(void)unlink(f->path);
	(void)rmdir(f->path);
	(void)unlink(name_in(f, "-lock"));
	(void)unlink(name_in(f, "-sweep"));
	(void)unlink(name_in(f, "-old"));
	return rmdir(f->dir);
}

/* One change; its status. */
static int32_t
apply(struct fixture *f, struct change *c, int evict, struct outcome *o)
{
	struct changes all = STAILQ_HEAD_INITIALIZER(all);
	int32_t status;

	STAILQ_INSERT_TAIL(&all, c, link);
	changes_apply(&f->env, &all, evict, o);
	status = c->status;
	free(c);
	return status;
}

static int32_t
set(struct fixture *f, const char *key, hostd_buf value, uint64_t expires_ms,
    const hostd_buf *expect)
{
	struct change *c = change_new(CHANGE_SET, text(key), value, expect);
	struct outcome o;

	c->expires_ms = expires_ms;
	return apply(f, c, 0, &o);
}

static int32_t
simple(struct fixture *f, enum change_what what, const char *key,
    uint64_t expires_ms, struct outcome *o)
{
	struct change *c = change_new(what, text(key), text(""), NULL);

	c->expires_ms = expires_ms;
	return apply(f, c, 0, o);
}

/* What is there; NULL: nothing. */
static const char *
value_of(struct fixture *f, const char *key, uint64_t *expires_ms)
{
	static char value[64];
	struct record r;
	int rc;

	assert_int_equal(env_read(&f->env), 0);
	rc = env_get(&f->env, f->env.reader, text(key), &r);
	if (rc == 0) {
		assert_true(r.value.n < sizeof(value));
		memcpy(value, r.value.p, r.value.n);
		value[r.value.n] = '\0';
		if (expires_ms != NULL)
			*expires_ms = r.expires_ms;
	} else
		assert_int_equal(rc, MDB_NOTFOUND);
	env_read_end(&f->env);
	return rc == 0 ? value : NULL;
}

/* How many there are, and that the index has as many. */
static uint64_t
count(struct fixture *f)
{
	MDB_stat st;
	uint64_t n;

	assert_int_equal(env_read(&f->env), 0);
	n = env_count(&f->env, f->env.reader);
	assert_int_equal(mdb_stat(f->env.reader, f->env.expiry, &st), 0);
	env_read_end(&f->env);
	assert_int_equal(st.ms_entries, n);
	return n;
}

/* -- changes -- */

static void
test_changes(void **state)
{
	struct fixture *f = *state;
	uint64_t end = change_now_ms() + DAY, ms;
	struct outcome o;

	assert_int_equal(open_env(f), 0);
	assert_int_equal(set(f, "a", text("one"), end, NULL), HOSTD_OK);
	assert_int_equal(set(f, "a", text("a longer one"), end + 1, NULL),
	    HOSTD_OK);
	assert_string_equal(value_of(f, "a", &ms), "a longer one");
	assert_int_equal(ms, end + 1);
	assert_int_equal(simple(f, CHANGE_TOUCH, "a", end + 5, &o), HOSTD_OK);
	assert_string_equal(value_of(f, "a", &ms), "a longer one");
	assert_int_equal(ms, end + 5);
	assert_int_equal(count(f), 1);
	assert_int_equal(simple(f, CHANGE_TOUCH, "none", end, &o), HOSTD_OK);
	assert_null(value_of(f, "none", NULL));
	assert_int_equal(simple(f, CHANGE_DEL, "a", 0, &o), HOSTD_OK);
	assert_int_equal(simple(f, CHANGE_DEL, "a", 0, &o), HOSTD_OK);
	assert_null(value_of(f, "a", NULL));
	assert_int_equal(count(f), 0);
}

static void
test_expectations(void **state)
{
	struct fixture *f = *state;
	uint64_t now = change_now_ms(), end = now + DAY;
	hostd_buf nothing = { NULL, 0 }, empty = { "", 0 }, one = text("one");

	assert_int_equal(open_env(f), 0);
	assert_int_equal(set(f, "a", one, end, &one), HOSTD_E_STATE);
	assert_int_equal(set(f, "a", one, end, &empty), HOSTD_E_STATE);
	assert_null(value_of(f, "a", NULL));
	assert_int_equal(set(f, "a", one, end, &nothing), HOSTD_OK);
	assert_int_equal(set(f, "a", text("two"), end, &nothing),
	    HOSTD_E_STATE);
	assert_int_equal(set(f, "a", text("two"), end, &empty), HOSTD_E_STATE);
	assert_string_equal(value_of(f, "a", NULL), "one");
	assert_int_equal(set(f, "a", text("two"), end, &one), HOSTD_OK);
	assert_string_equal(value_of(f, "a", NULL), "two");
	/* What is over is nothing. */
	assert_int_equal(set(f, "b", one, now - 1, NULL), HOSTD_OK);
	assert_int_equal(set(f, "b", text("two"), end, &one), HOSTD_E_STATE);
	assert_int_equal(set(f, "b", text("two"), end, &nothing), HOSTD_OK);
	assert_int_equal(count(f), 2);
}

static void
set_many(struct fixture *f, int n, uint64_t expires_ms, size_t size, int evict,
    struct outcome *sum)
{
	char *value = calloc(1, size + 1), key[32];
	struct outcome o;
	struct change *c;
	int i;

	memset(value, 'v', size);
	for (i = 0; i < n; i++) {
		(void)snprintf(key, sizeof(key), "key-%08x",
		    (unsigned)i * 2654435761u);
		c = change_new(CHANGE_SET, text(key), text(value), NULL);
		c->expires_ms = expires_ms + (uint64_t)i;
		assert_int_equal(apply(f, c, evict, &o), HOSTD_OK);
		sum->expired += o.expired;
		sum->evicted += o.evicted;
	}
	free(value);
}

static void
test_sweep(void **state)
{
	struct fixture *f = *state;
	uint64_t now = change_now_ms();
	struct outcome o, sum = { 0 };

	assert_int_equal(open_env(f), 0);
	set_many(f, SWEEP_STEP + 100, now - DAY, 10, 0, &sum);
	assert_int_equal(set(f, "lives", text("v"), now + DAY, NULL), HOSTD_OK);
	assert_int_equal(simple(f, CHANGE_SWEEP, "", 0, &o), HOSTD_OK);
	assert_int_equal(o.expired, SWEEP_STEP);
	assert_int_equal(simple(f, CHANGE_SWEEP, "", 0, &o), HOSTD_OK);
	assert_int_equal(o.expired, 100);
	assert_int_equal(count(f), 1);
	assert_int_equal(simple(f, CHANGE_CLEAR, "", 0, &o), HOSTD_OK);
	assert_int_equal(count(f), 0);
}

/* -- a full file -- */

static int32_t
fill(struct fixture *f, size_t size, int *n)
{
	char *value = calloc(1, size + 1), key[32];
	int32_t rc = HOSTD_OK;

	memset(value, 'v', size);
	for (*n = 0; rc == HOSTD_OK; ++*n) {
		(void)snprintf(key, sizeof(key), "fill-%d", *n);
		rc = set(f, key, text(value), change_now_ms() + DAY, NULL);
	}
	free(value);
	--*n;
	return rc;
}

static void
check_refusal(struct fixture *f, size_t size)
{
	uint64_t now = change_now_ms();
	struct outcome o;
	int n, again;

	assert_int_equal(fill(f, size, &n), HOSTD_E_FULL);
	assert_true(n > 8);
	assert_int_equal(count(f), n);
	/* What is there may change, end later, and go. */
	assert_int_equal(set(f, "fill-0", text("other"), now + DAY, NULL),
	    HOSTD_OK);
	assert_int_equal(simple(f, CHANGE_TOUCH, "fill-1", now + 2 * DAY, &o),
	    HOSTD_OK);
	assert_int_equal(simple(f, CHANGE_CLEAR, "", 0, &o), HOSTD_OK);
	assert_int_equal(count(f), 0);
	/* And then there is as much room as before. */
	assert_int_equal(fill(f, size, &again), HOSTD_E_FULL);
	assert_in_range(again, n * 9 / 10, n * 11 / 10);
	assert_int_equal(simple(f, CHANGE_CLEAR, "", 0, &o), HOSTD_OK);
}

static void
test_refuse(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	assert_int_equal(open_env(f), 0);
	check_refusal(f, 100);
	check_refusal(f, 70000);
	assert_int_equal(stat(f->path, &st), 0);
	assert_true((uint64_t)st.st_size <= f->env.max_size);
}

static void
test_evict(void **state)
{
	struct fixture *f = *state;
	uint64_t now = change_now_ms();
	struct outcome sum = { 0 };
	struct stat st;

	assert_int_equal(open_env(f), 0);
	assert_int_equal(set(f, "longest", text("v"), now + 9 * DAY, NULL),
	    HOSTD_OK);
	set_many(f, 20000, now + DAY, 300, 1, &sum);
	assert_true(sum.evicted > 0);
	assert_int_equal(sum.expired, 0);
	/* The first ones have gone, the last ones not. */
	assert_string_equal(value_of(f, "longest", NULL), "v");
	assert_null(value_of(f, "key-00000000", NULL));
	assert_int_equal(count(f), 20001 - sum.evicted);
	assert_int_equal(stat(f->path, &st), 0);
	assert_true((uint64_t)st.st_size <= f->env.max_size);
}

/* Thousands that have ended, and then none. */
static void
make_and_sweep(struct fixture *f, int round)
{
	struct changes all = STAILQ_HEAD_INITIALIZER(all);
	struct outcome o;
	struct change *c;
	char key[32];
	int i;

	for (i = 0; i < 5000; i++) {
		(void)snprintf(key, sizeof(key), "%08x-%d",
		    (unsigned)(round * 5000 + i) * 2654435761u, round);
		c = change_new(CHANGE_SET, text(key), text(key), NULL);
		c->expires_ms = 1 + (uint64_t)i;
		STAILQ_INSERT_TAIL(&all, c, link);
	}
	changes_apply(&f->env, &all, 0, &o);
	assert_int_equal(o.rc, 0);
	while ((c = STAILQ_FIRST(&all)) != NULL) {
		STAILQ_REMOVE_HEAD(&all, link);
		assert_int_equal(c->status, HOSTD_OK);
		free(c);
	}
	while (simple(f, CHANGE_SWEEP, "", 0, &o) == HOSTD_OK && o.expired > 0)
		;
	assert_int_equal(count(f), 0);
}

/* What has gone leaves its room to what comes. */
static void
test_growth(void **state)
{
	struct fixture *f = *state;
	struct stat early, late;
	int i;

	f->env.max_size = 64 << 20;
	assert_int_equal(open_env(f), 0);
	for (i = 0; i < 4; i++)
		make_and_sweep(f, i);
	assert_int_equal(stat(f->path, &early), 0);
	for (; i < 24; i++)
		make_and_sweep(f, i);
	assert_int_equal(stat(f->path, &late), 0);
	assert_true(late.st_size <= early.st_size * 5 / 4);
}

/* What is over goes before anybody is refused. */
static void
test_expired_first(void **state)
{
	struct fixture *f = *state;
	struct outcome sum = { 0 };

	assert_int_equal(open_env(f), 0);
	set_many(f, 20000, change_now_ms() - DAY, 300, 0, &sum);
	assert_true(sum.expired > 0);
	assert_int_equal(sum.evicted, 0);
}

/* -- files that will not do -- */

static void
refused(struct fixture *f, const char *why)
{
	assert_int_equal(open_env(f), -1);
	if (strstr(f->why, why) == NULL)
		fail_msg("\"%s\" has no \"%s\"", f->why, why);
	assert_null(f->env.mdb);
	assert_int_equal(f->env.claim.fd, -1);
}

static void
write_file(const char *path, const char *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	assert_int_equal(close(fd), 0);
}

static void
test_garbage(void **state)
{
	struct fixture *f = *state;
	char garbage[8192];

	memset(garbage, 'x', sizeof(garbage));
	write_file(f->path, garbage, sizeof(garbage));
	refused(f, "no LMDB file");
	write_file(f->path, garbage, 10);
	refused(f, "no LMDB file");
	write_file(f->path, "", 0);
	assert_int_equal(open_env(f), 0);
	assert_true(f->env.was_empty);
}

static void
test_places(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkdir(f->path, 0700), 0);
	refused(f, "it is a directory");
	assert_int_equal(rmdir(f->path), 0);
	f->path[strlen(f->dir)] = '-';
	(void)strcat(f->path, "/s");
	refused(f, "its directory");
}

static void
truncate_by(struct fixture *f, off_t n)
{
	struct stat st;

	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(truncate(f->path, st.st_size - n), 0);
}

static void
test_truncated(void **state)
{
	struct fixture *f = *state;
	struct outcome sum = { 0 };
	struct stat st;

	assert_int_equal(open_env(f), 0);
	set_many(f, 1000, change_now_ms() + DAY, 300, 0, &sum);
	set_many(f, 10, change_now_ms() + DAY, 9000, 0, &sum);
	env_close(&f->env);
	assert_int_equal(open_env(f), 0);
	env_close(&f->env);
	assert_int_equal(stat(f->path, &st), 0);
	truncate_by(f, st.st_size / 2);
	refused(f, "damaged");
	truncate_by(f, st.st_size / 4);
	refused(f, "damaged");
	assert_int_equal(truncate(f->path, 4096), 0);
	refused(f, "damaged");
}

/* Pages that are free need not be there. */
static void
test_short_but_sound(void **state)
{
	struct fixture *f = *state;
	struct outcome o, sum = { 0 };
	off_t size;
	struct stat st;

	assert_int_equal(open_env(f), 0);
	assert_int_equal(set(f, "early", text("v"), change_now_ms() + DAY,
	    NULL), HOSTD_OK);
	set_many(f, 2000, change_now_ms() - DAY, 300, 0, &sum);
	while (simple(f, CHANGE_SWEEP, "", 0, &o) == HOSTD_OK && o.expired > 0)
		;
	env_close(&f->env);
	assert_int_equal(stat(f->path, &st), 0);
	/* Until it would be damaged. */
	for (size = st.st_size; open_env(f) == 0; size -= 4096) {
		assert_string_equal(value_of(f, "early", NULL), "v");
		env_close(&f->env);
		assert_int_equal(truncate(f->path, size - 4096), 0);
	}
	assert_non_null(strstr(f->why, "damaged"));
	assert_true(size < st.st_size);
}

static void
test_other_versions(void **state)
{
	struct fixture *f = *state;
	MDB_val key = { 5, (void *)(uintptr_t)"hostd" };
	MDB_val value = { 10, (void *)(uintptr_t)"sessions 2" };
	MDB_txn *txn;
	MDB_dbi top;
	MDB_env *env;

	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_open(env, f->path, MDB_NOSUBDIR, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, NULL, 0, &top), 0);
	assert_int_equal(mdb_put(txn, top, &key, &value, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
	refused(f, "another version of hostd");
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_open(env, f->path, MDB_NOSUBDIR, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, NULL, 0, &top), 0);
	assert_int_equal(mdb_del(txn, top, &key, NULL), 0);
	key.mv_data = (void *)(uintptr_t)"other";
	assert_int_equal(mdb_put(txn, top, &key, &value, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
	refused(f, "another program's");
}

/* One process must not open it twice; nor must anybody who finds another file
 * than those who have it open. */
static void
test_claims(void **state)
{
	struct fixture *f = *state;
	struct env second;
	char why[200];
	int status;
	pid_t pid;

	assert_int_equal(open_env(f), 0);
	assert_false(env_is_replaced(&f->env));
	second = f->env;
	assert_int_equal(env_open(&second, why, sizeof(why)), -1);
	assert_non_null(strstr(why, "another plugin block"));
	assert_int_equal(rename(f->path, name_in(f, "-old")), 0);
	assert_true(env_is_replaced(&f->env));
	if ((pid = fork()) == 0) {
		second = f->env;
		_exit(env_open(&second, why, sizeof(why)) == -1 &&
		    strstr(why, "removed or replaced") != NULL ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* Who removes what is over is one. */
	assert_true(claim_sweep(&f->env.claim));
	if ((pid = fork()) == 0) {
		struct claim other = { .fd = open(name_in(f, "-sweep"),
		    O_RDWR) };

		_exit(claim_sweep(&other));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_changes),
		TEST(test_expectations),
		TEST(test_sweep),
		TEST(test_refuse),
		TEST(test_evict),
		TEST(test_growth),
		TEST(test_expired_first),
		TEST(test_garbage),
		TEST(test_places),
		TEST(test_truncated),
		TEST(test_short_but_sound),
		TEST(test_other_versions),
		TEST(test_claims),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
