/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include "sticky.h"

static void
base64url(const unsigned char *p, size_t n, char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-_";
	uint32_t bits = 0, have = 0;

	while (n-- > 0) {
		bits = bits << 8 | *p++;
		for (have += 8; have >= 6; have -= 6)
			*out++ = digits[bits >> (have - 6) & 63];
	}
	if (have > 0)
		*out++ = digits[bits << (6 - have) & 63];
	*out = '\0';
}

/* A server is its name and its address, on all machines and after a restart. */
static int32_t
token_make(const struct hostd_inst *in, const struct hostd_peer *p, char *out)
{
	unsigned char text[1024], sum[EVP_MAX_MD_SIZE];
	unsigned int n = 0;
	size_t len;

	if (p->name.n + 1 + p->addr.n > sizeof(text))
		return HOSTD_E_FULL;
	memcpy(text, p->name.p, p->name.n);
	text[p->name.n] = '\0';
	memcpy(text + p->name.n + 1, p->addr.p, p->addr.n);
	len = p->name.n + 1 + p->addr.n;
	if (HMAC(EVP_sha256(), in->secret, (int)in->secret_len, text, len,
	    sum, &n) == NULL || n < TOKEN_BYTES)
		return HOSTD_E_NOTSUP;
	base64url(sum, TOKEN_BYTES, out);
	return HOSTD_OK;
}

int32_t
tokens_make(const struct hostd_inst *in, struct group *g,
    const struct hostd_peer *const *peers)
{
	char (*tokens)[TOKEN_MAX];
	int32_t rc = HOSTD_OK;
	uint32_t i;

	for (i = 0; peers[i] != NULL; i++)
		;
	if ((tokens = calloc(i + 1, sizeof(*tokens))) == NULL)
		return HOSTD_E_NOMEM;
	for (i = 0; peers[i] != NULL && rc == HOSTD_OK; i++)
		rc = token_make(in, peers[i], tokens[i]);
	if (rc == HOSTD_OK)
		rc = servers_set(&g->servers, peers);
	if (rc != HOSTD_OK) {
		free(tokens);
		return rc;
	}
	free(g->tokens);
	g->tokens = tokens;
	return HOSTD_OK;
}

uint32_t
tokens_find(const struct group *g, hostd_buf token)
{
	uint32_t i;

	for (i = 0; i < g->servers.n; i++)
		if (token.n == strlen(g->tokens[i]) &&
		    CRYPTO_memcmp(token.p, g->tokens[i], token.n) == 0)
			return i;
	return g->servers.n;
}
