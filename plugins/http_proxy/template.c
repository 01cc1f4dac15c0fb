/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include "target.h"
#include "template.h"
#include "text.h"

enum variable {
	TEXT, HOST, HTTP_HOST, REMOTE_ADDR, SCHEME, METHOD, REQUEST_URI, URI,
	ARGS, IS_ARGS, REST, PROTOCOL, REQUEST_ID, FORWARDED_FOR,
	CACHE_STATUS, UPSTREAM_ADDR, UPSTREAM_STATUS, REMOTE_USER,
	SSL_PROTOCOL, SSL_CIPHER, SSL_CLIENT_VERIFY, SSL_CLIENT_S_DN,
	SSL_CLIENT_I_DN, SSL_CLIENT_SERIAL, SSL_CLIENT_FINGERPRINT,
	CLAIM, HEADER, COOKIE, ARG, UPSTREAM_HEADER	/* with a name */
};

struct template_part {
	enum variable var;
	char *text;		/* of TEXT, or the name */
	size_t n;
};

static const struct {
	const char *name;
	enum variable var;
} variables[] = {
	{ "host", HOST }, { "http_host", HTTP_HOST },
	{ "remote_addr", REMOTE_ADDR }, { "scheme", SCHEME },
	{ "request_method", METHOD }, { "request_uri", REQUEST_URI },
	{ "uri", URI }, { "args", ARGS }, { "query_string", ARGS },
	{ "is_args", IS_ARGS }, { "rest", REST },
	{ "server_protocol", PROTOCOL }, { "request_id", REQUEST_ID },
	{ "proxy_add_x_forwarded_for", FORWARDED_FOR },
	{ "cache_status", CACHE_STATUS }, { "upstream_addr", UPSTREAM_ADDR },
	{ "upstream_status", UPSTREAM_STATUS },
	{ "remote_user", REMOTE_USER },
	{ "ssl_protocol", SSL_PROTOCOL }, { "ssl_cipher", SSL_CIPHER },
	{ "ssl_client_verify", SSL_CLIENT_VERIFY },
	{ "ssl_client_s_dn", SSL_CLIENT_S_DN },
	{ "ssl_client_i_dn", SSL_CLIENT_I_DN },
	{ "ssl_client_serial", SSL_CLIENT_SERIAL },
	{ "ssl_client_fingerprint", SSL_CLIENT_FINGERPRINT },
};

/* Longer prefixes first. */
static const struct {
	const char *prefix;
	enum variable var;
	int dashes;		/* "_" in it is "-" of the header */
} families[] = {
	{ "upstream_http_", UPSTREAM_HEADER, 1 }, { "http_", HEADER, 1 },
	{ "jwt_claim_", CLAIM, 0 }, { "cookie_", COOKIE, 0 },
	{ "arg_", ARG, 0 },
};

/* -- parsing -- */

static int
part_name(struct template_part *part, const char *p, size_t n, int dashes)
{
	size_t i;

	if ((part->text = malloc(n + 1)) == NULL)
		return -1;
	memcpy(part->text, p, n);
	part->text[n] = '\0';
	part->n = n;
	for (i = 0; dashes && i < n; i++)
		if (part->text[i] == '_')
			part->text[i] = '-';
	return 0;
}

