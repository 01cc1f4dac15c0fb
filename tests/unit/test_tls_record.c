/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of TLS by what RFC 8448 says they are, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/uio.h>
#include <cmocka.h>
#include <openssl/crypto.h>

#include "net/tls_record.h"

/* RFC 8448 3: simple 1-RTT handshake. */
static const char server_secret[] =
    "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643";
static const char server_key[] = "9f02283b6c9c07efc26bb9f2ac92e356";
static const char server_iv[] = "cf782b88dd83549aadf1e984";
static const char client_secret[] =
    "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5";
static const char client_key[] = "17422dda596ed5d9acd890e3c63f5051";
static const char client_iv[] = "5b78923dee08579033e523d9";
/* Its client's 50 bytes 00 01 ... 31, number 0. */
static const char client_record[] =
    "1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819"
    "a8a5b46b395bd54a9a20441e2b62974e1f5a6292a2977014bd1e3deae63aeebb21694915"
    "e4";

static size_t
unhex(const char *p, unsigned char *out)
{
	size_t n = 0;

	for (; p[0] != '\0'; p += 2)
		out[n++] = (unsigned char)(OPENSSL_hexchar2int(
		    (unsigned char)p[0]) << 4 |
		    OPENSSL_hexchar2int((unsigned char)p[1]));
	return n;
}

static struct tls_keys
keys_of(const char *secret)
{
	unsigned char bytes[TLS_SECRET_MAX];
	struct tls_keys k;
	size_t n = unhex(secret, bytes);

	assert_int_equal(tls_keys_of_secret(&k, TLS_AES_128_GCM, bytes, n), 0);
	return k;
}

static void
is_hex(const unsigned char *p, const char *want)
{
	unsigned char bytes[128];
	size_t n = unhex(want, bytes);

	assert_memory_equal(p, bytes, n);
}

static void
keys_of_a_secret(void **state)
{
	struct tls_keys k = keys_of(server_secret);

	(void)state;
	is_hex(k.key, server_key);
	is_hex(k.iv, server_iv);
	k = keys_of(client_secret);
	is_hex(k.key, client_key);
	is_hex(k.iv, client_iv);
	assert_int_equal(k.seq, 0);
	assert_int_equal(tls_keys_of_secret(&k, TLS_AES_128_GCM, k.secret, 31),
	    -1);
}

static void
a_record_of_the_rfc(void **state)
{
	struct tls_keys k = keys_of(client_secret);
	unsigned char plain[64], record[128], want[128], out[128];
	struct iovec iov[2] = { { plain, 7 }, { plain + 7, 43 } };
	size_t i, n = unhex(client_record, want);
	enum tls_alert alert;
	enum tls_type type;
	struct tls_half h;

	(void)state;
	for (i = 0; i < sizeof(plain); i++)
		plain[i] = (unsigned char)i;
	assert_int_equal(tls_half_open(&h, &k, 1), 0);
	assert_int_equal(tls_seal(&h, TLS_DATA, iov, 50, record), n);
	assert_memory_equal(record, want, n);
	assert_int_equal(h.keys.seq, 1);
	tls_half_close(&h);
	assert_int_equal(tls_half_open(&h, &k, 0), 0);
	assert_int_equal(tls_record_length(&h, want, n, &alert), n);
	assert_int_equal(tls_open(&h, want, n, out, &type, &alert), 50);
	assert_int_equal(type, TLS_DATA);
	assert_memory_equal(out, plain, 50);
	tls_half_close(&h);
}

/* Every bit of it counts, and nothing of it is to be had otherwise. */
static void
no_bit_may_change(void **state)
{
	struct tls_keys k = keys_of(client_secret);
	unsigned char record[128], out[128];
	size_t i, n = unhex(client_record, record);
	enum tls_alert alert;
	enum tls_type type;
	struct tls_half h;

	(void)state;
	for (i = 0; i < n * 8; i++) {
		/* Its length is another thing. */
		if (i / 8 == 3 || i / 8 == 4)
			continue;
		record[i / 8] ^= (unsigned char)(1u << i % 8);
		assert_int_equal(tls_half_open(&h, &k, 0), 0);
		memset(out, 0, sizeof(out));
		assert_int_equal(tls_open(&h, record, n, out, &type, &alert),
		    -1);
		assert_int_equal(alert, TLS_BAD_RECORD_MAC);
		assert_int_equal(out[1], 0);
		tls_half_close(&h);
		record[i / 8] ^= (unsigned char)(1u << i % 8);
	}
}

