/* SPDX-License-Identifier: BSD-2-Clause */
/* Handshakes are OpenSSL's; it reads and writes memory of ours. */
#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include "base/board.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/addr.h"
#include "net/tls_context.h"
#include "net/tls_sessions.h"
#include "net/tls_state.h"

#define TELL_MS		5000	/* failures of clients are told so rarely */

/* -- OpenSSL's socket -- */

static int
bio_read(BIO *b, char *out, int room)
{
	struct tls_shake *k = BIO_get_data(b);
	size_t n = (size_t)room < k->nin ? (size_t)room : k->nin;

	BIO_clear_retry_flags(b);
	if (n == 0) {
		BIO_set_retry_read(b);
		return -1;
	}
	memcpy(out, k->in, n);
	k->in += n;
	k->nin -= n;
	return (int)n;
}

static int
bio_write(BIO *b, const char *p, int n)
{
	struct tls_shake *k = BIO_get_data(b);

	buf_append(&k->out, p, (size_t)n);
	return n;
}

static long
bio_ctrl(BIO *b, int cmd, long num, void *arg)
{
	(void)b;
	(void)num;
	(void)arg;
	return cmd == BIO_CTRL_FLUSH;
}

static const BIO_METHOD *
bio_method(void)
{
	static BIO_METHOD *m;

	if (m == NULL) {
		m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK,
		    "stream");
		if (m == NULL || !BIO_meth_set_read(m, bio_read) ||
		    !BIO_meth_set_write(m, bio_write) ||
		    !BIO_meth_set_ctrl(m, bio_ctrl))
			fatalx("OpenSSL has no room for a BIO");
	}
	return m;
}

/* -- secrets -- */

static int
hex(const char *p, unsigned char *out, size_t max)
{
	size_t n = 0;
	unsigned v;

	for (; isxdigit((unsigned char)p[0]) && isxdigit((unsigned char)p[1]) &&
	    n < max; p += 2) {
		v = (unsigned)OPENSSL_hexchar2int((unsigned char)p[0]) << 4 |
		    (unsigned)OPENSSL_hexchar2int((unsigned char)p[1]);
		out[n++] = (unsigned char)v;
	}
	return (int)n;
}

/* "LABEL random secret": OpenSSL says only here what it has agreed on. */
static void
take_secret(const SSL *ssl, const char *line)
{
	struct tls_shake *k = SSL_get_app_data(ssl);
	const char *label = strchr(line, ' ');
	const char *secret = label != NULL ? strchr(label + 1, ' ') : NULL;
	size_t n = (size_t)(label - line);

	if (k == NULL || secret == NULL)
		return;
	if (n == 23 && memcmp(line, "CLIENT_TRAFFIC_SECRET_0", n) == 0)
		k->client_len = (uint8_t)hex(secret + 1, k->client,
		    sizeof(k->client));
	if (n == 23 && memcmp(line, "SERVER_TRAFFIC_SECRET_0", n) == 0)
		k->server_len = (uint8_t)hex(secret + 1, k->server,
		    sizeof(k->server));
}

/*
 * The secrets that are wanted are made behind either side's Finished; OpenSSL
 * prints each that it tells with hundreds of calls of sprintf, so it is asked
 * for no others.
 */
static void
note_message(int written, int version, int type, const void *p, size_t n,
    SSL *ssl, void *arg)
{
	(void)written;
	(void)version;
	(void)arg;
	if (type == SSL3_RT_HANDSHAKE && n > 0 &&
	    *(const unsigned char *)p == SSL3_MT_FINISHED)
		SSL_CTX_set_keylog_callback(SSL_get_SSL_CTX(ssl), take_secret);
}

static int
do_handshake(SSL *ssl)
{
	int rc;

	ERR_clear_error();
	rc = SSL_do_handshake(ssl);
	SSL_CTX_set_keylog_callback(SSL_get_SSL_CTX(ssl), NULL);
	return rc;
}

void
tls_prepare(SSL_CTX *ctx)
{
	SSL_CTX_set_msg_callback(ctx, note_message);
	SSL_CTX_set_read_ahead(ctx, 0);
	(void)SSL_CTX_set_max_early_data(ctx, 0);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
}

