/* SPDX-License-Identifier: BSD-2-Clause */
/* Offers of compression: what is taken, passed over and malformed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ws/extension.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define PMD "permessage-deflate"
#define SNCT "server_no_context_takeover"
#define CNCT "client_no_context_takeover"
#define SMWB "server_max_window_bits"
#define CMWB "client_max_window_bits"
#define HEADERS_MAX 4

static const struct ws_deflate_conf all = {1, 1, 15, 15};
static const struct ws_deflate_conf little = {0, 0, 10, 11};

struct offer {
	const char *offer;
	const char *answer;
	/* server's and client's takeover and bits */
	struct ws_deflate_params want;
};

/* The header, in memory of just its size. */
static int
negotiate(const char *offer, const struct ws_deflate_conf *conf,
    struct ws_deflate_params *out, char answer[WS_EXTENSION_ANSWER])
{
	size_t n = strlen(offer);
	char *copy = malloc(n > 0 ? n : 1);
	hostd_buf value = {copy, n};
	int rc;

	assert_non_null(copy);
	memcpy(copy, offer, n);
	memset(answer, '#', WS_EXTENSION_ANSWER);
	rc = ws_extension_negotiate(&value, 1, conf, out, answer);
	free(copy);
	return rc;
}

static void
assert_taken(const struct offer *o, const struct ws_deflate_conf *conf)
{
	struct ws_deflate_params got;
	char answer[WS_EXTENSION_ANSWER];
	int rc = negotiate(o->offer, conf, &got, answer);

	if (rc != 1)
		fail_msg("%d: %s", rc, o->offer);
	if (strcmp(answer, o->answer) != 0)
		fail_msg("%s: answered %s", o->offer, answer);
	if (memcmp(&got, &o->want, sizeof(got)) != 0)
		fail_msg("%s: %d %d %d %d", o->offer, got.server_takeover,
		    got.client_takeover, got.server_bits, got.client_bits);
}

static void
takes_offers(void **state)
{
	static const struct offer offers[] = {{PMD, PMD, {1, 1, 15, 15}},
	    {" \t" PMD "\t ", PMD, {1, 1, 15, 15}},
	    {PMD ";" SNCT, PMD "; " SNCT, {0, 1, 15, 15}},
	    {PMD "; " CNCT, PMD "; " CNCT, {1, 0, 15, 15}},
	    {PMD "; " CNCT "; " SNCT, PMD "; " SNCT "; " CNCT, {0, 0, 15, 15}},
	    {PMD "; " CMWB, PMD, {1, 1, 15, 15}},
	    {PMD "; " CMWB "=15", PMD, {1, 1, 15, 15}},
	    {PMD "; " CMWB "=14", PMD "; " CMWB "=14", {1, 1, 15, 14}},
	    {PMD "; " CMWB "=9", PMD "; " CMWB "=9", {1, 1, 15, 9}},
	    {PMD "; " CMWB "=8", PMD "; " CMWB "=8", {1, 1, 15, 9}},
	    {PMD "; " SMWB "=15", PMD "; " SMWB "=15", {1, 1, 15, 15}},
	    {PMD "; " SMWB "=10", PMD "; " SMWB "=10", {1, 1, 10, 15}},
	    {PMD "; " SMWB "=9", PMD "; " SMWB "=9", {1, 1, 9, 15}},
	    {PMD "; " SMWB "=\"12\"", PMD "; " SMWB "=12", {1, 1, 12, 15}},
	    {PMD "; " SMWB "=\"1\\2\"", PMD "; " SMWB "=12", {1, 1, 12, 15}},
	    {PMD "; " SMWB "=\"\\9\"", PMD "; " SMWB "=9", {1, 1, 9, 15}},
	    {PMD "; " SMWB " =\t12", PMD "; " SMWB "=12", {1, 1, 12, 15}},
	    {PMD "\t;\t" SNCT "\t;" CMWB " = 10 ",
		PMD "; " SNCT "; " CMWB "=10", {0, 1, 15, 10}},
	    {PMD ";" CMWB ";" SMWB "=11;" SNCT ";" CNCT,
		PMD "; " SNCT "; " CNCT "; " SMWB "=11", {0, 0, 11, 15}}};
	size_t i;

	(void)state;
	for (i = 0; i < N(offers); i++)
		assert_taken(&offers[i], &all);
}

