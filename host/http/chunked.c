/* SPDX-License-Identifier: BSD-2-Clause */
#include "http/chunked.h"
#include "http/guard.h"

#define MAX_DIGITS	15
#define MAX_EXTENSION	256
#define MAX_TRAILERS	8192

enum {
	SIZE, EXTENSION, SIZE_LF, DATA, DATA_CR, DATA_LF,
	TRAILER_START, TRAILER_NAME, TRAILER_VALUE, TRAILER_LF, END_LF
};

static int
hex_digit(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int
is_text(unsigned char c)
{
	return (c >= 0x20 && c != 0x7f) || c == '\t';
}

static int
size_byte(struct chunked *ch, unsigned char c)
{
	int d = hex_digit(c);

	if (d >= 0) {
		if (++ch->digits > MAX_DIGITS)
			return -1;
		ch->left = ch->left << 4 | (unsigned)d;
		return SIZE;
	}
	if (ch->digits == 0)
		return -1;
	ch->overhead = 0;
	if (c == ';')
		return EXTENSION;
	return c == '\r' ? SIZE_LF : -1;
}

/* The next state after framing byte c, or -1. */
static int
framing_byte(struct chunked *ch, unsigned char c)
{
	switch (ch->state) {
	case SIZE:
		return size_byte(ch, c);
	case EXTENSION:
		if (c == '\r')
			return SIZE_LF;
		return is_text(c) && ++ch->overhead <= MAX_EXTENSION ?
		    EXTENSION : -1;
	case SIZE_LF:
		ch->overhead = 0;
		if (c != '\n')
			return -1;
		return ch->left == 0 ? TRAILER_START : DATA;
	case DATA_CR:
		return c == '\r' ? DATA_LF : -1;
	case DATA_LF:
		ch->digits = 0;
		return c == '\n' ? SIZE : -1;
	case TRAILER_START:
		if (c == '\r')
			return END_LF;
		return is_tchar(c) ? TRAILER_NAME : -1;
	case TRAILER_NAME:
		if (c == ':')
			return TRAILER_VALUE;
		return is_tchar(c) ? TRAILER_NAME : -1;
	case TRAILER_VALUE:
		if (c == '\r')
			return TRAILER_LF;
		return is_text(c) ? TRAILER_VALUE : -1;
	case TRAILER_LF:
		return c == '\n' ? TRAILER_START : -1;
	default:
		return -1;
	}
}

/* A byte between or behind chunks: 0, or -1. */
static int
framing_feed(struct chunked *ch, unsigned char c)
{
	int was = ch->state, next = framing_byte(ch, c);

	if (next < 0 ||
	    (was >= TRAILER_START && ++ch->overhead > MAX_TRAILERS))
		return -1;
	if (was >= TRAILER_START && next != END_LF && ch->trailers != NULL)
		buf_append(ch->trailers, &c, 1);
	ch->state = (uint8_t)next;
	return 0;
}

int
chunked_feed(struct chunked *ch, const char *p, size_t n, size_t *used,
    const char **data, size_t *ndata)
{
	size_t i = 0;

	*data = NULL;
	*ndata = 0;
	for (; i < n; i++) {
		if (ch->state == DATA) {
			*data = p + i;
			*ndata = n - i < ch->left ? n - i : (size_t)ch->left;
			ch->left -= *ndata;
			if (ch->left == 0)
				ch->state = DATA_CR;
			*used = i + *ndata;
			return CHUNKED_MORE;
		}
		if (ch->state == END_LF) {
			*used = i + 1;
			return p[i] == '\n' ? CHUNKED_DONE : CHUNKED_BAD;
		}
		if (framing_feed(ch, (unsigned char)p[i]) == -1) {
			*used = i;
			return CHUNKED_BAD;
		}
	}
	*used = n;
	return CHUNKED_MORE;
}
