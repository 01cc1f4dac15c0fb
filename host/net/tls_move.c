/* SPDX-License-Identifier: BSD-2-Clause */
/* A connection's keys and what was read under them, for another process. */
#include <string.h>
#include <openssl/crypto.h>
#include "base/pack.h"
#include "net/tls_state.h"

#define RECORD_VERSION	1

static void
pack_keys(const struct tls_keys *k, struct buf *b)
{
	pack_u64(b, k->seq);
	pack_u32(b, k->version);
	pack_u32(b, k->aead);
	pack_bytes(b, k->secret, k->secret_len);
	pack_bytes(b, k->key, sizeof(k->key));
	pack_bytes(b, k->iv, sizeof(k->iv));
}

static void
unpack_keys(struct unpack *u, struct tls_keys *k)
{
	hostd_buf secret, key, iv;

	memset(k, 0, sizeof(*k));
	k->seq = unpack_u64(u);
	k->version = (uint16_t)unpack_u32(u);
	k->aead = (uint8_t)unpack_u32(u);
	secret = unpack_bytes(u);
	key = unpack_bytes(u);
	iv = unpack_bytes(u);
	if (u->bad || secret.n > sizeof(k->secret) ||
	    key.n != sizeof(k->key) || iv.n != sizeof(k->iv)) {
		u->bad = 1;
		return;
	}
	k->secret_len = (uint8_t)secret.n;
	if (secret.n > 0)
		memcpy(k->secret, secret.p, secret.n);
	memcpy(k->key, key.p, key.n);
	memcpy(k->iv, iv.p, iv.n);
}

/* What has come and can't be told any more stays with who was told it. */
int
tls_save(const struct stream *s, struct buf *b)
{
	const struct tls *t = tls_of(s);

	if (t->shake != NULL || t->is_client || t->alert != 0 ||
	    t->got_close || t->sent_close || t->info->is_refused)
		return -1;
	/* What leads is gone when it is time for that. */
	if (t->waiting != NULL && (!t->lead || b != NULL))
		return -1;
	if (b == NULL)
		return 0;
	pack_u32(b, RECORD_VERSION);
	pack_keys(&t->in.keys, b);
	pack_keys(&t->out.keys, b);
	pack_u32(b, t->most);
	pack_u32(b, t->update);
	pack_u32(b, t->warned);
	pack_u32(b, t->empty);
	pack_bytes(b, t->ciphertext.p, t->ciphertext.len);
	pack_bytes(b, t->plain.p, t->plain.len);
	tls_info_pack(t->info, b);
	return 0;
}

static int
open_half(struct unpack *u, struct tls_half *h, int sealing)
{
	struct tls_keys k;
	int rc;

	unpack_keys(u, &k);
	rc = u->bad ? -1 : tls_half_open(h, &k, sealing);
	OPENSSL_cleanse(&k, sizeof(k));
	return rc;
}

static int
take(struct tls *t, struct unpack *u)
{
	hostd_buf ciphertext, plain;
	uint32_t most;

	if (unpack_u32(u) != RECORD_VERSION || open_half(u, &t->in, 0) == -1 ||
	    open_half(u, &t->out, 1) == -1)
		return -1;
	most = unpack_u32(u);
	t->update = unpack_u32(u) != 0;
	t->warned = unpack_u32(u) != 0;
	t->empty = (uint8_t)unpack_u32(u);
	ciphertext = unpack_bytes(u);
	plain = unpack_bytes(u);
	if (u->bad || most == 0 || most > TLS_PLAIN_MAX ||
	    ciphertext.n > TLS_WIRE || plain.n > TLS_PLAIN_MAX ||
	    (t->info = tls_info_unpack(u)) == NULL || !unpack_ok(u))
		return -1;
	t->most = (uint16_t)most;
	buf_append(&t->ciphertext, ciphertext.p, ciphertext.n);
	buf_append(&t->plain, plain.p, plain.n);
	return 0;
}

int
tls_resume(struct stream *s, hostd_buf record)
{
	struct unpack u = { record.p, record.n, 0 };
	struct tls *t = tls_new(s);

	if (take(t, &u) == -1) {
		/* It says nothing to whom it may belong. */
		t->sent_close = 1;
		s->layer->ops->close(s);
		s->layer = NULL;
		return -1;
	}
	t->layer.tls = t->info;
	if (t->plain.len > 0 || t->ciphertext.len > 0)
		s->can_read = 1;
	return 0;
}
