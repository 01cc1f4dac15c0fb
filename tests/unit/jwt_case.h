/* SPDX-License-Identifier: BSD-2-Clause */
/* Tokens of any content, signed with a secret. */
#ifndef UNIT_JWT_CASE_H
#define UNIT_JWT_CASE_H

#include <string.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#define SECRET	"0123456789abcdef0123456789abcdef"

/* Base64url of n bytes at p; returns its end. */
static inline char *
put_base64url(char *out, const void *p, size_t n)
{
	char *c;
	int len = EVP_EncodeBlock((unsigned char *)out, p, (int)n);

	while (len > 0 && out[len - 1] == '=')
		len--;
	out[len] = '\0';
	for (c = out; *c != '\0'; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
	return out + len;
}

/* header "." payload "." HMAC-SHA-256, in out. */
static inline const char *
sign_token(char *out, const char *header, const void *payload, size_t n)
{
	unsigned char mac[32];
	char *p = put_base64url(out, header, strlen(header));

	*p++ = '.';
	p = put_base64url(p, payload, n);
	(void)HMAC(EVP_sha256(), SECRET, sizeof(SECRET) - 1,
	    (unsigned char *)out, (size_t)(p - out), mac, NULL);
	*p++ = '.';
	(void)put_base64url(p, mac, sizeof(mac));
	return out;
}

#endif
