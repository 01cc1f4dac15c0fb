/* SPDX-License-Identifier: BSD-2-Clause */
/* The block auth: how clients say who they are. */
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "config/builder.h"
#include "config/keys.h"

#define REALM_MAX	128

static const char *const auth_types[] = { "jwt", "basic", "certificate",
	NULL };
/* In the order of enum conf_user_from. */
static const char *const user_froms[] = { "cn", "dn", "serial", "fingerprint",
	NULL };
/* In the order of enum conf_jwt. */
static const char *const algorithms[] = { "HS256", "HS384", "HS512", "RS256",
	"ES256", "EdDSA", NULL };

static const struct hostd_key auth_keys[] = {
	KEY_ENUM("type", "jwt", auth_types, "Signed tokens (JSON Web Tokens), "
	    "or names and passwords (HTTP's Basic), or certificates that a "
	    "client_ca has signed."),
	KEY_RANGE("realm", STRING, NULL, 0, REALM_MAX, "What browsers call it "
	    "when they ask for a password; default: the block's name."),
	KEY_RANGE("remember", DURATION, "10m", 0, DAY, "Who was let in is let "
	    "in again for so long, by the same token or password, without "
	    "checking its signature or hash, unless the token expires or the "
	    "file changes; 0: never."),
	KEY_ENUM("algorithm", NULL, algorithms, "JWT: the algorithm of "
	    "signatures.  Tokens with any other are refused."),
	KEY("secret", SECRET, NULL, "HS: the secret, at least as long as the "
	    "hash: 32, 48 or 64 bytes."),
	KEY("secret_file", PATH, NULL, "HS: file with a secret in each line; "
	    "any of them will do."),
	KEY("secret_env", STRING, NULL, "HS: the variable of the environment "
	    "that has the secret."),
	KEY("key_file", PATH, NULL, "RS256, ES256, EdDSA: file with public "
	    "keys or certificates, in PEM; any of them will do."),
	KEY("jwks_file", PATH, NULL, "File with a JSON Web Key Set, in which a "
	    "token's kid selects a key for the algorithm; without a kid, there "
	    "must be only one."),
	KEY("issuer", STRING, NULL, "JWT: what iss must be; default: "
	    "anything."),
	KEY("audience", LIST, NULL, "JWT: aud must be, or have, one of these; "
	    "default: anything."),
	KEY_RANGE("leeway", DURATION, "0s", 0, DAY, "JWT: how much clocks may "
	    "differ, for exp and nbf."),
	KEY("from", LIST, "header", "JWT: where the token is, in this order: "
	    "\"header\" (Authorization: Bearer), \"cookie:NAME\", "
	    "\"query:NAME\", and for WebSockets \"subprotocol:PREFIX\", a "
	    "subprotocol that begins so; it is agreed to only if the plugin "
	    "says so."),
	KEY("user_claim", STRING, "sub", "JWT: the claim that is the user's "
	    "name."),
	KEY("users_file", PATH, NULL, "Basic: file with lines "
	    "\"name:hash\", as htpasswd -B writes them; hashes are bcrypt, "
	    "yescrypt, SHA-512 or SHA-256 of crypt(5)."),
	KEY_ENUM("user_from", "cn", user_froms, "Certificate: what is the "
	    "user's name: of the subject, its only CN or all of it, as "
	    "RFC 2253 writes it; or the serial number or the SHA-256 of the "
	    "certificate, in hexadecimal."),
	KEY("users", LIST, NULL, "Certificate: who may come; default: "
	    "everybody who has one."),
};

const struct conf_rows auth_rows = CONF_ROWS(auth_keys);

struct conf_auth *
find_auth(struct builder *b, const char *name, const struct conf_pos *pos)
{
	const char *names[257];
	struct conf_auth *a;
	size_t i = 0;

	if (name == NULL)
		return NULL;	/* it has no value, which has been said */
	TAILQ_FOREACH(a, &b->conf->auths, entry) {
		if (strcmp(a->name, name) == 0)
			return a;
		if (i < 256)
			names[i++] = a->name;
	}
	names[i] = NULL;
	no_such(b, pos, "auth", name, names);
	return NULL;
}

