/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include "base/map.h"
#include "base/mem.h"
#include "net/tls_sessions.h"

/* Servers of one SSL_CTX: names have new addresses now and then. */
#define SESSIONS_MAX	256

struct kept {
	TAILQ_ENTRY(kept) link;		/* the oldest comes first */
	char *server;
	SSL_SESSION *session;
};

struct sessions {
	struct map by_server;
	TAILQ_HEAD(, kept) all;
	size_t n;
};

static int in_ctx = -1, in_ssl = -1;

static void
drop(struct sessions *s, struct kept *k)
{
	(void)map_del(&s->by_server, k->server, strlen(k->server));
	TAILQ_REMOVE(&s->all, k, link);
	s->n--;
	SSL_SESSION_free(k->session);
	free(k->server);
	free(k);
}

/* -- what is OpenSSL's to free -- */

static void
free_sessions(void *parent, void *p, CRYPTO_EX_DATA *data, int i, long argl,
    void *argp)
{
	struct sessions *s = p;
	struct kept *k;

	(void)parent;
	(void)data;
	(void)i;
	(void)argl;
	(void)argp;
	if (s == NULL)
		return;
	while ((k = TAILQ_FIRST(&s->all)) != NULL)
		drop(s, k);
	map_free(&s->by_server);
	free(s);
}

static void
free_server(void *parent, void *p, CRYPTO_EX_DATA *data, int i, long argl,
    void *argp)
{
	(void)parent;
	(void)data;
	(void)i;
	(void)argl;
	(void)argp;
	free(p);
}

static int
has_places(void)
{
	if (in_ctx == -1)
		in_ctx = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL,
		    free_sessions);
	if (in_ssl == -1)
		in_ssl = SSL_get_ex_new_index(0, NULL, NULL, NULL,
		    free_server);
	return in_ctx != -1 && in_ssl != -1;
}

/* -- one connection -- */

static struct sessions *
sessions_of(const SSL *ssl)
{
	return in_ctx == -1 ? NULL :
	    SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), in_ctx);
}

/* NULL: it is to no server whose sessions are kept. */
static char *
server_of(const SSL *ssl)
{
	return in_ssl == -1 ? NULL : SSL_get_ex_data(ssl, in_ssl);
}

static struct kept *
find(const struct sessions *s, const char *server)
{
	return map_get(&s->by_server, server, strlen(server));
}

static void
add(struct sessions *s, const char *server, SSL_SESSION *session)
{
	struct kept *k = find(s, server);

	if (k != NULL)
		drop(s, k);
	else if (s->n == SESSIONS_MAX)
		drop(s, TAILQ_FIRST(&s->all));
	k = xcalloc(1, sizeof(*k));
	k->server = xstrdup(server);
	k->session = session;
	TAILQ_INSERT_TAIL(&s->all, k, link);
	(void)map_put(&s->by_server, server, strlen(server), k);
	s->n++;
}

/* 1: it is ours now. */
static int
take(SSL *ssl, SSL_SESSION *session)
{
	struct sessions *s = sessions_of(ssl);
	const char *server = server_of(ssl);

	if (s == NULL || server == NULL ||
	    !SSL_SESSION_is_resumable(session))
		return 0;
	add(s, server, session);
	return 1;
}

int
tls_sessions_keep(SSL_CTX *ctx)
{
	struct sessions *s;

	if (!has_places())
		return -1;
	s = xcalloc(1, sizeof(*s));
	TAILQ_INIT(&s->all);
	if (SSL_CTX_set_ex_data(ctx, in_ctx, s) != 1) {
		free(s);
		return -1;
	}
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT |
	    SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, take);
	return 0;
}

void
tls_sessions_offer(SSL *ssl, const char *name, const char *address)
{
	struct sessions *s = sessions_of(ssl);
	const struct kept *k;
	SSL_SESSION *again;
	char *server;

	if (s == NULL)
		return;
	server = xasprintf("%s %s", name, address);
	if (SSL_set_ex_data(ssl, in_ssl, server) != 1) {
		free(server);
		return;
	}
	/* A copy: OpenSSL holds those of 1.3 to be for one use. */
	if ((k = find(s, server)) != NULL &&
	    (again = SSL_SESSION_dup(k->session)) != NULL) {
		(void)SSL_set_session(ssl, again);
		SSL_SESSION_free(again);
	}
}

int
tls_sessions_expects(const SSL *ssl)
{
	return server_of(ssl) != NULL && SSL_version(ssl) == TLS1_3_VERSION;
}

void
tls_sessions_forget(const SSL *ssl)
{
	struct sessions *s = sessions_of(ssl);
	const char *server = server_of(ssl);
	struct kept *k;

	if (s != NULL && server != NULL && (k = find(s, server)) != NULL)
		drop(s, k);
}