static enum tls_aead
aead_of(const SSL_CIPHER *c)
{
	switch (SSL_CIPHER_get_cipher_nid(c)) {
	case NID_aes_128_gcm:
		return TLS_AES_128_GCM;
	case NID_aes_256_gcm:
		return TLS_AES_256_GCM;
	case NID_chacha20_poly1305:
		return TLS_CHACHA20_POLY1305;
	default:
		return 0;
	}
}

static int
keys_1_2(const SSL *ssl, enum tls_aead aead, struct tls_keys *client,
    struct tls_keys *server)
{
	const EVP_MD *md =
	    SSL_CIPHER_get_handshake_digest(SSL_get_current_cipher(ssl));
	unsigned char master[TLS_SECRET_MAX], its[32], ours[32];
	size_t n = SSL_SESSION_get_master_key(SSL_get_session(ssl), master,
	    sizeof(master));
	int rc;

	(void)SSL_get_client_random(ssl, its, sizeof(its));
	(void)SSL_get_server_random(ssl, ours, sizeof(ours));
	rc = md == NULL ? -1 : tls_keys_of_master(client, server, aead,
	    EVP_MD_get0_name(md), master, n, its, ours);
	OPENSSL_cleanse(master, sizeof(master));
	return rc;
}

/* The keys of both directions; -1: it is nothing that we know. */
static int
open_halves(struct tls *t, size_t written)
{
	struct tls_shake *k = t->shake;
	const SSL *ssl = k->ssl;
	enum tls_aead aead = aead_of(SSL_get_current_cipher(ssl));
	struct tls_keys client, server;
	int rc = -1;

	if (aead != 0 && SSL_version(ssl) == TLS1_2_VERSION)
		rc = keys_1_2(ssl, aead, &client, &server);
	else if (aead != 0 && SSL_version(ssl) == TLS1_3_VERSION &&
	    tls_keys_of_secret(&client, aead, k->client, k->client_len) == 0)
		rc = tls_keys_of_secret(&server, aead, k->server,
		    k->server_len);
	if (rc == 0 && !t->is_client)
		server.seq += written;
	if (rc == 0)
		rc = tls_half_open(&t->in, t->is_client ? &server : &client, 0);
	if (rc == 0)
		rc = tls_half_open(&t->out, t->is_client ? &client : &server,
		    1);
	OPENSSL_cleanse(&client, sizeof(client));
	OPENSSL_cleanse(&server, sizeof(server));
	return rc;
}

/* -- its end -- */

static void
count(struct stream *s, int resumed)
{
	struct board_counters *c = s->sio->counters;

	tls_of(s)->shake->counted = 1;
	if (c == NULL || tls_of(s)->is_client)
		return;
	if (resumed == -1)
		board_add(&c->tls_failed, 1);
	else if (resumed)
		board_add(&c->tls_resumed, 1);
	else
		board_add(&c->tls_full, 1);
}

void
tls_shake_free(struct tls *t)
{
	struct tls_shake *k = t->shake;

	if (k == NULL)
		return;
	/* Its owner has had enough. */
	if (k->heard && !k->counted)
		count(k->stream, -1);
	loop_undefer(k->stream->sio->loop, &k->begin);
	SSL_free(k->ssl);
	buf_free(&k->out);
	buf_free(&k->first);
	OPENSSL_cleanse(k, sizeof(*k));
	free(k);
	t->shake = NULL;
}

/* There may be many of them: who sends them does nothing else. */
static void
tell(struct stream *s, const char *why)
{
	struct tls_io *io = tls_io(s->sio);
	uint64_t now = s->sio->loop->now_ms;
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);
	char host[64] = "?";

	if (io->told_ms != 0 && now - io->told_ms < TELL_MS)
		return;
	io->told_ms = now;
	if (getpeername(s->io.fd, (struct sockaddr *)&ss, &len) == 0)
		(void)addr_host((struct sockaddr *)&ss, host, sizeof(host));
	log_info("a TLS handshake of %s has failed: %s", host, why);
}

/* As the owner is to know it. */
static void
fail(struct stream *s, int error, const char *why)
{
	struct tls *t = tls_of(s);

	if (t->shake->heard)
		count(s, -1);
	if (!t->is_client && error == EPROTO)
		tell(s, why);
	if (t->is_client)
		tls_sessions_forget(t->shake->ssl);
	free(t->why);
	t->why = xstrdup(why);
	stream_fail(s, error);
	s->ops->failed(s, error);
}

