/* SPDX-License-Identifier: BSD-2-Clause */
/* http_proxy: targets, templates, redirects, cookies, hops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cookie.h"
#include "hop.h"
#include "redirect.h"
#include "request_id.h"
#include "target.h"
#include "template.h"
#include "text.h"

static struct head head;
static struct hostd_request request;
static struct hostd_fetch_response answer;
static struct facts facts;

static hostd_buf
buf_of(const char *s)
{
	return text_of(s, s == NULL ? 0 : strlen(s));
}

static void
assert_text(hostd_buf b, const char *want)
{
	if (b.n != strlen(want) || memcmp(b.p, want, b.n) != 0)
		fail_msg("\"%.*s\" is not \"%s\"", (int)b.n, (const char *)b.p,
		    want);
}

static int
setup(void **state)
{
	(void)state;
	head_clear(&head);
	memset(&request, 0, sizeof(request));
	memset(&answer, 0, sizeof(answer));
	memset(&facts, 0, sizeof(facts));
	facts.request = &request;
	return 0;
}

/* -- targets -- */

static const char *
target(const char *as_sent, const char *path, const char *rest,
    const char *rewrite)
{
	static char text[256];
	hostd_buf out;
	const char *q = strchr(as_sent, '?');

	request.target = buf_of(as_sent);
	request.path = buf_of(path);
	request.rest = buf_of(rest);
	request.query = buf_of(q == NULL ? NULL : q + 1);
	head_clear(&head);
	out = target_make(&request, buf_of(rewrite), &head);
	assert_true(out.n < sizeof(text));
	memcpy(text, out.p, out.n);
	text[out.n] = '\0';
	return text;
}

static void
targets(void **state)
{
	(void)state;
	assert_string_equal(target("/a%20b?", "/a b", "a b", NULL), "/a%20b?");
	assert_string_equal(target("http://h/a", "/a", "a", NULL), "/a");
	assert_string_equal(target("http://h?q", "/", "", NULL), "/?q");
	assert_string_equal(target("http://h", "/", "", NULL), "/");
	assert_string_equal(target("*", "*", "", NULL), "*");
	assert_string_equal(target("/p/a%2fb", "/p/a/b", "a/b", "/n/"),
	    "/n/a%2fb");
	assert_string_equal(target("/%70/a?/p/", "/p/a", "a", "/n/"),
	    "/n/a?/p/");
	assert_string_equal(target("/x/../p/%25", "/p/%", "%", "/"), "/%25");
	assert_string_equal(target("/p//a", "/p/a", "a", "/"), "/a");
	assert_string_equal(target("/exact", "/exact", "", "/new"), "/new");
	assert_string_equal(target("http://h/p/a", "/p/a", "a", "/n/"), "/n/a");
	assert_string_equal(target("/p/\xc3\xa4", "/p/\xc3\xa4", "\xc3\xa4",
	    "/n/"), "/n/\xc3\xa4");
}

static void
hosts(void **state)
{
	hostd_hdr h = {{"HOST", 4}, {"a:81", 4}};

	(void)state;
	request.headers = &h;
	request.nheaders = 1;
	request.target = buf_of("/");
	assert_text(template_http_host(&request), "a:81");
	request.target = buf_of("http://b:82/x");
	assert_text(template_http_host(&request), "b:82");
	request.target = buf_of("https://b?x");
	assert_text(template_http_host(&request), "b");
}

/* -- templates -- */

static void
templates(void **state)
{
	hostd_hdr h[] = {{{"X-One", 5}, {"1", 1}},
	    {{"Cookie", 6}, {"a=b; sid=42;c", 13}},
	    {{"X-Forwarded-For", 15}, {"1.1.1.1", 7}},
	    {{"x-forwarded-for", 15}, {"2.2.2.2", 7}}};
	static const char text[] = "<$http_x_one|${cookie_sid}$arg_k|$uri|"
	    "$is_args$args|$$|$proxy_add_x_forwarded_for|$cookie_c|$scheme>";
	struct template t;
	const char *bad;

	(void)state;
	request.headers = h;
	request.nheaders = 4;
	request.path = buf_of("/a\r\nb");
	request.query = buf_of("x=1&k=v");
	request.peer = buf_of("3.3.3.3");
	assert_int_equal(template_parse(&t, text, &bad), 0);
	assert_text(template_expand(&t, &facts, &head),
	    "<1|42v|/a%0D%0Ab|?x=1&k=v|$|1.1.1.1, 2.2.2.2, 3.3.3.3||http>");
	template_free(&t);
	assert_int_equal(template_parse(&t, "", &bad), 0);
	assert_true(template_is_empty(&t));
	assert_text(template_expand(&t, &facts, &head), "");
	template_free(&t);
}

static void
what_is_no_template(void **state)
{
	static const char *const texts[] = {"$", "a$", "$nothing", "${host",
	    "$http_", "a ${host}$cookie_", "$ host", "${}"};
	struct template t;
	const char *bad;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(template_parse(&t, texts[i], &bad), -1);
		assert_ptr_equal(bad, strrchr(texts[i], '$'));
	}
}

/* -- redirects -- */

