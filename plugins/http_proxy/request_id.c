/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/random.h>
#include "request_id.h"
#include "text.h"

int
request_ids_init(struct request_ids *ids)
{
	ids->count = 0;
	return getrandom(ids->seed, sizeof(ids->seed), 0) ==
	    sizeof(ids->seed) ? 0 : -1;
}

/* A bijection that looks like chance (the finaliser of splitmix64). */
static uint64_t
scatter(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

size_t
request_id_make(struct request_ids *ids, char out[REQUEST_ID_MAX])
{
	static const char digits[] = "0123456789abcdef";
	uint64_t v[2];
	size_t i;

	ids->count++;
	v[0] = scatter(ids->seed[0] + ids->count * 0x9e3779b97f4a7c15u);
	v[1] = scatter(ids->seed[1] ^ v[0]);
	for (i = 0; i < 32; i++)
		out[i] = digits[v[i / 16] >> 4 * (i % 16) & 15];
	return 32;
}

int
request_id_is_sound(hostd_buf id)
{
	return id.n > 0 && id.n <= REQUEST_ID_MAX &&
	    text_has_only(id, "-._~+/=:@");
}
