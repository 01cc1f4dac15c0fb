/* SPDX-License-Identifier: BSD-2-Clause */
/* What is in files of certificates and keys. */
#ifndef CONFIG_X509_H
#define CONFIG_X509_H

#include <stddef.h>
#include <stdint.h>
#include <openssl/ocsp.h>
#include <openssl/x509.h>

/*
 * All certificates of a PEM text, in their order; what is not a certificate is
 * skipped.  NULL: there is none, or one is broken, see x509_why.
 */
STACK_OF(X509) *x509_read_chain(const char *pem, size_t n);
void	x509_free_chain(STACK_OF(X509) *);
/* The private key of a PEM text; password NULL: it is not encrypted. */
EVP_PKEY *x509_read_key(const char *pem, size_t n, const char *password);

/* Seconds of unix time; 0: it can't be read. */
int64_t	x509_time(const ASN1_TIME *);
/* The names of servers that it is for, of its subjectAltName or else its
 * subject, in lower case: n, and the caller's to free. */
char	**x509_names(const X509 *, size_t *n);

/* A DER text as it is stapled. */
OCSP_BASICRESP *x509_read_ocsp(const char *der, size_t n, const char **why);
/* What it says of the certificate with that serial number, or NULL. */
OCSP_SINGLERESP *x509_ocsp_of(OCSP_BASICRESP *, const X509 *);

/*
 * Has the authority of chain's first signed it, or somebody whom that has named
 * for it?  0, or -1, see x509_why; 1: the authority is not in chain.
 */
int	x509_check_ocsp(OCSP_BASICRESP *, STACK_OF(X509) *chain);
/* All revocation lists of a PEM text; NULL as with x509_read_chain. */
STACK_OF(X509_CRL) *x509_read_crls(const char *pem, size_t n);
void	x509_free_crls(STACK_OF(X509_CRL) *);

/* Of the last failure, in OpenSSL's words; and it is forgotten. */
const char *x509_why(void);

#endif
