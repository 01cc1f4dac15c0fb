/* SPDX-License-Identifier: BSD-2-Clause */
/* The block tls: how it is spoken, and with which certificates. */
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/mem.h"
#include "config/builder.h"
#include "config/keys.h"
#include "config/x509.h"

#define CA_MAX		((size_t)4 << 20)

static const char *const http2_offers[] = { "auto", "on", "off", NULL };
static const char *const client_certificates[] = { "off", "optional",
	"required", "optional_no_ca", NULL };

static const struct hostd_key tls_keys[] = {
	KEY("certificates", LIST, NULL, "Names of certificate blocks; clients "
	    "get one for the server that they name, or the first; default: "
	    "all, as they are written."),
	KEY("strict_sni", BOOL, "off", "Clients that name no server, or one "
	    "that no certificate is for, are refused."),
	KEY("versions", LIST, "1.2, 1.3", "Of TLS."),
	KEY("ciphers", LIST, NULL, "What OpenSSL calls the ciphers that may be "
	    "used, best first: AES-GCM and ChaCha20-Poly1305 with ECDHE or "
	    "DHE.  Those that start with TLS_ are for version 1.3.  Default: "
	    "all of these but DHE."),
	KEY("groups", LIST, NULL, "Curves, best first; default: X25519, P-256, "
	    "P-384."),
	KEY_ENUM("client_certificates", "off", client_certificates, "Whether "
	    "clients are asked for one.  required: whoever has none that "
	    "client_ca has signed can't connect.  optional: a client may have "
	    "none, and one with any other is answered 400.  optional_no_ca: "
	    "any will do; $ssl_client_verify says what is to be thought of "
	    "it."),
	KEY("client_ca", PATH, NULL, "Certificates, in PEM, of authorities "
	    "that clients' certificates are signed by."),
	KEY("client_crl", PATH, NULL, "Lists, in PEM, of certificates that "
	    "these authorities, each of them, have taken back.  They are read "
	    "again as certificates are; one whose time is over lets nobody "
	    "in."),
	KEY_RANGE("client_verify_depth", INT, "3", 0, 16, "How many "
	    "authorities may be between a client's and one of these."),
	KEY_RANGE("session_timeout", DURATION, "1d", 1000, 7 * DAY, "How long "
	    "a client may go on with a session, instead of a handshake from "
	    "the beginning."),
	KEY("tickets", BOOL, "on", "Clients get tickets for that."),
	KEY_RANGE("ticket_rotation", DURATION, "8h", 1000, 7 * DAY, "How often "
	    "a new key for tickets is made; the ones before are good for "
	    "session_timeout.  All blocks and workers share these keys: the "
	    "shortest time holds."),
	KEY("ticket_keys", LIST, NULL, "Files of 80 or 48 random bytes each, "
	    "for several machines that share them, as with nginx's "
	    "ssl_session_ticket_key: the first makes tickets, all are good; "
	    "default: hostd makes them."),
	KEY_RANGE("handshake_timeout", DURATION, "10s", 1, DAY, "How long a "
	    "handshake may take."),
	KEY_ENUM("http2", "auto", http2_offers, "Whether HTTP/2 is offered; "
	    "auto is on."),
};

const struct conf_rows tls_rows = CONF_ROWS(tls_keys);

struct conf_tls *
find_tls(struct builder *b, const char *name, const struct conf_pos *pos)
{
	const char *names[257];
	struct conf_tls *t;
	size_t i = 0;

	if (name == NULL)
		return NULL;	/* it has no value, which has been said */
	TAILQ_FOREACH(t, &b->conf->tls, entry) {
		if (strcmp(t->name, name) == 0)
			return t;
		if (i < 256)
			names[i++] = t->name;
	}
	names[i] = NULL;
	no_such(b, pos, "tls", name, names);
	return NULL;
}

/* -- certificates -- */

static struct conf_certificate *
find_certificate(struct builder *b, const char *name)
{
	const char *names[257];
	struct conf_certificate *c;
	size_t i = 0;

	TAILQ_FOREACH(c, &b->conf->certificates, entry) {
		if (strcmp(c->name, name) == 0)
			return c;
		if (i < 256)
			names[i++] = c->name;
	}
	names[i] = NULL;
	no_such(b, pos_of(b, "certificates"), "certificate", name, names);
	return NULL;
}

static void
add_certificate(struct conf_tls *t, struct conf_certificate *c)
{
	t->certificates = xrealloc(t->certificates, (t->ncertificates + 1) *
	    sizeof(*t->certificates));
	t->certificates[t->ncertificates++] = c;
}