static void
lengths(void **state)
{
	struct tls_keys k = keys_of(client_secret);
	enum tls_alert alert;
	struct tls_half h;

	(void)state;
	assert_int_equal(tls_half_open(&h, &k, 0), 0);
#define LENGTH(record) tls_record_length(&h, (const unsigned char *)(record), \
    sizeof(record) - 1, &alert)
	assert_int_equal(LENGTH("\x17\x03\x03\x00"), 0);
	assert_int_equal(LENGTH("\x17\x03\x03\x00\x11"), 22);
	assert_int_equal(LENGTH("\x17\x03\x03\x41\x00"), 16645);
	assert_int_equal(LENGTH("\x17\x03\x03\x41\x01"), -1);
	assert_int_equal(alert, TLS_RECORD_OVERFLOW);
	assert_int_equal(LENGTH("\x17\x03\x03\x00\x10"), -1);
	assert_int_equal(alert, TLS_BAD_RECORD_MAC);
	/* In the clear there is nothing any more. */
	assert_int_equal(LENGTH("\x15\x03\x03\x00\x02"), -1);
	assert_int_equal(alert, TLS_UNEXPECTED_MESSAGE);
	assert_int_equal(LENGTH("GET / "), -1);
	assert_int_equal(alert, TLS_UNEXPECTED_MESSAGE);
	tls_half_close(&h);
}

/* What is in it is its content, a type and zeros. */
static ssize_t
opened(const unsigned char *inner, size_t n, enum tls_type *type)
{
	static unsigned char record[TLS_RECORD_MAX], out[TLS_RECORD_MAX];
	struct tls_keys k = keys_of(client_secret);
	struct iovec iov = { (void *)(uintptr_t)inner, n - 1 };
	enum tls_alert alert = 0;
	struct tls_half h;
	ssize_t len;

	/* The last byte of what is sealed is its type. */
	assert_int_equal(tls_half_open(&h, &k, 1), 0);
	len = (ssize_t)tls_seal(&h, inner[n - 1], &iov, n - 1, record);
	tls_half_close(&h);
	assert_int_equal(tls_half_open(&h, &k, 0), 0);
	len = tls_open(&h, record, (size_t)len, out, type, &alert);
	tls_half_close(&h);
	return len == -1 ? -(ssize_t)alert : len;
}

static void
padding(void **state)
{
	static unsigned char zeros[TLS_PLAIN_MAX + 2];
	enum tls_type type;

	(void)state;
	assert_int_equal(opened((const unsigned char *)"x\x17\0\0\0", 5,
	    &type), 1);
	assert_int_equal(type, TLS_DATA);
	assert_int_equal(opened((const unsigned char *)"\x15\0", 2, &type), 0);
	assert_int_equal(type, TLS_ALERT);
	assert_int_equal(opened(zeros, 20, &type), -TLS_UNEXPECTED_MESSAGE);
	zeros[TLS_PLAIN_MAX] = TLS_DATA;
	assert_int_equal(opened(zeros, TLS_PLAIN_MAX + 1, &type),
	    TLS_PLAIN_MAX);
	zeros[TLS_PLAIN_MAX + 1] = TLS_DATA;
	assert_int_equal(opened(zeros, TLS_PLAIN_MAX + 2, &type),
	    -TLS_RECORD_OVERFLOW);
}

/* Whatever parts it is of. */
static void
contents_of_any_length(void **state)
{
	static const size_t sizes[] = { 0, 1, 15, 16, 17, 2047, 2048, 2049,
		TLS_PLAIN_MAX };
	static unsigned char plain[TLS_PLAIN_MAX], record[TLS_RECORD_MAX],
	    out[TLS_RECORD_MAX];
	struct tls_keys k = keys_of(client_secret);
	struct tls_half sealing, opening;
	enum tls_alert alert;
	enum tls_type type;
	size_t i, n, part;
	ssize_t len;

	(void)state;
	for (i = 0; i < sizeof(plain); i++)
		plain[i] = (unsigned char)(i * 7);
	assert_int_equal(tls_half_open(&sealing, &k, 1), 0);
	assert_int_equal(tls_half_open(&opening, &k, 0), 0);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		n = sizes[i];
		part = n / 3;
		/* The last is longer than what is wanted of it. */
		struct iovec iov[3] = { { plain, part },
			{ plain + part, part },
			{ plain + 2 * part, sizeof(plain) - 2 * part } };

		len = (ssize_t)tls_seal(&sealing, TLS_DATA, iov, n, record);
		assert_true(len > (ssize_t)n);
		len = tls_open(&opening, record, (size_t)len, out, &type,
		    &alert);
		assert_int_equal(len, n);
		assert_int_equal(type, TLS_DATA);
		assert_memory_equal(out, plain, n);
	}
	tls_half_close(&sealing);
	tls_half_close(&opening);
}

static void
what_is_no_key(void **state)
{
	struct tls_keys k = keys_of(client_secret);
	struct tls_half h;

	(void)state;
	k.aead = 9;
	assert_int_equal(tls_half_open(&h, &k, 0), -1);
	k.aead = TLS_AES_128_GCM;
	k.secret_len = 5;
	assert_int_equal(tls_half_open(&h, &k, 0), -1);
	k.secret_len = 0;
	k.version = 0x0301;
	assert_int_equal(tls_half_open(&h, &k, 0), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_of_a_secret),
		cmocka_unit_test(a_record_of_the_rfc),
		cmocka_unit_test(no_bit_may_change),
		cmocka_unit_test(lengths),
		cmocka_unit_test(padding),
		cmocka_unit_test(contents_of_any_length),
		cmocka_unit_test(what_is_no_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
