/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An automaton whose states are bit positions: a byte's row holds, at the
 * position of each state, the state that follows.  One load and one shift a
 * byte, without a branch, whatever the text.  Text of ASCII only, which is
 * most, is passed over by words.
 */
#include <string.h>
#include "base/utf8.h"

enum {
	FAIL = 0,		/* what all rows lead to unless they say more */
	WHOLE = 6,
	NEED_1 = 12,		/* continuation bytes, of any value */
	NEED_2 = 18,
	NEED_3 = 24,
	AFTER_E0 = 30,		/* the next one has bounds of its own */
	AFTER_ED = 36,
	AFTER_F0 = 42,
	AFTER_F4 = 48
};

#define STATE_BITS	6
#define STATE_MASK	63u
#define NEXT(from, to)	((uint64_t)(to) << (from))
/* What any continuation byte does. */
#define CONTINUE (NEXT(NEED_1, WHOLE) | NEXT(NEED_2, NEED_1) | \
	    NEXT(NEED_3, NEED_2))

static const uint64_t rows[256] = {
	[0x00 ... 0x7f] = NEXT(WHOLE, WHOLE),
	[0x80 ... 0x8f] = CONTINUE | NEXT(AFTER_ED, NEED_1) |
	    NEXT(AFTER_F4, NEED_2),
	[0x90 ... 0x9f] = CONTINUE | NEXT(AFTER_ED, NEED_1) |
	    NEXT(AFTER_F0, NEED_2),
	[0xa0 ... 0xbf] = CONTINUE | NEXT(AFTER_E0, NEED_1) |
	    NEXT(AFTER_F0, NEED_2),
	[0xc2 ... 0xdf] = NEXT(WHOLE, NEED_1),
	[0xe0] = NEXT(WHOLE, AFTER_E0),
	[0xe1 ... 0xec] = NEXT(WHOLE, NEED_2),
	[0xed] = NEXT(WHOLE, AFTER_ED),
	[0xee ... 0xef] = NEXT(WHOLE, NEED_2),
	[0xf0] = NEXT(WHOLE, AFTER_F0),
	[0xf1 ... 0xf3] = NEXT(WHOLE, NEED_3),
	[0xf4] = NEXT(WHOLE, AFTER_F4),
};

/* States as they are kept between pieces.  Nothing follows FAIL. */
static const struct utf8 kept[] = {
	[FAIL / STATE_BITS] = { 1, 1, 0 },
	[WHOLE / STATE_BITS] = { 0, 0, 0 },
	[NEED_1 / STATE_BITS] = { 1, 0x80, 0xbf },
	[NEED_2 / STATE_BITS] = { 2, 0x80, 0xbf },
	[NEED_3 / STATE_BITS] = { 3, 0x80, 0xbf },
	[AFTER_E0 / STATE_BITS] = { 2, 0xa0, 0xbf },
	[AFTER_ED / STATE_BITS] = { 2, 0x80, 0x9f },
	[AFTER_F0 / STATE_BITS] = { 3, 0x90, 0xbf },
	[AFTER_F4 / STATE_BITS] = { 3, 0x80, 0x8f },
};

static uint64_t
state_of(const struct utf8 *u)
{
	unsigned s;

	if (u->left == 0)
		return WHOLE;
	for (s = AFTER_F4; s > FAIL; s -= STATE_BITS)
		if (memcmp(u, &kept[s / STATE_BITS], sizeof(*u)) == 0)
			return s;
	return FAIL;
}

#define BLOCK 32

static int
is_ascii(const uint8_t *p)
{
	uint64_t w[BLOCK / 8];

	memcpy(w, p, sizeof(w));
	return ((w[0] | w[1] | w[2] | w[3]) & 0x8080808080808080u) == 0;
}

/* Bits above a state's are what was behind it in the row. */
static inline uint64_t
step(uint64_t state, uint8_t c)
{
	return rows[c] >> (state & STATE_MASK);
}

static uint64_t
step_block(uint64_t state, const uint8_t *p)
{
	int i;

	for (i = 0; i < BLOCK; i += 4) {
		state = step(state, p[i]);
		state = step(state, p[i + 1]);
		state = step(state, p[i + 2]);
		state = step(state, p[i + 3]);
	}
	return state & STATE_MASK;
}

int
utf8_feed(struct utf8 *u, const void *text, size_t n)
{
	const uint8_t *p = text;
	uint64_t state = state_of(u);

	for (; n >= BLOCK && state != FAIL; p += BLOCK, n -= BLOCK)
		if (state != WHOLE || !is_ascii(p))
			state = step_block(state, p);
	for (; n > 0; p++, n--)
		state = step(state, *p);
	state &= STATE_MASK;
	*u = kept[state / STATE_BITS];
	return state == FAIL ? -1 : 0;
}

int
utf8_is_valid(const void *text, size_t n)
{
	struct utf8 u = { 0, 0, 0 };

	return utf8_feed(&u, text, n) == 0 && utf8_is_whole(&u);
}
