/* SPDX-License-Identifier: BSD-2-Clause */
#include <jansson.h>
#include "login.h"
#include "target.h"

#define HEADERS_MAX 12

/* Our page needs its style and nothing else; what one's own needs is one's own
 * to say. */
#define POLICY_OURS "default-src 'none'; style-src 'unsafe-inline'; " \
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
#define POLICY "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

struct headers {
	hostd_hdr v[HEADERS_MAX];
	uint32_t n;
};

static void
add(struct headers *h, const char *name, const char *value)
{
	h->v[h->n++] = hostd_header(name, value);
}

static void
start(struct headers *h, const char *type, int ours)
{
	h->n = 0;
	add(h, "Content-Type", type);
	add(h, "Cache-Control", "no-store");
	add(h, "Content-Security-Policy", ours ? POLICY_OURS : POLICY);
	add(h, "Referrer-Policy", "same-origin");
	add(h, "Vary", "Accept, Cookie");
	add(h, "X-Content-Type-Options", "nosniff");
	add(h, "X-Frame-Options", "DENY");
}

static int32_t
send_all(struct hostd_inst *in, const struct visit *v, int32_t status,
    const struct headers *h, const char *body, size_t n)
{
	hostd_buf b = { body, n };

	return in->easy.http->respond(in->easy.host, v->req, status, h->v,
	    h->n, b);
}

/* Frees o; NULL: out of memory, or not UTF-8. */
static int32_t
send_json(struct hostd_inst *in, const struct visit *v, int32_t status,
    struct headers *h, json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT | JSON_ENCODE_ANY);
	int32_t rc = HOSTD_E_NOMEM;

	if (text != NULL)
		rc = send_all(in, v, status, h, text, strlen(text));
	free(text);
	json_decref(o);
	return rc;
}

static int32_t
send_page(struct hostd_inst *in, const struct visit *v, int32_t status,
    const struct headers *h, const struct page *page,
    const hostd_buf values[PAGE_VALUES])
{
	size_t n;
	char *text = page_fill(page, values, &n);
	int32_t rc = HOSTD_E_NOMEM;

	if (text != NULL)
		rc = send_all(in, v, status, h, text, n);
	free(text);
	return rc;
}

/* What is to come afterwards, if that is a path of this site. */
static const char *
next_of(const struct visit *v, hostd_buf other, char room[TARGET_SIZE])
{
	if (v->next.p != NULL && target_make(v->next, room) == 0)
		return room;
	return other.p;
}

/* -- the form -- */

static void
add_retry(struct headers *h, uint32_t seconds, char text[16])
{
	if (seconds == 0)
		return;
	(void)snprintf(text, 16, "%u", seconds);
	add(h, "Retry-After", text);
}

int32_t
answer_form(struct hostd_inst *in, struct visit *v, int32_t status,
    const char *message, uint32_t retry_s)
{
	char token[TOKEN_SIZE], cookie[COOKIE_MAX], retry[16];
	char next[TARGET_SIZE];
	hostd_buf values[PAGE_VALUES] = { { NULL, 0 } };
	struct headers h;

	start(&h, v->json ? "application/json" : "text/html; charset=utf-8",
	    v->json || in->form_text == NULL);
	add_retry(&h, retry_s, retry);
	if (!token_of_cookie(in, v->req, token)) {
		if (token_make(token) == -1)
			return HOSTD_E_IO;
		token_cookie(in, v->req, token, cookie);
		add(&h, "Set-Cookie", cookie);
	}
	if (v->json)
		return send_json(in, v, status, &h, message == NULL ?
		    json_pack("{s:n,s:s}", "user", "csrf", token) :
		    json_pack("{s:s,s:s}", "error", message, "csrf", token));
	values[PAGE_CSRF] = hostd_str(token);
	values[PAGE_MESSAGE] = hostd_str(message);
	if (v->next.p != NULL && target_make(v->next, next) == 0)
		values[PAGE_NEXT] = v->next;
	if (in->remember_ms > 0)
		values[PAGE_REMEMBER] = hostd_str(builtin_remember);
	values[PAGE_TITLE] = in->title;
	values[PAGE_USER] = v->user;
	return send_page(in, v, status, &h, in->form, values);
}

