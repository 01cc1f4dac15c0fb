/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "change.h"

#define EVICT_STEP	16	/* sessions, for one that has no room */
#define TRIES		8	/* of those for one */

uint64_t
change_now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static hostd_buf
copy_to(char **to, hostd_buf b)
{
	hostd_buf copy = { *to, b.n };

	if (b.n > 0)
		memcpy(*to, b.p, b.n);
	*to += b.n;
	return copy;
}

struct change *
change_new(enum change_what what, hostd_buf key, hostd_buf value,
    const hostd_buf *expect)
{
	hostd_buf e = expect != NULL ? *expect : (hostd_buf){ NULL, 0 };
	struct change *c;
	char *p;

	if ((c = malloc(sizeof(*c) + key.n + value.n + e.n)) == NULL)
		return NULL;
	memset(c, 0, sizeof(*c));
	c->what = what;
	c->expecting = expect != NULL;
	c->nothing = e.p == NULL;
	p = c->bytes;
	c->key = copy_to(&p, key);
	c->value = copy_to(&p, value);
	c->expect = copy_to(&p, e);
	return c;
}

/* -- one session, in a transaction -- */

struct job {
	const struct env *env;
	MDB_txn *txn;
	uint64_t now_ms;
	int evict;
	struct outcome *out;
};

static int
index_put(const struct job *j, uint64_t expires_ms, hostd_buf key)
{
	char bytes[EXPIRY_MAX];
	MDB_val k = { expiry_write(bytes, expires_ms, key), bytes };
	MDB_val v = { 0, bytes };

	return mdb_put(j->txn, j->env->expiry, &k, &v, 0);
}