/* -- where the token is -- */

static const struct {
	const char *prefix;
	int where;
} places[] = {
	{ "cookie:", CONF_TOKEN_COOKIE }, { "query:", CONF_TOKEN_QUERY },
	{ "subprotocol:", CONF_TOKEN_SUBPROTOCOL },
};

/* 0 or -1. */
static int
place_parse(const char *text, struct conf_token *t)
{
	size_t i, n;

	if (strcmp(text, "header") == 0) {
		t->where = CONF_TOKEN_HEADER;
		return 0;
	}
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		n = strlen(places[i].prefix);
		if (strncmp(text, places[i].prefix, n) != 0 ||
		    text[n] == '\0')
			continue;
		t->where = places[i].where;
		t->name = xstrdup(text + n);
		return 0;
	}
	return -1;
}

static void
take_places(struct builder *b, struct conf_auth *a)
{
	size_t i, n;
	char **list = copy_list(b, "from", &n);

	a->from = xcalloc(n + 1, sizeof(*a->from));
	if (n == 0)
		conf_error(b->errs, pos_of(b, "from"), "\"from\" is empty: no "
		    "request would have a token");
	for (i = 0; i < n; i++) {
		if (place_parse(list[i], &a->from[a->nfrom]) == 0)
			a->nfrom++;
		else
			conf_error(b->errs, pos_of(b, "from"), "from \"%s\" is "
			    "none of \"header\", \"cookie:NAME\", "
			    "\"query:NAME\" and \"subprotocol:PREFIX\"",
			    list[i]);
		free(list[i]);
	}
	free(list);
}

/* -- what belongs to which type -- */

static const char *const jwt_keys[] = { "algorithm", "secret", "secret_file",
	"secret_env", "key_file", "jwks_file", "issuer", "audience", "leeway",
	"from", "user_claim", NULL };
static const char *const basic_keys[] = { "users_file", NULL };
static const char *const certificate_keys[] = { "user_from", "users", NULL };
/* One of these has the keys. */
static const char *const sources[] = { "secret", "secret_file", "secret_env",
	"key_file", "jwks_file", NULL };

static void
refuse_keys(struct builder *b, const char *const *keys, const char *type)
{
	for (; *keys != NULL; keys++)
		if (is_set(b, *keys))
			conf_error(b->errs, pos_of(b, *keys), "\"%s\" is for "
			    "type = %s", *keys, type);
}

static void
check_jwt(struct builder *b, const struct conf_auth *a)
{
	const char *const *key;
	int n = 0;

	refuse_keys(b, basic_keys, "basic");
	refuse_keys(b, certificate_keys, "certificate");
	for (key = sources; *key != NULL; key++)
		if (is_set(b, *key) && n++ > 0)
			conf_error(b->errs, pos_of(b, *key), "\"%s\": the "
			    "keys are already given another way", *key);
	if (!is_set(b, "algorithm")) {
		conf_error(b->errs, &a->pos, "auth \"%s\" needs the key "
		    "\"algorithm\": tokens do not choose theirs", a->name);
		return;
	}
	if (n == 0)
		conf_error(b->errs, &a->pos, "auth \"%s\" has nothing to check "
		    "signatures with: add secret_file, secret_env, secret, "
		    "key_file or jwks_file", a->name);
	if (a->algorithm < CONF_JWT_RS256 && is_set(b, "key_file"))
		conf_error(b->errs, pos_of(b, "key_file"), "\"key_file\" has "
		    "public keys, which are not for %s; write secret_file",
		    text_of(b, "algorithm"));
	if (a->algorithm >= CONF_JWT_RS256 && (a->secret != NULL ||
	    a->secret_file != NULL || a->secret_env != NULL))
		conf_error(b->errs, &a->pos, "auth \"%s\": a secret is for "
		    "HS256, HS384 and HS512; %s takes key_file or jwks_file",
		    a->name, text_of(b, "algorithm"));
}

