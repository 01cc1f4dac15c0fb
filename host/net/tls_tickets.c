/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include "base/log.h"
#include "base/shared.h"
#include "net/tls_tickets.h"

#define PAGE_MAGIC 0x7374656b63697468ull
/* Whoever adds a field need not think of a version. */
#define PAGE_LAYOUT ((uint32_t)(sizeof(struct tls_ticket_page) * 257 + \
	sizeof(struct tls_ticket_key)))
/* How often to look again while the master is at it. */
#define TRIES 100

struct tls_ticket_page {
	uint64_t magic;
	uint32_t layout;
	_Atomic uint32_t sequence;	/* odd: it is being written */
	uint32_t n;
	uint32_t reserved;
	struct tls_ticket_key keys[TICKET_KEYS];	/* newest first */
};

uint64_t
tls_tickets_clock(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* -- a key -- */

static void
make_key(struct tls_ticket_key *k, uint64_t now_ms)
{
	memset(k, 0, sizeof(*k));
	if (getrandom(k->name, sizeof(k->name), 0) != sizeof(k->name) ||
	    getrandom(k->hmac, sizeof(k->hmac), 0) != sizeof(k->hmac) ||
	    getrandom(k->aes, sizeof(k->aes), 0) != sizeof(k->aes))
		fatal("random bytes for a ticket's key");
	k->hmac_len = sizeof(k->hmac);
	k->aes_len = sizeof(k->aes);
	k->made_ms = now_ms;
}

static void
add_key(struct tls_ticket_page *p, uint64_t now_ms)
{
	if (p->n == TICKET_KEYS)
		p->n--;
	memmove(&p->keys[1], &p->keys[0], p->n * sizeof(p->keys[0]));
	p->n++;
	make_key(&p->keys[0], now_ms);
}

/* -- the page -- */

static size_t
page_size(void)
{
	return shared_round(sizeof(struct tls_ticket_page));
}

/* Keys do not belong in a core. */
static int
taken(struct tls_tickets *t, void *page)
{
	if (page == NULL)
		return -1;
	t->page = page;
	(void)madvise(page, page_size(), MADV_DONTDUMP);
	return 0;
}

static int
map_own(struct tls_tickets *t, int fd)
{
	t->fd = t->reader = -1;
	if (taken(t, shared_map(fd, page_size())) == -1)
		return -1;
	t->fd = fd;
	t->reader = shared_reader(fd);
	if (t->reader != -1)
		return 0;
	tls_tickets_close(t);
	return -1;
}

static int
is_ours(const struct tls_tickets *t)
{
	return t->page->magic == PAGE_MAGIC && t->page->layout == PAGE_LAYOUT;
}

static int
another_version(struct tls_tickets *t)
{
	tls_tickets_close(t);
	errno = EPROTO;
	return -1;
}

int
tls_tickets_create(struct tls_tickets *t)
{
	int fd = shared_create("hostd tickets", page_size());

	if (fd == -1 || map_own(t, fd) == -1)
		return -1;
	t->page->magic = PAGE_MAGIC;
	t->page->layout = PAGE_LAYOUT;
	add_key(t->page, tls_tickets_clock());
	return 0;
}

int
tls_tickets_restore(struct tls_tickets *t, int fd)
{
	if (map_own(t, fd) == -1)
		return -1;
	return is_ours(t) ? 0 : another_version(t);
}

int
tls_tickets_attach(struct tls_tickets *t, int reader)
{
	t->fd = t->reader = -1;
	if (taken(t, shared_map_read(reader, page_size())) == -1)
		return -1;
	(void)close(reader);
	return is_ours(t) ? 0 : another_version(t);
}

void
tls_tickets_close(struct tls_tickets *t)
{
	if (t->page == NULL)
		return;
	(void)munmap(t->page, page_size());
	if (t->fd != -1)
		(void)close(t->fd);
	if (t->reader != -1)
		(void)close(t->reader);
	memset(t, 0, sizeof(*t));
}

/* -- what the master writes -- */

/* When the key at i has had its time: its last ticket was made when the next
 * key was. */
static uint64_t
ends_ms(const struct tls_ticket_page *p, unsigned i, uint64_t lifetime_ms)
{
	return p->keys[i - 1].made_ms + lifetime_ms;
}

static void
begin_writing(struct tls_ticket_page *p)
{
	/* A master that has died meanwhile leaves it odd. */
	atomic_store(&p->sequence, atomic_load(&p->sequence) | 1);
	atomic_thread_fence(memory_order_release);
}

static uint64_t
next_turn(const struct tls_ticket_page *p, uint64_t now_ms,
    uint64_t rotation_ms, uint64_t lifetime_ms)
{
	uint64_t at = p->keys[0].made_ms + rotation_ms, end;

	if (p->n > 1) {
		end = ends_ms(p, p->n - 1, lifetime_ms);
		at = end < at ? end : at;
	}
	return at > now_ms ? at - now_ms : 1;
}

uint64_t
tls_tickets_turn(struct tls_tickets *t, uint64_t now_ms, uint64_t rotation_ms,
    uint64_t lifetime_ms)
{
	struct tls_ticket_page *p = t->page;
	int is_due = p->n == 0 || now_ms - p->keys[0].made_ms >= rotation_ms;

	if (is_due || (p->n > 1 && ends_ms(p, p->n - 1, lifetime_ms) <=
	    now_ms)) {
		begin_writing(p);
		if (is_due)
			add_key(p, now_ms);
		while (p->n > 1 && ends_ms(p, p->n - 1, lifetime_ms) <= now_ms)
			OPENSSL_cleanse(&p->keys[--p->n], sizeof(p->keys[0]));
		atomic_fetch_add(&p->sequence, 1);
	}
	return next_turn(p, now_ms, rotation_ms, lifetime_ms);
}

/* -- what workers read -- */

unsigned
tls_tickets_read(const struct tls_tickets *t,
    struct tls_ticket_key to[TICKET_KEYS])
{
	const struct tls_ticket_page *p = t->page;
	uint32_t begun;
	unsigned n;
	int i;

	for (i = 0; i < TRIES; i++) {
		begun = atomic_load(&p->sequence);
		n = p->n < TICKET_KEYS ? p->n : TICKET_KEYS;
		if (begun % 2 == 0)
			memcpy(to, p->keys, n * sizeof(to[0]));
		atomic_thread_fence(memory_order_acquire);
		if (begun % 2 == 0 && atomic_load(&p->sequence) == begun)
			return n;
		(void)sched_yield();
	}
	return 0;
}

void
tls_ticket_key_set(struct tls_ticket_key *k, const struct conf_ticket_key *c)
{
	memset(k, 0, sizeof(*k));
	memcpy(k->name, c->p, 16);
	if (c->n == 48) {
		k->aes_len = k->hmac_len = 16;
		memcpy(k->aes, c->p + 16, 16);
		memcpy(k->hmac, c->p + 32, 16);
	} else {
		k->aes_len = k->hmac_len = 32;
		memcpy(k->hmac, c->p + 16, 32);
		memcpy(k->aes, c->p + 48, 32);
	}
}

/* -- one ticket -- */

static int
ticket_mac(EVP_MAC_CTX *mac, const struct tls_ticket_key *k)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest,
		    0),
		OSSL_PARAM_construct_end()
	};

	return EVP_MAC_init(mac, k->hmac, k->hmac_len, params);
}

