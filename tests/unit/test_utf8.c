/* SPDX-License-Identifier: BSD-2-Clause */
/* UTF-8: what is text and what is not, in any pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/utf8.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define S(text) (text), sizeof(text) - 1

#define REF_BAD (-1)
#define REF_WHOLE 0
#define REF_CUT 1

static int
is_character(uint32_t cp, unsigned size)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};

	return cp >= least[size] && cp <= 0x10ffff &&
	    !(cp >= 0xd800 && cp <= 0xdfff);
}

/* Some character between those bounds? */
static int
has_character(uint32_t low, uint32_t high, unsigned size)
{
	for (; low <= high; low++)
		if (is_character(low, size))
			return 1;
	return 0;
}

/* The definition, word by word: slow, and sure. */
static int
reference(const uint8_t *p, size_t n)
{
	uint32_t low, high;
	unsigned size, i;

	for (; n > 0; p += size, n -= size) {
		size = p[0] < 0x80 ? 1
		    : p[0] < 0xc0  ? 0
		    : p[0] < 0xe0  ? 2
		    : p[0] < 0xf0  ? 3
		    : p[0] < 0xf8  ? 4
				   : 0;
		if (size == 0)
			return REF_BAD;
		low = high = size == 1 ? p[0] : p[0] & (0x7fu >> size);
		for (i = 1; i < size; i++) {
			if (i < n && (p[i] & 0xc0) != 0x80)
				return REF_BAD;
			low = low << 6 | (i < n ? p[i] & 0x3fu : 0);
			high = high << 6 | (i < n ? p[i] & 0x3fu : 0x3fu);
		}
		if (!has_character(low, high, size))
			return REF_BAD;
		if (n < size)
			return REF_CUT;
	}
	return REF_WHOLE;
}

/* What the reference would say, by pieces of step bytes. */
static int
fed(const uint8_t *p, size_t n, size_t step)
{
	struct utf8 u = {0, 0, 0};
	size_t at, piece;

	for (at = 0; at < n; at += piece) {
		piece = n - at < step ? n - at : step;
		if (utf8_feed(&u, p + at, piece) == -1)
			return REF_BAD;
	}
	return utf8_is_whole(&u) ? REF_WHOLE : REF_CUT;
}

static void
assert_is(const void *text, size_t n, int want)
{
	assert_int_equal(fed(text, n, 1), want);
	assert_int_equal(fed(text, n, SIZE_MAX), want);
	assert_int_equal(utf8_is_valid(text, n), want == REF_WHOLE);
}

/*
 * Cut at every position, by bytes and as a whole; a mistake is seen with the
 * byte that makes it.
 */
static void
assert_as_reference(const void *text, size_t n)
{
	size_t k;

	for (k = 0; k <= n; k++)
		assert_is(text, k, reference(text, k));
}

struct sample {
	const char *p;
	size_t n;
};

static void
texts(void **state)
{
	static const struct sample good[] = {{S("")}, {S("\0")}, {S("a\0b")},
	    {S("\x7f")}, {S("\xc2\x80")}, {S("\xdf\xbf")}, {S("\xe0\xa0\x80")},
	    {S("\xe1\x80\x80")}, {S("\xec\xbf\xbf")}, {S("\xed\x80\x80")},
	    {S("\xed\x9f\xbf")}, {S("\xee\x80\x80")}, {S("\xef\xbf\xbd")},
	    {S("\xef\xbf\xbe")}, {S("\xef\xbf\xbf")}, {S("\xef\xb7\x90")},
	    {S("\xef\xbb\xbftext")}, {S("\xf0\x90\x80\x80")},
	    {S("\xf0\xbf\xbf\xbf")}, {S("\xf1\x80\x80\x80")},
	    {S("\xf3\xbf\xbf\xbf")}, {S("\xf4\x80\x80\x80")},
	    {S("\xf4\x8f\xbf\xbf")},
	    {S("\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5")}};
	size_t i;

	(void)state;
	for (i = 0; i < N(good); i++) {
		assert_is(good[i].p, good[i].n, REF_WHOLE);
		assert_as_reference(good[i].p, good[i].n);
	}
}

