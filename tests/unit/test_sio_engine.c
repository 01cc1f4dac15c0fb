/* SPDX-License-Identifier: BSD-2-Clause */
/* Engine.IO without a host: bodies of polling, ids, queries and CORS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <hostd/easy.h>
#include "base64/base64.h"
#include "socketio/eio_cors.h"
#include "socketio/eio_id.h"
#include "socketio/eio_payload.h"
#include "socketio/eio_payload3.h"
#include "socketio/eio_query.h"

static void
assert_buf(hostd_buf b, const char *want)
{
	if (b.n != strlen(want) || memcmp(b.p, want, b.n) != 0)
		fail_msg("%.*s in place of %s", (int)b.n, (const char *)b.p,
		    want);
}

/* -- bodies -- */

/* Its packets, each in brackets. */
static void
assert_packets(const char *text, const char *want)
{
	hostd_buf body = hostd_str(text), packet;
	char all[128] = "";
	size_t n = 0;
	int state = 0;

	while (payload_next(&body, &state, &packet))
		n += (size_t)snprintf(all + n, sizeof(all) - n, "[%.*s]",
		    (int)packet.n, packet.n > 0 ? (const char *)packet.p : "");
	assert_string_equal(all, want);
}

static void
packets_of_bodies(void **state)
{
	(void)state;
	assert_packets("", "[]");
	assert_packets("4hello", "[4hello]");
	assert_packets("4a\x1e" "bAQ==\x1e" "3", "[4a][bAQ==][3]");
	assert_packets("\x1e", "[][]");
	assert_packets("4a\x1e", "[4a][]");
	assert_packets("\x1e" "4a", "[][4a]");
}

static void
bodies_of_messages(void **state)
{
	hostd_buf text = hostd_str("hi"), bins[] = { { "\1\2\3\4", 4 },
		{ "", 0 }, { "\xff\xfe\xfd", 3 }, { "\0", 1 },
		{ "\0\0", 2 } };
	struct eio_message *m[2];
	char room[128];
	hostd_buf body;

	(void)state;
	m[0] = eio_message_new(&text, 1, NULL, 0);
	m[1] = eio_message_new(NULL, 0, bins, 5);
	assert_non_null(m[0]);
	assert_non_null(m[1]);
	assert_int_equal(payload_size(m, 0), 0);
	body.p = room;
	body.n = (size_t)(payload_write(m, 2, room) - room);
	assert_int_equal(payload_size(m, 2), body.n);
	assert_buf(body, "4hi\x1e" "4\x1e" "bAQIDBA==\x1e" "b\x1e" "b//79\x1e"
	    "bAA==\x1e" "bAAA=");
	eio_message_unref(m[0]);
	eio_message_unref(m[1]);
}

/* The same in revision 3: data in angle brackets, "!" is the end of all. */
static void
assert_packets_3(hostd_buf body, int of_bytes, const char *want)
{
	enum payload3 kind = PAYLOAD3_TEXT;
	char all[128] = "";
	hostd_buf packet;
	size_t n = 0;

	while (kind != PAYLOAD3_END && kind != PAYLOAD3_BAD) {
		kind = of_bytes ? payload3_next_of_bytes(&body, &packet) :
		    payload3_next(&body, &packet);
		if (kind == PAYLOAD3_BAD)
			n += (size_t)snprintf(all + n, sizeof(all) - n, "!");
		else if (kind != PAYLOAD3_END)
			n += (size_t)snprintf(all + n, sizeof(all) - n,
			    kind == PAYLOAD3_TEXT ? "[%.*s]" : "<%.*s>",
			    (int)packet.n, (const char *)packet.p);
	}
	assert_string_equal(all, want);
}