static void
redirects(void **state)
{
	static const struct {
		const char *from, *to;
	} v[] = {
	    {"http://10.0.0.1:80/new/x", "/api/x"},
	    {"http://APP/new/", "/api/"},
	    {"http://app", "/"}, {"http://app?q", "/?q"},
	    {"/new/x", "/api/x"}, {"/newer", "/newer"}, {"/", "/"}, {"", ""},
	    {"x", "x"}, {"//app/new/", "//app/new/"},
	    {"http://me:8080/new/x", "http://me:8080/api/x"},
	    {"https://app/new/x", "https://app/new/x"},
	    {"http://by.hand/x", "https://hand.by/x"}};
	struct pair by_hand = {{"http://by.hand/", 15},
	    {"https://hand.by/", 16}};
	struct settings s;
	size_t i;

	(void)state;
	memset(&s, 0, sizeof(s));
	s.redirect = 1;
	s.rewrite = buf_of("/new/");
	s.redirects = (struct pairs){&by_hand, 1};
	facts.answer = &answer;
	answer.server = buf_of("10.0.0.1:80");
	answer.upstream = buf_of("app");
	request.path = buf_of("/api/y");
	request.rest = buf_of("y");
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		head_clear(&head);
		assert_text(redirect_location(&s, buf_of(v[i].from), &facts,
		    buf_of("me:8080"), &head), v[i].to);
	}
	assert_text(redirect_refresh(&s, buf_of("5;URL=/new/x"), &facts,
	    buf_of(""), &head), "5;URL=/api/x");
	assert_text(redirect_refresh(&s, buf_of("5"), &facts, buf_of(""),
	    &head), "5");
	assert_text(redirect_refresh(&s, buf_of("url="), &facts, buf_of(""),
	    &head), "url=");
}

/* -- cookies -- */

static void
cookies(void **state)
{
	struct pair path[] = {{{"/a/", 3}, {"/", 1}}, {{"/b", 2}, {NULL, 0}}};
	struct pair domain[] = {{{".in.test", 8}, {"out.test", 8}},
	    {{"none", 4}, {NULL, 0}}};
	static const struct {
		const char *from, *to;
	} v[] = {
	    {"k=v; Path=/a/x; Secure", "k=v; Path=/x; Secure"},
	    {"k=v;path = /b/c ;HttpOnly", "k=v; HttpOnly"},
	    {"k=v; Domain=IN.test", "k=v; Domain=out.test"},
	    {"k=v; domain=.in.test; Path=/c", "k=v; domain=out.test; Path=/c"},
	    {"k=v; Domain=none", "k=v"}, {"Path=/a/", "Path=/a/"},
	    {"k=v; Path", "k=v; Path"}, {"", ""}, {";", "; "}};
	struct pairs paths = {path, 2}, domains = {domain, 2};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		head_clear(&head);
		assert_text(cookie_rewrite(buf_of(v[i].from), &paths, &domains,
		    &head), v[i].to);
	}
}

/* -- hops -- */

static void
hops(void **state)
{
	hostd_hdr h[] = {{{"Connection", 10}, {"close , X-One", 13}},
	    {{"connection", 10}, {",X-Two,", 7}}};
	struct hop hop;

	(void)state;
	hop_read(&hop, h, 2);
	assert_true(hop_has(&hop, buf_of("x-one")));
	assert_true(hop_has(&hop, buf_of("X-TWO")));
	assert_true(hop_has(&hop, buf_of("Keep-Alive")));
	assert_true(hop_has(&hop, buf_of("te")));
	assert_false(hop_has(&hop, buf_of("X-On")));
	assert_false(hop_has(&hop, buf_of("X-Three")));
	hop_read(&hop, h, 0);
	assert_false(hop_has(&hop, buf_of("x-one")));
}

/* -- what does not fit, and names -- */

static void
heads_that_are_full(void **state)
{
	static char much[HEAD_TEXT];
	uint32_t i;

	(void)state;
	head_open(&head);
	head_put(&head, text_of(much, sizeof(much)));
	assert_false(head.full);
	head_puts(&head, "x");
	assert_true(head.full);
	head_clear(&head);
	for (i = 0; i < HEAD_FIELDS; i++)
		head_add(&head, buf_of("A"), buf_of("b"));
	assert_false(head.full);
	head_add(&head, buf_of("A"), buf_of("b"));
	assert_true(head.full);
	assert_int_equal(head.n, HEAD_FIELDS);
}

static void
ids(void **state)
{
	struct request_ids ids;
	char one[REQUEST_ID_MAX], two[REQUEST_ID_MAX], much[130];

	(void)state;
	assert_int_equal(request_ids_init(&ids), 0);
	assert_int_equal(request_id_make(&ids, one), 32);
	assert_int_equal(request_id_make(&ids, two), 32);
	assert_memory_not_equal(one, two, 32);
	assert_true(request_id_is_sound(text_of(one, 32)));
	assert_true(request_id_is_sound(buf_of("req-1/a=b")));
	assert_false(request_id_is_sound(buf_of("")));
	assert_false(request_id_is_sound(buf_of("<b>")));
	assert_false(request_id_is_sound(buf_of("a b")));
	memset(much, 'a', sizeof(much));
	assert_true(request_id_is_sound(text_of(much, 128)));
	assert_false(request_id_is_sound(text_of(much, 129)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup(f, setup)
	    T(targets),
	    T(hosts),
	    T(templates),
	    T(what_is_no_template),
	    T(redirects),
	    T(cookies),
	    T(hops),
	    T(heads_that_are_full),
	    T(ids),
	};

	return cmocka_run_group_tests_name("proxy_texts", tests, NULL, NULL);
}
