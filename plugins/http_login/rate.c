/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "rate.h"

int
rate_init(struct rate *r)
{
	return getrandom(r->key, sizeof(r->key), 0) == sizeof(r->key) ? 0 : -1;
}

static void
sum(const void *a, size_t na, const void *b, size_t nb,
    unsigned char out[EVP_MAX_MD_SIZE])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (ctx == NULL || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1 ||
	    EVP_DigestUpdate(ctx, a, na) != 1 ||
	    EVP_DigestUpdate(ctx, b, nb) != 1 ||
	    EVP_DigestFinal_ex(ctx, out, NULL) != 1)
		abort();	/* out of memory */
	EVP_MD_CTX_free(ctx);
}

struct rate_tag
rate_tag_of(char kind, hostd_buf who)
{
	unsigned char out[EVP_MAX_MD_SIZE];
	struct rate_tag tag;

	sum(&kind, 1, who.p, who.n, out);
	memcpy(tag.bytes, out, sizeof(tag.bytes));
	return tag;
}

static size_t
row_of(const struct rate *r, const struct rate_tag *tag)
{
	unsigned char out[EVP_MAX_MD_SIZE];

	sum(r->key, sizeof(r->key), tag, sizeof(*tag), out);
	return ((size_t)out[0] << 8 | out[1]) % RATE_ROWS * RATE_WAYS;
}

/* RATE_WAYS: it has no place. */
static int
find_way(const struct rate_place *row, const struct rate_tag *tag)
{
	int i;

	for (i = 0; i < RATE_WAYS; i++)
		if (memcmp(&row[i].tag, tag, sizeof(*tag)) == 0)
			break;
	return i;
}

/* What one drop takes. */
static uint64_t
drop_us(struct rate_limit l)
{
	return l.ms * 1000 / l.drops;
}

uint64_t
rate_wait(const struct rate *r, struct rate_limit l,
    const struct rate_tag *tag, uint64_t now_ms)
{
	const struct rate_place *row;
	uint64_t full_us;
	int way;

	if (l.drops == 0)
		return 0;
	row = r->places + row_of(r, tag);
	full_us = now_ms * 1000 + (l.drops - 1) * drop_us(l);
	way = find_way(row, tag);
	if (way == RATE_WAYS || row[way].empty_us <= full_us)
		return 0;
	return (row[way].empty_us - full_us + 999) / 1000;
}

void
rate_put(struct rate *r, struct rate_limit l, const struct rate_tag *tag,
    uint64_t now_ms)
{
	struct rate_place *row;
	uint64_t now_us = now_ms * 1000;
	int i, way;

	if (l.drops == 0)
		return;
	row = r->places + row_of(r, tag);
	if ((way = find_way(row, tag)) == RATE_WAYS) {
		for (way = 0, i = 1; i < RATE_WAYS; i++)
			if (row[i].empty_us < row[way].empty_us)
				way = i;
		row[way].tag = *tag;
		row[way].empty_us = 0;
	}
	if (row[way].empty_us < now_us)
		row[way].empty_us = now_us;
	/* Others may tell of more than it holds. */
	if (row[way].empty_us < now_us + l.ms * 1000)
		row[way].empty_us += drop_us(l);
}

void
rate_take_back(struct rate *r, struct rate_limit l,
    const struct rate_tag *tag, uint64_t now_ms)
{
	struct rate_place *row;
	int way;

	if (l.drops == 0)
		return;
	row = r->places + row_of(r, tag);
	if ((way = find_way(row, tag)) < RATE_WAYS &&
	    row[way].empty_us > now_ms * 1000)
		row[way].empty_us -= drop_us(l);
}