/* It stands in quotes in a header.  The key has this limit, a name has not. */
static void
check_realm(struct builder *b, const struct conf_auth *a)
{
	const unsigned char *p = (const unsigned char *)a->realm;

	if (strlen(a->realm) > REALM_MAX)
		conf_error(b->errs, &a->pos, "auth \"%.32s...\": its name has "
		    "more than %d bytes, and browsers are told it; add "
		    "\"realm\"", a->name, REALM_MAX);

	for (; *p >= 0x20 && *p != 0x7f && *p != '"' && *p != '\\'; p++)
		;
	if (*p != '\0')
		conf_error(b->errs, pos_of(b, "realm"), "\"realm\" has a byte "
		    "(0x%02x) that it may not have: a quote, a backslash or a "
		    "control character", *p);
}

static void
take_jwt(struct builder *b, struct conf_auth *a)
{
	if (is_set(b, "algorithm"))
		a->algorithm = (int)num_of(b, "algorithm");
	a->secret = copy_text(b, "secret");
	a->secret_file = path_of(b, "secret_file");
	a->secret_env = copy_text(b, "secret_env");
	a->key_file = path_of(b, "key_file");
	a->jwks_file = path_of(b, "jwks_file");
	a->issuer = copy_text(b, "issuer");
	a->audience = copy_list(b, "audience", &a->naudience);
	a->leeway = num_of(b, "leeway");
	a->user_claim = copy_text(b, "user_claim");
	take_places(b, a);
}

static void
check_basic(struct builder *b, const struct conf_auth *a)
{
	refuse_keys(b, jwt_keys, "jwt");
	refuse_keys(b, certificate_keys, "certificate");
	if (a->users_file == NULL)
		conf_error(b->errs, &a->pos, "auth \"%s\" needs the key "
		    "\"users_file\": lines \"name:hash\", as htpasswd -B "
		    "writes them", a->name);
}

static void
check_certificate(struct builder *b, const struct conf_auth *a)
{
	const struct conf_tls *t;

	refuse_keys(b, jwt_keys, "jwt");
	refuse_keys(b, basic_keys, "basic");
	TAILQ_FOREACH(t, &b->conf->tls, entry)
		if (t->client_ca.path != NULL)
			return;
	conf_error(b->errs, &a->pos, "auth \"%s\": no tls block asks clients "
	    "for certificates; add client_certificates = optional and "
	    "client_ca to one", a->name);
}

void
build_auth(struct builder *b, const struct conf_node *n)
{
	struct conf_auth *a = xcalloc(1, sizeof(*a));

	a->pos = n->pos;
	a->name = xstrdup(n->title);
	a->type = (int)num_of(b, "type");
	take_jwt(b, a);
	a->users_file = path_of(b, "users_file");
	a->user_from = (int)num_of(b, "user_from");
	a->users = copy_list(b, "users", &a->nusers);
	a->remember = num_of(b, "remember");
	a->realm = copy_text(b, "realm");
	if (a->realm == NULL)
		a->realm = xstrdup(a->name);
	check_realm(b, a);
	TAILQ_INSERT_TAIL(&b->conf->auths, a, entry);
	if (a->type == CONF_AUTH_JWT)
		check_jwt(b, a);
	else if (a->type == CONF_AUTH_BASIC)
		check_basic(b, a);
	else
		check_certificate(b, a);
}

void
free_auth(struct conf_auth *a)
{
	size_t i;

	for (i = 0; i < a->nfrom; i++)
		free(a->from[i].name);
	for (i = 0; i < a->naudience; i++)
		free(a->audience[i]);
	for (i = 0; i < a->nusers; i++)
		free(a->users[i]);
	free(a->users);
	if (a->secret != NULL)
		explicit_bzero(a->secret, strlen(a->secret));
	free(a->from);
	free(a->audience);
	free(a->secret);
	free(a->secret_file);
	free(a->secret_env);
	free(a->key_file);
	free(a->jwks_file);
	free(a->issuer);
	free(a->user_claim);
	free(a->users_file);
	free(a->realm);
	free(a->name);
	free(a);
}
