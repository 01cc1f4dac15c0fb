/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of secrets, the file that is made once, and ids. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "base/mem.h"
#include "scratch.h"
#include "session/id.h"
#include "session/secrets.h"

#define CAT_MAC	"+8GzCJ7LSbgy2qwLoDJX+olBn7dqSjH4ZLCvcGsKQrs"

static const char sid[] = "MlB0xJYnqvndF9XxQuEvqtVzyKJ-xoeH";
static char why[512];

static int
setup(void **state)
{
	(void)state;
	scratch_make();
	why[0] = '\0';
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	scratch_remove();
	return 0;
}

static struct secrets *
list_of(const char *text)
{
	struct secrets *s = secrets_new(text, strlen(text), why, sizeof(why));

	if (s == NULL)
		fail_msg("%s", why);
	return s;
}

static int
verify(struct secrets *s, const char *mac)
{
	return secrets_verify(s, sid, strlen(sid), mac, strlen(mac));
}

static void
signs_as_node_does(void **state)
{
	struct secrets *s = list_of("keyboard cat");
	char mac[SECRETS_MAC_LEN];
	int i;

	(void)state;
	/* Again and again with the same key. */
	for (i = 0; i < 3; i++) {
		secrets_sign(s, sid, strlen(sid), mac);
		assert_memory_equal(mac, CAT_MAC, SECRETS_MAC_LEN);
		assert_int_equal(verify(s, CAT_MAC), 0);
		secrets_sign(s, "other", 5, mac);
		assert_memory_not_equal(mac, CAT_MAC, SECRETS_MAC_LEN);
	}
	secrets_free(s);
}

static void
only_the_exact_signature_will_do(void **state)
{
	struct secrets *s = list_of("keyboard cat");
	char mac[SECRETS_MAC_LEN + 1];
	size_t i;

	(void)state;
	assert_int_equal(verify(s, CAT_MAC "="), -1);
	assert_int_equal(verify(s, CAT_MAC "A"), -1);
	assert_int_equal(verify(s, ""), -1);
	/* base64url */
	assert_int_equal(verify(s, "-8GzCJ7LSbgy2qwLoDJX-"
	    "olBn7dqSjH4ZLCvcGsKQrs"), -1);
	/* The same bytes, with the last two bits that mean nothing. */
	assert_int_equal(verify(s, "+8GzCJ7LSbgy2qwLoDJX+"
	    "olBn7dqSjH4ZLCvcGsKQrt"), -1);
	for (i = 0; i < SECRETS_MAC_LEN; i++) {
		memcpy(mac, CAT_MAC, sizeof(mac));
		mac[i] ^= 1;
		assert_int_equal(verify(s, mac), -1);
		memcpy(mac, CAT_MAC, sizeof(mac));
		mac[i] = '\0';
		assert_int_equal(verify(s, mac), -1);
	}
	secrets_free(s);
}

static void
first_signs_all_verify(void **state)
{
	struct secrets *s = list_of("new\r\n\n\r\nkeyboard cat\nolder");
	char mac[SECRETS_MAC_LEN + 1] = "";

	(void)state;
	assert_int_equal(secrets_count(s), 3);
	assert_int_equal(verify(s, CAT_MAC), 1);
	secrets_sign(s, sid, strlen(sid), mac);
	assert_int_equal(verify(s, mac), 0);
	assert_string_not_equal(mac, CAT_MAC);
	secrets_free(s);
	s = list_of("keyboard cat ");
	assert_int_equal(verify(s, CAT_MAC), -1);
	secrets_free(s);
}

static void
refused(const char *text, const char *want)
{
	assert_null(secrets_new(text, strlen(text), why, sizeof(why)));
	assert_string_equal(why, want);
}

static void
lists_that_are_none(void **state)
{
	static const char none[] = "there is no secret in it; write one in a "
	    "line, for example from: openssl rand -base64 32";
	char many[2 * (SECRETS_MAX + 1) + 1] = "";
	size_t i;

	(void)state;
	refused("", none);
	refused("\n\r\n\n", none);
	for (i = 0; i <= SECRETS_MAX; i++)
		(void)strcat(many, "a\n");
	refused(many, "there are more than 32 secrets; remove the oldest, "
	    "which are the last");
	many[2 * SECRETS_MAX] = '\0';
	secrets_free(list_of(many));
}

/* -- the file that is made once -- */

static char *
content_of(const char *name)
{
	static char text[256];
	FILE *f = fopen(scratch_path(name), "r");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	(void)fclose(f);
	return text;
}

static void
make(const char *name)
{
	if (secrets_make(scratch_path(name), why, sizeof(why)) == -1)
		fail_msg("%s", why);
}