static int
part_variable(struct template_part *part, const char *p, size_t n)
{
	size_t i, len;

	for (i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		if (strlen(variables[i].name) == n &&
		    memcmp(variables[i].name, p, n) == 0) {
			part->var = variables[i].var;
			return 0;
		}
	for (i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		len = strlen(families[i].prefix);
		if (n <= len || memcmp(families[i].prefix, p, len) != 0)
			continue;
		part->var = families[i].var;
		return part_name(part, p + len, n - len, families[i].dashes);
	}
	return -1;
}

/* One part at p: how much it takes, or 0. */
static size_t
parse_part(struct template_part *part, const char *p)
{
	int braces = p[0] == '$' && p[1] == '{';
	size_t n;

	memset(part, 0, sizeof(*part));
	if (p[0] != '$') {
		n = strcspn(p, "$");
		return part_name(part, p, n, 0) == 0 ? n : 0;
	}
	if (p[1] == '$')	/* the character */
		return part_name(part, "$", 1, 0) == 0 ? 2 : 0;
	n = strspn(p + 1 + braces, "abcdefghijklmnopqrstuvwxyz_0123456789"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
	if (n == 0 || (braces && p[2 + n] != '}') ||
	    part_variable(part, p + 1 + braces, n) == -1)
		return 0;
	return 1 + n + 2 * (size_t)braces;
}

int
template_parse(struct template *t, const char *text, const char **bad)
{
	struct template_part *v;
	size_t n;

	t->v = NULL;
	t->n = 0;
	for (*bad = text; **bad != '\0'; *bad += n) {
		v = realloc(t->v, (t->n + 1) * sizeof(*v));
		if (v == NULL || (t->v = v,
		    n = parse_part(&t->v[t->n], *bad)) == 0) {
			template_free(t);
			return -1;
		}
		t->n++;
	}
	return 0;
}

void
template_free(struct template *t)
{
	uint32_t i;

	for (i = 0; i < t->n; i++)
		free(t->v[i].text);
	free(t->v);
	t->v = NULL;
	t->n = 0;
}

int
template_is_empty(const struct template *t)
{
	return t->n == 0;
}

int
template_is_constant(const struct template *t)
{
	uint32_t i;

	for (i = 0; i < t->n; i++)
		if (t->v[i].var != TEXT)
			return 0;
	return 1;
}

/* -- expanding -- */

hostd_buf
template_http_host(const struct hostd_request *q)
{
	const char *p = q->target.p, *at;
	size_t n = q->target.n, from, end;

	if (n == 0 || *p == '/' || *p == '*' ||
	    (at = memchr(p, ':', n)) == NULL)
		return text_header(q->headers, q->nheaders, "host");
	from = (size_t)(at - p) + 3;
	for (end = from; end < n && p[end] != '/' && p[end] != '?'; end++)
		;
	return end > from ? text_of(p + from, end - from) : q->host;
}

void
template_put_forwarded_for(const struct hostd_request *q, struct head *out)
{
	uint32_t i;

	for (i = 0; i < q->nheaders; i++)
		if (text_is(q->headers[i].name, "x-forwarded-for") &&
		    q->headers[i].value.n > 0) {
			head_put(out, q->headers[i].value);
			head_puts(out, ", ");
		}
	head_put(out, q->peer);
}

/* A decoded path may have any byte. */
static void
put_decoded(hostd_buf b, struct head *out)
{
	const unsigned char *p = b.p;
	char code[4];
	size_t i;

	for (i = 0; i < b.n; i++) {
		if (p[i] >= 0x20 && p[i] != 0x7f) {
			head_put(out, text_of(p + i, 1));
			continue;
		}
		(void)snprintf(code, sizeof(code), "%%%02X", p[i]);
		head_puts(out, code);
	}
}

/* "", of a client that is nobody, or has no such claim. */
static void
put_user(const struct facts *f, struct head *out)
{
	hostd_buf user;

	if (f->auth != NULL &&
	    f->auth->user(f->host, f->id, &user) == HOSTD_OK)
		put_decoded(user, out);
}

static void
put_claim(const struct facts *f, const char *name, struct head *out)
{
	hostd_buf claim;

	if (f->auth != NULL && f->auth->claim(f->host, f->id, name,
	    HOSTD_CLAIM_TEXT, &claim) == HOSTD_OK)
		put_decoded(claim, out);
}

/* All lines of that name are one list: what is taken from the first alone
 * would be another thing than what a server reads. */
static void
put_lines(const struct hostd_request *q, const char *name, struct head *out)
{
	uint32_t i, n = 0;

	for (i = 0; i < q->nheaders; i++) {
		if (!text_is(q->headers[i].name, name))
			continue;
		if (n++ > 0)
			head_puts(out, ", ");
		head_put(out, q->headers[i].value);
	}
}

/* "name=value" among parts with that separator. */
static hostd_buf
find_pair(hostd_buf all, char separator, const struct template_part *part)
{
	hostd_buf item, none = { NULL, 0 };
	const char *p;

	while (text_next(&all, separator, &item)) {
		p = item.p;
		if (item.n > part->n && p[part->n] == '=' &&
		    memcmp(p, part->text, part->n) == 0)
			return text_from(item, part->n + 1);
	}
	return none;
}

static hostd_buf
find_cookie(const struct hostd_request *q, const struct template_part *part)
{
	hostd_buf v = { NULL, 0 };
	uint32_t i;

	for (i = 0; i < q->nheaders && v.p == NULL; i++)
		if (text_is(q->headers[i].name, "cookie"))
			v = find_pair(q->headers[i].value, ';', part);
	return v;
}

static hostd_buf
tls_value(const struct facts *f, enum variable var)
{
	struct hostd_tls tls = { .struct_size = sizeof(tls) };

	if (f->tls == NULL || f->tls->get(f->host, f->id, &tls) != HOSTD_OK)
		return text_of(NULL, 0);
	switch (var) {
	case SSL_PROTOCOL:
		return tls.protocol;
	case SSL_CIPHER:
		return tls.cipher;
	case SSL_CLIENT_VERIFY:
		return tls.verify;
	case SSL_CLIENT_S_DN:
		return tls.subject;
	case SSL_CLIENT_I_DN:
		return tls.issuer;
	case SSL_CLIENT_SERIAL:
		return tls.serial;
	default:
		return tls.fingerprint;
	}
}

static hostd_buf
answer_value(const struct facts *f, const struct template_part *part,
    struct head *out)
{
	const struct hostd_fetch_response *a = f->answer;
	char status[12];

	if (a == NULL)
		return text_of(NULL, 0);
	switch (part->var) {
	case UPSTREAM_ADDR:
		return a->server;
	case UPSTREAM_STATUS:
		(void)snprintf(status, sizeof(status), "%d", (int)a->status);
		head_puts(out, status);
		return text_of(NULL, 0);
	default:
		return text_header(a->headers, a->nheaders, part->text);
	}
}

/* The same in whichever form it was sent: a kept answer has one key. */
static hostd_buf
request_uri(const struct hostd_request *q, struct head *out)
{
	hostd_buf uri = target_origin(q);

	if (uri.n == 0 || *(const char *)uri.p == '?')
		head_puts(out, "/");
	return uri;
}

static hostd_buf
value_of(const struct facts *f, const struct template_part *part,
    struct head *out)
{
	const struct hostd_request *q = f->request;

	switch (part->var) {
	case TEXT:
		return text_of(part->text, part->n);
	case HOST:
		return q->host;
	case HTTP_HOST:
		return template_http_host(q);
	case REMOTE_ADDR:
		return q->peer;
	case SCHEME:
		return (q->flags & HOSTD_REQ_TLS) != 0 ? text_of("https", 5) :
		    text_of("http", 4);
	case METHOD:
		return q->method_name;
	case REQUEST_URI:
		return request_uri(q, out);
	case ARGS:
		return q->query;
	case IS_ARGS:
		return text_of("?", q->query.n > 0);
	case PROTOCOL:
		return text_of((q->flags & HOSTD_REQ_HTTP10) != 0 ?
		    "HTTP/1.0" : (q->flags & HOSTD_REQ_HTTP2) != 0 ?
		    "HTTP/2.0" : "HTTP/1.1", 8);
	case REQUEST_ID:
		return f->request_id;
	case CACHE_STATUS:
		return f->cache_status;
	case HEADER:
		put_lines(q, part->text, out);
		break;
	case REMOTE_USER:
		put_user(f, out);
		break;
	case SSL_PROTOCOL:
	case SSL_CIPHER:
	case SSL_CLIENT_VERIFY:
	case SSL_CLIENT_S_DN:
	case SSL_CLIENT_I_DN:
	case SSL_CLIENT_SERIAL:
	case SSL_CLIENT_FINGERPRINT:
		return tls_value(f, part->var);
	case CLAIM:
		put_claim(f, part->text, out);
		break;
	case COOKIE:
		return find_cookie(q, part);
	case ARG:
		return find_pair(q->query, '&', part);
	case URI:
		put_decoded(q->path, out);
		break;
	case REST:
		put_decoded(q->rest, out);
		break;
	case FORWARDED_FOR:
		template_put_forwarded_for(q, out);
		break;
	default:
		return answer_value(f, part, out);
	}
	return text_of(NULL, 0);
}

hostd_buf
template_expand(const struct template *t, const struct facts *f,
    struct head *out)
{
	uint32_t i;

	head_open(out);
	for (i = 0; i < t->n; i++)
		head_put(out, value_of(f, &t->v[i], out));
	return text_trim(head_take(out));
}
