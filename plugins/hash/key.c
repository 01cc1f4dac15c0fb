/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <balance/request.h>
#include <balance/servers.h>
#include "key.h"

enum { TEXT, REMOTE_ADDR, URI, REQUEST_URI, ARGS, HOST, METHOD, ARG, HTTP,
	COOKIE };

static const struct variable {
	const char *name;
	int what;
	int named;	/* the rest of it is a name */
} variables[] = {
	{ "remote_addr", REMOTE_ADDR, 0 }, { "uri", URI, 0 },
	{ "request_uri", REQUEST_URI, 0 }, { "args", ARGS, 0 },
	{ "query_string", ARGS, 0 }, { "host", HOST, 0 },
	{ "request_method", METHOD, 0 }, { "arg_", ARG, 1 },
	{ "http_", HTTP, 1 }, { "cookie_", COOKIE, 1 },
};

static size_t
name_length(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n && (s[i] == '_' || (s[i] >= 'a' && s[i] <= 'z') ||
	    (s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= '0' && s[i] <= '9')); i++)
		;
	return i;
}

/* The variable that the n bytes at s name. */
static int
variable_parse(struct key_part *part, const char *s, size_t n)
{
	const struct variable *v;
	size_t i, len;

	for (i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		v = &variables[i];
		len = strlen(v->name);
		if (n < len || memcmp(s, v->name, len) != 0 ||
		    (v->named ? n == len : n != len))
			continue;
		part->what = v->what;
		part->text.p = s + len;
		part->text.n = n - len;
		return 0;
	}
	return -1;
}

/* One part at s, of at most n bytes; returns its length, or -1. */
static ptrdiff_t
part_parse(struct key_part *part, const char *s, size_t n)
{
	const char *end;
	size_t len, braces;

	if (*s != '$') {
		end = memchr(s, '$', n);
		part->what = TEXT;
		part->text.p = s;
		part->text.n = end == NULL ? n : (size_t)(end - s);
		return (ptrdiff_t)part->text.n;
	}
	braces = n > 1 && s[1] == '{';
	len = name_length(s + 1 + braces, n - 1 - braces);
	if (variable_parse(part, s + 1 + braces, len) == -1 ||
	    (braces && (2 + len == n || s[2 + len] != '}')))
		return -1;
	return (ptrdiff_t)(1 + len + 2 * braces);
}

int32_t
key_parse(struct key *k, hostd_buf text, struct hostd_err *err)
{
	const char *s = text.p, *end = s + text.n;
	int variable = 0;
	ptrdiff_t n;

	for (k->n = 0; s < end; s += n) {
		if (k->n == KEY_PARTS)
			return hostd_fail(err, HOSTD_E_INVAL,
			    "key: more than %d parts", KEY_PARTS);
		n = part_parse(&k->v[k->n], s, (size_t)(end - s));
		if (n == -1)
			return hostd_fail(err, HOSTD_E_INVAL, "key: \"%.*s\" "
			    "does not start with a variable; there are $uri, "
			    "$request_uri, $args, $arg_NAME, $host, "
			    "$http_NAME, $cookie_NAME, $remote_addr and "
			    "$request_method", (int)(end - s), s);
		variable |= k->v[k->n++].what != TEXT;
	}
	return variable ? HOSTD_OK : hostd_fail(err, HOSTD_E_INVAL,
	    "key: has no variable, so all requests would go to one server");
}

static int
part_value(const struct key_part *part, const struct hostd_request *rq,
    hostd_buf *out)
{
	switch (part->what) {
	case REMOTE_ADDR:	*out = rq->peer; break;
	case URI:		*out = rq->path; break;
	case REQUEST_URI:	*out = rq->target; break;
	case ARGS:		*out = rq->query; break;
	case HOST:		*out = rq->host; break;
	case METHOD:		*out = rq->method_name; break;
	case ARG:
		return arg_find(rq, part->text, out);
	case HTTP:
		return header_find(rq->headers, rq->nheaders, part->text, out);
	case COOKIE:
		return cookie_find(rq, part->text, out);
	default:
		*out = part->text;
		break;
	}
	return out->p != NULL && out->n > 0;
}

int
key_hash(const struct key *k, const struct hostd_request *rq, uint64_t *hash)
{
	hostd_buf value;
	int any = 0;
	uint32_t i;

	*hash = HASH_START;
	for (i = 0; i < k->n; i++)
		if (part_value(&k->v[i], rq, &value)) {
			any |= k->v[i].what != TEXT;
			*hash = hash_add(*hash, value.p, value.n);
		}
	*hash = hash_mix(*hash);
	return any;
}
