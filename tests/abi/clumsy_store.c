/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * As clumsy.c, of stores that keep sessions.  Every other call is answered a
 * turn later.
 *
 * 1	"a" is there before it was set
 * 2	a value of 0 bytes is not there
 * 3	get of "value" does not give what was set
 * 4	get of "a" does not give what was set
 * 5	"gone2" is not there after another's del
 * 6	does not give what was set: 3 bytes instead of 3
 * 7	"short" is still there long after its end
 * 8	called complete of hostd.op/1 with 2 bytes at NULL
 * 9	is there a global variable?
 * 10	called complete of hostd.op/1 with status 1
 * 11	set was not answered, and there is no server
 * 12	touched memory lent to set
 * 13	leaks about
 * 14	which is [loop], on another thread
 * 15	set returned 1
 * 16	get was answered with -1, which is none of its answers
 * 17	of 200 sets at once that expect the same, 200 were
 * 18	where there is nothing, was answered with 0
 * 19	set with nothing expected, where there is one, was answered with 0
 * 20	set with the value  expected, where there is one, was answered with 0
 * 21	"swap" is there after a set that expected wrong
 * 22	was answered with -4 instead of HOSTD_E_STATE
 * 23	get of "value" does not give what was set: 1000 bytes
 * 24	"shorter" is still there long after its end
 * 25	"none" is there by a touch
 * 26	touch was answered with -9, which is none of its answers
 * 27	"longer" is not there though it was touched
 * 28	"shorter" is still there long after its end
 * 29	del was answered with -1, which is none of its answers
 * 30	is not there after another's del
 * 31	"gone" is there after its del
 * 32	without hostd.op/1: crashed with SIGSEGV
 * 33	crashed with SIGABRT, while in destroy
 * 34	crashed with SIGABRT, while in a posted function
 */
#include <pthread.h>
#include <strings.h>

#include <hostd/easy.h>
#include <hostd/session_store.h>

#ifndef MISTAKE
#define MISTAKE 0
#endif
/* A constant, so that all of it is compiled, whichever is chosen. */
#define IS(n) (MISTAKE == (n))

struct kept {
	struct kept *next;
	uint64_t end;
	hostd_buf key, value;
};

/* What is said a turn later. */
struct late {
	struct late *next;
	hostd_op op;
	int has_value;
	hostd_buf value;
};

struct hostd_inst {
	const struct hostd_host *host;
	const struct hostd_op_api *op;
	struct kept *first;
	struct late *late;
	uint32_t calls;
};

static const struct hostd_host *global_host;
static const void *seen;

static hostd_buf
copy(hostd_buf b)
{
	char *p = malloc(b.n + 1);

	if (p == NULL)
		abort();
	memcpy(p, b.p, b.n);
	b.p = p;
	return b;
}

static void
release(hostd_buf b)
{
	free((void *)(uintptr_t)b.p);
}

/* -- what is kept -- */

