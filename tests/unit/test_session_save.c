/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions of WebSockets: loaded and stored when somebody says so, and changed
 * meanwhile. */
#include "base/log.h"
#include "loop_case.h"
#include "session/inside.h"
#include "session/socket.h"
#include "store_case.h"
#include "ws/conn.h"

static char name[] = "main", cookie[] = "connect.sid", path[] = "/";
static char socket_id[] = "main\0" SID;
static struct conf_session block;
static struct session_kind kind;
static struct ws_conn *conn;
static struct session *s;

static struct told {
	struct session_wait wait;	/* first */
	int times, ended;
	int32_t status;
} a, b;

static int64_t
now(void)
{
	return 1795219717891ll;
}

static void
tell(struct session_wait *w, struct session *of, int32_t status)
{
	struct told *t = (struct told *)(void *)w;

	t->times++;
	t->ended = of == NULL;
	t->status = status;
}

static int
setup(void **state)
{
	(void)state;
	log_set_fd(-1);
	store_open();
	loop_open();
	block = (struct conf_session){ .name = name, .cookie = cookie,
		.path = path, .httponly = 1, .max_size = 4096,
		.ttl = 86400000, .timeout = 1000 };
	session_kind_init(&kind, &block, &store, NULL, &loop, now);
	conn = aligned_alloc(64, (sizeof(*conn) + 63) / 64 * 64);
	assert_non_null(conn);
	memset(conn, 0, sizeof(*conn));
	conn->session_id = socket_id;
	conn->session_id_len = sizeof(socket_id) - 1;
	a = b = (struct told){ { { NULL, NULL }, tell }, 0, 0, 0 };
	has(BARE ",\"user\":7}");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	session_socket_end(conn);
	session_kind_close(&kind);
	store_close();
	free(conn);
	loop_end();
	return 0;
}

static void
open_it(void)
{
	assert_int_equal(session_socket_open(&kind, conn, &a.wait, &s),
	    HOSTD_OK);
	assert_ptr_equal(session_socket(s), conn);
	calls[0] = '\0';
}

static void
set(const char *key, const char *value)
{
	assert_int_equal(session_set(s, text(key), text(value)), HOSTD_OK);
}

static void
get(const char *key, const char *want)
{
	hostd_buf value;

	assert_int_equal(session_get(s, text(key), &value), HOSTD_OK);
	assert_int_equal(value.n, strlen(want));
	assert_memory_equal(value.p, want, value.n);
}

static void
loaded_and_stored_at_once(void **state)
{
	(void)state;
	open_it();
	get("user", "7");
	set("user", "8");
	is_kept(BARE ",\"user\":7}");
	assert_int_equal(session_save(s, &a.wait), HOSTD_OK);
	is_kept(BARE ",\"user\":8}");
	called("set MlB");
	assert_int_equal(session_save(s, &a.wait), HOSTD_OK);
	called("touch MlB");
	assert_int_equal(a.times, 0);
}

static void
each_time_it_is_loaded_again(void **state)
{
	struct session *first;

	(void)state;
	open_it();
	set("user", "8");
	has(BARE ",\"user\":9}");
	first = s;
	open_it();
	assert_ptr_equal(s, first);
	get("user", "9");
}

static void
loaded_later(void **state)
{
	(void)state;
	later = 1;
	assert_int_equal(session_socket_open(&kind, conn, &a.wait, &s),
	    HOSTD_DEFER);
	assert_int_equal(session_socket_open(&kind, conn, &b.wait, &s),
	    HOSTD_E_STATE);
	assert_int_equal(session_save(s, &b.wait), HOSTD_E_STATE);
	store_speaks();
	assert_int_equal(a.times, 1);
	assert_int_equal(a.status, HOSTD_OK);
	get("user", "7");
}

static void
closed_while_it_is_loaded(void **state)
{
	(void)state;
	later = 1;
	assert_int_equal(session_socket_open(&kind, conn, &a.wait, &s),
	    HOSTD_DEFER);
	session_socket_end(conn);
	assert_int_equal(a.times, 1);
	assert_int_equal(a.ended, 1);
	called("get MlB, cancel ");
	assert_true(LIST_EMPTY(&kind.used));
}

/* What is set while the store is at it, is left for the next time. */
static void
changed_while_it_is_stored(void **state)
{
	(void)state;
	open_it();
	later = 1;
	set("user", "8");
	assert_int_equal(session_save(s, &a.wait), HOSTD_DEFER);
	set("user", "9");
	assert_int_equal(session_regenerate(s), HOSTD_E_STATE);
	assert_int_equal(session_socket_open(&kind, conn, &b.wait, &s),
	    HOSTD_E_STATE);
	store_speaks();
	assert_int_equal(a.times, 1);
	assert_int_equal(a.status, HOSTD_OK);
	is_kept(BARE ",\"user\":8}");
	assert_null(asked);
	get("user", "9");
	assert_int_equal(session_save(s, NULL), HOSTD_DEFER);
	store_speaks();
	is_kept(BARE ",\"user\":9}");
	called("set MlB, set MlB");
}