static void
take_certificates(struct builder *b, struct conf_tls *t)
{
	struct conf_certificate *c;
	size_t i, n;
	char **list;

	if (!is_set(b, "certificates"))
		TAILQ_FOREACH(c, &b->conf->certificates, entry)
			add_certificate(t, c);
	list = copy_list(b, "certificates", &n);
	for (i = 0; i < n; i++) {
		if ((c = find_certificate(b, list[i])) != NULL)
			add_certificate(t, c);
		free(list[i]);
	}
	free(list);
	if (t->ncertificates == 0 && n == 0)
		conf_error(b->errs, &t->pos, "tls \"%s\" has no certificate; "
		    "add certificate \"%s\" { file = ...  key = ... }",
		    t->name, t->name);
}

/* -- the protocol -- */

void
take_versions(struct builder *b, const char *key, int *least, int *most)
{
	size_t i, n;
	char **list = copy_list(b, key, &n);
	int v;

	*least = *most = 0;
	for (i = 0; i < n; i++) {
		v = strcmp(list[i], "1.2") == 0 ? 0x0303 :
		    strcmp(list[i], "1.3") == 0 ? 0x0304 : 0;
		if (v == 0)
			conf_error(b->errs, pos_of(b, key), "version \"%s\" "
			    "is neither \"1.2\" nor \"1.3\"", list[i]);
		else if (*least == 0 || v < *least)
			*least = v;
		*most = v > *most ? v : *most;
		free(list[i]);
	}
	free(list);
	if (n == 0)
		conf_error(b->errs, pos_of(b, key), "\"%s\" is empty: nobody "
		    "could connect", key);
	if (*least == 0) {
		*least = 0x0303;
		*most = 0x0304;
	}
}

/* What there is a record layer for, with a key of its own for each
 * connection. */
static const char *const ciphers[] = { "ECDHE-ECDSA-AES128-GCM-SHA256",
	"ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
	"ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305",
	"ECDHE-RSA-CHACHA20-POLY1305", "DHE-RSA-AES128-GCM-SHA256",
	"DHE-RSA-AES256-GCM-SHA384", "DHE-RSA-CHACHA20-POLY1305",
	"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
	"TLS_CHACHA20_POLY1305_SHA256", NULL };
static const char *const groups[] = { "X25519", "P-256", "P-384", "P-521",
	"X448", "ffdhe2048", "ffdhe3072", "ffdhe4096", NULL };

static void
check_word(struct builder *b, const char *key, const char *what,
    const char *word, const char *const *words)
{
	size_t i;

	for (i = 0; words[i] != NULL; i++)
		if (strcmp(words[i], word) == 0)
			return;
	no_such(b, pos_of(b, key), what, word, words);
}

static void
join(struct buf *b, const char *word)
{
	if (b->len > 0)
		buf_puts(b, ":");
	buf_puts(b, word);
}

/* NULL when there is nothing in it. */
static char *
joined(struct buf *b)
{
	if (b->len > 0)
		buf_append(b, "", 1);
	return b->p;
}

/* OpenSSL has two lists, and a name says which it belongs to. */
static void
take_ciphers(struct builder *b, struct conf_tls *t)
{
	struct buf older = { NULL, 0, 0 }, suites = { NULL, 0, 0 };
	size_t i, n;
	char **list = copy_list(b, "ciphers", &n);

	for (i = 0; i < n; i++) {
		check_word(b, "ciphers", "modern cipher",
		    list[i], ciphers);
		join(strncmp(list[i], "TLS_", 4) == 0 ? &suites : &older,
		    list[i]);
		free(list[i]);
	}
	free(list);
	t->ciphers = joined(&older);
	t->suites = joined(&suites);
}

static void
take_groups(struct builder *b, struct conf_tls *t)
{
	struct buf all = { NULL, 0, 0 };
	size_t i, n;
	char **list = copy_list(b, "groups", &n);

	for (i = 0; i < n; i++) {
		check_word(b, "groups", "group", list[i], groups);
		join(&all, list[i]);
		free(list[i]);
	}
	free(list);
	t->groups = joined(&all);
}

/* -- clients -- */

static void
take_revoked(struct builder *b, struct conf_tls *t)
{
	STACK_OF(X509_CRL) *all;

	(void)take_key_text(b, "client_crl", CA_MAX, &t->client_crl);
	if (is_set(b, "client_crl") && !is_set(b, "client_ca"))
		conf_error(b->errs, pos_of(b, "client_crl"), "\"client_crl\" "
		    "says nothing without client_ca");
	if (t->client_crl.p == NULL)
		return;
	all = x509_read_crls(t->client_crl.p, t->client_crl.n);
	if (all == NULL)
		conf_error(b->errs, pos_of(b, "client_crl"), "client_crl %s: "
		    "there is no revocation list in PEM in it, or one is "
		    "broken (%s); make it by openssl ca -gencrl",
		    t->client_crl.path, x509_why());
	else
		x509_free_crls(all);
}