static void
keeps_to_what_the_operator_allows(void **state)
{
	static const char alone[] = PMD "; " SNCT "; " CNCT "; " SMWB "=10";
	static const char eleven[] =
	    PMD "; " SNCT "; " CNCT "; " SMWB "=10; " CMWB "=11";
	static const struct offer offers[] = {{PMD, alone, {0, 0, 10, 15}},
	    {PMD "; " SNCT, alone, {0, 0, 10, 15}},
	    {PMD "; " CNCT, alone, {0, 0, 10, 15}},
	    {PMD "; " SMWB "=15", alone, {0, 0, 10, 15}},
	    {PMD "; " SMWB "=9", PMD "; " SNCT "; " CNCT "; " SMWB "=9",
		{0, 0, 9, 15}},
	    {PMD "; " CMWB, eleven, {0, 0, 10, 11}},
	    {PMD "; " CMWB "=15", eleven, {0, 0, 10, 11}},
	    {PMD "; " CMWB "=8",
		PMD "; " SNCT "; " CNCT "; " SMWB "=10; " CMWB "=8",
		{0, 0, 10, 9}}};
	size_t i;

	(void)state;
	for (i = 0; i < N(offers); i++)
		assert_taken(&offers[i], &little);
}

/* The longest answer has room. */
static void
fits(void **state)
{
	static const struct ws_deflate_conf conf = {0, 0, 14, 14};
	static const struct offer o = {PMD "; " SMWB "=14; " CMWB "=14",
	    PMD "; " SNCT "; " CNCT "; " SMWB "=14; " CMWB "=14",
	    {0, 0, 14, 14}};

	(void)state;
	assert_taken(&o, &conf);
}

static void
takes_the_first_that_it_can(void **state)
{
	static const struct offer offers[] = {
	    {PMD "; " SMWB "=12, " PMD, PMD "; " SMWB "=12", {1, 1, 12, 15}},
	    {PMD ", " PMD "; " SMWB "=12", PMD, {1, 1, 15, 15}},
	    {PMD "; " SMWB "=8, " PMD "; " CMWB "=9", PMD "; " CMWB "=9",
		{1, 1, 15, 9}},
	    {"x-webkit-deflate-frame, " PMD, PMD, {1, 1, 15, 15}},
	    {"a; b=c; d=\"e\"; " SMWB "=8 ," PMD ";" SNCT, PMD "; " SNCT,
		{0, 1, 15, 15}},
	    {PMD "; unknown," PMD "; " CNCT, PMD "; " CNCT, {1, 0, 15, 15}},
	    {PMD ", unknown; " SNCT, PMD, {1, 1, 15, 15}},
	    {",, ,\t" PMD " , ,", PMD, {1, 1, 15, 15}}};
	size_t i;

	(void)state;
	for (i = 0; i < N(offers); i++)
		assert_taken(&offers[i], &all);
}

static void
passes_over(void **state)
{
	static const char *const offers[] = {"deflate-frame", "a, b;c=d",
	    PMD "s", "permessage-deflat", "Permessage-Deflate", "a;" PMD,
	    PMD "; unknown", PMD "; unknown=1", PMD "; unknown=\"a\\bc\"",
	    PMD "; " SNCT "=1", PMD "; " SNCT "=\"x\"", PMD "; " CNCT "=0",
	    PMD "; " SNCT "; " SNCT, PMD "; " CNCT ";" CMWB ";" CNCT,
	    PMD "; Server_no_context_takeover", PMD "; " SMWB,
	    PMD "; " SMWB "=8", PMD "; " SMWB "=7", PMD "; " SMWB "=16",
	    PMD "; " SMWB "=20", PMD "; " SMWB "=0", PMD "; " SMWB "=1",
	    PMD "; " SMWB "=09", PMD "; " SMWB "=010", PMD "; " SMWB "=150",
	    PMD "; " SMWB "=-9", PMD "; " SMWB "=+9", PMD "; " SMWB "=1x",
	    PMD "; " SMWB "=x", PMD "; " SMWB "=1.0", PMD "; " SMWB "=0x9",
	    PMD "; " SMWB "=99999999999999999999", PMD "; " SMWB "=4294967305",
	    PMD "; " SMWB "=\"16\"", PMD "; " SMWB "=9; " SMWB "=9",
	    PMD "; " SMWB "=9; " SMWB "=10", PMD "; " CMWB "=7",
	    PMD "; " CMWB "=16", PMD "; " CMWB "=08", PMD "; " CMWB "=x",
	    PMD "; " CMWB "; " CMWB, PMD "; " CMWB "=9; " CMWB,
	    PMD "; " CMWB "; " CMWB "=9", PMD "; " SMWB "=8; " SMWB "=9"};
	struct ws_deflate_params out;
	char answer[WS_EXTENSION_ANSWER];
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < N(offers); i++)
		if ((rc = negotiate(offers[i], &all, &out, answer)) != 0)
			fail_msg("%d: %s", rc, offers[i]);
}

