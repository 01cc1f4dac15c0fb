/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "env.h"
#include "file.h"

#define FORMAT_KEY	"hostd"
#define READERS_MAX	1024	/* of all workers, and those that replace
				   them */
#define MODE		0600

/* -- what can go wrong -- */

const char *
env_say(int rc)
{
	switch (rc) {
	case MDB_INVALID:
		return "it is no LMDB file, or its start is damaged; move it "
		    "away, which ends all sessions";
	case MDB_VERSION_MISMATCH:
		return "it is of another version of LMDB; move it away, with "
		    "its -lock, which ends all sessions";
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case ENV_BAD_RECORD:
		return "it is damaged; stop hostd and move it away, which "
		    "ends all sessions";
	case MDB_PANIC:
		return "a write of its first pages has failed";
	case MDB_MAP_FULL:
		return "it is full: max_size";
	case MDB_READERS_FULL:
		return "too many processes have it open";
	case ENOSPC:
		return "no space is left on its device; make room";
	case EROFS:
		return "it is on a read-only file system; set another path, "
		    "or state_dir";
	default:
		return mdb_strerror(rc);
	}
}

static int __attribute__((format(printf, 3, 4)))
refuse(char *why, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, size, fmt, ap);
	va_end(ap);
	return -1;
}

/* -- what is in it -- */

static int
open_trees(struct env *e, MDB_txn *txn, unsigned flags)
{
	int rc = mdb_dbi_open(txn, "sessions", flags, &e->sessions);

	return rc != 0 ? rc : mdb_dbi_open(txn, "expiry", flags, &e->expiry);
}

/* MDB_NOTFOUND: it has none. */
static int
check_format(MDB_txn *txn, MDB_dbi top)
{
	MDB_val key = { sizeof(FORMAT_KEY) - 1, (void *)(uintptr_t)FORMAT_KEY };
	MDB_val value;
	int rc = mdb_get(txn, top, &key, &value);

	if (rc != 0)
		return rc;
	return value.mv_size == sizeof(RECORD_FORMAT) - 1 &&
	    memcmp(value.mv_data, RECORD_FORMAT, value.mv_size) == 0 ? 0 :
	    MDB_INCOMPATIBLE;
}

static int
write_format(MDB_txn *txn, MDB_dbi top)
{
	MDB_val key = { sizeof(FORMAT_KEY) - 1, (void *)(uintptr_t)FORMAT_KEY };
	MDB_val value = { sizeof(RECORD_FORMAT) - 1,
		(void *)(uintptr_t)RECORD_FORMAT };

	return mdb_put(txn, top, &key, &value, 0);
}

/* In a transaction that may write, unless there is nothing to be made. */
static int
find_trees(struct env *e, MDB_txn *txn, int may_write)
{
	MDB_stat st;
	MDB_dbi top;
	int rc;

	if ((rc = mdb_dbi_open(txn, NULL, 0, &top)) != 0)
		return rc;
	rc = check_format(txn, top);
	if (rc == MDB_NOTFOUND && may_write) {
		/* Another program's is left alone. */
		if ((rc = mdb_stat(txn, top, &st)) == 0)
			rc = st.ms_entries > 0 ? MDB_INCOMPATIBLE :
			    write_format(txn, top);
	}
	if (rc != 0)
		return rc;
	return open_trees(e, txn, may_write ? MDB_CREATE : 0);
}

static int
find_trees_in(struct env *e, unsigned flags)
{
	MDB_txn *txn;
	int rc;

	if ((rc = mdb_txn_begin(e->mdb, NULL, flags, &txn)) != 0)
		return rc;
	rc = find_trees(e, txn, !(flags & MDB_RDONLY));
	if (rc == 0)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return rc;
}

/* -- opening -- */

static int
configure(struct env *e)
{
	int rc = mdb_env_create(&e->mdb);

	if (rc == 0)
		rc = mdb_env_set_maxdbs(e->mdb, 2);
	if (rc == 0)
		rc = mdb_env_set_maxreaders(e->mdb, READERS_MAX);
	if (rc == 0)
		rc = mdb_env_set_mapsize(e->mdb, (size_t)e->max_size);
	return rc;
}

static unsigned
flags_of(const struct env *e)
{
	unsigned flags = MDB_NOSUBDIR | MDB_NOTLS | MDB_NORDAHEAD;

	if (e->sync == ENV_SYNC_DATA)
		flags |= MDB_NOMETASYNC;
	else if (e->sync == ENV_SYNC_OFF)
		flags |= MDB_NOSYNC;
	return flags;
}

