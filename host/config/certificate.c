/* SPDX-License-Identifier: BSD-2-Clause */
/* The block certificate: what is in its files, and whether it will do. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/mem.h"
#include "config/builder.h"
#include "config/keys.h"
#include "config/server.h"
#include "config/x509.h"

#define PEM_MAX		((size_t)1 << 20)
#define PASSWORD_MAX	1024
#define OCSP_MAX	((size_t)64 << 10)
#define SECURITY_BITS	112	/* RSA of 2048 */

static const struct hostd_key certificate_keys[] = {
	KEY_REQ("file", PATH, "The certificate and those that lead to its "
	    "authority, in PEM, its own first."),
	KEY("key", PATH, NULL, "Its private key, in PEM, which nobody may read "
	    "but its owner, root's group and the group ssl-cert; default: in "
	    "the same file."),
	KEY("key_password_file", PATH, NULL, "File with the password of an "
	    "encrypted key."),
	KEY("ocsp", PATH, NULL, "The authority's answer to whether it is still "
	    "good, in DER, which clients get along with it (OCSP stapling) "
	    "until it ends.  If the authority's certificate is in file, too, "
	    "the answer's signature is checked."),
	KEY("names", LIST, NULL, "Servers that it is for, \"*.example.com\" "
	    "for all of one label more; default: those in it."),
	KEY("allow_expired", BOOL, "off", "It may have expired.  Else such a "
	    "one is refused when hostd starts or reloads."),
};

const struct conf_rows certificate_rows = CONF_ROWS(certificate_keys);

/* -- the certificate -- */

/* Where nobody serves yet, it can still be told. */
static int
is_new(const struct builder *b)
{
	return b->files == NULL;
}

static void
check_times(struct builder *b, const struct conf_certificate *c)
{
	int64_t now = (int64_t)time(NULL);
	time_t t = (time_t)c->not_after;
	char text[32];
	struct tm tm;

	if (c->allow_expired || !is_new(b))
		return;
	if (c->not_before > now + 300)
		conf_error(b->errs, pos_of(b, "file"), "certificate %s is not "
		    "valid yet; look at the clock, or add allow_expired = on",
		    c->chain.path);
	if (c->not_after > now)
		return;
	(void)strftime(text, sizeof(text), "%Y-%m-%d", gmtime_r(&t, &tm));
	conf_error(b->errs, pos_of(b, "file"), "certificate %s has expired on "
	    "%s; renew it, or add allow_expired = on", c->chain.path, text);
}

static void
check_name(struct builder *b, const char *name)
{
	if (!is_host_name(strncmp(name, "*.", 2) == 0 ? name + 2 : name))
		conf_error(b->errs, pos_of(b, "names"), "name \"%s\" is "
		    "neither a host's nor \"*.name\"", name);
}

static void
take_names(struct builder *b, struct conf_certificate *c, const X509 *x)
{
	size_t i;
	char *p;

	if (!is_set(b, "names")) {
		c->names = x509_names(x, &c->nnames);
		return;
	}
	c->names = copy_list(b, "names", &c->nnames);
	for (i = 0; i < c->nnames; i++) {
		check_name(b, c->names[i]);
		for (p = c->names[i]; *p != '\0'; p++)
			if (*p >= 'A' && *p <= 'Z')
				*p |= 0x20;
		if (p > c->names[i] && p[-1] == '.')
			p[-1] = '\0';
	}
}

/* -- the key -- */

static void
check_kind(struct builder *b, const struct conf_certificate *c, EVP_PKEY *key)
{
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_RSA:
	case EVP_PKEY_RSA_PSS:
	case EVP_PKEY_EC:
	case EVP_PKEY_ED25519:
	case EVP_PKEY_ED448:
		break;
	default:
		conf_error(b->errs, pos_of(b, "file"), "certificate %s has a "
		    "key that is neither RSA, ECDSA nor EdDSA", c->chain.path);
		return;
	}
	if (EVP_PKEY_get_security_bits(key) < SECURITY_BITS)
		conf_error(b->errs, pos_of(b, "file"), "certificate %s has a "
		    "weak key, of %d bits; RSA needs 2048 at least, ECDSA 256",
		    c->chain.path, EVP_PKEY_get_bits(key));
}

static const char *
key_name(const struct builder *b)
{
	return is_set(b, "key") ? "key" : "file";
}

