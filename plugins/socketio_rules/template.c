/* SPDX-License-Identifier: BSD-2-Clause */
#include <hostd/json.h>
#include "template.h"

static const struct {
	const char *name;
	enum place place;
	int has_members;
} names[] = {
	{ "auth", PLACE_AUTH, 1 },
	{ "data", PLACE_DATA, 1 },
	{ "event", PLACE_EVENT, 0 },
	{ "id", PLACE_ID, 0 },
	{ "nsp", PLACE_NSP, 0 },
	{ "user", PLACE_USER, 0 },
};

/* -- reading -- */

static int
is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	    hostd_json_is_digit(c);
}

static const char *
skip_word(const char *p, const char *end)
{
	while (p < end && is_word(*p))
		p++;
	return p;
}

static struct piece *
piece_add(struct template *t)
{
	struct piece *p = realloc(t->pieces, (t->n + 1) * sizeof(*p));

	if (p == NULL)
		return NULL;
	t->pieces = p;
	p = &t->pieces[t->n++];
	memset(p, 0, sizeof(*p));
	return p;
}

static int
text_add(struct template *t, const char *from, const char *to)
{
	struct piece *p;

	if (from == to)
		return 0;
	if ((p = piece_add(t)) == NULL)
		return -1;
	p->text = hostd_json_slice(from, to);
	return 0;
}

/* ".a.b" behind a name: *p is moved behind it. */
static void
take_members(struct piece *piece, const char **p, const char *end)
{
	const char *at = *p, *from = *p + 1, *to;

	while (at < end && *at == '.' && (to = skip_word(at + 1, end)) >
	    at + 1)
		at = to;
	if (at > *p)
		piece->text = hostd_json_slice(from, at);
	*p = at;
}

/* Behind a "$" at *p; 0, or -1: it is none. */
static int
take_place(struct piece *piece, const char **p, const char *end)
{
	const char *to = skip_word(*p, end);
	size_t n = (size_t)(to - *p), i;

	if (*p < end && **p == '@') {
		piece->place = PLACE_ALL;
		(*p)++;
		return 0;
	}
	if (*p < end && hostd_json_is_digit(**p)) {
		piece->place = PLACE_ARG;
		piece->arg = (uint32_t)(*(*p)++ - '0');
		take_members(piece, p, end);
		return 0;
	}
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i].name) == n && memcmp(names[i].name, *p,
		    n) == 0) {
			piece->place = names[i].place;
			*p = to;
			if (names[i].has_members)
				take_members(piece, p, end);
			return 0;
		}
	return -1;
}

static int
split(struct template *t, hostd_buf text, int is_json, char *why, size_t size)
{
	const char *p = text.p, *end = hostd_json_end_of(text), *from = p;
	const char *name;
	struct piece *piece;
	int is_inner = 0;

	for (; p < end; p++) {
		if (is_json && *p == '"')
			is_inner = !is_inner;
		else if (is_inner && *p == '\\' && p + 1 < end)
			p++;
		if (*p != '$')
			continue;
		if (text_add(t, from, p) == -1)
			goto no_memory;
		if (++p < end && *p == '$') {
			from = p;
			continue;
		}
		if ((piece = piece_add(t)) == NULL)
			goto no_memory;
		piece->is_inner = is_inner;
		name = p;
		if (take_place(piece, &p, end) == -1) {
			(void)snprintf(why, size, "\"$%.*s\" stands for "
			    "nothing; places are $0 to $9, $@, $id, $user, "
			    "$nsp, $event, $auth and $data, a dollar is $$",
			    (int)(skip_word(name, end) - name), name);
			return -1;
		}
		from = p--;
	}
	if (text_add(t, from, end) == 0)
		return 0;
no_memory:
	(void)snprintf(why, size, "out of memory");
	return -1;
}

/* Whatever comes, it has to be JSON. */
static int
check_json(const struct template *t, char *why, size_t size)
{
	struct hostd_json out = { NULL, 0, 0, 0 };
	int ok = 1;
	uint32_t i;

	for (i = 0; i < t->n; i++)
		if (t->pieces[i].place == PLACE_NONE)
			hostd_json_bytes(&out, t->pieces[i].text.p,
			    t->pieces[i].text.n);
		else if (!t->pieces[i].is_inner)
			hostd_json_bytes(&out, "{}", 2);
		else if (t->pieces[i].place == PLACE_ALL)
			ok = 0;
	ok = ok && hostd_json_ok(hostd_json_done(&out));
	hostd_json_free(&out);
	if (!ok)
		(void)snprintf(why, size, "it is no JSON; texts are to be in "
		    "quotes, as \"\\\"hello\\\"\"");
	return ok ? 0 : -1;
}

int
template_read(struct template *t, hostd_buf text, int is_json, char *why,
    size_t size)
{
	t->pieces = NULL;
	t->n = 0;
	if (split(t, text, is_json, why, size) == -1)
		return -1;
	return is_json ? check_json(t, why, size) : 0;
}

