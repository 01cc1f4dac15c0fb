/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a request has its token; and claims, as they lie in their text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "auth/token.h"
#include "http/identity.h"

static struct http_req *req;
static char name[32];
static struct conf_token places[2];
static hostd_buf found;

static hostd_buf
buf_of(const char *s)
{
	return (hostd_buf){ s, strlen(s) };
}

static int
setup(void **state)
{
	(void)state;
	req = calloc(1, sizeof(*req) + 8 * sizeof(hostd_hdr));
	assert_non_null(req);
	memset(places, 0, sizeof(places));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(req);
	return 0;
}

static void
add(const char *header, const char *value)
{
	req->headers[req->view.nheaders].name = buf_of(header);
	req->headers[req->view.nheaders++].value = buf_of(value);
}

static void
is_found(const char *want)
{
	assert_int_equal(token_find(req, places, 1, &found), TOKEN_FOUND);
	assert_int_equal(found.n, strlen(want));
	if (found.n > 0)
		assert_memory_equal(found.p, want, found.n);
}

static void
is_not_found(void)
{
	assert_int_equal(token_find(req, places, 1, &found), TOKEN_NONE);
}

/* What the header's value gives; NULL: nothing. */
static void
gives(const char *header, const char *value, const char *want)
{
	req->view.nheaders = 0;
	add("Host", "a");
	add(header, value);
	if (want == NULL)
		is_not_found();
	else
		is_found(want);
}

static void
in_authorization(void **state)
{
	(void)state;
	gives("authorization", "Bearer a.b.c", "a.b.c");
	gives("AUTHORIZATION", "bEaReR   a.b.c  ", "a.b.c");
	gives("Authorization", "Bearer ", "");
	gives("Authorization", "Bearer", NULL);
	gives("Authorization", "Bearera.b.c", NULL);
	gives("Authorization", "Basic a.b.c", NULL);
	gives("Authorization", "", NULL);
	gives("X-Authorization", "Bearer a.b.c", NULL);
	add("Authorization", "Bearer a");
	is_found("a");
	add("authorization", "Basic b");
	assert_int_equal(token_find(req, places, 1, &found), TOKEN_TWICE);
	assert_int_equal(token_authorization(req, "Basic", &found),
	    TOKEN_TWICE);
}

static void
in_cookies(void **state)
{
	(void)state;
	(void)strcpy(name, "t");
	places[0] = (struct conf_token){ CONF_TOKEN_COOKIE, name };
	gives("Cookie", "t=1", "1");
	gives("cookie", "a=b;t=1;t=2", "1");
	gives("Cookie", "a=b; t = 1", "1");
	gives("Cookie", "tt=2; t=1 ; b", "1");
	gives("Cookie", "t=\"1\"", "1");
	gives("Cookie", "t=\"", "\"");
	gives("Cookie", "t=a=b", "a=b");
	gives("Cookie", "t=", "");
	gives("Cookie", "t", NULL);
	gives("Cookie", "T=1", NULL);
	gives("Cookie", ";;;", NULL);
	add("Cookie", "t=2");
	is_found("2");
	add("Cookie", "t=3");
	is_found("2");
}

static void
in_the_query(void **state)
{
	(void)state;
	(void)strcpy(name, "t");
	places[0] = (struct conf_token){ CONF_TOKEN_QUERY, name };
	is_not_found();
	req->view.query = buf_of("a=b&t=1&t=2");
	is_found("1");
	req->view.query = buf_of("at=1&t");
	is_not_found();
	req->view.query = buf_of("&&t=");
	is_found("");
}

static void
in_subprotocols(void **state)
{
	static const char *const offer = "Sec-WebSocket-Protocol";

	(void)state;
	(void)strcpy(name, "b.");
	places[0] = (struct conf_token){ CONF_TOKEN_SUBPROTOCOL, name };
	gives(offer, "b.1", "1");
	gives(offer, "chat , b.1,b.2", "1");
	gives(offer, "chat,b.", NULL);
	gives(offer, "ab.1", NULL);
	gives(offer, "B.1", NULL);
	gives(offer, ",,", NULL);
	add(offer, "b.2");
	is_found("2");
}

static void
in_this_order(void **state)
{
	(void)state;
	(void)strcpy(name, "t");
	places[0] = (struct conf_token){ CONF_TOKEN_COOKIE, name };
	places[1].where = CONF_TOKEN_HEADER;
	add("Authorization", "Bearer 1");
	assert_int_equal(token_find(req, places, 2, &found), TOKEN_FOUND);
	assert_memory_equal(found.p, "1", 1);
	add("Cookie", "t=2");
	assert_int_equal(token_find(req, places, 2, &found), TOKEN_FOUND);
	assert_memory_equal(found.p, "2", 1);
}

/* -- claims -- */

static void
claim_is(const char *claims, const char *key, const char *json,
    const char *says)
{
	struct buf out = { NULL, 0, 0 };
	hostd_buf got;

	if (!claim_find(buf_of(claims), buf_of(key), &got)) {
		assert_null(json);
		return;
	}
	assert_non_null(json);
	assert_int_equal(got.n, strlen(json));
	assert_memory_equal(got.p, json, got.n);
	claim_put_text(got, &out);
	assert_int_equal(out.len, strlen(says));
	if (out.len > 0)
		assert_memory_equal(out.p, says, out.len);
	buf_free(&out);
}

static void
claims(void **state)
{
	static const char all[] = " { \"a\" : \"x\" , \"b\":[1,{\"a\":\"},\"}],"
	    "\"c\\u0064\":1.50,\"e\":\"\\\"\\u00e9\\n\",\"f\":\"\","
	    "\"g\":{\"a\":2} ,\"\":null,\"a\":true }";

	(void)state;
	claim_is(all, "a", "true", "true");
	claim_is(all, "b", "[1,{\"a\":\"},\"}]", "[1,{\"a\":\"},\"}]");
	claim_is(all, "cd", "1.50", "1.50");
	claim_is(all, "e", "\"\\\"\\u00e9\\n\"", "\"\xc3\xa9\n");
	claim_is(all, "f", "\"\"", "");
	claim_is(all, "g", "{\"a\":2}", "{\"a\":2}");
	claim_is(all, "", "null", "null");
	claim_is(all, "x", NULL, NULL);
	claim_is("{}", "a", NULL, NULL);
	claim_is("", "a", NULL, NULL);
}

/* Of a text that ends anywhere it is not read further. */
static void
claims_cut_short(void **state)
{
	static const char all[] = "{\"a\":\"x\\\"y\",\"b\":[{\"c\":\"}\"}],"
	    "\"d\":\"\\u0041\"}";
	size_t n;
	char *copy;
	hostd_buf got;

	(void)state;
	for (n = 0; n < sizeof(all); n++) {
		copy = malloc(n + 1);
		assert_non_null(copy);
		memcpy(copy, all, n);
		(void)claim_find((hostd_buf){ copy, n }, buf_of("d"), &got);
		free(copy);
	}
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(in_authorization),
		CASE(in_cookies),
		CASE(in_the_query),
		CASE(in_subprotocols),
		CASE(in_this_order),
		CASE(claims),
		CASE(claims_cut_short),
	};

	return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}