static void
one_is_made_and_kept(void **state)
{
	char first[256];
	struct secrets *s;
	struct stat st;

	(void)state;
	scratch_mkdir("state");
	(void)umask(0);
	make("state/main.secret");
	(void)umask(022);
	(void)snprintf(first, sizeof(first), "%s",
	    content_of("state/main.secret"));
	assert_int_equal(strlen(first), 65);
	assert_int_equal(strspn(first, "0123456789abcdef"), 64);
	assert_int_equal(stat(scratch_path("state/main.secret"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	make("state/main.secret");
	assert_string_equal(content_of("state/main.secret"), first);
	make("state/other.secret");
	assert_string_not_equal(content_of("state/other.secret"), first);
	s = secrets_read(scratch_path("state/main.secret"), why, sizeof(why));
	assert_non_null(s);
	assert_int_equal(secrets_count(s), 1);
	secrets_free(s);
	assert_int_equal(access(scratch_path("state/main.secret.new"), F_OK),
	    -1);
}

/* Whoever ended before it had its name has left it behind. */
static void
half_a_file_is_none(void **state)
{
	(void)state;
	scratch_puts("main.secret.new", "0123");
	make("main.secret");
	assert_int_equal(strlen(content_of("main.secret")), 65);
}

static void
wrong(const char *name, const char *want)
{
	assert_int_equal(secrets_make(scratch_path(name), why, sizeof(why)),
	    -1);
	assert_string_equal(scratch_strip(why), want);
}

static void
files_that_will_not_do(void **state)
{
	(void)state;
	scratch_puts("open", "secret\n");
	assert_int_equal(chmod(scratch_path("open"), 0640), 0);
	wrong("open", "open has mode 0640, so others could have read it; "
	    "remove it for a new one to be made (all sessions end), or chmod "
	    "600 it if nobody has");
	scratch_puts("empty", "");
	wrong("empty", "empty: there is no secret in it; write one in a line, "
	    "for example from: openssl rand -base64 32");
	scratch_mkdir("dir");
	wrong("dir", "dir is not a file");
	wrong("empty/main.secret", "empty/main.secret: Not a directory");
	wrong("no/main.secret", "no/main.secret.new, for a secret that is made "
	    "once: No such file or directory; have the directory writable for "
	    "hostd, or set secret_file");
	assert_null(secrets_read(scratch_path("absent"), why, sizeof(why)));
	assert_string_equal(scratch_strip(why),
	    "absent: No such file or directory");
}

static void
a_file_has_a_limit(void **state)
{
	size_t n = SECRETS_TEXT_MAX + 1;
	char *text = malloc(n);

	(void)state;
	memset(text, 'a', n);
	scratch_write("long", text, n);
	wrong("long", "long: File too large");
	free(text);
}

static void
of_a_session_block(void **state)
{
	static char text[] = "keyboard cat\n";
	struct conf_session c = { .secrets = text };
	struct secrets *s = secrets_of(&c, why, sizeof(why));

	(void)state;
	assert_non_null(s);
	assert_int_equal(verify(s, CAT_MAC), 0);
	secrets_free(s);
	scratch_puts("made", "keyboard cat\n");
	c.secrets = NULL;
	c.secret_file = xstrdup(scratch_path("made"));
	s = secrets_of(&c, why, sizeof(why));
	assert_non_null(s);
	assert_int_equal(verify(s, CAT_MAC), 0);
	secrets_free(s);
	free(c.secret_file);
}

/* -- ids -- */

static void
ids_differ(void **state)
{
	char ids[64][SESSION_ID_LEN + 1];
	size_t i, k;

	(void)state;
	for (i = 0; i < 64; i++) {
		session_id_make(ids[i]);
		assert_int_equal(strlen(ids[i]), SESSION_ID_LEN);
		assert_int_equal(strspn(ids[i], "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		    "abcdefghijklmnopqrstuvwxyz0123456789-_"), SESSION_ID_LEN);
		assert_true(session_id_is_key(ids[i], SESSION_ID_LEN,
		    SESSION_KEY_MAX));
		for (k = 0; k < i; k++)
			assert_string_not_equal(ids[i], ids[k]);
	}
}

static void
keys_of_stores(void **state)
{
	char long_one[SESSION_KEY_MAX + 1];

	(void)state;
	memset(long_one, 'x', sizeof(long_one));
	assert_true(session_id_is_key("a", 1, SESSION_KEY_MAX));
	assert_true(session_id_is_key("!user:42.~", 10, SESSION_KEY_MAX));
	assert_true(session_id_is_key(long_one, SESSION_KEY_MAX,
	    SESSION_KEY_MAX));
	assert_false(session_id_is_key(long_one, SESSION_KEY_MAX + 1,
	    SESSION_KEY_MAX));
	assert_true(session_id_is_key(long_one, SESSION_KEY_MAX + 1,
	    SESSION_TOKEN_MAX));
	assert_false(session_id_is_key("", 0, SESSION_KEY_MAX));
	assert_false(session_id_is_key("a b", 3, SESSION_KEY_MAX));
	assert_false(session_id_is_key("a\0b", 3, SESSION_KEY_MAX));
	assert_false(session_id_is_key("a\177", 2, SESSION_KEY_MAX));
	assert_false(session_id_is_key("\303\251", 2, SESSION_KEY_MAX));
	assert_false(session_id_is_key("a\n", 2, SESSION_KEY_MAX));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(signs_as_node_does),
		CASE(only_the_exact_signature_will_do),
		CASE(first_signs_all_verify),
		CASE(lists_that_are_none),
		CASE(one_is_made_and_kept),
		CASE(half_a_file_is_none),
		CASE(files_that_will_not_do),
		CASE(a_file_has_a_limit),
		CASE(of_a_session_block),
		CASE(ids_differ),
		CASE(keys_of_stores),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
