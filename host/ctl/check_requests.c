/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests as well-behaved clients send them, in all shapes. */
#include <stdio.h>
#include <string.h>

#include "ctl/fake_request.h"

#define BODY                                           \
	"field=value&other=%C3%A9&list=1&list=2&text=" \
	"The+quick+brown+fox+jumps+over+the+lazy+dog"

static void
case_method(const struct check *c, const void *arg)
{
	struct fake *f = fake_serve(fake_load(c), c);
	struct fake_spec spec = {.method = arg};
	struct fake_req r;

	if (strcmp(arg, "POST") == 0 || strcmp(arg, "PUT") == 0) {
		spec.body = BODY;
		spec.nbody = sizeof(BODY) - 1;
	}
	fake_request(f, &spec, &r);
	fake_destroy(f);
	check_report()->value[0] = (uint64_t)r.status;
	check_report()->value[1] = (uint64_t)-(int64_t)r.code;
	check_report()->value[2] = r.begun ? !r.finished :
	    r.why == HOSTD_END_TIMEOUT && !r.passed;
}

/* What became of it, in a word. */
static void
method_text(char *buf, size_t size, const struct check_report *r)
{
	if (r->value[1] != 0)
		(void)snprintf(buf, size, "failed with %d", -(int)r->value[1]);
	else if (r->value[0] != 0)
		(void)snprintf(buf, size, "%u%s", (unsigned)r->value[0],
		    r->value[2] ? " (never finished)" : "");
	else
		(void)snprintf(buf, size, "%s",
		    r->value[2] ? "never answered" : "passed on");
}

/* Each method gets an answer, or is passed on. */
static void
check_methods(struct check *c)
{
	static const char *const methods[] = {
	    "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"};
	char text[512] = "";
	size_t i, len = 0;
	uint64_t status;
	int rc, served = 0;

	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		rc = check_run(c, case_method, methods[i]);
		if (rc != CHECK_PASS) {
			check_result(c, "methods", rc, "%s: %s, while %s",
			    methods[i], check_last()->text,
			    check_last()->where);
			return;
		}
		status = check_last()->value[0];
		served += status != 0;
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s ",
		    i == 0 ? "" : ", ", methods[i]);
		method_text(text + len, sizeof(text) - len, check_last());
		len += strlen(text + len);
	}
	check_result(c, "methods", served ? CHECK_PASS : CHECK_FAIL, "%s%s",
	    text, served ? "" : ": it answers nothing at its own route");
}

/* Does the same request get the same answer? */
static int
same(const struct fake_req *a, const struct fake_req *b)
{
	return a->status == b->status && a->sent == b->sent &&
	    a->hash == b->hash && a->why == b->why && a->passed == b->passed;
}

static void
case_parts(const struct check *c, const void *arg)
{
	static const struct {
		size_t part;
		int chunked;
		const char *what;
	} shapes[] = {
	    {1, 0, "in one-byte parts"},
	    {7, 0, "in parts of 7 bytes"},
	    {1, 1, "chunked in one-byte parts"},
	    {0, 1, "chunked in one part"},
	};
	struct fake *f = fake_serve(fake_load(c), c);
	struct fake_spec spec = {
	    .method = arg, .body = BODY, .nbody = sizeof(BODY) - 1};
	struct fake_req once, again, r;
	size_t i;

	fake_request(f, &spec, &once);
	fake_request(f, &spec, &again);
	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		spec.part = shapes[i].part;
		spec.chunked = shapes[i].chunked;
		fake_request(f, &spec, &r);
		if (same(&once, &again) && !same(&once, &r))
			check_fail("%s with its body %s is answered %d with "
				   "%llu bytes, in one part %d with %llu bytes",
			    spec.method, shapes[i].what, r.status,
			    (unsigned long long)r.sent, once.status,
			    (unsigned long long)once.sent);
	}
	spec.nbody = 0;
	spec.chunked = 1;
	fake_request(f, &spec, NULL);
	fake_destroy(f);
}