static int
is_key(hostd_buf a, hostd_buf b)
{
	if (IS(4))
		return a.n == b.n && strncasecmp(a.p, b.p, a.n) == 0;
	if (IS(5))
		return memcmp(a.p, b.p, a.n < b.n ? a.n : b.n) == 0;
	if (IS(6))
		return a.n == b.n && memcmp(a.p, b.p, a.n > 64 ? 64 : a.n) == 0;
	return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

static void
drop(struct kept **at)
{
	struct kept *k = *at;

	*at = k->next;
	release(k->key);
	release(k->value);
	free(k);
}

static struct kept **
find(struct hostd_inst *in, hostd_buf key)
{
	struct kept **at;
	uint64_t now = in->host->now_ms(in->host);

	for (at = &in->first; *at != NULL; at = &(*at)->next)
		if (is_key((*at)->key, key))
			break;
	if (*at != NULL && (*at)->end <= now && !IS(7)) {
		drop(at);
		return find(in, key);
	}
	return at;
}

/* -- answers -- */

static int32_t
answer(struct hostd_inst *in, hostd_op op, const hostd_buf *value)
{
	hostd_buf v = { NULL, 0 };
	int32_t rc;

	if (value != NULL)
		v = *value;
	if (IS(1) && value == NULL)
		v.p = "";
	if (IS(2) && v.n == 0)
		v.p = NULL;
	if (IS(3) && value != NULL)
		v.n = strnlen(v.p, v.n);
	if (IS(8) && value != NULL)
		v.p = NULL;
	rc = in->op->complete(IS(9) ? global_host : in->host, op,
	    IS(10) ? HOSTD_AGAIN : HOSTD_OK, v);
	if (IS(34) && rc != HOSTD_OK)
		abort();
	return rc;
}

static void
answer_late(struct hostd_inst *in, void *arg)
{
	struct late *l = arg, **at;

	for (at = &in->late; *at != l; at = &(*at)->next)
		;
	*at = l->next;
	if (!IS(11))
		(void)answer(in, l->op, l->has_value ? &l->value : NULL);
	release(l->value);
	free(l);
}

/* Now, or in the next turn. */
static int32_t
say(struct hostd_inst *in, hostd_op op, const hostd_buf *value)
{
	struct late *l;

	if (in->calls++ % 2)
		return answer(in, op, value);
	if ((l = calloc(1, sizeof(*l))) == NULL)
		return HOSTD_E_FULL;
	l->op = op;
	l->has_value = value != NULL;
	if (value != NULL)
		l->value = copy(*value);
	l->next = in->late;
	in->late = l;
	(void)in->host->post(in->host, answer_late, l);
	return HOSTD_DEFER;
}

static void *
say_badly(void *arg)
{
	struct hostd_inst *in = arg;
	hostd_op op = { 1 };

	(void)answer(in, op, NULL);
	return NULL;
}

static int32_t
set_badly(struct hostd_inst *in, hostd_buf value)
{
	pthread_t t;

	if (IS(12)) {
		if (seen != NULL && *(const volatile char *)seen == '?')
			return HOSTD_OK;
		seen = value.p;
	}
	if (IS(13))
		seen = malloc(50);
	if (IS(14) && pthread_create(&t, NULL, say_badly, in) == 0)
		(void)pthread_join(t, NULL);
	return IS(15) ? HOSTD_AGAIN : HOSTD_OK;
}

/* -- calls -- */

static int32_t
get(struct hostd_inst *in, hostd_buf key, hostd_op op)
{
	struct kept *k = *find(in, key);

	if (IS(16) && k == NULL)
		return HOSTD_E_INVAL;
	return say(in, op, k == NULL ? NULL : &k->value);
}

static int
is_right(const struct kept *k, const hostd_buf *expect)
{
	if (IS(17) || expect == NULL)
		return 1;
	if (k == NULL || expect->p == NULL)
		return k == NULL ? IS(18) || expect->p == NULL : IS(19);
	if (IS(20))
		return memcmp(k->value.p, expect->p, expect->n) == 0;
	return k->value.n == expect->n &&
	    memcmp(k->value.p, expect->p, expect->n) == 0;
}

static int32_t
set(struct hostd_inst *in, hostd_buf key, hostd_buf value, uint64_t ttl_ms,
    const hostd_buf *expect, hostd_op op)
{
	struct kept **at = find(in, key), *k = *at;
	int right = is_right(k, expect);
	int32_t rc = set_badly(in, value);

	if (rc != HOSTD_OK)
		return rc;
	if (!right && !IS(21))
		return IS(22) ? HOSTD_E_FULL : HOSTD_E_STATE;
	if (IS(23) && value.n > 1000)
		value.n = 1000;
	if (k == NULL) {
		if ((k = calloc(1, sizeof(*k))) == NULL)
			return HOSTD_E_FULL;
		k->key = copy(key);
		*at = k;
	}
	if (!IS(24) || k->value.p == NULL)
		k->end = in->host->now_ms(in->host) + ttl_ms;
	release(k->value);
	k->value = copy(value);
	return right ? say(in, op, NULL) : HOSTD_E_STATE;
}

static int32_t
touch(struct hostd_inst *in, hostd_buf key, uint64_t ttl_ms, hostd_op op)
{
	struct kept *k = *find(in, key);
	uint64_t end = in->host->now_ms(in->host) + ttl_ms;
	hostd_buf made = { "{}", 2 };

	if (k == NULL && IS(25))
		return set(in, key, made, ttl_ms, NULL, op);
	if (k == NULL && IS(26))
		return HOSTD_E_STATE;
	if (k != NULL && !(IS(27) && end > k->end) &&
	    !(IS(28) && end < k->end))
		k->end = end;
	return say(in, op, NULL);
}

static int32_t
del(struct hostd_inst *in, hostd_buf key, hostd_op op)
{
	struct kept **at = find(in, key);

	if (*at == NULL && IS(29))
		return HOSTD_E_INVAL;
	while (IS(30) && in->first != NULL && *at != NULL)
		drop(&in->first);
	if (!IS(30) && *at != NULL && !IS(31))
		drop(at);
	return say(in, op, NULL);
}

/* -- life -- */

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	struct hostd_inst *in = calloc(1, sizeof(*in));

	(void)conf;
	if (in == NULL)
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	in->host = host;
	in->op = host->get_ext(host, HOSTD_EXT_OP);
	if (in->op == NULL && !IS(32)) {
		free(in);
		return hostd_fail(err, HOSTD_E_NOTSUP, "too old a host");
	}
	if (global_host == NULL)
		global_host = host;
	*out = in;
	return HOSTD_OK;
}

static void
destroy(struct hostd_inst *in)
{
	struct late *l;

	while ((l = in->late) != NULL) {
		in->late = l->next;
		if (IS(33))
			abort();
		release(l->value);
		free(l);
	}
	while (in->first != NULL)
		drop(&in->first);
	if (global_host == in->host)
		global_host = NULL;
	free(in);
}

static const struct hostd_session_store_ops ops = { sizeof(ops),
	HOSTD_STORE_CAS | HOSTD_STORE_LOCAL, 0, 0, get, set, touch, del };
static const struct hostd_provide provide = { sizeof(provide), 0,
	HOSTD_KIND_SESSION_STORE, NULL, &ops, NULL };
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(3), "clumsy_store", "1.0",
	HOSTD_SDK_VERSION, provides, NULL, NULL, create, NULL, NULL, destroy,
	NULL };
