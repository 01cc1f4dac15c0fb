/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>

#include "ctl/fake_store.h"

const struct hostd_session_store_ops *
fake_store_ops(const struct fake *f)
{
	const struct module_provide *p =
	    module_provides(f->m, HOSTD_KIND_SESSION_STORE);

	return p == NULL ? NULL : p->store;
}

static hostd_buf
lend(hostd_buf b)
{
	return fake_lend_copy(b.p, b.n);
}

static struct fake_op *
start(struct fake *f, const char *callback, hostd_op *h)
{
	struct fake_op *o = fake_op_start(f, FAKE_STORE_MAX, FAKE_STORE_MS, h);

	fake_enter(f, callback, NULL);
	return o;
}

static struct fake_op *
returned(struct fake *f, struct fake_op *o, const char *callback, int32_t rc)
{
	fake_leave(f);
	fake_op_returned(o, callback, rc);
	return o;
}

struct fake_op *
fake_store_get(struct fake *f, hostd_buf key)
{
	hostd_op h;
	struct fake_op *o = start(f, "get", &h);

	return returned(f, o, "get",
	    fake_store_ops(f)->get(f->inst, lend(key), h));
}

/* What is expected is lent as a whole, or as nothing. */
static const hostd_buf *
lend_expected(const hostd_buf *expect)
{
	hostd_buf *b;

	if (expect == NULL)
		return NULL;
	b = fake_lend(sizeof(*b));
	*b = expect->p == NULL ? *expect : lend(*expect);
	return b;
}

/* A stateless store gets no key, and its answer is what the client gets. */
struct fake_op *
fake_store_set(struct fake *f, hostd_buf key, hostd_buf value, uint64_t ttl_ms,
    const hostd_buf *expect)
{
	const struct hostd_session_store_ops *ops = fake_store_ops(f);
	int stateless = (ops->flags & HOSTD_STORE_STATELESS) != 0;
	hostd_op h;
	struct fake_op *o = start(f, "set", &h);
	hostd_buf none = {"", 0};
	int32_t rc;

	if ((ops->flags & HOSTD_STORE_CAS) == 0)
		expect = NULL;
	rc = ops->set(f->inst, stateless ? none : lend(key), lend(value),
	    ttl_ms, lend_expected(expect), h);
	(void)returned(f, o, "set", rc);
	if (stateless && !fake_op_is_answered(o))
		check_fail("set of a stateless store was not answered in the "
			   "call");
	return o;
}

struct fake_op *
fake_store_touch(struct fake *f, hostd_buf key, uint64_t ttl_ms)
{
	const struct hostd_session_store_ops *ops = fake_store_ops(f);
	hostd_op h;
	struct fake_op *o = start(f, "touch", &h);

	return returned(f, o, "touch", ops->touch == NULL ? HOSTD_OK :
	    ops->touch(f->inst, lend(key), ttl_ms, h));
}

struct fake_op *
fake_store_del(struct fake *f, hostd_buf key)
{
	const struct hostd_session_store_ops *ops = fake_store_ops(f);
	hostd_op h;
	struct fake_op *o = start(f, "del", &h);

	return returned(f, o, "del", ops->del == NULL ? HOSTD_OK :
	    ops->del(f->inst, lend(key), h));
}

static int
may_be(int32_t status, int expects)
{
	switch (status) {
	case HOSTD_OK:
	case HOSTD_E_IO:
	case HOSTD_E_FULL:
	case HOSTD_E_TIMEOUT:
		return 1;
	case HOSTD_E_STATE:
		return expects;
	default:
		return 0;
	}
}

/* Whoever waits for a server may wait as long as it likes; the host does
 * not. */
int32_t
fake_store_wait(struct fake_op *o, const char *callback, int expects)
{
	int32_t status;

	fake_op_await(o);
	status = fake_op_status(o);
	if (!fake_op_is_answered(o) &&
	    fake_net_open() + fake_fetch_open() == 0)
		check_fail("%s was not answered, and there is no server that "
			   "it could be waiting for", callback);
	if (!may_be(status, expects))
		check_fail("%s was answered with %d, which is none of its "
			   "answers", callback, status);
	return status;
}
