/* SPDX-License-Identifier: BSD-2-Clause */
/* What is sent to clients of Socket.IO, as the reference writes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "socketio/event.h"

static hostd_buf
text(const char *s)
{
	return (hostd_buf){ s, strlen(s) };
}

static void
assert_text(struct eio_message *m, const char *want)
{
	assert_non_null(m);
	if (m->text.n != strlen(want) ||
	    memcmp(m->text.p, want, m->text.n) != 0)
		fail_msg("%.*s in place of %s", (int)m->text.n,
		    (const char *)m->text.p, want);
	eio_message_unref(m);
}

static void
events(void **state)
{
	hostd_buf v[] = { text("1"), text("{\"a\":[]}") };
	struct hostd_sio_args args = { .struct_size = sizeof(args), .n = 2,
		.v = v };
	hostd_buf offset = text("Q7xQhim.0");
	uint64_t id = 0;

	(void)state;
	assert_text(event_message(text("/"), NULL, text("a"), NULL, NULL),
	    "42[\"a\"]");
	assert_text(event_message(text("/"), NULL, text("hello"), &args, NULL),
	    "42[\"hello\",1,{\"a\":[]}]");
	assert_text(event_message(text("/admin"), &id, text("\"\n\303\251"),
	    &args, NULL), "42/admin,0[\"\\\"\\n\303\251\",1,{\"a\":[]}]");
	assert_text(event_message(text("/"), NULL, text(""), &args, &offset),
	    "42[\"\",1,{\"a\":[]},\"Q7xQhim.0\"]");
	assert_text(event_message(text("/"), NULL, text("a"), NULL, &offset),
	    "42[\"a\",\"Q7xQhim.0\"]");
}

static void
attachments_are_announced(void **state)
{
	hostd_buf v[] = { text("{\"_placeholder\":true,\"num\":1}"),
		text("{\"_placeholder\":true,\"num\":0}") };
	hostd_buf bins[] = { { "\0\1", 2 }, { NULL, 0 } };
	struct hostd_sio_args args = { .struct_size = sizeof(args), .n = 2,
		.v = v, .bins = bins, .nbins = 2 };
	struct eio_message *m;

	(void)state;
	m = event_message(text("/a"), NULL, text("b"), &args, NULL);
	assert_int_equal(m->nbins, 2);
	assert_int_equal(m->bins[0].n, 2);
	assert_memory_equal(m->bins[0].p, "\0\1", 2);
	assert_int_equal(m->bins[1].n, 0);
	assert_text(m, "452-/a,[\"b\",{\"_placeholder\":true,\"num\":1},"
	    "{\"_placeholder\":true,\"num\":0}]");
	assert_text(ack_message(text("/"), 1, &args), "462-1[{\"_placeholder\":"
	    "true,\"num\":1},{\"_placeholder\":true,\"num\":0}]");
}

static void
acknowledgements_and_others(void **state)
{
	hostd_buf v[] = { text("\"ok\""), text("1") };
	struct hostd_sio_args args = { .struct_size = sizeof(args), .n = 2,
		.v = v };

	(void)state;
	assert_text(ack_message(text("/"), 5, NULL), "435[]");
	assert_text(ack_message(text("/admin"), 0, &args),
	    "43/admin,0[\"ok\",1]");
	assert_text(packet_message(SIO_DISCONNECT, text("/admin"), text("")),
	    "41/admin,");
	assert_text(packet_message(SIO_CONNECT, text("/"),
	    text("{\"sid\":\"x\"}")), "40{\"sid\":\"x\"}");
	assert_text(packet_message(SIO_CONNECT_ERROR, text("/nope"),
	    text("{\"message\":\"Invalid namespace\"}")),
	    "44/nope,{\"message\":\"Invalid namespace\"}");
}

static void
many_arguments_and_long_names(void **state)
{
	static char name[2000], want[4096];
	hostd_buf v[500];
	struct hostd_sio_args args = { .struct_size = sizeof(args), .n = 500,
		.v = v };
	char *p = want;
	int i;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	p += sprintf(p, "42[\"%s\"", name);
	for (i = 0; i < 500; i++) {
		v[i] = text(i % 2 == 0 ? "0" : "11");
		p += sprintf(p, ",%s", i % 2 == 0 ? "0" : "11");
	}
	(void)sprintf(p, "]");
	assert_text(event_message(text("/"), NULL, text(name), &args, NULL),
	    want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events),
		cmocka_unit_test(attachments_are_announced),
		cmocka_unit_test(acknowledgements_and_others),
		cmocka_unit_test(many_arguments_and_long_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