static void
no_texts(void **state)
{
	static const struct sample bad[] = {/* continuation bytes of nothing */
	    {S("\x80")}, {S("\xbf")}, {S("\x80\xbf")}, {S("a\x80")},
	    {S("\xc3\xa9\xa9")}, {S("\xe3\x81\x82\x82")},
	    {S("\xf0\x9f\x98\x80\x80")},
	    /* cut short by something else */
	    {S("\xc3 ")}, {S("\xc3\xc3\xa9")}, {S("\xe3\x81 ")}, {S("\xe3 ")},
	    {S("\xe3\x81\xe3\x81\x82")}, {S("\xf0\x9f\x98 ")}, {S("\xf0\x9f ")},
	    {S("\xf0 ")}, {S("\xe3\x81\0")},
	    /* bytes that never are */
	    {S("\xc0")}, {S("\xc1")}, {S("\xf5")}, {S("\xf7")}, {S("\xf8")},
	    {S("\xfb")}, {S("\xfc")}, {S("\xfd")}, {S("\xfe")}, {S("\xff")},
	    {S("\xfe\xfe\xff\xff")},
	    /* overlong */
	    {S("\xc0\x80")}, {S("\xc0\xaf")}, {S("\xc1\xbf")},
	    {S("\xe0\x80\x80")}, {S("\xe0\x80\xaf")}, {S("\xe0\x9f\xbf")},
	    {S("\xf0\x80\x80\x80")}, {S("\xf0\x80\x80\xaf")},
	    {S("\xf0\x8f\xbf\xbf")}, {S("\xf8\x80\x80\x80\xaf")},
	    {S("\xf8\x87\xbf\xbf\xbf")}, {S("\xfc\x80\x80\x80\x80\xaf")},
	    {S("\xfc\x83\xbf\xbf\xbf\xbf")},
	    /* surrogates, single and paired */
	    {S("\xed\xa0\x80")}, {S("\xed\xad\xbf")}, {S("\xed\xae\x80")},
	    {S("\xed\xaf\xbf")}, {S("\xed\xb0\x80")}, {S("\xed\xbe\x80")},
	    {S("\xed\xbf\xbf")}, {S("\xed\xa0\x80\xed\xb0\x80")},
	    {S("\xed\xaf\xbf\xed\xbf\xbf")},
	    /* above U+10FFFF */
	    {S("\xf4\x90\x80\x80")}, {S("\xf4\xbf\xbf\xbf")},
	    {S("\xf5\x80\x80\x80")}, {S("\xf7\xbf\xbf\xbf")},
	    {S("\xf8\x88\x80\x80\x80")}, {S("\xfb\xbf\xbf\xbf\xbf")},
	    {S("\xfc\x84\x80\x80\x80\x80")}, {S("\xfd\xbf\xbf\xbf\xbf\xbf")}};
	size_t i;

	(void)state;
	for (i = 0; i < N(bad); i++) {
		assert_is(bad[i].p, bad[i].n, REF_BAD);
		assert_as_reference(bad[i].p, bad[i].n);
	}
}

static void
cut_texts(void **state)
{
	static const struct sample cut[] = {{S("\xc2")}, {S("\xdf")},
	    {S("\xe0")}, {S("\xe0\xa0")}, {S("\xed")}, {S("\xed\x9f")},
	    {S("\xef\xbf")}, {S("\xf0")}, {S("\xf0\x90")}, {S("\xf0\x90\x80")},
	    {S("\xf4")}, {S("\xf4\x8f")}, {S("\xf4\x8f\xbf")},
	    {S("ab\xf1\x80")}};
	size_t i;

	(void)state;
	for (i = 0; i < N(cut); i++)
		assert_is(cut[i].p, cut[i].n, REF_CUT);
}

/* The number in so many bytes, whether it may be so or not. */
static void
encode(uint8_t *out, uint32_t cp, unsigned size)
{
	unsigned i;

	for (i = size; i-- > 1; cp >>= 6)
		out[i] = 0x80 | (cp & 0x3f);
	out[0] = (uint8_t)(size == 1 ? cp : (0xf00u >> size & 0xff) | cp);
}

static void
every_number_in_every_length(void **state)
{
	static const uint32_t limit[] = {0, 0x80, 0x800, 0x10000, 0x200000};
	uint8_t text[4];
	uint32_t cp;
	unsigned size;

	(void)state;
	for (size = 1; size <= 4; size++)
		for (cp = 0; cp < limit[size]; cp++) {
			encode(text, cp, size);
			if (utf8_is_valid(text, size) != is_character(cp, size))
				fail_msg("U+%04X in %u bytes", cp, size);
		}
}