/* What OpenSSL says, the first thing that went wrong. */
static const char *
reason(const SSL *ssl)
{
	long verified = SSL_get_verify_result(ssl);
	const char *text = ERR_reason_error_string(ERR_peek_error());

	if (verified != X509_V_OK)
		return X509_verify_cert_error_string(verified);
	return text != NULL ? text : "for no reason that OpenSSL tells";
}

/* Records of tickets, which are under the key that is ours from now on. */
static size_t
tickets_in(const struct tls_shake *k)
{
	const unsigned char *p = (const unsigned char *)k->out.p;
	size_t at = 0, n = 0;

	for (; at + TLS_HEADER <= k->out.len; at += TLS_HEADER +
	    ((size_t)p[at + 3] << 8 | p[at + 4]))
		n += p[at] == TLS_DATA;
	return n;
}

static void
note_size(struct tls *t, const SSL *ssl)
{
	unsigned code = SSL_SESSION_get_max_fragment_length(
	    SSL_get_session(ssl));

	if (code >= 1 && code <= 4)
		t->most = (uint16_t)(256u << code);
}

/* -- tickets behind a handshake -- */

/* They are under keys whose records OpenSSL counts as we do, until there is one
 * that it does not get. */
static void
keep_tail(struct tls *t)
{
	struct tls_shake *k = t->shake;

	loop_undefer(k->stream->sio->loop, &k->begin);
	buf_free(&k->first);
	OPENSSL_cleanse(k->client, sizeof(k->client));
	OPENSSL_cleanse(k->server, sizeof(k->server));
	t->tail = k;
	t->shake = NULL;
}

void
tls_tail_hear(struct tls *t, enum tls_type type, const unsigned char *record,
    size_t n)
{
	struct tls_shake *k = t->tail;
	char nothing;
	int rc;

	/* Servers send them before anything else. */
	if (type != TLS_HANDSHAKE) {
		tls_tail_free(t);
		return;
	}
	ERR_clear_error();
	k->in = record;
	k->nin = n;
	rc = SSL_read(k->ssl, &nothing, 1);
	if (rc > 0 || SSL_get_error(k->ssl, rc) != SSL_ERROR_WANT_READ)
		tls_tail_free(t);
}

/* A session is over, and not to be kept, if OpenSSL does not know better. */
static void
free_ssl(SSL *ssl)
{
	SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(ssl);
}

void
tls_tail_free(struct tls *t)
{
	if (t->tail == NULL)
		return;
	free_ssl(t->tail->ssl);
	buf_free(&t->tail->out);
	free(t->tail);
	t->tail = NULL;
}

/* -- the last step -- */

/* The owner's turn has come. */
static void
finish(struct stream *s, size_t tickets)
{
	struct tls *t = tls_of(s);
	struct tls_shake *k = t->shake;
	SSL *ssl = k->ssl;

	if (open_halves(t, tickets) == -1) {
		fail(s, EPROTO, "OpenSSL has not told the keys, or chosen a "
		    "cipher other than AES-GCM or ChaCha20-Poly1305");
		return;
	}
	t->info = tls_info_new(ssl);
	t->info->is_refused = (uint8_t)tls_context_refuses(ssl);
	t->layer.tls = t->info;
	note_size(t, ssl);
	count(s, t->info->resumed);
	buf_append(&t->ciphertext, k->in, k->nin);
	if (t->is_client && tls_sessions_expects(ssl))
		keep_tail(t);
	else {
		free_ssl(ssl);
		k->ssl = NULL;
		tls_shake_free(t);
	}
	t->drained = !s->can_read;
	s->can_read = 1;
	if (stream_pending(s) > 0)
		stream_flush_later(s);
	s->ops->readable(s);
}

/* -- its steps -- */

/* What OpenSSL has to say; later: with the answer to what has come already. */
static int
say(struct stream *s, int later)
{
	struct buf *out = &tls_of(s)->shake->out;
	int rc;

	if (out->len == 0)
		return 0;
	rc = later ? tls_put_later(s, out->p, out->len) :
	    tls_put(s, out->p, out->len);
	out->len = 0;
	return rc;
}