/* Whoever asks meanwhile is told when what was set until then is there. */
static void
stored_again(void **state)
{
	(void)state;
	open_it();
	later = 1;
	set("user", "8");
	assert_int_equal(session_save(s, &a.wait), HOSTD_DEFER);
	set("user", "9");
	assert_int_equal(session_save(s, &b.wait), HOSTD_DEFER);
	store_speaks();
	assert_int_equal(a.times, 1);
	assert_int_equal(b.times, 0);
	is_kept(BARE ",\"user\":9}");
	store_speaks();
	assert_int_equal(a.times, 1);
	assert_int_equal(b.times, 1);
	assert_null(asked);
	called("set MlB, set MlB");
}

static void
closed_while_it_is_stored(void **state)
{
	(void)state;
	open_it();
	later = 1;
	set("user", "8");
	assert_int_equal(session_save(s, &a.wait), HOSTD_DEFER);
	set("user", "9");
	assert_int_equal(session_save(s, &b.wait), HOSTD_DEFER);
	session_socket_end(conn);
	assert_int_equal(a.ended, 1);
	assert_int_equal(b.ended, 1);
	store_speaks();
	store_speaks();
	is_kept(BARE ",\"user\":9}");
	assert_int_equal(a.times, 1);
	assert_true(LIST_EMPTY(&kind.used));
}

static void
both_changes_stay(void **state)
{
	(void)state;
	open_it();
	set("user", "8");
	meanwhile = BARE ",\"user\":7,\"cart\":[1]}";
	assert_int_equal(session_save(s, NULL), HOSTD_OK);
	called("set MlB, get MlB, set MlB");
	is_kept(BARE ",\"user\":8,\"cart\":[1]}");
	get("cart", "[1]");
}

/* Somebody has logged out: that is told, and it does not come back. */
static void
gone_meanwhile(void **state)
{
	(void)state;
	open_it();
	set("user", "8");
	free(map_del(&kept, SID, strlen(SID)));
	assert_int_equal(session_save(s, NULL), HOSTD_E_STATE);
	is_kept(NULL);
	assert_int_equal(session_set(s, text("user"), text("9")),
	    HOSTD_E_STATE);
	open_it();
	assert_true(session_is_new(s));
	assert_int_equal(session_save(s, NULL), HOSTD_E_NOTSUP);
}

static void
ended_here(void **state)
{
	(void)state;
	open_it();
	assert_int_equal(session_regenerate(s), HOSTD_E_NOTSUP);
	assert_int_equal(session_destroy(s), HOSTD_OK);
	is_kept(BARE ",\"user\":7}");
	assert_int_equal(session_save(s, NULL), HOSTD_OK);
	is_kept(NULL);
	called("del MlB");
}

static void
a_client_without_one(void **state)
{
	(void)state;
	conn->session_id_len = sizeof("main");
	open_it();
	assert_true(session_is_new(s));
	set("user", "8");
	assert_int_equal(session_save(s, NULL), HOSTD_E_NOTSUP);
	called("");
	assert_int_equal(kept.n, 1);
}

static void
a_store_that_fails(void **state)
{
	(void)state;
	open_it();
	set("user", "8");
	fails = HOSTD_E_FULL;
	assert_int_equal(session_save(s, NULL), HOSTD_E_FULL);
	fails = 0;
	assert_int_equal(session_save(s, NULL), HOSTD_OK);
	is_kept(BARE ",\"user\":8}");
	fails = HOSTD_E_IO;
	assert_int_equal(session_socket_open(&kind, conn, &a.wait, &s),
	    HOSTD_E_IO);
	assert_int_equal(session_save(s, NULL), HOSTD_E_STATE);
	block.anonymous = 1;
	assert_int_equal(session_socket_open(&kind, conn, &a.wait, &s),
	    HOSTD_OK);
	assert_int_equal(session_save(s, NULL), HOSTD_E_IO);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(loaded_and_stored_at_once),
		CASE(each_time_it_is_loaded_again),
		CASE(loaded_later),
		CASE(closed_while_it_is_loaded),
		CASE(changed_while_it_is_stored),
		CASE(stored_again),
		CASE(closed_while_it_is_stored),
		CASE(both_changes_stay),
		CASE(gone_meanwhile),
		CASE(ended_here),
		CASE(a_client_without_one),
		CASE(a_store_that_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