/* All bytes where something begins or ends, in all orders. */
static void
every_boundary(void **state)
{
	static const uint8_t edges[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f,
	    0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee,
	    0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff};
	uint8_t text[4];
	size_t i, all = N(edges) * N(edges) * N(edges) * N(edges);

	(void)state;
	for (i = 0; i < all; i++) {
		text[0] = edges[i % N(edges)];
		text[1] = edges[i / N(edges) % N(edges)];
		text[2] = edges[i / N(edges) / N(edges) % N(edges)];
		text[3] = edges[i / N(edges) / N(edges) / N(edges)];
		assert_is(text, sizeof(text), reference(text, sizeof(text)));
	}
}

static void
assert_among_ascii(const struct sample *what, size_t at, size_t shift, size_t n)
{
	uint8_t text[160], *p = text + shift;
	int want;

	memset(text, 'a', sizeof(text));
	memcpy(p + at, what->p, what->n);
	want = reference(p, n);
	assert_int_equal(fed(p, n, SIZE_MAX), want);
	assert_int_equal(fed(p, n, 33), want);
	assert_int_equal(fed(p, at + 1, SIZE_MAX), reference(p, at + 1));
}

/* Something at each place of a long text, at each address. */
static void
wherever_it_is(void **state)
{
	static const struct sample what[] = {{S("\xc3\xa9")},
	    {S("\xf0\x9f\x98\x80")}, {S("\xed\xa0\x80")}, {S("\xe3\x81")},
	    {S("\x80")}, {S("\xff")}, {S("\xf4\x90\x80\x80")}};
	size_t i, shift, at, n;

	(void)state;
	for (i = 0; i < N(what); i++)
		for (shift = 0; shift < 9; shift++)
			for (n = 120; n <= 128; n += 4)
				for (at = 0; at + what[i].n <= n; at++)
					assert_among_ascii(
					    &what[i], at, shift, n);
}

static uint32_t
any_character(void)
{
	static const uint32_t under[] = {0x80, 0x800, 0x10000, 0x110000};
	uint32_t cp;

	do
		cp = (uint32_t)rand() % under[rand() % 4];
	while (cp >= 0xd800 && cp <= 0xdfff);
	return cp;
}

static size_t
fill_text(uint8_t *text, size_t room)
{
	size_t n = 0;
	uint32_t cp;
	unsigned size;

	while (n + 4 <= room) {
		cp = rand() % 3 ? (uint32_t)rand() % 0x80 : any_character();
		size = 1 + (cp >= 0x80) + (cp >= 0x800) + (cp >= 0x10000);
		encode(text + n, cp, size);
		n += size;
	}
	return n;
}

/* Random text, then with a few bytes changed, in memory of just its size. */
static void
random_input(void **state)
{
	uint8_t *text;
	size_t n, room, step, i, seen[3] = {0, 0, 0};
	int round, want;

	(void)state;
	srand(1);
	for (round = 0; round < 60000; round++) {
		room = 4 + (size_t)rand() % 150;
		text = malloc(room);
		assert_non_null(text);
		n = fill_text(text, room);
		for (i = (size_t)rand() % 3; i-- > 0;)
			text[(size_t)rand() % n] = (uint8_t)rand();
		n -= (size_t)rand() % 2;
		step = 1 + (size_t)rand() % 70;
		text = realloc(text, n > 0 ? n : 1);
		assert_non_null(text);
		want = reference(text, n);
		seen[want + 1]++;
		assert_is(text, n, want);
		assert_int_equal(fed(text, n, step), want);
		free(text);
	}
	for (i = 0; i < 3; i++)
		assert_true(seen[i] > 1000);
}

/* Nothing changes nothing, in the middle of a character too. */
static void
empty_pieces(void **state)
{
	struct utf8 u = {0, 0, 0};

	(void)state;
	assert_int_equal(utf8_feed(&u, "", 0), 0);
	assert_true(utf8_is_whole(&u));
	assert_int_equal(utf8_feed(&u, "\xe0", 1), 0);
	assert_int_equal(utf8_feed(&u, "", 0), 0);
	assert_false(utf8_is_whole(&u));
	assert_int_equal(utf8_feed(&u, "\xa0\x80", 2), 0);
	assert_true(utf8_is_whole(&u));
	assert_true(utf8_is_valid(NULL, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(texts),
	    cmocka_unit_test(no_texts),
	    cmocka_unit_test(cut_texts),
	    cmocka_unit_test(every_number_in_every_length),
	    cmocka_unit_test(every_boundary),
	    cmocka_unit_test(wherever_it_is),
	    cmocka_unit_test(random_input),
	    cmocka_unit_test(empty_pieces),
	};

	return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