static void
refuses_malformed_ones(void **state)
{
	static const char *const bad[] = {"", " ", ",", " , ,\t", ";", "=",
	    "\"", PMD ";", PMD "; ", PMD "; ;" SNCT, PMD ";," PMD, "; " SNCT,
	    PMD "; =9", PMD "; " SMWB "=", PMD "; " SMWB "= ,",
	    PMD "; " SMWB "=;", PMD "; " SMWB "==9", PMD "; " SMWB "=9=9",
	    PMD "; " SMWB "=9 9", PMD " " PMD, PMD "=1", PMD "; a b",
	    PMD "; " SMWB "=\"\"", PMD "; " SMWB "=\"9", PMD "; " SMWB "=\"",
	    PMD "; " SMWB "=\"9\\\"", PMD "; " SMWB "=\"\\",
	    PMD "; " SMWB "=\"9 \"", PMD "; " SMWB "=\"9,10\"",
	    PMD "; " SMWB "=\"\\\"\"", PMD "; " SMWB "=\"9\"9",
	    PMD "; " SMWB "=9\"", PMD "; \"" SNCT "\"", "\"" PMD "\"",
	    "permessage/deflate", "(" PMD ")", PMD "; a=\xc3\xa9",
	    PMD "; a=\"\xc3\xa9\"", "\x80", PMD ", ;", PMD ", a=b",
	    "a; b=\"c\" d, " PMD};
	struct ws_deflate_params out;
	char answer[WS_EXTENSION_ANSWER];
	size_t i;

	(void)state;
	for (i = 0; i < N(bad); i++)
		if (negotiate(bad[i], &all, &out, answer) != -1)
			fail_msg("\"%s\" is let pass", bad[i]);
}

/* Several headers are one list. */
static int
negotiate_all(const char *const *headers, char answer[WS_EXTENSION_ANSWER])
{
	hostd_buf values[HEADERS_MAX];
	struct ws_deflate_params out;
	size_t n;

	for (n = 0; n < HEADERS_MAX && headers[n] != NULL; n++)
		values[n] = (hostd_buf){headers[n], strlen(headers[n])};
	return ws_extension_negotiate(values, n, &all, &out, answer);
}

static void
reads_all_headers(void **state)
{
	static const struct {
		const char *headers[HEADERS_MAX];
		int rc;
		const char *answer;
	} cases[] = {{{NULL}, 0, NULL}, {{"a", "b"}, 0, NULL},
	    {{"", PMD}, 1, PMD}, {{PMD, " "}, 1, PMD}, {{"", ","}, -1, NULL},
	    {{"a", PMD "; " CNCT, PMD}, 1, PMD "; " CNCT},
	    {{PMD, PMD "; " CNCT}, 1, PMD}, {{PMD, ";"}, -1, NULL},
	    {{"a;", PMD}, -1, NULL}, {{PMD ";", SNCT}, -1, NULL},
	    {{"a", "b=", PMD}, -1, NULL}};
	char answer[WS_EXTENSION_ANSWER];
	size_t i;

	(void)state;
	for (i = 0; i < N(cases); i++) {
		assert_int_equal(
		    negotiate_all(cases[i].headers, answer), cases[i].rc);
		if (cases[i].rc == 1)
			assert_string_equal(answer, cases[i].answer);
	}
}

/* Each byte of an offer replaced by each value, and the rest cut off: no
 * answer but to an offer, and never of more than was offered. */
static void
holds_to_offers_whatever_comes(void **state)
{
	static const char good[] = PMD "; " SMWB "=\"12\" ;" CMWB "=9, x;y=z";
	char in[sizeof(good)], answer[WS_EXTENSION_ANSWER];
	struct ws_deflate_params out;
	size_t i, seen[3] = {0, 0, 0};
	int v, cut, rc;

	(void)state;
	for (i = 0; i < sizeof(good) - 1; i++)
		for (v = 1; v < 512; v++) {
			cut = v > 255;
			memcpy(in, good, sizeof(good));
			in[i] = (char)(v % 256);
			if (cut)
				in[i + 1] = '\0';
			rc = negotiate(in, &all, &out, answer);
			assert_in_range(rc + 1, 0, 2);
			seen[rc + 1]++;
			if (rc != 1)
				continue;
			assert_memory_equal(in, PMD, sizeof(PMD) - 1);
			assert_true(out.server_takeover && out.client_takeover);
			assert_in_range(out.server_bits, 9, 15);
			assert_in_range(out.client_bits, 9, 15);
			assert_true(memchr(answer, 0, sizeof(answer)) != NULL);
		}
	for (i = 0; i < 3; i++)
		assert_true(seen[i] > 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(takes_offers),
	    cmocka_unit_test(keeps_to_what_the_operator_allows),
	    cmocka_unit_test(fits),
	    cmocka_unit_test(takes_the_first_that_it_can),
	    cmocka_unit_test(passes_over),
	    cmocka_unit_test(refuses_malformed_ones),
	    cmocka_unit_test(reads_all_headers),
	    cmocka_unit_test(holds_to_offers_whatever_comes),
	};

	return cmocka_run_group_tests_name("ws extension", tests, NULL, NULL);
}
