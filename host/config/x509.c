/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include "base/log.h"
#include "base/mem.h"
#include "config/x509.h"

const char *
x509_why(void)
{
	unsigned long e = ERR_peek_last_error();
	const char *text = e == 0 ? NULL : ERR_reason_error_string(e);

	ERR_clear_error();
	return text != NULL ? text : "unknown error";
}

void
x509_free_chain(STACK_OF(X509) *chain)
{
	sk_X509_pop_free(chain, X509_free);
}

static BIO *
reader(const char *p, size_t n)
{
	BIO *b = BIO_new_mem_buf(p, (int)n);

	if (b == NULL)
		fatalx("out of memory (wanted %zu bytes)", n);
	return b;
}

STACK_OF(X509) *
x509_read_chain(const char *pem, size_t n)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	BIO *in = reader(pem, n);
	unsigned long e;
	X509 *x;

	ERR_clear_error();
	while ((x = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL)
		(void)sk_X509_push(chain, x);
	BIO_free(in);
	e = ERR_peek_last_error();
	if (sk_X509_num(chain) > 0 &&
	    ERR_GET_REASON(e) == PEM_R_NO_START_LINE) {
		ERR_clear_error();
		return chain;
	}
	x509_free_chain(chain);
	return NULL;
}

static int
give_password(char *to, int size, int is_for_writing, void *password)
{
	int n = password == NULL ? 0 : (int)strlen(password);

	(void)is_for_writing;
	if (n > size)
		return -1;
	memcpy(to, password == NULL ? "" : password, (size_t)n);
	return n;
}

EVP_PKEY *
x509_read_key(const char *pem, size_t n, const char *password)
{
	BIO *in = reader(pem, n);
	EVP_PKEY *key;

	ERR_clear_error();
	key = PEM_read_bio_PrivateKey(in, NULL, give_password,
	    (void *)(uintptr_t)password);
	BIO_free(in);
	return key;
}

int64_t
x509_time(const ASN1_TIME *t)
{
	struct tm tm;

	if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1)
		return 0;
	return timegm(&tm);
}

/* -- names -- */

static void
add_name(char ***names, size_t *n, const ASN1_STRING *text)
{
	const char *p = (const char *)ASN1_STRING_get0_data(text);
	size_t len = (size_t)ASN1_STRING_length(text), i;
	char *name;

	if (len == 0 || memchr(p, '\0', len) != NULL)
		return;
	name = xstrndup(p, len);
	for (i = 0; i < len; i++)
		if (name[i] >= 'A' && name[i] <= 'Z')
			name[i] |= 0x20;
	*names = xrealloc(*names, (*n + 1) * sizeof(char *));
	(*names)[(*n)++] = name;
}

/* Only where there are no others (RFC 9525 section 1.2 has done with it). */
static void
add_common_name(char ***names, size_t *n, const X509 *x)
{
	const X509_NAME *subject = X509_get_subject_name(x);
	int i = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

	if (i >= 0)
		add_name(names, n, X509_NAME_ENTRY_get_data(
		    X509_NAME_get_entry(subject, i)));
}

char **
x509_names(const X509 *x, size_t *n)
{
	GENERAL_NAMES *all = X509_get_ext_d2i(x, NID_subject_alt_name, NULL,
	    NULL);
	const GENERAL_NAME *g;
	char **names = NULL;
	int i;

	*n = 0;
	for (i = 0; i < sk_GENERAL_NAME_num(all); i++) {
		g = sk_GENERAL_NAME_value(all, i);
		if (g->type == GEN_DNS)
			add_name(&names, n, g->d.dNSName);
	}
	if (all == NULL)
		add_common_name(&names, n, x);
	GENERAL_NAMES_free(all);
	return names;
}

/* -- OCSP -- */

OCSP_BASICRESP *
x509_read_ocsp(const char *der, size_t n, const char **why)
{
	const unsigned char *p = (const unsigned char *)der;
	OCSP_RESPONSE *r = d2i_OCSP_RESPONSE(NULL, &p, (long)n);
	OCSP_BASICRESP *basic = NULL;

	if (r == NULL || p != (const unsigned char *)der + n)
		*why = "it is not an OCSP response in DER";
	else if (OCSP_response_status(r) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
		*why = OCSP_response_status_str(OCSP_response_status(r));
	else if ((basic = OCSP_response_get1_basic(r)) == NULL)
		*why = "it is not a basic OCSP response";
	OCSP_RESPONSE_free(r);
	ERR_clear_error();
	return basic;
}

OCSP_SINGLERESP *
x509_ocsp_of(OCSP_BASICRESP *basic, const X509 *x)
{
	OCSP_SINGLERESP *one;
	ASN1_INTEGER *serial;
	int i;

	for (i = 0; i < OCSP_resp_count(basic); i++) {
		one = OCSP_resp_get0(basic, i);
		if (OCSP_id_get0_info(NULL, NULL, NULL, &serial,
		    (OCSP_CERTID *)(uintptr_t)OCSP_SINGLERESP_get0_id(one)) ==
		    1 && ASN1_INTEGER_cmp(serial,
		    X509_get0_serialNumber(x)) == 0)
			return one;
	}
	return NULL;
}

static X509 *
issuer_of(STACK_OF(X509) *chain)
{
	X509 *x = sk_X509_value(chain, 0);
	int i;

	for (i = 1; i < sk_X509_num(chain); i++)
		if (X509_check_issued(sk_X509_value(chain, i), x) == X509_V_OK)
			return sk_X509_value(chain, i);
	return NULL;
}

/* Clocks are looked at elsewhere: what has ended is not stapled. */
static X509_STORE *
store_of(X509 *issuer)
{
	X509_STORE *store = X509_STORE_new();

	if (store == NULL || X509_STORE_add_cert(store, issuer) != 1 ||
	    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN |
	    X509_V_FLAG_NO_CHECK_TIME) != 1)
		fatalx("out of memory for a certificate");
	return store;
}

int
x509_check_ocsp(OCSP_BASICRESP *basic, STACK_OF(X509) *chain)
{
	X509 *issuer = issuer_of(chain);
	X509_STORE *store;
	int rc;

	if (issuer == NULL)
		return 1;
	store = store_of(issuer);
	ERR_clear_error();
	rc = OCSP_basic_verify(basic, chain, store, 0) == 1 ? 0 : -1;
	X509_STORE_free(store);
	return rc;
}

/* -- revocation -- */

void
x509_free_crls(STACK_OF(X509_CRL) *all)
{
	sk_X509_CRL_pop_free(all, X509_CRL_free);
}

STACK_OF(X509_CRL) *
x509_read_crls(const char *pem, size_t n)
{
	STACK_OF(X509_CRL) *all = sk_X509_CRL_new_null();
	BIO *in = reader(pem, n);
	X509_CRL *crl;

	ERR_clear_error();
	while ((crl = PEM_read_bio_X509_CRL(in, NULL, NULL, NULL)) != NULL)
		(void)sk_X509_CRL_push(all, crl);
	BIO_free(in);
	if (sk_X509_CRL_num(all) > 0 &&
	    ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE) {
		ERR_clear_error();
		return all;
	}
	x509_free_crls(all);
	return NULL;
}