/* Are all pages there that this file speaks of? */
static int
check_pages(struct env *e)
{
	MDB_envinfo info;
	MDB_stat st;
	MDB_txn *txn;
	int rc, fd;

	if ((rc = mdb_txn_begin(e->mdb, NULL, MDB_RDONLY, &txn)) != 0)
		return rc;
	if ((rc = mdb_env_stat(e->mdb, &st)) == 0 &&
	    (rc = mdb_env_info(e->mdb, &info)) == 0 &&
	    (rc = mdb_env_get_fd(e->mdb, &fd)) == 0) {
		e->page_size = st.ms_psize;
		if (file_is_short(fd, info.me_last_pgno, st.ms_psize) &&
		    file_walk(fd, mdb_txn_id(txn), st.ms_psize) == -1)
			rc = MDB_CORRUPTED;
	}
	mdb_txn_abort(txn);
	return rc;
}

/* Once it is open: what may be wrong with it still. */
static int
look_inside(struct env *e)
{
	int rc, dead;

	(void)mdb_reader_check(e->mdb, &dead);
	if ((rc = check_pages(e)) != 0)
		return rc;
	if ((rc = find_trees_in(e, MDB_RDONLY)) == MDB_NOTFOUND)
		rc = find_trees_in(e, 0);
	if (rc != 0)
		return rc;
	if ((rc = mdb_txn_begin(e->mdb, NULL, MDB_RDONLY, &e->reader)) == 0)
		mdb_txn_reset(e->reader);
	return rc;
}

static int
open_mdb(struct env *e, char *why, size_t size)
{
	int rc = configure(e);

	if (rc == 0)
		rc = mdb_env_open(e->mdb, e->path, flags_of(e), MODE);
	if (rc == 0)
		rc = look_inside(e);
	if (rc == 0)
		return 0;
	if (rc == MDB_INCOMPATIBLE)
		return refuse(why, size, "it is another program's, or of "
		    "another version of hostd; set another path, or move it "
		    "away");
	return refuse(why, size, "%s%s", rc == EISDIR || rc == EACCES ||
	    rc == EPERM ? "the file beside it that ends in -lock: " : "",
	    env_say(rc));
}

int
env_open(struct env *e, char *why, size_t size)
{
	struct stat st;

	e->mdb = NULL;
	e->reader = NULL;
	e->claim.fd = -1;
	e->was_empty = stat(e->path, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_size == 0;
	if (file_check(e->path, why, size) == -1 ||
	    claim_open(&e->claim, e->path, why, size) == -1)
		return -1;
	if (open_mdb(e, why, size) == -1) {
		env_close(e);
		return -1;
	}
	claim_opened(&e->claim, e->path, &e->identity);
	return 0;
}

void
env_close(struct env *e)
{
	if (e->reader != NULL)
		mdb_txn_abort(e->reader);
	if (e->mdb != NULL)
		mdb_env_close(e->mdb);
	e->reader = NULL;
	e->mdb = NULL;
	claim_close(&e->claim);
}

int
env_is_replaced(const struct env *e)
{
	struct identity now;

	identity_of(e->path, &now);
	return memcmp(&now, &e->identity, sizeof(now)) != 0;
}

/* -- reading -- */

int
env_read(struct env *e)
{
	return mdb_txn_renew(e->reader);
}

void
env_read_end(struct env *e)
{
	mdb_txn_reset(e->reader);
}

int
env_resize(struct env *e)
{
	MDB_envinfo info;
	int rc = mdb_env_set_mapsize(e->mdb, 0);

	if (rc == 0 && (rc = mdb_env_info(e->mdb, &info)) == 0 &&
	    info.me_mapsize > e->max_size)
		e->max_size = info.me_mapsize;
	return rc;
}

int
env_get(const struct env *e, MDB_txn *txn, hostd_buf key, struct record *r)
{
	MDB_val k = { key.n, (void *)(uintptr_t)key.p }, v;
	int rc = mdb_get(txn, e->sessions, &k, &v);

	if (rc == 0 && record_read(v.mv_data, v.mv_size, r) == -1)
		rc = ENV_BAD_RECORD;
	return rc;
}

/* -- how much -- */

uint64_t
env_used(const struct env *e, MDB_txn *txn)
{
	/* 0 and 1: LMDB's own, of free pages and of names. */
	const MDB_dbi trees[] = { 0, 1, e->sessions, e->expiry };
	uint64_t pages = 2;
	MDB_stat st;
	size_t i;

	for (i = 0; i < sizeof(trees) / sizeof(trees[0]); i++)
		if (mdb_stat(txn, trees[i], &st) == 0)
			pages += st.ms_branch_pages + st.ms_leaf_pages +
			    st.ms_overflow_pages;
	return pages * e->page_size;
}

/*
 * Nothing is overwritten in place, so a change needs pages beside those that it
 * frees, and removing something is one.
 */
uint64_t
env_room(const struct env *e)
{
	uint64_t kept = e->max_size / 8;

	return e->max_size - (kept > 1u << 20 ? kept : 1u << 20);
}

uint64_t
env_count(const struct env *e, MDB_txn *txn)
{
	MDB_stat st;

	return mdb_stat(txn, e->sessions, &st) == 0 ? st.ms_entries : 0;
}
