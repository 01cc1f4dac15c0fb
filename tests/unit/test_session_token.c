/* SPDX-License-Identifier: BSD-2-Clause */
/* session_token: what is sealed comes back, and nothing else does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/wait.h>
#include <errno.h>
#include <session_token/file.h>
#include <session_token/token.h>
#include "scratch.h"

#define NOW	1700000000000u
#define END	(NOW + 60000)
#define KEY_A	"000102030405060708090a0b0c0d0e0f" \
    "101112131415161718191a1b1c1d1e1f"
#define KEY_B	"ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="
#define KEY_C	"QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8"
#define TEXT	"{\"cookie\":{},\"user\":42}"

static struct sealer *sealer;
static char why[512];

static struct keys *
keys_of(const char *text)
{
	struct keys *k = keys_new(text, strlen(text), why, sizeof(why));

	if (k == NULL)
		fail_msg("%s", why);
	return k;
}

static hostd_buf
text_of(const char *s)
{
	return (hostd_buf){ s, strlen(s) };
}

/* A token, to be freed. */
static char *
seal(struct keys *k, enum token_form form, hostd_buf text, uint64_t end,
    size_t *n)
{
	hostd_buf out;
	char *copy;

	assert_int_equal(token_seal(sealer, k, form, text, end, &out),
	    HOSTD_OK);
	assert_int_equal(out.n, TOKEN_LEN(text.n));
	copy = malloc(out.n + 1);
	assert_non_null(copy);
	memcpy(copy, out.p, out.n);
	copy[out.n] = '\0';
	*n = out.n;
	return copy;
}

static int
opens(struct keys *k, const char *token, size_t n, uint64_t now,
    hostd_buf want)
{
	hostd_buf out;

	token_open(sealer, k, (hostd_buf){ token, n }, now, &out);
	if (out.p == NULL)
		return 0;
	assert_int_equal(out.n, want.n);
	assert_memory_equal(out.p, want.p, want.n);
	return 1;
}

static int
setup(void **state)
{
	(void)state;
	sealer = sealer_new();
	return sealer != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	sealer_free(sealer);
	return 0;
}

/* -- tokens -- */