/* With what there is of input: 0: it goes on; 1: it has ended, or failed, and
 * the stream may be gone. */
static int
step(struct stream *s)
{
	struct tls *t = tls_of(s);
	struct tls_shake *k = t->shake;
	size_t tickets;
	int rc;

	rc = do_handshake(k->ssl);
	tickets = SSL_version(k->ssl) == TLS1_3_VERSION ? tickets_in(k) : 0;
	if (say(s, rc == 1 && k->nin > 0) == -1) {
		fail(s, s->error, strerror(s->error));
		return 1;
	}
	if (rc == 1) {
		finish(s, tickets);
		return 1;
	}
	if (SSL_get_error(k->ssl, rc) == SSL_ERROR_WANT_READ)
		return 0;
	fail(s, EPROTO, reason(k->ssl));
	return 1;
}

/* A request in plain HTTP begins with its method. */
static int
is_method(const unsigned char *p, size_t n)
{
	return n >= 3 && isupper(p[0]) && isupper(p[1]) && isupper(p[2]);
}

static int
hear(struct stream *s, const unsigned char *p, size_t n)
{
	struct tls_shake *k = tls_of(s)->shake;

	if (!k->heard && !tls_of(s)->is_client && is_method(p, n)) {
		fail(s, EPROTOTYPE, "it does not speak TLS");
		return 1;
	}
	k->heard |= n > 0;
	k->in = p;
	k->nin = n;
	return step(s);
}

/* All that has come. */
static void
receive(struct stream *s)
{
	unsigned char *wire = tls_io(s->sio)->wire;
	ssize_t n;

	s->can_read = 1;
	while (s->can_read) {
		n = stream_receive(s, wire, TLS_WIRE);
		if (n == -1 && errno == EAGAIN)
			return;
		if (n <= 0) {
			fail(s, n == 0 ? ECONNRESET : errno,
			    "the connection was closed");
			return;
		}
		if (hear(s, wire, (size_t)n))
			return;
	}
}

void
tls_shake_ready(struct stream *s, uint32_t events)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (events & EPOLLERR) {
		(void)getsockopt(s->io.fd, SOL_SOCKET, SO_ERROR, &error, &len);
		fail(s, error != 0 ? error : ECONNRESET,
		    "the connection was closed");
		return;
	}
	if (events & EPOLLOUT) {
		s->can_write = 1;
		if (tls_push(s) == -1) {
			fail(s, s->error, strerror(s->error));
			return;
		}
	}
	/* Behind what is read there is an end, too; nobody will say so
	 * again. */
	if (events & (EPOLLRDHUP | EPOLLHUP))
		s->eof = 1;
	if (events & EPOLLIN || s->eof)
		receive(s);
}

/* -- its beginning -- */

/* A client speaks first; and what a server has read before is all there may
 * be. */
static void
begin_run(struct loop_task *task)
{
	struct tls_shake *k = (struct tls_shake *)(void *)((char *)task -
	    offsetof(struct tls_shake, begin));
	struct stream *s = k->stream;
	struct buf first = k->first;

	k->first = (struct buf){ NULL, 0, 0 };
	if (!hear(s, (const unsigned char *)first.p, first.len) &&
	    first.len > 0)
		receive(s);
	buf_free(&first);
}

void
tls_begin(struct stream *s, SSL *ssl, const void *p, size_t n)
{
	struct tls *t = tls_new(s);
	struct tls_shake *k = xcalloc(1, sizeof(*k));
	BIO *bio = BIO_new(bio_method());

	if (bio == NULL)
		fatalx("OpenSSL has no memory");
	BIO_set_data(bio, k);
	BIO_set_init(bio, 1);
	SSL_set_bio(ssl, bio, bio);
	SSL_set_app_data(ssl, k);
	t->is_client = SSL_is_server(ssl) == 0;
	t->shake = k;
	k->ssl = ssl;
	k->stream = s;
	k->begin.run = begin_run;
	s->can_read = 0;
	buf_append(&k->first, p, n);
	if (t->is_client || n > 0)
		loop_defer(s->sio->loop, &k->begin);
}