int32_t
answer_error(struct hostd_inst *in, struct visit *v, int32_t status,
    const char *message)
{
	struct headers h;

	if (v->json) {
		start(&h, "application/json", 1);
		return send_json(in, v, status, &h, json_pack("{s:s}", "error",
		    message));
	}
	start(&h, "text/plain; charset=utf-8", 1);
	return send_all(in, v, status, &h, message, strlen(message));
}

/* -- who one is -- */

/* {"user":value, and the members of rest}: value may be whatever an application
 * has put there, and is told as it is; p NULL: nobody.  Frees rest. */
static int32_t
send_who(struct hostd_inst *in, const struct visit *v,
    const struct headers *h, hostd_buf value, json_t *rest)
{
	char *members = json_dumps(rest, JSON_COMPACT), *text = NULL;
	int32_t rc = HOSTD_E_NOMEM;
	size_t size;

	json_decref(rest);
	if (value.p == NULL)
		value = hostd_str("null");
	size = value.n + 16 + (members == NULL ? 0 : strlen(members));
	if (members != NULL && (text = malloc(size)) != NULL) {
		(void)snprintf(text, size, "{\"user\":%.*s%s%s",
		    (int)value.n, (const char *)value.p,
		    members[1] == '}' ? "" : ",", members + 1);
		rc = send_all(in, v, 200, h, text, strlen(text));
	}
	free(text);
	free(members);
	return rc;
}

int32_t
answer_who(struct hostd_inst *in, struct visit *v, hostd_buf value,
    hostd_buf csrf)
{
	struct headers h;

	start(&h, "application/json", 1);
	return send_who(in, v, &h, value, value.p == NULL ? json_object() :
	    json_pack("{s:s%}", "csrf", csrf.n == 0 ? "" : csrf.p, csrf.n));
}

int32_t
answer_inside(struct hostd_inst *in, struct visit *v, hostd_buf value,
    hostd_buf csrf)
{
	hostd_buf values[PAGE_VALUES] = { { NULL, 0 } };
	char next[TARGET_SIZE];
	struct headers h;
	json_t *who;
	int32_t rc;

	if (v->json)
		return answer_who(in, v, value, csrf);
	/* A name is shown as such, and anything else as it is. */
	who = json_loadb(value.p, value.n, JSON_DECODE_ANY | JSON_ALLOW_NUL,
	    NULL);
	start(&h, "text/html; charset=utf-8", in->inside_text == NULL);
	values[PAGE_CSRF] = csrf;
	values[PAGE_NEXT] = hostd_str(next_of(v, in->home, next));
	values[PAGE_TITLE] = in->title;
	values[PAGE_USER] = json_is_string(who) ?
	    (hostd_buf){ json_string_value(who), json_string_length(who) } :
	    value;
	rc = send_page(in, v, 200, &h, in->inside, values);
	json_decref(who);
	return rc;
}

int32_t
answer_done(struct hostd_inst *in, struct visit *v, hostd_buf to,
    hostd_buf value, hostd_buf csrf)
{
	char room[TARGET_SIZE], cookie[COOKIE_MAX];
	const char *next = next_of(v, to, room);
	struct headers h;

	start(&h, v->json ? "application/json" : "text/plain", 1);
	/* The form's token has served. */
	token_cookie(in, v->req, "", cookie);
	if (v->action == ACTION_FORM)
		add(&h, "Set-Cookie", cookie);
	if (v->json)
		return send_who(in, v, &h, value, json_pack("{s:s%,s:s}",
		    "csrf", csrf.n == 0 ? "" : csrf.p, csrf.n, "next", next));
	add(&h, "Location", next);
	return send_all(in, v, 303, &h, "", 0);
}

int32_t
answer_method(struct hostd_inst *in, struct visit *v, const char *allow,
    int is_options)
{
	hostd_hdr h = hostd_header("Allow", allow);

	return in->easy.http->respond(in->easy.host, v->req,
	    is_options ? 204 : 405, &h, 1, hostd_str(NULL));
}
