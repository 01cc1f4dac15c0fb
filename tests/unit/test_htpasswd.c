/* SPDX-License-Identifier: BSD-2-Clause */
/* Users and hashes: which are taken, and which passwords fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "auth/htpasswd.h"
#include "auth/memo.h"
#include "base/base64.h"

static char why[HTPASSWD_WHY];
static struct users *users;

static int
teardown(void **state)
{
	(void)state;
	users_free(users);
	users = NULL;
	return 0;
}

static int
load(const char *text)
{
	users_free(users);
	users = users_parse(text, strlen(text), why);
	return users != NULL;
}

static const char *
hash_of(const char *name)
{
	return users_hash(users, (hostd_buf){ name, strlen(name) });
}

/* Made by other programs: crypt(3), openssl passwd. */
static const char file[] =
    "# users\n"
    "\n"
    "alice:$2y$05$c4WoMPo3SXsafkva.HHa6u7b1XOWKqA7XZANDrnv4IVny/8ABNR66\r\n"
    "bob:$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJu"
    "esI68u4OTLiBFdcbYEdFCoEOfaS35inz1:and more:than that\n"
    "dora:$y$j75$saltsaltsalt$jyf/lxrpdyAIshWRo1x5DRC6KIE7sNRRtjcomR3PgHA\n"
    "carol:$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5";

static void
users_and_hashes(void **state)
{
	(void)state;
	if (!load(file))
		fail_msg("%s", why);
	assert_int_equal(users->n, 4);
	assert_true(password_fits("secret", hash_of("alice")));
	assert_true(password_fits("secret", hash_of("dora")));
	assert_false(password_fits("Secret", hash_of("alice")));
	assert_true(password_fits("Hello world!", hash_of("bob")));
	assert_true(password_fits("Hello world!", hash_of("carol")));
	assert_false(password_fits("Hello world", hash_of("bob")));
	assert_false(password_fits("", hash_of("carol")));
	assert_null(hash_of("dave"));
	assert_null(hash_of("Alice"));
	assert_null(hash_of(""));
	assert_null(hash_of("# users"));
}

static void
stand_ins(void **state)
{
	uint32_t i;

	(void)state;
	assert_true(load(file));
	for (i = 0; i < 10; i++) {
		assert_non_null(users_stand_in(users, i));
		assert_ptr_equal(users_stand_in(users, i),
		    users_stand_in(users, i));
	}
}

#define A_HASH	"a:$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"
#define TWICE	A_HASH "\n" A_HASH

static void
what_is_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "", "no user" }, { "\n# nobody\n", "no user" },
		{ "a", "line 1 is not" }, { ":x", "line 1 is not" },
		{ "a:secret", "plain text" }, { "a:", "plain text" },
		{ "a:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", "{SHA}" },
		{ "a:{PLAIN}x", "LDAP" },
		{ "a:$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/", "$apr1$" },
		{ "a:$1$salt$qJH7.N4xYta3aEG/dfqo/0", "weak kind" },
		{ "a:rqXexS6ZhobKA", "weak kind" },
		{ "a:$2y$99$abc", "damaged" }, { "a:$2y$", "damaged" },
		{ "a\tb:x", "control" },
		{ "a:$5$saltstring$x", "damaged" },
		{ TWICE, "line 2 has a name" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (load(bad[i].text) || strstr(why, bad[i].says) == NULL)
			fail_msg("%s: %s", bad[i].text, why);
		/* It goes to the log. */
		assert_null(strstr(why, "secret"));
		assert_null(strstr(why, "5en6"));
	}
	users = users_parse("# $5$s$x\0b\n", 11, why);
	assert_null(users);
	assert_non_null(strstr(why, "NUL"));
}

/* -- who was let in -- */

