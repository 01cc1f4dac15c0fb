/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <sys/random.h>
#include "request_id.h"

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
	static const char other[] = "-._~+/=:@";
	const unsigned char *p = id.p;
	size_t i;

	for (i = 0; i < id.n; i++)
		if ((p[i] < '0' || p[i] > '9') &&
		    ((p[i] | 0x20) < 'a' || (p[i] | 0x20) > 'z') &&
		    (p[i] == '\0' || strchr(other, p[i]) == NULL))
			return 0;
	return id.n > 0 && id.n <= REQUEST_ID_MAX;
}
