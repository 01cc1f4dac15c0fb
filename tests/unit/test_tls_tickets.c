/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys of tickets: made, read elsewhere, changed, and forgotten. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>
#include "base/shared.h"
#include "net/tls_tickets.h"

#define HOUR ((uint64_t)3600000)

static void
test_turns(void **state)
{
	struct tls_ticket_key keys[TICKET_KEYS], before[TICKET_KEYS];
	struct tls_tickets t;
	uint64_t at;
	int i;

	assert_int_equal(tls_tickets_create(&t), 0);
	assert_int_equal(tls_tickets_read(&t, before), 1);
	at = before[0].made_ms;
	/* Nothing is due yet. */
	assert_int_equal(tls_tickets_turn(&t, at + 1, HOUR, 3 * HOUR),
	    HOUR - 1);
	assert_int_equal(tls_tickets_read(&t, keys), 1);
	assert_memory_equal(&keys[0], &before[0], sizeof(keys[0]));
	/* A new one comes in front. */
	(void)tls_tickets_turn(&t, at + HOUR, HOUR, 3 * HOUR);
	assert_int_equal(tls_tickets_read(&t, keys), 2);
	assert_memory_equal(&keys[1], &before[0], sizeof(keys[0]));
	assert_memory_not_equal(keys[0].name, keys[1].name, 16);
	assert_memory_not_equal(keys[0].aes, keys[1].aes, 32);
	/* The last ticket of the first one was made then. */
	(void)tls_tickets_turn(&t, at + 4 * HOUR - 1, HOUR, 3 * HOUR);
	assert_int_equal(tls_tickets_read(&t, keys), 3);
	(void)tls_tickets_turn(&t, at + 4 * HOUR, HOUR, 3 * HOUR);
	assert_int_equal(tls_tickets_read(&t, keys), 2);
	assert_memory_not_equal(keys[1].name, before[0].name, 16);
	/* There is room for so many, whatever is asked for. */
	for (i = 1; i < 2 * TICKET_KEYS; i++)
		(void)tls_tickets_turn(&t, at + (uint64_t)(4 + i) * HOUR, HOUR,
		    1000 * HOUR);
	assert_int_equal(tls_tickets_read(&t, keys), TICKET_KEYS);
	tls_tickets_close(&t);
	(void)state;
}

static void
test_processes(void **state)
{
	struct tls_ticket_key ours[TICKET_KEYS], theirs[TICKET_KEYS];
	struct tls_tickets t, worker, successor;

	assert_int_equal(tls_tickets_create(&t), 0);
	assert_int_equal(tls_tickets_attach(&worker,
	    fcntl(t.reader, F_DUPFD_CLOEXEC, 0)), 0);
	(void)tls_tickets_turn(&t, tls_tickets_clock() + HOUR, 1, HOUR);
	assert_int_equal(tls_tickets_read(&t, ours), 2);
	assert_int_equal(tls_tickets_read(&worker, theirs), 2);
	assert_memory_equal(ours, theirs, 2 * sizeof(ours[0]));
	/* Who reads can't write. */
	assert_ptr_equal(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, t.reader,
	    0), MAP_FAILED);
	/* The next master goes on with them. */
	assert_int_equal(tls_tickets_restore(&successor,
	    fcntl(t.fd, F_DUPFD_CLOEXEC, 0)), 0);
	tls_tickets_close(&t);
	(void)tls_tickets_turn(&successor, tls_tickets_clock() + 2 * HOUR, 1,
	    10 * HOUR);
	assert_int_equal(tls_tickets_read(&worker, theirs), 3);
	assert_memory_equal(&theirs[1], &ours[0], sizeof(ours[0]));
	tls_tickets_close(&successor);
	tls_tickets_close(&worker);
	(void)state;
}

static void
test_foreign(void **state)
{
	struct tls_tickets t;
	size_t size = shared_round(1);

	/* Of a size of its own, and of ours but with something else in it. */
	assert_int_equal(tls_tickets_restore(&t, shared_create("x",
	    64 * size)), -1);
	assert_int_equal(errno, EPROTO);
	assert_int_equal(tls_tickets_restore(&t, shared_create("x", size)),
	    -1);
	assert_int_equal(errno, EPROTO);
	(void)state;
}

static void
test_configured(void **state)
{
	struct conf_ticket_key c = { .n = 80 };
	struct tls_ticket_key k;
	int i;

	for (i = 0; i < 80; i++)
		c.p[i] = (char)i;
	tls_ticket_key_set(&k, &c);
	assert_int_equal(k.aes_len, 32);
	assert_int_equal(k.hmac[0], 16);
	assert_int_equal(k.aes[0], 48);
	c.n = 48;
	tls_ticket_key_set(&k, &c);
	assert_int_equal(k.aes_len, 16);
	assert_int_equal(k.aes[0], 16);
	assert_int_equal(k.hmac[0], 32);
	assert_memory_equal(k.name, c.p, 16);
	(void)state;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_processes),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_configured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