static void
comes_back(void **state)
{
	static const enum token_form forms[] = { TOKEN_AES_256_GCM,
		TOKEN_CHACHA20_POLY1305 };
	static char large[TOKEN_TEXT + 1];
	struct keys *k = keys_of(KEY_A);
	hostd_buf text = { large, 0 }, out;
	size_t n, i;
	char *token;

	(void)state;
	for (i = 0; i < sizeof(large); i++)
		large[i] = (char)(i * 7);
	for (i = 0; i < 2; i++)
		for (text.n = 0; text.n <= TOKEN_TEXT; text.n++) {
			token = seal(k, forms[i], text, END, &n);
			assert_true(n <= HOSTD_STORE_TOKEN_MAX);
			assert_int_equal(strspn(token, "ABCDEFGHIJKLMNOPQRSTUV"
			    "WXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), n);
			assert_true(opens(k, token, n, NOW, text));
			free(token);
		}
	text.n = TOKEN_TEXT + 1;
	assert_int_equal(token_seal(sealer, k, TOKEN_AES_256_GCM, text, END,
	    &out), HOSTD_E_FULL);
	keys_free(k);
}

static void
no_two_are_alike(void **state)
{
	struct keys *k = keys_of(KEY_A);
	size_t n, m;
	char *a = seal(k, TOKEN_AES_256_GCM, text_of(TEXT), END, &n);
	char *b = seal(k, TOKEN_AES_256_GCM, text_of(TEXT), END, &m);

	(void)state;
	assert_int_equal(n, m);
	/* The same form and key; then salt, end, text and tag. */
	assert_memory_equal(a, b, 6);
	assert_memory_not_equal(a + 7, b + 7, 32);
	assert_memory_not_equal(a + 48, b + 48, n - 48);
	assert_null(strstr(a, "user"));
	free(a);
	free(b);
	keys_free(k);
}

static void
ends_with_its_time(void **state)
{
	struct keys *k = keys_of(KEY_A);
	size_t n;
	char *t = seal(k, TOKEN_AES_256_GCM, text_of(TEXT), END, &n);

	(void)state;
	assert_true(opens(k, t, n, END - 1, text_of(TEXT)));
	assert_false(opens(k, t, n, END, text_of(TEXT)));
	assert_false(opens(k, t, n, END + 1000000, text_of(TEXT)));
	/* A clock that is set back. */
	assert_true(opens(k, t, n, 0, text_of(TEXT)));
	free(t);
	t = seal(k, TOKEN_AES_256_GCM, text_of(TEXT), UINT64_MAX, &n);
	assert_true(opens(k, t, n, (uint64_t)1 << 47, text_of(TEXT)));
	free(t);
	keys_free(k);
}

/* Every bit of every character, whether the result is base64url or not. */
static void
any_bit_counts(void **state)
{
	static const enum token_form forms[] = { TOKEN_AES_256_GCM,
		TOKEN_CHACHA20_POLY1305 };
	struct keys *k = keys_of(KEY_A "\n" KEY_B);
	size_t n, i;
	unsigned f, bit;
	char *t;

	(void)state;
	for (f = 0; f < 2; f++) {
		t = seal(k, forms[f], text_of(TEXT), END, &n);
		for (i = 0; i < n; i++)
			for (bit = 0; bit < 8; bit++) {
				t[i] ^= (char)(1 << bit);
				assert_false(opens(k, t, n, NOW,
				    text_of(TEXT)));
				t[i] ^= (char)(1 << bit);
			}
		assert_true(opens(k, t, n, NOW, text_of(TEXT)));
		free(t);
	}
	keys_free(k);
}

static void
all_of_it_counts(void **state)
{
	struct keys *k = keys_of(KEY_A);
	char other[512], swap;
	size_t n, m, i;
	char *a = seal(k, TOKEN_AES_256_GCM, text_of(TEXT), END, &n);
	char *b = seal(k, TOKEN_AES_256_GCM, text_of(TEXT), END, &m);

	(void)state;
	for (i = 0; i < n; i++)
		assert_false(opens(k, a, i, NOW, text_of(TEXT)));
	(void)snprintf(other, sizeof(other), "%sAAAA", a);
	for (i = 1; i <= 4; i++)
		assert_false(opens(k, other, n + i, NOW, text_of(TEXT)));
	(void)snprintf(other, sizeof(other), "%s%s", a, b);
	assert_false(opens(k, other, n + m, NOW, text_of(TEXT)));
	/* The front of one and the back of another. */
	for (i = 1; i < n; i++) {
		memcpy(other, a, i);
		memcpy(other + i, b + i, n - i);
		if (memcmp(other, a, n) != 0 && memcmp(other, b, n) != 0)
			assert_false(opens(k, other, n, NOW, text_of(TEXT)));
	}
	for (i = 1; i < n; i++) {
		if (a[i] == a[i - 1])
			continue;
		swap = a[i];
		a[i] = a[i - 1];
		a[i - 1] = swap;
		assert_false(opens(k, a, n, NOW, text_of(TEXT)));
		a[i - 1] = a[i];
		a[i] = swap;
	}
	assert_true(opens(k, a, n, NOW, text_of(TEXT)));
	free(a);
	free(b);
	keys_free(k);
}

/* The first byte says the form: with another it is none, known or not. */
static void
other_forms(void **state)
{
	struct keys *k = keys_of(KEY_A);
	unsigned char raw[256];
	char token[512];
	size_t n;
	ssize_t len;
	char *t = seal(k, TOKEN_AES_256_GCM, text_of(TEXT), END, &n);
	int form;

	(void)state;
	len = base64url_decode(t, n, raw);
	assert_true(len > 0);
	assert_int_equal(raw[0], TOKEN_AES_256_GCM);
	for (form = 0; form < 256; form++) {
		raw[0] = (unsigned char)form;
		n = base64url_encode(raw, (size_t)len, token);
		assert_int_equal(opens(k, token, n, NOW, text_of(TEXT)),
		    form == TOKEN_AES_256_GCM);
	}
	free(t);
	keys_free(k);
}

static void
odd_tokens(void **state)
{
	static const char *const odd[] = { "", "A", "AA", "AQ", "AQ==", ".",
		"connect.sid", "MlB0xJYnqvndF9XxQuEvqtVzyKJ-xoeH" };
	static char long_one[HOSTD_STORE_TOKEN_MAX + 8];
	struct keys *k = keys_of(KEY_A);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		assert_false(opens(k, odd[i], strlen(odd[i]), NOW,
		    text_of("")));
	memset(long_one, 'A', sizeof(long_one));
	for (i = 0; i <= sizeof(long_one); i++)
		assert_false(opens(k, long_one, i, NOW, text_of("")));
	keys_free(k);
}

/* -- keys -- */

static void
rotation(void **state)
{
	struct keys *a = keys_of(KEY_A), *b = keys_of(KEY_B);
	struct keys *ba = keys_of("# new\n" KEY_B "\r\n\n  " KEY_A "  \n");
	size_t n, m;
	char *ta = seal(a, TOKEN_AES_256_GCM, text_of(TEXT), END, &n);
	char *tb = seal(ba, TOKEN_CHACHA20_POLY1305, text_of(TEXT), END, &m);

	(void)state;
	assert_int_equal(keys_count(ba), 2);
	assert_memory_equal(keys_id(ba, 1), keys_id(a, 0), KEY_ID_BYTES);
	assert_memory_not_equal(keys_id(ba, 0), keys_id(a, 0), KEY_ID_BYTES);
	assert_true(opens(ba, ta, n, NOW, text_of(TEXT)));
	assert_true(opens(ba, tb, m, NOW, text_of(TEXT)));
	assert_true(opens(b, tb, m, NOW, text_of(TEXT)));
	assert_false(opens(b, ta, n, NOW, text_of(TEXT)));
	assert_false(opens(a, tb, m, NOW, text_of(TEXT)));
	free(ta);
	free(tb);
	keys_free(a);
	keys_free(b);
	keys_free(ba);
}

/* What was made once has to open for ever; these were made by Node's crypto, by
 * what token.h says. */
static void
known_tokens(void **state)
{
	static const char aes[] = "AVzQr0zIycrLzM3Oz9DR0tPU1dbX2Nna29zd3t8Bi8_m"
	    "UmCy0ngfenRMUABsauCSy7E6invNLedl-KekPGs9WGwnFf7ImZVw6o0";
	static const char chacha[] = "AlzQr0zIycrLzM3Oz9DR0tPU1dbX2Nna29zd3t8B"
	    "i8_mUmB74596EHK7X1-ZohHmlnyTTRwuhp0fC5Ko0HSYhNrLmDI3VK953ns";
	struct keys *k = keys_of(KEY_A);

	(void)state;
	assert_true(opens(k, aes, strlen(aes), NOW, text_of(TEXT)));
	assert_true(opens(k, chacha, strlen(chacha), NOW, text_of(TEXT)));
	assert_false(opens(k, aes, strlen(aes), END, text_of(TEXT)));
	keys_free(k);
}

static void
refuse(const char *text, const char *want)
{
	assert_null(keys_new(text, strlen(text), why, sizeof(why)));
	if (strstr(why, want) == NULL)
		fail_msg("\"%s\": said: %s", text, why);
	/* Nothing of the text is told. */
	assert_null(strstr(why, "0001"));
	assert_null(strstr(why, "QEFC"));
}

static void
keys_that_are_none(void **state)
{
	char many[(KEYS_MAX + 1) * (sizeof(KEY_A) + 1) + 1];
	size_t i, n = 0;

	(void)state;
	refuse("", "there is no key in it");
	refuse("\n# only words\n \r\n", "there is no key in it");
	refuse("0001", "line 1: a key is 32 random bytes");
	refuse(KEY_A "\n" KEY_A "00", "line 2: a key is 32");
	refuse("\n\n0001" KEY_A, "line 3: a key is 32");
	refuse("g0010203040506070001020304050607"
	    "00010203040506070001020304050607", "line 1: a key is 32");
	/* Padding, and bits behind the last byte. */
	refuse("QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8 =", "line 1");
	refuse("QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl9=", "line 1");
	refuse("QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl9", "line 1");
	for (i = 0; i <= KEYS_MAX; i++)
		n += (size_t)snprintf(many + n, sizeof(many) - n, "%s\n",
		    KEY_A);
	refuse(many, "line 33: there are more keys than 32");
	keys_free(keys_of(KEY_C));
}

/* -- files -- */

static void
refuse_file(const char *path, const char *want)
{
	assert_null(keys_read(path, why, sizeof(why)));
	if (strstr(why, want) == NULL)
		fail_msg("said: %s", why);
}

static void
files(void **state)
{
	static char large[KEYS_TEXT_MAX + 1];
	struct keys *k;

	(void)state;
	scratch_make();
	scratch_puts("keys", KEY_A "\n" KEY_B "\n");
	k = keys_read(scratch_path("keys"), why, sizeof(why));
	assert_non_null(k);
	assert_int_equal(keys_count(k), 2);
	keys_free(k);
	assert_int_equal(chmod(scratch_path("keys"), 0640), 0);
	k = keys_read(scratch_path("keys"), why, sizeof(why));
	assert_non_null(k);
	keys_free(k);
	assert_int_equal(chmod(scratch_path("keys"), 0644), 0);
	refuse_file(scratch_path("keys"), "has mode 0644");
	assert_int_equal(chmod(scratch_path("keys"), 0660), 0);
	refuse_file(scratch_path("keys"), "has mode 0660");
	refuse_file(scratch_path("absent"), "No such file");
	refuse_file(scratch, "is not a regular file");
	assert_int_equal(mkfifo(scratch_path("pipe"), 0600), 0);
	refuse_file(scratch_path("pipe"), "is not a regular file");
	memset(large, '\n', sizeof(large));
	scratch_write("large", large, sizeof(large));
	refuse_file(scratch_path("large"), "File too large");
	scratch_remove();
}

/* Any number of workers at once; all have the one that is there then. */
static void
made_once(void **state)
{
	struct keys *k, *again;
	char path[512];
	struct stat st;
	int i, status;
	pid_t pid[8];

	(void)state;
	scratch_make();
	(void)snprintf(path, sizeof(path), "%s", scratch_path("made"));
	for (i = 0; i < 8; i++) {
		if ((pid[i] = fork()) != 0)
			continue;
		k = keys_make(path, why, sizeof(why));
		_exit(k == NULL ? 255 : keys_id(k, 0)[0] & 127);
	}
	k = keys_make(path, why, sizeof(why));
	assert_non_null(k);
	for (i = 0; i < 8; i++) {
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), keys_id(k, 0)[0] & 127);
	}
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_nlink, 1);
	again = keys_make(path, why, sizeof(why));
	assert_non_null(again);
	assert_memory_equal(keys_id(again, 0), keys_id(k, 0), KEY_ID_BYTES);
	keys_free(again);
	keys_free(k);
	/* Never over something that is there. */
	assert_int_equal(truncate(path, 0), 0);
	assert_null(keys_make(path, why, sizeof(why)));
	assert_non_null(strstr(why, "there is no key in it"));
	assert_null(keys_make(scratch_path("absent/made"), why, sizeof(why)));
	assert_non_null(strstr(why, "No such file"));
	scratch_remove();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back),
		cmocka_unit_test(no_two_are_alike),
		cmocka_unit_test(ends_with_its_time),
		cmocka_unit_test(any_bit_counts),
		cmocka_unit_test(all_of_it_counts),
		cmocka_unit_test(other_forms),
		cmocka_unit_test(odd_tokens),
		cmocka_unit_test(rotation),
		cmocka_unit_test(known_tokens),
		cmocka_unit_test(keys_that_are_none),
		cmocka_unit_test(files),
		cmocka_unit_test(made_once),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
