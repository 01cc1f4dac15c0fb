/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <jansson.h>
#include "base/mem.h"
#include "http/identity.h"

struct identity *
identity_new(hostd_buf user, hostd_buf claims)
{
	struct identity *who = xmalloc(sizeof(*who) + user.n + claims.n);

	who->refs = 1;
	if (user.n > 0)
		memcpy(who->text, user.p, user.n);
	if (claims.n > 0)
		memcpy(who->text + user.n, claims.p, claims.n);
	who->user = (hostd_buf){ who->text, user.n };
	who->claims = (hostd_buf){ who->text + user.n, claims.n };
	return who;
}

struct identity *
identity_ref(struct identity *who)
{
	if (who != NULL)
		who->refs++;
	return who;
}

void
identity_unref(struct identity *who)
{
	if (who != NULL && --who->refs == 0)
		free(who);
}

/* -- JSON that was checked: only where a value ends has to be found -- */

static const char *
skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' ||
	    *p == '\r'))
		p++;
	return p;
}

/* Behind the string that begins at p. */
static const char *
skip_string(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++)
		if (*p == '\\' && p + 1 < end)
			p++;
	return p < end ? p + 1 : end;
}

/* Behind the value that begins at p: at a comma or bracket that is not its
 * own. */
static const char *
skip_value(const char *p, const char *end)
{
	unsigned depth = 0;

	while (p < end) {
		if (*p == '"') {
			p = skip_string(p, end);
			continue;
		}
		if (depth == 0 && (*p == ',' || *p == '}' || *p == ']'))
			break;
		if (*p == '{' || *p == '[')
			depth++;
		else if (*p == '}' || *p == ']')
			depth--;
		p++;
	}
	return p;
}

/* A string with escapes, or any value, by the library; NULL: it is none. */
static json_t *
parse(hostd_buf json)
{
	return json_loadb(json.p, json.n, JSON_DECODE_ANY | JSON_ALLOW_NUL,
	    NULL);
}

/* Is the string in quotes at json that text? */
static int
says(hostd_buf json, hostd_buf text)
{
	json_t *v;
	int same;

	if (json.n < 2)
		return 0;
	if (memchr(json.p, '\\', json.n) == NULL)
		return json.n - 2 == text.n && (text.n == 0 ||
		    memcmp((const char *)json.p + 1, text.p, text.n) == 0);
	if ((v = parse(json)) == NULL)
		return 0;
	same = json_string_length(v) == text.n &&
	    memcmp(json_string_value(v), text.p, text.n) == 0;
	json_decref(v);
	return same;
}

int
claim_find(hostd_buf claims, hostd_buf name, hostd_buf *json)
{
	const char *p = claims.p, *end = p + claims.n, *from;
	hostd_buf key;
	int found = 0;

	if (claims.n == 0)
		return 0;
	p = skip_space(p, end);
	while (p < end && (*p == '{' || *p == ',')) {
		from = p = skip_space(p + 1, end);
		if (p == end || *p != '"')
			break;
		p = skip_string(p, end);
		key = (hostd_buf){ from, (size_t)(p - from) };
		p = skip_space(p, end);
		if (p == end || *p != ':')
			break;
		from = skip_space(p + 1, end);
		p = skip_value(from, end);
		if (!says(key, name))
			continue;
		found = 1;
		*json = (hostd_buf){ from, (size_t)(p - from) };
		while (json->n > 0 && strchr(" \t\r\n", from[json->n - 1]))
			json->n--;
	}
	return found;
}

void
claim_put_text(hostd_buf json, struct buf *out)
{
	const char *p = json.p;
	json_t *v;

	if (json.n < 2 || *p != '"') {
		buf_append(out, p, json.n);
		return;
	}
	if (memchr(p, '\\', json.n) == NULL) {
		buf_append(out, p + 1, json.n - 2);
		return;
	}
	if ((v = parse(json)) == NULL)
		return;
	buf_append(out, json_string_value(v), json_string_length(v));
	json_decref(v);
}