static void
case_odd_paths(const struct check *c, const void *arg)
{
	static const char *const tails[] = {"", "a", "a/b/c.html",
	    "caf\303\251", "\001\002\177", "%41", "...", "a?b#c", "\"<&>'",
	    "\\..\\..", "\377\376", " ", "a//b", ".hidden", "~root"};
	struct module *m = fake_load(c);
	struct fake *f = fake_serve(m, c);
	struct fake_spec spec = {.method = "GET"};
	char path[6000];
	size_t i, n;

	(void)arg;
	n = (size_t)snprintf(path, sizeof(path), "%s", fake_route(m, 0));
	/* Only a prefix has anything behind it. */
	for (i = 0; i < sizeof(tails) / sizeof(tails[0]) && path[n - 1] == '/';
	     i++) {
		(void)snprintf(path + n, sizeof(path) - n, "%s", tails[i]);
		spec.path = path;
		fake_request(f, &spec, NULL);
	}
	if (path[n - 1] == '/') {
		memset(path + n, 'x', 4096);
		path[n + 4096] = '\0';
		fake_request(f, &spec, NULL);
		for (i = n; i < n + 4096; i += 2)
			path[i] = '/';
		fake_request(f, &spec, NULL);
	}
	fake_destroy(f);
}

static void
case_odd_heads(const struct check *c, const void *arg)
{
	static const char *const queries[] = {
	    "", "a", "a=b&a=c&=&&%", "%00", "%zz%", "\303\251"};
	static const char *const values[] = {"", ",", "*", "\"", "W/\"\"",
	    "bytes=0-", "bytes=-0", "bytes=5-1,9999999999999999999-,-",
	    "bytes=0-0,0-0,0-0,0-0,0-0,0-0,0-0", "gzip;q=0, *;q=1.000001",
	    "Thu, 32 Foo 0000 99:99:99 GMT", "text/html;;q=", "\200\377", "0",
	    "-1", "18446744073709551616"};
	static const char *const names[] = {"Range", "If-Range",
	    "If-None-Match", "If-Match", "If-Modified-Since",
	    "If-Unmodified-Since", "Accept-Encoding", "Accept", "Cookie",
	    "Authorization", "Content-Type", "Origin", "Referer",
	    "X-Forwarded-For"};
	const char *headers[2 * sizeof(names) / sizeof(names[0]) + 1];
	struct fake *f = fake_serve(fake_load(c), c);
	struct fake_spec spec = {.method = "GET"};
	size_t i, k;

	(void)arg;
	for (i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		spec.query = queries[i];
		fake_request(f, &spec, NULL);
	}
	spec.headers = headers;
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		/* All at once, then one after the other. */
		for (k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
			headers[2 * k] = names[k];
			headers[2 * k + 1] = values[i];
		}
		headers[2 * k] = NULL;
		fake_request(f, &spec, NULL);
		headers[2] = NULL;
		for (k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
			headers[0] = names[k];
			fake_request(f, &spec, NULL);
		}
	}
	fake_destroy(f);
}

/* Many at a time, ended in another order than begun. */
static void
case_many(const struct check *c, const void *arg)
{
	struct fake *f = fake_serve(fake_load(c), c);
	struct fake_spec spec = {.method = "POST",
	    .body = BODY,
	    .nbody = sizeof(BODY) - 1,
	    .part = 10};
	struct fake_req *r[32];
	int i, busy;

	(void)arg;
	for (i = 0; i < 32; i++) {
		spec.method = i % 3 == 0 ? "GET" : "POST";
		spec.nbody = i % 3 == 0 ? 0 : sizeof(BODY) - 1;
		r[i] = fake_req_start(f, &spec);
	}
	do {
		busy = (int)fake_turn();
		for (i = 31; i >= 0; i -= 2)
			busy += fake_req_step(r[i]);
		for (i = 0; i < 32; i += 2)
			busy += fake_req_step(r[i]);
	} while (busy > 0);
	for (i = 31; i >= 0; i--)
		fake_req_run(r[i]);
	for (i = 0; i < 32; i++)
		fake_req_free(r[i]);
	fake_destroy(f);
}

void
check_requests(struct check *c)
{
	if ((c->kinds & CHECK_HTTP) == 0)
		return;
	check_methods(c);
	check_simple(c, "body parts", case_parts, "POST");
	check_simple(c, "odd paths", case_odd_paths, NULL);
	check_simple(c, "odd heads", case_odd_heads, NULL);
	check_simple(c, "many at once", case_many, NULL);
}
