/* SPDX-License-Identifier: BSD-2-Clause */
/* TLS to the servers of an upstream: the keys tls and tls_*. */
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "config/builder.h"
#include "config/server.h"
#include "config/x509.h"

#define PEM_MAX	((size_t)4 << 20)

static void
check_needless(struct builder *b)
{
	static const char *const keys[] = { "tls_verify", "tls_name", "tls_ca",
		"tls_certificate", "tls_key", "tls_versions",
		"tls_session_reuse", NULL };
	size_t i;

	for (i = 0; keys[i] != NULL; i++)
		if (is_set(b, keys[i]))
			conf_error(b->errs, pos_of(b, keys[i]), "\"%s\" says "
			    "nothing without tls = on", keys[i]);
}

static void
check_chain(struct builder *b, const char *key, const struct conf_text *t)
{
	STACK_OF(X509) *all;

	if (t->p == NULL)
		return;
	if ((all = x509_read_chain(t->p, t->n)) == NULL)
		conf_error(b->errs, pos_of(b, key), "%s %s has no certificate "
		    "in PEM that can be read: %s", key, t->path, x509_why());
	else
		x509_free_chain(all);
}

static void
check_pair(struct builder *b, const struct conf_upstream_tls *t)
{
	STACK_OF(X509) *all = x509_read_chain(t->chain.p, t->chain.n);
	EVP_PKEY *key = x509_read_key(t->key.p, t->key.n, NULL);

	if (key == NULL)
		conf_error(b->errs, pos_of(b, "tls_key"), "tls_key %s has no "
		    "private key that can be read: %s", t->key.path,
		    x509_why());
	else if (all != NULL && X509_check_private_key(sk_X509_value(all, 0),
	    key) != 1)
		conf_error(b->errs, pos_of(b, "tls_key"), "tls_key %s is not "
		    "the key of the certificate in %s", t->key.path,
		    t->chain.path);
	EVP_PKEY_free(key);
	if (all != NULL)
		x509_free_chain(all);
}

static void
take_identity(struct builder *b, struct conf_upstream_tls *t)
{
	(void)take_key_text(b, "tls_certificate", PEM_MAX, &t->chain);
	(void)take_key_text(b, "tls_key", PEM_MAX, &t->key);
	check_chain(b, "tls_certificate", &t->chain);
	if (is_set(b, "tls_certificate") != is_set(b, "tls_key"))
		conf_error(b->errs, pos_of(b, is_set(b, "tls_key") ?
		    "tls_key" : "tls_certificate"), "\"tls_certificate\" and "
		    "\"tls_key\" belong together; add the other");
	if (t->key.p == NULL)
		return;
	(void)check_private(b, "tls_key", &t->key);
	if (t->chain.p != NULL)
		check_pair(b, t);
}

void
take_upstream_tls(struct builder *b, struct conf_upstream_tls *t)
{
	t->on = (int)num_of(b, "tls");
	t->verify = (int)num_of(b, "tls_verify");
	t->session_reuse = (int)num_of(b, "tls_session_reuse");
	t->name = copy_text(b, "tls_name");
	if (!t->on) {
		check_needless(b);
		return;
	}
	if (is_set(b, "proxy_protocol") && num_of(b, "proxy_protocol") != 0)
		conf_error(b->errs, pos_of(b, "tls"), "a header of the PROXY "
		    "protocol can't go before TLS; leave out "
		    "\"proxy_protocol\" or \"tls\"");
	if (t->name != NULL && !is_host_name(t->name))
		conf_error(b->errs, pos_of(b, "tls_name"), "tls_name \"%s\" is "
		    "not a host's name", t->name);
	(void)take_key_text(b, "tls_ca", PEM_MAX, &t->ca);
	check_chain(b, "tls_ca", &t->ca);
	if (!t->verify && is_set(b, "tls_ca"))
		conf_error(b->errs, pos_of(b, "tls_ca"), "\"tls_ca\" says "
		    "nothing with tls_verify = off");
	take_identity(b, t);
	take_versions(b, "tls_versions", &t->min_version, &t->max_version);
}

void
free_upstream_tls(struct conf_upstream_tls *t)
{
	free(t->name);
	free_text(&t->ca);
	free_text(&t->chain);
	free_secret_text(&t->key);
}
