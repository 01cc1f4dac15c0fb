/* SPDX-License-Identifier: BSD-2-Clause */
/* A store of sessions that notes what is asked of it, and answers at once,
 * later, or wrongly. */
#ifndef UNIT_STORE_CASE_H
#define UNIT_STORE_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/map.h"
#include "base/mem.h"
#include "session/id.h"
#include "session/store.h"

#define SID	"MlB0xJYnqvndF9XxQuEvqtVzyKJ-xoeH"
#define BARE	"{\"cookie\":{\"originalMaxAge\":null,\"expires\":null}"

static struct session_store store;
static struct map kept;		/* strings */
static char calls[512];		/* what was asked of it */
static int later;		/* it answers when it is told to */
static int32_t fails;		/* the answer, unless 0 */
static const char *meanwhile;	/* somebody stores that before the next set */
static struct store_call *asked;	/* it has not answered yet */
static char *asked_value;	/* its answer; NULL: none */
static int32_t asked_status;

static inline hostd_buf
text(const char *s)
{
	return (hostd_buf){ s, strlen(s) };
}

static inline void
note(const char *what, hostd_buf key)
{
	size_t n = strlen(calls);

	(void)snprintf(calls + n, sizeof(calls) - n, "%s%s %.*s",
	    n > 0 ? ", " : "", what, key.n == 32 ? 3 : (int)key.n,
	    (const char *)key.p);
}

static inline void
called(const char *want)
{
	assert_string_equal(calls, want);
	calls[0] = '\0';
}

static inline void
store_speaks(void)
{
	struct store_call *c = asked;
	char *value = asked_value;

	asked = NULL;
	asked_value = NULL;
	store_answer(c, asked_status, (hostd_buf){ value,
	    value != NULL ? strlen(value) : 0 });
	free(value);
}

static inline void
answers(struct store_call *c, int32_t status, const char *value)
{
	assert_null(asked);
	asked = c;
	asked_status = fails != 0 ? fails : status;
	asked_value = value != NULL && asked_status == HOSTD_OK ?
	    xstrdup(value) : NULL;
	if (!later)
		store_speaks();
}

static inline void
put(hostd_buf key, char *value)
{
	free(map_put(&kept, key.p, key.n, value));
}

static inline void
fake_get(struct session_store *st, struct store_call *c, hostd_buf key)
{
	(void)st;
	note("get", key);
	answers(c, HOSTD_OK, map_get(&kept, key.p, key.n));
}

static inline void
fake_set(struct session_store *st, struct store_call *c, hostd_buf key,
    hostd_buf value, int64_t ttl_ms, const hostd_buf *expect)
{
	const char *is;

	(void)st;
	note("set", key);
	assert_int_equal(ttl_ms, 86400000);
	if (store.flags & HOSTD_STORE_STATELESS) {
		assert_int_equal(key.n, 0);
		put(text("TOKEN"), xstrndup(value.p, value.n));
		answers(c, HOSTD_OK, "TOKEN");
		return;
	}
	if (meanwhile != NULL)
		put(key, xstrdup(meanwhile));
	meanwhile = NULL;
	is = map_get(&kept, key.p, key.n);
	if (expect != NULL && ((is == NULL) != (expect->p == NULL) ||
	    (is != NULL && (strlen(is) != expect->n ||
	    memcmp(is, expect->p, expect->n) != 0)))) {
		answers(c, HOSTD_E_STATE, NULL);
		return;
	}
	if (fails == 0)
		put(key, xstrndup(value.p, value.n));
	answers(c, HOSTD_OK, NULL);
}

static inline void
fake_touch(struct session_store *st, struct store_call *c, hostd_buf key,
    int64_t ttl_ms)
{
	(void)st;
	assert_int_equal(ttl_ms, 86400000);
	note("touch", key);
	answers(c, HOSTD_OK, NULL);
}

static inline void
fake_del(struct session_store *st, struct store_call *c, hostd_buf key)
{
	(void)st;
	note("del", key);
	free(map_del(&kept, key.p, key.n));
	answers(c, HOSTD_OK, NULL);
}

static inline void
fake_cancel(struct session_store *st, struct store_call *c)
{
	static const hostd_buf none = { "", 0 };

	(void)st;
	assert_ptr_equal(c, asked);
	note("cancel", none);
	asked = NULL;
	free(asked_value);
	asked_value = NULL;
}

static inline void
has(const char *document)
{
	put(text(SID), xstrdup(document));
}

static inline void
is_kept(const char *document)
{
	const char *is = map_get(&kept, SID, strlen(SID));

	if (document == NULL)
		assert_null(is);
	else {
		assert_non_null(is);
		assert_string_equal(is, document);
	}
}

/* -- from the beginning to the end -- */

static inline void
store_open(void)
{
	store = (struct session_store){ .name = "fake",
		.flags = HOSTD_STORE_CAS, .max_key = SESSION_KEY_MAX,
		.get = fake_get, .set = fake_set, .touch = fake_touch,
		.del = fake_del, .cancel = fake_cancel };
	calls[0] = '\0';
	later = 0;
	fails = 0;
	meanwhile = NULL;
}

static inline void
store_close(void)
{
	struct map_entry *e;
	size_t it = 0;

	assert_null(asked);
	while ((e = map_next(&kept, &it)) != NULL)
		free(e->value);
	map_free(&kept);
	kept = (struct map){ NULL, 0, 0 };
}

#endif