static void
check_key(struct builder *b, const struct conf_certificate *c, X509 *x)
{
	const char *name = key_name(b);
	EVP_PKEY *key;

	key = x509_read_key(c->key.p, c->key.n, c->password.p);
	if (key == NULL && c->password.p == NULL &&
	    strstr(c->key.p, "ENCRYPTED") != NULL)
		conf_error(b->errs, pos_of(b, name), "key %s is encrypted; "
		    "write its password to a file, and add key_password_file",
		    c->key.path);
	else if (key == NULL)
		conf_error(b->errs, pos_of(b, name), "key %s: there is no "
		    "private key in PEM in it%s (%s)", c->key.path,
		    c->password.p != NULL ? " that the password fits" : "",
		    x509_why());
	else if (X509_check_private_key(x, key) != 1)
		conf_error(b->errs, pos_of(b, name), "key %s is not that of "
		    "the first certificate in %s", c->key.path,
		    c->chain.path);
	else
		check_kind(b, c, key);
	(void)x509_why();
	EVP_PKEY_free(key);
}

static void
take_password(struct builder *b, struct conf_certificate *c)
{
	struct conf_text *t = &c->password;

	if (take_key_text(b, "key_password_file", PASSWORD_MAX, t) == -1 ||
	    t->p == NULL)
		return;
	(void)check_private(b, "key_password_file", t);
	t->p[strcspn(t->p, "\r\n")] = '\0';
}

/* 0: there is one to be looked at. */
static int
take_key(struct builder *b, struct conf_certificate *c)
{
	const char *name = key_name(b);

	take_password(b, c);
	if (text_of(b, name) == NULL ||
	    take_text(b, name, text_of(b, name), PEM_MAX, &c->key) == -1)
		return -1;
	return check_private(b, name, &c->key);
}

/* -- the OCSP response -- */

static void
check_ocsp(struct builder *b, struct conf_certificate *c,
    STACK_OF(X509) *chain)
{
	const X509 *x = sk_X509_value(chain, 0);
	const char *why = NULL;
	OCSP_BASICRESP *all = x509_read_ocsp(c->ocsp.p, c->ocsp.n, &why);
	OCSP_SINGLERESP *one = NULL;
	ASN1_GENERALIZEDTIME *next = NULL;

	if (all != NULL && (one = x509_ocsp_of(all, x)) == NULL)
		why = "it is not about this certificate";
	else if (all != NULL && x509_check_ocsp(all, chain) == -1)
		why = "the certificate's authority has not signed it";
	(void)x509_why();
	if (why != NULL)
		conf_error(b->errs, pos_of(b, "ocsp"), "ocsp %s: %s; make it "
		    "by openssl ocsp -respout", c->ocsp.path, why);
	if (one != NULL)
		(void)OCSP_single_get0_status(one, NULL, NULL, NULL, &next);
	if (next != NULL)
		c->ocsp_until = x509_time(next);
	OCSP_BASICRESP_free(all);
}

/* -- the whole -- */

static void
look_at(struct builder *b, struct conf_certificate *c,
    STACK_OF(X509) *chain, int has_key)
{
	X509 *x = sk_X509_value(chain, 0);

	c->not_before = x509_time(X509_get0_notBefore(x));
	c->not_after = x509_time(X509_get0_notAfter(x));
	take_names(b, c, x);
	check_times(b, c);
	if (has_key)
		check_key(b, c, x);
	if (c->ocsp.p != NULL)
		check_ocsp(b, c, chain);
}

void
build_certificate(struct builder *b, const struct conf_node *n)
{
	struct conf_certificate *c = xcalloc(1, sizeof(*c));
	STACK_OF(X509) *chain;
	int has_key;

	c->pos = n->pos;
	c->name = xstrdup(n->title);
	c->allow_expired = (int)num_of(b, "allow_expired");
	TAILQ_INSERT_TAIL(&b->conf->certificates, c, entry);
	has_key = take_key(b, c) == 0;
	(void)take_key_text(b, "ocsp", OCSP_MAX, &c->ocsp);
	if (take_key_text(b, "file", PEM_MAX, &c->chain) == -1 ||
	    c->chain.p == NULL)
		return;
	if ((chain = x509_read_chain(c->chain.p, c->chain.n)) != NULL)
		look_at(b, c, chain, has_key);
	else
		conf_error(b->errs, pos_of(b, "file"), "certificate %s: there "
		    "is none in PEM in it, or one is broken (%s)",
		    c->chain.path, x509_why());
	x509_free_chain(chain);
}

void
free_certificate(struct conf_certificate *c)
{
	size_t i;

	for (i = 0; i < c->nnames; i++)
		free(c->names[i]);
	free(c->names);
	free_secret_text(&c->key);
	free_secret_text(&c->password);
	free_secret_text(&c->chain);	/* the key may be in it, too */
	free_text(&c->ocsp);
	free(c->name);
	free(c);
}