static void
memory_of_some(void **state)
{
	const hostd_buf a = { "a:secret", 8 }, b = { "a:secreT", 8 };
	unsigned char of_a[MEMO_MAC], of_b[MEMO_MAC];
	struct identity *who = identity_new(a, (hostd_buf){ NULL, 0 });
	struct memo m, other;

	(void)state;
	assert_int_equal(memo_init(&m), 0);
	assert_int_equal(memo_init(&other), 0);
	memo_mac(&other, a, of_b);
	memo_mac(&m, a, of_a);
	assert_memory_not_equal(of_a, of_b, MEMO_MAC);
	memo_mac(&m, b, of_b);
	assert_null(memo_get(&m, of_a, 0));
	memo_put(&m, of_a, who, 100);
	assert_ptr_equal(memo_get(&m, of_a, 99), who);
	assert_null(memo_get(&m, of_a, 100));
	assert_null(memo_get(&m, of_b, 99));
	memo_put(&m, of_a, who, 200);
	assert_ptr_equal(memo_get(&m, of_a, 100), who);
	assert_int_equal(who->refs, 2);
	memo_forget(&m);
	assert_null(memo_get(&m, of_a, 99));
	assert_int_equal(who->refs, 1);
	memo_close(&m);
	memo_close(&other);
	identity_unref(who);
}

/* What was said before leaves nothing behind, whatever its length was. */
static void
memory_of_lengths(void **state)
{
	static unsigned char macs[300][MEMO_MAC];
	unsigned char again[MEMO_MAC];
	char said[300];
	struct memo m;
	size_t n, k;

	(void)state;
	assert_int_equal(memo_init(&m), 0);
	memset(said, 'x', sizeof(said));
	for (n = 0; n < sizeof(said); n++) {
		memo_mac(&m, (hostd_buf){ said, n }, macs[n]);
		for (k = 0; k < n; k++)
			assert_memory_not_equal(macs[n], macs[k], MEMO_MAC);
	}
	for (n = sizeof(said); n-- > 0;) {
		memo_mac(&m, (hostd_buf){ said, n }, again);
		assert_memory_equal(again, macs[n], MEMO_MAC);
	}
	memo_close(&m);
}

/* Whoever lets himself in again and again takes no more than there is; and who
 * was let in first goes first. */
static void
memory_of_many(void **state)
{
	struct identity *who = identity_new((hostd_buf){ "x", 1 },
	    (hostd_buf){ NULL, 0 });
	unsigned char mac[MEMO_MAC];
	struct memo m;
	uint64_t i, kept = 0;

	(void)state;
	assert_int_equal(memo_init(&m), 0);
	for (i = 0; i < 20000; i++) {
		memo_mac(&m, (hostd_buf){ &i, sizeof(i) }, mac);
		memo_put(&m, mac, who, i + 1);
		assert_ptr_equal(memo_get(&m, mac, i), who);
	}
	for (i = 0; i < 20000; i++) {
		memo_mac(&m, (hostd_buf){ &i, sizeof(i) }, mac);
		kept += memo_get(&m, mac, 0) != NULL;
	}
	assert_int_equal(kept, 1024);
	assert_int_equal(who->refs, 1025);
	memo_close(&m);
	assert_int_equal(who->refs, 1);
	identity_unref(who);
}

/* -- base64 -- */

static void
one_way_to_write_it(void **state)
{
	static const struct {
		const char *text;
		int n, of_url;
	} cases[] = {
		{ "", 0, 0 }, { "QQ==", 1, -1 }, { "QUI=", 2, -1 },
		{ "QUJD", 3, 3 }, { "QQ", -1, 1 }, { "QUI", -1, 2 },
		{ "Q", -1, -1 }, { "QR", -1, -1 }, { "QR==", -1, -1 },
		{ "QUJ", -1, -1 }, { "QUJ=", -1, -1 }, { "Q===", -1, -1 },
		{ "====", -1, -1 }, { "=QQ=", -1, -1 }, { "+/+/", 3, -1 },
		{ "-_-_", -1, 3 }, { "QU D", -1, -1 }, { "QUJD\n", -1, -1 },
		{ "QUJDQQ==", 4, -1 }, { "QQ==QUJD", -1, -1 },
	};
	unsigned char out[16];
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		n = strlen(cases[i].text);
		assert_true(BASE64_ROOM(n) <= sizeof(out));
		if (base64_read(cases[i].text, n, out) != cases[i].n ||
		    base64url_read(cases[i].text, n, out) != cases[i].of_url)
			fail_msg("\"%s\"", cases[i].text);
	}
}

#define CASE(f) cmocka_unit_test_teardown(f, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(users_and_hashes),
		CASE(stand_ins),
		CASE(what_is_refused),
		CASE(memory_of_some),
		CASE(memory_of_lengths),
		CASE(memory_of_many),
		CASE(one_way_to_write_it),
	};

	return cmocka_run_group_tests_name("htpasswd", tests, NULL, NULL);
}
