/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files with users, and what base64 a client says, behind the first NUL.
 *
 * What must hold: every user that is taken has a hash of a kind that is
 * accepted, reasons have no hash in them, and base64 has one way to be written.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>
#include "auth/htpasswd.h"
#include "base/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(int holds)
{
	if (!holds)
		abort();
}

static void
try_users(const char *p, size_t n)
{
	char why[HTPASSWD_WHY] = "";
	struct users *u = users_parse(p, n, why);
	struct map_entry *e;
	size_t it = 0, seen = 0;

	if (u == NULL) {
		must(why[0] != '\0' && strlen(why) < sizeof(why));
		must(strncmp(why, "line ", 5) == 0 ||
		    strncmp(why, "it has no user", 14) == 0);
		return;
	}
	must(u->n > 0);
	while ((e = map_next(&u->hashes, &it)) != NULL) {
		const char *hash = users_hash(u, (hostd_buf){ e->key, e->len });

		must(hash != NULL && hash[0] == '$' && strlen(hash) > 43);
		must(memchr(e->key, ':', e->len) == NULL);
		seen++;
	}
	must(seen == u->n);
	must(users_stand_in(u, (uint32_t)n) != NULL);
	users_free(u);
}

static void
try_base64(const char *p, size_t n)
{
	char *out = malloc(BASE64_ROOM(n)), *again = malloc(2 * n + 8);
	ssize_t got = base64_read(p, n, out);

	if (got >= 0) {
		(void)EVP_EncodeBlock((unsigned char *)again,
		    (unsigned char *)out, (int)got);
		must(strlen(again) == n && memcmp(again, p, n) == 0);
	}
	got = base64url_read(p, n, out);
	must(got <= (ssize_t)(n / 4 * 3 + 2));
	free(out);
	free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size == 0 ? NULL : memchr(data, 0, size);
	size_t n = nul == NULL ? size : (size_t)(nul - data);
	char *copy = malloc(size + 1);

	memcpy(copy, data, size);
	try_users(copy, n);
	try_users(copy, size);
	if (n < size)
		try_base64(copy + n + 1, size - n - 1);
	free(copy);
	return 0;
}
