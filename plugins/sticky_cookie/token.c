/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <base64/base64.h>
#include "sticky.h"

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
	out[base64url_encode(sum, TOKEN_BYTES, out)] = '\0';
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