static int
index_del(const struct job *j, uint64_t expires_ms, hostd_buf key)
{
	char bytes[EXPIRY_MAX];
	MDB_val k = { expiry_write(bytes, expires_ms, key), bytes };
	int rc = mdb_del(j->txn, j->env->expiry, &k, NULL);

	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
remove_one(const struct job *j, uint64_t expires_ms, hostd_buf key)
{
	MDB_val k = { key.n, (void *)(uintptr_t)key.p };
	int rc = mdb_del(j->txn, j->env->sessions, &k, NULL);

	return rc != 0 ? rc : index_del(j, expires_ms, key);
}

/* Instead of what was there, which had its place in the index. */
static int
put_one(const struct job *j, hostd_buf key, const struct record *r,
    const uint64_t *before_ms)
{
	MDB_val k = { key.n, (void *)(uintptr_t)key.p };
	MDB_val v = { record_size(r->value.n), NULL };
	int rc = 0;

	if (before_ms != NULL && *before_ms != r->expires_ms)
		rc = index_del(j, *before_ms, key);
	if (rc == 0)
		rc = index_put(j, r->expires_ms, key);
	if (rc == 0)
		rc = mdb_put(j->txn, j->env->sessions, &k, &v, MDB_RESERVE);
	if (rc == 0)
		record_write(v.mv_data, r);
	return rc;
}

/* -- those that end first -- */

/* The first in the order of their ends, whether its session is still there. */
static int
remove_first(const struct job *j, const MDB_val *entry, uint64_t expires_ms,
    hostd_buf key, uint64_t *removed)
{
	char bytes[EXPIRY_MAX];
	struct record r;
	int rc;

	/* Behind a change it may be somewhere else. */
	memcpy(bytes, entry->mv_data, entry->mv_size);
	key.p = bytes + EXPIRY_SIZE;
	rc = env_get(j->env, j->txn, key, &r);
	if ((rc == 0 && r.expires_ms == expires_ms) || rc == ENV_BAD_RECORD) {
		++*removed;
		return remove_one(j, expires_ms, key);
	}
	if (rc != 0 && rc != MDB_NOTFOUND)
		return rc;
	return index_del(j, expires_ms, key);
}

/* Up to max of those that end before before_ms; *n: how many there were. */
static int
remove_ending(const struct job *j, uint64_t before_ms, int max, uint64_t *n)
{
	MDB_cursor *cursor;
	MDB_val k, v;
	uint64_t ms;
	hostd_buf key;
	int rc, i;

	for (i = 0; i < max; i++) {
		if ((rc = mdb_cursor_open(j->txn, j->env->expiry,
		    &cursor)) != 0)
			return rc;
		rc = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
		mdb_cursor_close(cursor);
		if (rc != 0)
			return rc == MDB_NOTFOUND ? 0 : rc;
		if (expiry_read(k.mv_data, k.mv_size, &ms, &key) == -1)
			return MDB_CORRUPTED;
		if (ms > before_ms)
			return 0;
		if ((rc = remove_first(j, &k, ms, key, n)) != 0)
			return rc;
	}
	return 0;
}

#define NO_ROOM	(-1)	/* neither LMDB's nor errno's */

static int
make_room(const struct job *j)
{
	uint64_t n = 0;
	int rc;

	rc = remove_ending(j, j->now_ms, EVICT_STEP, &n);
	j->out->expired += n;
	if (rc != 0 || n > 0)
		return rc;
	if (!j->evict)
		return NO_ROOM;
	rc = remove_ending(j, UINT64_MAX, EVICT_STEP, &n);
	j->out->evicted += n;
	return rc != 0 ? rc : n > 0 ? 0 : NO_ROOM;
}

/* -- changes -- */

/* Is what is there what was expected? */
static int
is_expected(const struct change *c, const struct record *r)
{
	if (!c->expecting)
		return 1;
	if (r == NULL || c->nothing)
		return r == NULL && c->nothing;
	return r->value.n == c->expect.n && (r->value.n == 0 ||
	    memcmp(r->value.p, c->expect.p, r->value.n) == 0);
}

static int
apply_set(const struct job *j, struct change *c)
{
	const struct record new = { c->expires_ms, c->value };
	struct record old;
	int rc = env_get(j->env, j->txn, c->key, &old), found = rc == 0;
	int lives = found && old.expires_ms > j->now_ms;

	if (rc != 0 && rc != MDB_NOTFOUND &&
	    (rc != ENV_BAD_RECORD || c->expecting))
		return rc;
	if (!is_expected(c, lives ? &old : NULL)) {
		c->status = HOSTD_E_STATE;
		return 0;
	}
	if ((!found || old.value.n < new.value.n) &&
	    env_used(j->env, j->txn) > env_room(j->env)) {
		if ((rc = make_room(j)) == NO_ROOM)
			c->status = HOSTD_E_FULL;
		if (rc != 0)
			return rc == NO_ROOM ? 0 : rc;
		/* It may have been among them. */
		found = env_get(j->env, j->txn, c->key, &old) == 0;
	}
	return put_one(j, c->key, &new, found ? &old.expires_ms : NULL);
}

static int
apply_touch(const struct job *j, struct change *c)
{
	struct record r;
	uint64_t before_ms;
	char *copy;
	int rc = env_get(j->env, j->txn, c->key, &r);

	if (rc != 0)
		return rc == MDB_NOTFOUND ? 0 : rc;
	if (r.expires_ms <= j->now_ms)
		return 0;
	/* Writing moves what is read. */
	if ((copy = malloc(r.value.n + 1)) == NULL)
		return ENOMEM;
	memcpy(copy, r.value.p, r.value.n);
	r.value.p = copy;
	before_ms = r.expires_ms;
	r.expires_ms = c->expires_ms;
	rc = put_one(j, c->key, &r, &before_ms);
	free(copy);
	return rc;
}

static int
apply_del(const struct job *j, struct change *c)
{
	struct record r;
	int rc = env_get(j->env, j->txn, c->key, &r);

	if (rc == ENV_BAD_RECORD)
		r.expires_ms = 0;
	else if (rc != 0)
		return rc == MDB_NOTFOUND ? 0 : rc;
	c->removed = r.expires_ms > j->now_ms;
	return remove_one(j, r.expires_ms, c->key);
}

static int
apply_clear(const struct job *j, struct change *c)
{
	int rc;

	c->removed = env_count(j->env, j->txn);
	if ((rc = mdb_drop(j->txn, j->env->sessions, 0)) == 0)
		rc = mdb_drop(j->txn, j->env->expiry, 0);
	return rc;
}

static int
apply_one(const struct job *j, struct change *c)
{
	int rc;

	c->status = HOSTD_OK;
	c->removed = 0;
	switch (c->what) {
	case CHANGE_SET:
		return apply_set(j, c);
	case CHANGE_TOUCH:
		return apply_touch(j, c);
	case CHANGE_DEL:
		return apply_del(j, c);
	case CHANGE_CLEAR:
		return apply_clear(j, c);
	case CHANGE_SWEEP:
		rc = remove_ending(j, j->now_ms, SWEEP_STEP, &c->removed);
		j->out->expired += c->removed;
		return rc;
	case CHANGE_FLUSH:
		break;
	}
	return 0;
}

/* -- transactions -- */

static void
outcome_add(struct outcome *out, const struct outcome *more)
{
	out->expired += more->expired;
	out->evicted += more->evicted;
}

/* What c is the first of, or c alone. */
static int
commit(const struct env *e, struct change *c, int alone, int evict,
    struct outcome *out)
{
	struct job j = { .env = e, .now_ms = change_now_ms(), .evict = evict };
	struct outcome sum = { 0 };
	int rc;

	j.out = &sum;
	if ((rc = mdb_txn_begin(e->mdb, NULL, 0, &j.txn)) != 0)
		return rc;
	for (; rc == 0 && c != NULL; c = alone ? NULL : STAILQ_NEXT(c, link))
		rc = apply_one(&j, c);
	if (rc != 0) {
		mdb_txn_abort(j.txn);
		return rc;
	}
	if ((rc = mdb_txn_commit(j.txn)) == 0)
		outcome_add(out, &sum);
	return rc;
}

/* No page is left at all: in a transaction that does nothing else. */
static int
commit_room(const struct env *e, int evict, struct outcome *out)
{
	struct job j = { .env = e, .now_ms = change_now_ms(), .evict = evict };
	struct outcome sum = { 0 };
	int rc;

	j.out = &sum;
	if ((rc = mdb_txn_begin(e->mdb, NULL, 0, &j.txn)) != 0)
		return rc;
	if ((rc = make_room(&j)) != 0) {
		mdb_txn_abort(j.txn);
		return rc;
	}
	if ((rc = mdb_txn_commit(j.txn)) == 0)
		outcome_add(out, &sum);
	return rc;
}

static void
commit_alone(const struct env *e, struct change *c, int evict,
    struct outcome *out)
{
	int i, rc = commit(e, c, 1, evict, out);

	for (i = 0; rc == MDB_MAP_FULL && i < TRIES; i++)
		if ((rc = commit_room(e, evict, out)) == 0)
			rc = commit(e, c, 1, evict, out);
	if (rc == 0)
		return;
	c->status = rc == MDB_MAP_FULL || rc == NO_ROOM ? HOSTD_E_FULL :
	    HOSTD_E_IO;
	/* That it has to be mapped anew the next batch finds out. */
	if (out->rc == 0 && c->status == HOSTD_E_IO && rc != MDB_MAP_RESIZED)
		out->rc = rc;
}

static void
fail_all(struct changes *changes, int rc, struct outcome *out)
{
	struct change *c;

	out->rc = rc;
	STAILQ_FOREACH(c, changes, link)
		c->status = HOSTD_E_IO;
}

/* It would be the same for each of them. */
static int
is_for_all(int rc)
{
	return rc == MDB_PANIC || rc == MDB_MAP_RESIZED ||
	    rc == MDB_BAD_TXN || rc == ENOSPC || rc == EIO || rc == EDQUOT ||
	    rc == EROFS;
}

void
changes_apply(const struct env *e, struct changes *changes, int evict,
    struct outcome *out)
{
	struct change *c = STAILQ_FIRST(changes);
	int rc, flush = 0;

	memset(out, 0, sizeof(*out));
	if ((rc = commit(e, c, 0, evict, out)) != 0) {
		if (is_for_all(rc)) {
			fail_all(changes, rc, out);
			return;
		}
		STAILQ_FOREACH(c, changes, link)
			commit_alone(e, c, evict, out);
	}
	STAILQ_FOREACH(c, changes, link)
		flush |= c->what == CHANGE_FLUSH;
	if (flush && (rc = mdb_env_sync(e->mdb, 1)) != 0 && out->rc == 0)
		out->rc = rc;
}