static void
packets_of_bodies_of_revision_3(void **state)
{
	static const struct {
		const char *text, *want;
	} texts[] = {
		{ "", "" }, { "2:4a", "[4a]" }, { "1:62:4a", "[6][4a]" },
		{ "0:", "" }, { "0:0:1:2", "[2]" }, { "02:4a", "[4a]" },
		{ "4:4ä€x", "[4ä€x]" }, { "3:4😀1:2", "[4😀][2]" },
		{ "2:4😀", "!" }, { "1:😀", "!" }, { "3:4a", "!" },
		{ "2:4a1", "[4a]!" }, { ":", "!" }, { "x:4", "!" },
		{ "-1:4", "!" }, { "1", "!" }, { "1:", "!" },
		{ "1:6:", "[6]!" },
		{ "999999999:4", "!" }, { "0000000001:4", "!" },
		{ "99999999999999999999:4", "!" },
	}, bytes[] = {
		{ "\1\1\377\4", "<\4>" }, { "\1\3\377\4ab", "<\4ab>" },
		{ "\1\2\377\4", "!" }, { "\1\377", "!" }, { "\1\12\377x", "!" },
		{ "\1", "!" }, { "\1\1", "!" }, { "\2\1\377x", "<x>" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_packets_3(hostd_str(texts[i].text), 0, texts[i].want);
	for (i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++)
		assert_packets_3(hostd_str(bytes[i].text), 1, bytes[i].want);
	assert_packets_3((hostd_buf){ "", 0 }, 1, "");
	assert_packets_3((hostd_buf){ "\0\1\377" "2\1\1\377\4", 8 }, 1,
	    "[2]<\4>");
	assert_packets_3((hostd_buf){ "\0\0\377", 3 }, 1, "!");
	assert_packets_3((hostd_buf){ "\0\1\2\377hello, world", 16 }, 1,
	    "[hello, world]");
}

static void
bodies_of_messages_in_revision_3(void **state)
{
	static const char bytes[] = "\0\1\2\377" "4hi€ hi hi\0\1\377" "4"
	    "\1\3\377\4\0\1" "\1\1\377\4";
	hostd_buf text = hostd_str("hi€ hi hi"), bins[] = { { "\0\1", 2 },
		{ "", 0 } };
	struct eio_message *m[2];
	char room[256];
	hostd_buf body = { room, 0 };

	(void)state;
	m[0] = eio_message_new(&text, 1, NULL, 0);
	m[1] = eio_message_new(NULL, 0, bins, 2);
	assert_non_null(m[0]);
	assert_non_null(m[1]);
	body.n = (size_t)(payload3_write(m, 2, 0, room) - room);
	assert_buf(body, "10:4hi€ hi hi" "1:4" "6:b4AAE=" "2:b4");
	assert_true(payload3_size(m, 2) >= body.n);
	body.n = (size_t)(payload3_write(m, 2, 1, room) - room);
	assert_true(payload3_size(m, 2) >= body.n);
	assert_int_equal(body.n, sizeof(bytes) - 1);
	assert_memory_equal(room, bytes, body.n);
	/* What revision 3 has before data stands there in any message. */
	assert_memory_equal((const char *)m[1]->bins[0].p - 1, "\4\0\1", 3);
	assert_memory_equal((const char *)m[1]->bins[1].p - 1, "\4", 1);
	eio_message_unref(m[0]);
	eio_message_unref(m[1]);
}

static void
base64_is_read_as_it_was_written(void **state)
{
	unsigned char bytes[64], read[64];
	char text[BASE64_LEN(sizeof(bytes))];
	size_t n, i;

	(void)state;
	for (n = 0; n <= sizeof(bytes); n++) {
		for (i = 0; i < n; i++)
			bytes[i] = (unsigned char)(i * 37 + n);
		assert_int_equal(base64_encode(bytes, n, text), BASE64_LEN(n));
		assert_int_equal(base64_decode(text, BASE64_LEN(n), read), n);
		assert_memory_equal(read, bytes, n);
	}
}

/* -- ids -- */

static void
ids_say_where(void **state)
{
	struct eio_id_source s = { .node = 0xabcdef, .slot = 0x9a7 };
	char a[EIO_ID_LEN + 1], b[EIO_ID_LEN + 1];
	uint32_t node, slot, i;

	(void)state;
	for (i = 0; i < 100; i++) {
		assert_int_equal(eio_id_make(&s, a), 0);
		assert_int_equal(strlen(a), EIO_ID_LEN);
		assert_int_equal(eio_id_make(&s, b), 0);
		assert_string_not_equal(a, b);
		assert_int_equal(eio_id_read(hostd_str(a), &node, &slot), 0);
		assert_int_equal(node, 0xabcdef);
		assert_int_equal(slot, 0x9a7);
	}
	a[7] = '+';
	assert_int_equal(eio_id_read(hostd_str(a), &node, &slot), -1);
	assert_int_equal(eio_id_read(hostd_str("abc"), &node, &slot), -1);
	assert_int_equal(eio_id_read(hostd_str(""), &node, &slot), -1);
}

/* -- queries -- */

static struct eio_query
parsed(const char *text)
{
	struct eio_query q;

	eio_query_parse(hostd_str(text), &q);
	return q;
}

static void
queries(void **state)
{
	struct eio_query q = parsed("EIO=4&transport=polling&t=abc&sid=xy-_1");

	(void)state;
	assert_int_equal(q.transport, EIO_TRANSPORT_POLLING);
	assert_true(q.is_revision_4);
	assert_buf((hostd_buf){ q.id, q.nid }, "xy-_1");
	q = parsed("%45IO=%34&transport=web%73ocket&sid=%41%2fb+%");
	assert_int_equal(q.transport, EIO_TRANSPORT_WEBSOCKET);
	assert_true(q.is_revision_4);
	assert_buf((hostd_buf){ q.id, q.nid }, "A/b %");
	assert_false(q.wants_base64);
	assert_true(parsed("EIO=3&b64=1").wants_base64);
	assert_false(parsed("EIO=3&b64=").wants_base64);
	q = parsed("&&EIO&transport=&sid=");
	assert_int_equal(q.transport, EIO_TRANSPORT_NONE);
	assert_false(q.is_revision_4);
	assert_int_equal(q.nid, 0);
	/* The last one of two. */
	q = parsed("EIO=3&EIO=4&transport=polling&transport=x&sid=a&sid=");
	assert_int_equal(q.transport, EIO_TRANSPORT_NONE);
	assert_true(q.is_revision_4);
	assert_int_equal(q.nid, 0);
	assert_false(parsed("EIO=44").is_revision_4);
	assert_false(parsed("xEIO=4").is_revision_4);
	/* Longer than any: it is not taken for what it begins with. */
	q = parsed("sid=aaaaaaaaaaaaaaaaaaaaaaaabbb");
	assert_int_equal(q.nid, EIO_ID_LEN + 1);
	assert_int_equal(parsed("").nid, 0);
	eio_query_parse((hostd_buf){ NULL, 0 }, &q);
	assert_int_equal(q.nid, 0);
}

/* -- CORS -- */

/* The headers that an origin gets, as "name:value " of those that matter. */
static const char *
answer(const struct eio_cors *c, const char *origin, int is_preflight)
{
	static char all[512];
	hostd_hdr asks[] = { hostd_header("origin", origin),
		hostd_header("Access-Control-Request-Headers", "x-y") };
	struct hostd_request r = { .headers = asks,
		.nheaders = 2 };
	hostd_hdr h[EIO_CORS_HEADERS];
	uint32_t n, i;
	size_t at = 0;

	if (origin == NULL) {
		r.headers++;
		r.nheaders--;
	}
	n = eio_cors_headers(c, &r, is_preflight, h);
	assert_true(n <= EIO_CORS_HEADERS);
	all[0] = '\0';
	for (i = 0; i < n; i++)
		at += (size_t)snprintf(all + at, sizeof(all) - at, "%s%s:%.*s",
		    i > 0 ? " " : "", (const char *)h[i].name.p,
		    (int)h[i].value.n, (const char *)h[i].value.p);
	return all;
}

static void
origins(void **state)
{
	hostd_buf one[] = { hostd_str("http://a") }, any[] = { hostd_str("*") },
	    some[] = { hostd_str("http://a"), hostd_str("https://*.b") };
	struct eio_cors c = { .norigins = 0 };

	(void)state;
	assert_string_equal(answer(&c, "http://a", 0), "");
	c = (struct eio_cors){ .origins = one, .norigins = 1 };
	assert_string_equal(answer(&c, "http://x", 0),
	    "Access-Control-Allow-Origin:http://a Vary:Origin");
	c = (struct eio_cors){ .origins = any, .norigins = 1, .is_any = 1 };
	assert_string_equal(answer(&c, NULL, 0),
	    "Access-Control-Allow-Origin:*");
	c = (struct eio_cors){ .origins = some, .norigins = 2 };
	assert_string_equal(answer(&c, "https://c.b", 0),
	    "Access-Control-Allow-Origin:https://c.b Vary:Origin");
	assert_string_equal(answer(&c, "https://b", 0), "Vary:Origin");
	assert_string_equal(answer(&c, NULL, 0), "Vary:Origin");
	c = (struct eio_cors){ .origins = any, .norigins = 1, .is_mirror = 1,
		.credentials = 1 };
	assert_string_equal(answer(&c, "http://x", 0),
	    "Access-Control-Allow-Origin:http://x "
	    "Access-Control-Allow-Credentials:true Vary:Origin");
}

static void
preflights(void **state)
{
	static char methods[] = "GET,POST", allowed[] = "x-z", exposed[] = "e";
	hostd_buf one[] = { hostd_str("http://a") };
	struct eio_cors c = { .origins = one, .norigins = 1,
		.methods = methods };

	(void)state;
	assert_string_equal(answer(&c, "http://a", 1),
	    "Access-Control-Allow-Origin:http://a "
	    "Vary:Origin, Access-Control-Request-Headers "
	    "Access-Control-Allow-Methods:GET,POST "
	    "Access-Control-Allow-Headers:x-y");
	c.allowed = allowed;
	c.exposed = exposed;
	c.credentials = 1;
	(void)snprintf(c.max_age, sizeof(c.max_age), "60");
	assert_string_equal(answer(&c, "http://a", 1),
	    "Access-Control-Allow-Origin:http://a "
	    "Access-Control-Allow-Credentials:true Vary:Origin "
	    "Access-Control-Allow-Methods:GET,POST "
	    "Access-Control-Allow-Headers:x-z Access-Control-Max-Age:60 "
	    "Access-Control-Expose-Headers:e");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_of_bodies),
		cmocka_unit_test(bodies_of_messages),
		cmocka_unit_test(packets_of_bodies_of_revision_3),
		cmocka_unit_test(bodies_of_messages_in_revision_3),
		cmocka_unit_test(base64_is_read_as_it_was_written),
		cmocka_unit_test(ids_say_where),
		cmocka_unit_test(queries),
		cmocka_unit_test(origins),
		cmocka_unit_test(preflights),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
