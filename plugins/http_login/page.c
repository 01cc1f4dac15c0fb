/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "page.h"

static const char *const names[PAGE_VALUES] = {
	"csrf", "message", "next", "remember", "title", "user"
};

/* Text, and what comes behind it; PAGE_VALUES: nothing. */
struct piece {
	hostd_buf text;
	enum page_value value;
};

struct page {
	struct piece *v;
	size_t n;
};

static int
add_piece(struct page *p, const char *from, size_t n, enum page_value value)
{
	struct piece *v = realloc(p->v, (p->n + 1) * sizeof(*v));

	if (v == NULL)
		return -1;
	p->v = v;
	v[p->n].text.p = from;
	v[p->n].text.n = n;
	v[p->n++].value = value;
	return 0;
}

/* What is named between p and end, blanks around it or not. */
static enum page_value
value_of(const char *p, const char *end)
{
	int i;

	while (p < end && *p == ' ')
		p++;
	while (end > p && end[-1] == ' ')
		end--;
	for (i = 0; i < PAGE_VALUES; i++)
		if (strlen(names[i]) == (size_t)(end - p) &&
		    memcmp(names[i], p, (size_t)(end - p)) == 0)
			break;
	return (enum page_value)i;
}

static int
is_complete(const struct page *p)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (p->v[i].value == PAGE_CSRF)
			return 1;
	return 0;
}

/* 0, or -1 with a reason. */
static int
take_apart(struct page *page, const char *p, const char *end, char *why,
    size_t size)
{
	const char *open, *close;
	enum page_value value;

	(void)snprintf(why, size, "out of memory");
	while ((open = memmem(p, (size_t)(end - p), "{{", 2)) != NULL) {
		close = memmem(open, (size_t)(end - open), "}}", 2);
		value = close == NULL ? PAGE_VALUES : value_of(open + 2, close);
		if (value == PAGE_VALUES) {
			(void)snprintf(why, size, "there is no placeholder "
			    "\"%.*s\"; there are {{csrf}}, {{message}}, "
			    "{{next}}, {{remember}}, {{title}} and {{user}}",
			    (int)(close == NULL ? 2 : close - open + 2 > 60 ?
			    60 : close - open + 2), open);
			return -1;
		}
		if (add_piece(page, p, (size_t)(open - p), value) == -1)
			return -1;
		p = close + 2;
	}
	return add_piece(page, p, (size_t)(end - p), PAGE_VALUES);
}

struct page *
page_new(hostd_buf text, char *why, size_t size)
{
	struct page *p = calloc(1, sizeof(*p));
	const char *from = text.p;

	if (p == NULL || take_apart(p, from, from + text.n, why, size) == -1) {
		if (p == NULL)
			(void)snprintf(why, size, "out of memory");
		page_free(p);
		return NULL;
	}
	if (is_complete(p))
		return p;
	(void)snprintf(why, size, "it has no {{csrf}}, without which its form "
	    "is of no use");
	page_free(p);
	return NULL;
}

void
page_free(struct page *p)
{
	if (p == NULL)
		return;
	free(p->v);
	free(p);
}

/* What stands for a character in HTML, in texts and in attributes. */
static const char *
entity_of(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

/* Where it ends; to NULL: only counts. */
static size_t
put(char *to, size_t at, const void *from, size_t n)
{
	if (to != NULL && n > 0)
		memcpy(to + at, from, n);
	return at + n;
}

static size_t
put_text(char *to, size_t at, hostd_buf text)
{
	const char *p = text.p, *entity;
	size_t i;

	for (i = 0; i < text.n; i++) {
		entity = entity_of(p[i]);
		at = entity == NULL ? put(to, at, p + i, 1) :
		    put(to, at, entity, strlen(entity));
	}
	return at;
}

static size_t
fill(const struct page *p, const hostd_buf values[PAGE_VALUES], char *to)
{
	const struct piece *piece;
	size_t at = 0;

	for (piece = p->v; piece < p->v + p->n; piece++) {
		at = put(to, at, piece->text.p, piece->text.n);
		if (piece->value == PAGE_REMEMBER)
			at = put(to, at, values[PAGE_REMEMBER].p,
			    values[PAGE_REMEMBER].n);
		else if (piece->value != PAGE_VALUES)
			at = put_text(to, at, values[piece->value]);
	}
	return at;
}

char *
page_fill(const struct page *p, const hostd_buf values[PAGE_VALUES], size_t *n)
{
	char *to;

	*n = fill(p, values, NULL);
	if ((to = malloc(*n + 1)) != NULL)
		(void)fill(p, values, to);
	return to;
}