static const EVP_CIPHER *
ticket_cipher(const struct tls_ticket_key *k)
{
	return k->aes_len == 16 ? EVP_aes_128_cbc() : EVP_aes_256_cbc();
}

static int
ticket_make(const struct tls_ticket_key *k, unsigned char name[16],
    unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
	const EVP_CIPHER *type = ticket_cipher(k);

	memcpy(name, k->name, sizeof(k->name));
	if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(type)) != 1 ||
	    EVP_EncryptInit_ex(cipher, type, NULL, k->aes, iv) != 1 ||
	    ticket_mac(mac, k) != 1)
		return -1;
	return 1;
}

int
tls_ticket_handle(SSL *ssl, const struct tls_ticket_key *keys, unsigned n,
    unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *cipher,
    EVP_MAC_CTX *mac, int enc)
{
	unsigned i;

	if (enc)
		return n == 0 ? 0 : ticket_make(&keys[0], name, iv, cipher,
		    mac);
	for (i = 0; i < n; i++)
		if (memcmp(name, keys[i].name, sizeof(keys[i].name)) == 0)
			break;
	if (i == n)
		return 0;
	if (EVP_DecryptInit_ex(cipher, ticket_cipher(&keys[i]), NULL,
	    keys[i].aes, iv) != 1 || ticket_mac(mac, &keys[i]) != 1)
		return -1;
	/* 2: the client gets a new one; in 1.3 each is for one use. */
	return i > 0 || SSL_version(ssl) == TLS1_3_VERSION ? 2 : 1;
}