void
template_free(struct template *t)
{
	free(t->pieces);
	t->pieces = NULL;
	t->n = 0;
}

/* -- filling in -- */

/* Of an array by its place. */
static hostd_buf
member_of(hostd_buf value, hostd_buf name)
{
	int64_t i;

	if (hostd_json_is_object(value))
		return hostd_json_find(value, name);
	if (hostd_json_is_array(value) && hostd_json_int(name, &i) && i >= 0 &&
	    i <= UINT32_MAX)
		return hostd_json_item(value, (uint32_t)i);
	return hostd_json_slice(NULL, NULL);
}

static hostd_buf
member(hostd_buf value, hostd_buf path)
{
	const char *p = path.p, *end = hostd_json_end_of(path), *dot;

	for (; p < end && value.p != NULL; p = dot + (dot < end)) {
		dot = memchr(p, '.', (size_t)(end - p));
		if (dot == NULL)
			dot = end;
		value = member_of(value, hostd_json_slice(p, dot));
	}
	return value;
}

/* The JSON value of a place; p NULL: none. */
static hostd_buf
json_of(const struct piece *p, const struct values *v)
{
	hostd_buf value = { NULL, 0 };

	if (p->place == PLACE_ARG && p->arg < v->nargs)
		value = v->args[p->arg];
	else if (p->place == PLACE_AUTH)
		value = v->auth;
	else if (p->place == PLACE_DATA)
		value = v->data;
	return value.p == NULL ? value : member(value, p->text);
}

/* Is it a place of a text?  Then *text is it, or has p NULL. */
static int
is_text(const struct piece *p, const struct values *v, hostd_buf *text)
{
	switch (p->place) {
	case PLACE_ID:
		*text = v->id;
		return 1;
	case PLACE_USER:
		*text = v->user;
		return 1;
	case PLACE_NSP:
		*text = v->nsp;
		return 1;
	case PLACE_EVENT:
		*text = v->event;
		return 1;
	default:
		return 0;
	}
}

static void
put_all(const struct values *v, struct hostd_json *out)
{
	uint32_t i;

	hostd_json_bytes(out, "[", 1);
	for (i = 0; i < v->nargs; i++) {
		if (i > 0)
			hostd_json_bytes(out, ",", 1);
		hostd_json_bytes(out, v->args[i].p, v->args[i].n);
	}
	hostd_json_bytes(out, "]", 1);
}

/* In a string: without the quotes. */
static int
put_text(hostd_buf text, int is_inner, struct hostd_json *out)
{
	char *room;
	size_t n;

	if (text.p == NULL || !hostd_json_is_utf8(text)) {
		if (is_inner)
			return -1;
		hostd_json_bytes(out, "null", 4);
		return 0;
	}
	if ((room = hostd_json_room(out, hostd_json_quoted(text))) == NULL)
		return -1;
	n = hostd_json_quote(room, text);
	if (is_inner)
		memmove(room, room + 1, n -= 2);
	out->n += n;
	return 0;
}

static int
put_value(hostd_buf value, int is_inner, struct hostd_json *out)
{
	if (is_inner && hostd_json_is_string(value))
		value = hostd_json_inner(value);
	else if (is_inner && !hostd_json_is_number(value))
		return -1;
	else if (value.p == NULL)
		value = hostd_json_slice("null", &"null"[4]);
	hostd_json_bytes(out, value.p, value.n);
	return 0;
}

int
template_json(const struct template *t, const struct values *v,
    struct hostd_json *out)
{
	const struct piece *p;
	hostd_buf text;
	uint32_t i;
	int rc = 0;

	for (i = 0; i < t->n && rc == 0; i++) {
		p = &t->pieces[i];
		if (p->place == PLACE_NONE)
			hostd_json_bytes(out, p->text.p, p->text.n);
		else if (p->place == PLACE_ALL)
			put_all(v, out);
		else if (is_text(p, v, &text))
			rc = put_text(text, p->is_inner, out);
		else
			rc = put_value(json_of(p, v), p->is_inner, out);
	}
	return rc;
}

/* As a text; -1: it is none. */
static int64_t
text_of(const struct piece *p, const struct values *v, char *room, size_t size)
{
	hostd_buf text = p->text;

	if (p->place != PLACE_NONE && !is_text(p, v, &text)) {
		text = json_of(p, v);
		if (hostd_json_is_string(text))
			return hostd_json_text(text, room, size);
		if (!hostd_json_is_number(text))
			return -1;
	}
	if (text.p == NULL || text.n >= size)
		return -1;
	memcpy(room, text.p, text.n);
	return (int64_t)text.n;
}

int64_t
template_text(const struct template *t, const struct values *v, char *room,
    size_t size)
{
	size_t n = 0;
	uint32_t i;
	int64_t k;

	for (i = 0; i < t->n; i++) {
		if ((k = text_of(&t->pieces[i], v, room + n, size - n)) < 0)
			return -1;
		n += (size_t)k;
	}
	if (n >= size)
		return -1;
	room[n] = '\0';
	return (int64_t)n;
}
