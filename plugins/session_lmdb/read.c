/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading, on the loop: what is asked for is in memory, or a page fault
 * away. */
#include <stdlib.h>
#include "store.h"

int32_t
read_begin(struct hostd_inst *in)
{
	int rc;

	if (in->env.mdb == NULL)
		return HOSTD_E_IO;
	rc = env_read(&in->env);
	if (rc == MDB_MAP_RESIZED) {
		/* The thread has pointers into the old map. */
		if (in->queue.busy)
			return HOSTD_AGAIN;
		if ((rc = env_resize(&in->env)) == 0)
			rc = env_read(&in->env);
	}
	if (rc == 0)
		return HOSTD_OK;
	trouble_say(in, &in->failing, HOSTD_LOG_ERROR, "can't be read",
	    env_say(rc));
	return HOSTD_E_IO;
}

static void
remember(struct last *l, hostd_buf key, uint64_t expires_ms)
{
	memcpy(l->key, key.p, key.n);
	l->nkey = key.n;
	l->expires_ms = expires_ms;
}

/* In the transaction.  value.p NULL: there is none. */
static int32_t
look_up(struct hostd_inst *in, hostd_buf key, hostd_buf *value)
{
	struct record r;
	int rc = env_get(&in->env, in->env.reader, key, &r);

	*value = (hostd_buf){ NULL, 0 };
	in->last.nkey = 0;
	if (rc == MDB_NOTFOUND || (rc == 0 && r.expires_ms <= change_now_ms()))
		return HOSTD_OK;
	if (rc != 0) {
		trouble_say(in, &in->failing, HOSTD_LOG_ERROR, "can't be read",
		    env_say(rc));
		return HOSTD_E_IO;
	}
	remember(&in->last, key, r.expires_ms);
	*value = r.value;
	return HOSTD_OK;
}

static int32_t
wait_for_map(struct hostd_inst *in, hostd_buf key, hostd_op op)
{
	struct waiting *w = malloc(sizeof(*w) + key.n);

	if (w == NULL)
		return HOSTD_E_NOMEM;
	w->op = op;
	w->nkey = key.n;
	memcpy(w->key, key.p, key.n);
	STAILQ_INSERT_TAIL(&in->waiting, w, link);
	return HOSTD_DEFER;
}

int32_t
read_get(struct hostd_inst *in, hostd_buf key, hostd_op op)
{
	hostd_buf value;
	int32_t rc = read_begin(in);

	if (rc == HOSTD_AGAIN)
		return wait_for_map(in, key, op);
	if (rc != HOSTD_OK)
		return rc;
	if ((rc = look_up(in, key, &value)) == HOSTD_OK) {
		(void)in->easy.op->complete(in->easy.host, op, HOSTD_OK,
		    value);
		rc = HOSTD_DEFER;
	}
	env_read_end(&in->env);
	return rc;
}

void
read_waiting(struct hostd_inst *in)
{
	struct waiting *w;
	int32_t rc;

	while ((w = STAILQ_FIRST(&in->waiting)) != NULL) {
		STAILQ_REMOVE_HEAD(&in->waiting, link);
		rc = read_get(in, (hostd_buf){ w->key, w->nkey }, w->op);
		if (rc != HOSTD_DEFER)
			(void)in->easy.op->complete(in->easy.host, w->op, rc,
			    (hostd_buf){ NULL, 0 });
		free(w);
	}
}

int32_t
read_expires(struct hostd_inst *in, hostd_buf key, uint64_t *ms)
{
	hostd_buf value;
	int32_t rc = HOSTD_OK;

	if (in->last.nkey != key.n || memcmp(in->last.key, key.p, key.n) != 0) {
		if ((rc = read_begin(in)) != HOSTD_OK)
			return rc;
		rc = look_up(in, key, &value);
		env_read_end(&in->env);
	}
	*ms = in->last.nkey > 0 ? in->last.expires_ms : 0;
	return rc;
}