static void
take_clients(struct builder *b, struct conf_tls *t)
{
	int has_ca;

	t->client_certificates = (int)num_of(b, "client_certificates");
	t->client_verify_depth = (int)num_of(b, "client_verify_depth");
	(void)take_key_text(b, "client_ca", CA_MAX, &t->client_ca);
	take_revoked(b, t);
	has_ca = is_set(b, "client_ca");
	if (t->client_certificates == CONF_CLIENT_OFF && has_ca)
		conf_error(b->errs, pos_of(b, "client_ca"), "\"client_ca\" "
		    "says nothing without client_certificates = optional or "
		    "required");
	if (!has_ca && (t->client_certificates == CONF_CLIENT_OPTIONAL ||
	    t->client_certificates == CONF_CLIENT_REQUIRED))
		conf_error(b->errs, pos_of(b, "client_certificates"), "tls "
		    "\"%s\" needs the key \"client_ca\", the certificates "
		    "that clients' are signed by", t->name);
}

/* -- tickets -- */

static void
take_ticket_key(struct builder *b, struct conf_tls *t, const char *file)
{
	struct conf_text text = { NULL, NULL, 0 };
	struct conf_ticket_key *k;

	if (take_text(b, "ticket_keys", file, CONF_TICKET_KEY_MAX, &text) ==
	    -1) {
		free_text(&text);
		return;
	}
	(void)check_private(b, "ticket_keys", &text);
	if (text.n == 48 || text.n == 80) {
		t->ticket_keys = xrealloc(t->ticket_keys,
		    (t->nticket_keys + 1) * sizeof(*t->ticket_keys));
		k = &t->ticket_keys[t->nticket_keys++];
		memset(k, 0, sizeof(*k));
		memcpy(k->p, text.p, text.n);
		k->n = text.n;
	} else
		conf_error(b->errs, pos_of(b, "ticket_keys"), "ticket_keys "
		    "%s has %zu bytes; make it by openssl rand 80", text.path,
		    text.n);
	free_secret_text(&text);
}

int
conf_ticket_times(const struct conf *c, int64_t *rotation, int64_t *lifetime)
{
	const struct conf_tls *t;

	*rotation = *lifetime = 0;
	TAILQ_FOREACH(t, &c->tls, entry) {
		if (!t->tickets || t->nticket_keys > 0)
			continue;
		if (*rotation == 0 || t->ticket_rotation < *rotation)
			*rotation = t->ticket_rotation;
		if (t->session_timeout > *lifetime)
			*lifetime = t->session_timeout;
	}
	return *rotation != 0;
}

static void
take_tickets(struct builder *b, struct conf_tls *t)
{
	size_t i, n;
	char **list = copy_list(b, "ticket_keys", &n);

	t->tickets = (int)num_of(b, "tickets");
	t->session_timeout = num_of(b, "session_timeout");
	t->ticket_rotation = num_of(b, "ticket_rotation");
	for (i = 0; i < n; i++) {
		take_ticket_key(b, t, list[i]);
		free(list[i]);
	}
	free(list);
	if (n > 0 && is_set(b, "ticket_rotation"))
		conf_error(b->errs, pos_of(b, "ticket_rotation"),
		    "\"ticket_rotation\" is for keys that hostd makes; those "
		    "of \"ticket_keys\" change with their files");
}

/* The keys are shared by all blocks. */
static void
check_rotation(struct builder *b, const struct conf_tls *t)
{
	int64_t rotation, lifetime;

	if (conf_ticket_times(b->conf, &rotation, &lifetime) &&
	    lifetime / rotation > CONF_TICKET_ROTATIONS)
		conf_error(b->errs, is_set(b, "ticket_rotation") ?
		    pos_of(b, "ticket_rotation") : &t->pos, "keys of tickets "
		    "would change more than %d times within the longest "
		    "session_timeout; rotate less often, or end sessions "
		    "sooner", CONF_TICKET_ROTATIONS);
}

/* -- the whole -- */

void
build_tls(struct builder *b, const struct conf_node *n)
{
	struct conf_tls *t = xcalloc(1, sizeof(*t));

	t->pos = n->pos;
	t->name = xstrdup(n->title);
	TAILQ_INSERT_TAIL(&b->conf->tls, t, entry);
	take_certificates(b, t);
	t->strict_sni = (int)num_of(b, "strict_sni");
	take_versions(b, "versions", &t->min_version, &t->max_version);
	take_ciphers(b, t);
	take_groups(b, t);
	take_clients(b, t);
	take_tickets(b, t);
	check_rotation(b, t);
	t->handshake_timeout = num_of(b, "handshake_timeout");
	t->http2 = (int)num_of(b, "http2");
}

void
free_tls(struct conf_tls *t)
{
	free(t->certificates);
	free(t->ciphers);
	free(t->suites);
	free(t->groups);
	free_text(&t->client_ca);
	free_text(&t->client_crl);
	if (t->nticket_keys > 0)
		explicit_bzero(t->ticket_keys,
		    t->nticket_keys * sizeof(*t->ticket_keys));
	free(t->ticket_keys);
	free(t->name);
	free(t);
}
