/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "base/units.h"
#include "config/schema.h"

/* -- nearest words -- */

#define WORD_MAX 64

/* Levenshtein distance; words are short. */
static size_t
distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b), i, k, up, diag, best;
	size_t row[WORD_MAX + 1];

	if (la > WORD_MAX || lb > WORD_MAX)
		return WORD_MAX;
	for (k = 0; k <= lb; k++)
		row[k] = k;
	for (i = 1; i <= la; i++) {
		diag = row[0];
		row[0] = i;
		for (k = 1; k <= lb; k++) {
			up = row[k];
			best = diag + (a[i - 1] != b[k - 1]);
			if (up + 1 < best)
				best = up + 1;
			if (row[k - 1] + 1 < best)
				best = row[k - 1] + 1;
			row[k] = best;
			diag = up;
		}
	}
	return row[lb];
}

const char *
conf_nearest(const char *word, const char *const *list)
{
	const char *found = NULL;
	size_t d, best = strlen(word) / 3 + 1;

	for (; *list != NULL; list++)
		if ((d = distance(word, *list)) <= best &&
		    d < strlen(*list)) {
			if (found == NULL || d < best)
				found = *list;
			best = d;
		}
	return found;
}

/* -- one value -- */

/* "1m", "30s": bounds as their key's values are written. */
static const char *
format_bound(const struct hostd_key *k, int64_t v, char *out, size_t size)
{
	if (k->type == HOSTD_KEY_SIZE && v >= 1 << 20 && v % (1 << 20) == 0)
		(void)snprintf(out, size, "%" PRId64 "m", v >> 20);
	else if (k->type == HOSTD_KEY_SIZE && v >= 1024 && v % 1024 == 0)
		(void)snprintf(out, size, "%" PRId64 "k", v >> 10);
	else if (k->type == HOSTD_KEY_DURATION && v >= 1000 && v % 1000 == 0)
		(void)snprintf(out, size, "%" PRId64 "s", v / 1000);
	else if (k->type == HOSTD_KEY_DURATION)
		(void)snprintf(out, size, "%" PRId64 "ms", v);
	else
		(void)snprintf(out, size, "%" PRId64, v);
	return out;
}

static int
check_bounds(const struct hostd_key *k, int64_t n, const char *what,
    const struct conf_pos *pos, struct conf_errors *errs)
{
	char lo[32], hi[32];

	if ((k->min == 0 && k->max == 0) || (n >= k->min && n <= k->max))
		return 0;
	conf_error(errs, pos, "\"%s\" %s from %s to %s", k->name, what,
	    format_bound(k, k->min, lo, sizeof(lo)),
	    format_bound(k, k->max, hi, sizeof(hi)));
	return -1;
}

static int
parse_number(const struct hostd_key *k, const char *text, int64_t *out,
    const struct conf_pos *pos, struct conf_errors *errs)
{
	const char *want = "a whole number";
	int rc, b = 0;

	if (k->type == HOSTD_KEY_DURATION) {
		rc = duration_parse(text, out);
		want = "a duration, as 250ms, 30s, 5m, 1h or 1d";
	} else if (k->type == HOSTD_KEY_SIZE) {
		rc = size_parse(text, out);
		want = "a size, as 512, 16k, 1m or 2g";
	} else if (k->type == HOSTD_KEY_BOOL) {
		rc = bool_parse(text, &b);
		*out = b;
		want = "on or off";
	} else
		rc = int_parse(text, out);
	if (rc == 0)
		return k->type == HOSTD_KEY_BOOL ? 0 : check_bounds(k, *out,
		    "must be", pos, errs);
	conf_error(errs, pos, "\"%s\" must be %s, not \"%s\"", k->name, want,
	    text);
	return -1;
}

static int
parse_enum(const struct hostd_key *k, const char *text, int64_t *out,
    const struct conf_pos *pos, struct conf_errors *errs)
{
	char list[256] = "";
	size_t i, n = 0;

	for (i = 0; k->choices[i] != NULL; i++) {
		if (strcmp(k->choices[i], text) == 0) {
			*out = (int64_t)i;
			return 0;
		}
		if (n < sizeof(list))
			n += (size_t)snprintf(list + n, sizeof(list) - n,
			    "%s%s", i > 0 ? ", " : "", k->choices[i]);
	}
	conf_error(errs, pos, "\"%s\" must be one of %s, not \"%s\"", k->name,
	    list, text);
	return -1;
}

/* The text of one value, typed; 0 or -1. */
static int
value_parse(struct conf_val *v, const char *text, const struct conf_pos *pos,
    struct conf_errors *errs)
{
	const struct hostd_key *k = v->key;

	switch (k->type) {
	case HOSTD_KEY_STRING:
	case HOSTD_KEY_SECRET:
	case HOSTD_KEY_PATH:
		v->text = xstrdup(text);
		return check_bounds(k, (int64_t)strlen(text),
		    "must have a length", pos, errs);
	case HOSTD_KEY_ENUM:
		v->text = xstrdup(text);
		return parse_enum(k, text, &v->num, pos, errs);
	default:
		return parse_number(k, text, &v->num, pos, errs);
	}
}

static void
value_add_item(struct conf_val *v, const char *text, size_t n)
{
	v->items = xrealloc(v->items, (v->nitems + 1) * sizeof(*v->items));
	v->items[v->nitems++] = xstrndup(text, n);
}

static void
value_default(struct conf_val *v)
{
	struct conf_errors none;
	const char *p = v->key->dflt, *comma;

	if (p == NULL)
		return;
	conf_errors_init(&none);
	if (v->key->type != HOSTD_KEY_LIST)
		(void)value_parse(v, p, NULL, &none);
	else
		while (*p != '\0') {
			p += strspn(p, " ");
			comma = p + strcspn(p, ",");
			value_add_item(v, p, (size_t)(comma - p));
			p = *comma == ',' ? comma + 1 : comma;
		}
	conf_errors_free(&none);
}

/* -- a block -- */

static const struct hostd_key *
row_find(const struct hostd_key *const *rows, const char *name)
{
	for (; *rows != NULL; rows++)
		if (strcmp((*rows)->name, name) == 0)
			return *rows;
	return NULL;
}

static int
is_listed(const char *const *list, const char *name)
{
	for (; list != NULL && *list != NULL; list++)
		if (strcmp(*list, name) == 0)
			return 1;
	return 0;
}

static void
unknown_key(const struct conf_node *n, const struct hostd_key *const *rows,
    const char *const *also, struct conf_errors *errs)
{
	const char *names[256], *hint;
	size_t i = 0;

	if (row_find(rows, n->name) != NULL) {
		if (n->is_block)
			conf_error(errs, &n->pos, "\"%s\" is a key, not a "
			    "block; write %s = value", n->name, n->name);
		else
			conf_error(errs, &n->pos, "\"%s\" is a block, not a "
			    "key; write %s { ... }", n->name, n->name);
		return;
	}
	for (; *rows != NULL && i < 200; rows++)
		names[i++] = (*rows)->name;
	for (; also != NULL && *also != NULL && i < 255; also++)
		names[i++] = *also;
	names[i] = NULL;
	hint = conf_nearest(n->name, names);
	conf_error(errs, &n->pos, "unknown %s \"%s\"%s%s%s",
	    n->is_block ? "block" : "key", n->name,
	    hint != NULL ? "; did you mean \"" : "", hint != NULL ? hint : "",
	    hint != NULL ? "\"?" : "");
}

/* 0; -1 and an error; 1 when the parser has said that there is no value. */
static int
value_set(struct conf_val *v, const struct conf_node *n,
    struct conf_errors *errs)
{
	size_t i;

	if (v->is_set) {
		conf_error(errs, &n->pos, "\"%s\" is given twice; the first is "
		    "at %s:%d", n->name, v->pos.file, v->pos.line);
		return -1;
	}
	v->is_set = 1;
	v->pos = n->pos;
	if (v->key->type == HOSTD_KEY_LIST) {
		for (i = 0; i < n->nvalues; i++)
			value_add_item(v, n->values[i].text,
			    strlen(n->values[i].text));
		return check_bounds(v->key, (int64_t)v->nitems,
		    "must have a number of items", &n->pos, errs);
	}
	if (n->nvalues != 1) {
		/* Whoever reads on finds a text where one always is. */
		value_default(v);
		if (n->nvalues == 0 && !n->is_list)
			return 1;
		conf_error(errs, &n->pos, "\"%s\" takes one value, not a list",
		    n->name);
		return -1;
	}
	return value_parse(v, n->values[0].text, &n->values[0].pos, errs);
}

static size_t
count_errors(const struct conf_errors *errs)
{
	const struct conf_error *e;
	size_t n = 0;

	TAILQ_FOREACH(e, errs, entry)
		n++;
	return n;
}

const struct hostd_key *const *
conf_rows_within(const struct hostd_key *k)
{
	return ((const struct hostd_key_block *)(const void *)k)->keys;
}

/* How many mistakes there are of which the parser has told. */
static int
block_set(struct conf_val *v, const struct conf_node *n,
    struct conf_errors *errs)
{
	struct conf_block *b;
	size_t before, len = n->title == NULL ? 0 : strlen(n->title);
	int mistakes;

	if (v->key->max == 0 && n->title != NULL)
		conf_error(errs, &n->pos, "\"%s\" takes no title", n->name);
	else
		(void)check_bounds(v->key, (int64_t)len,
		    "must have a title of a length", &n->pos, errs);
	v->blocks = xrealloc(v->blocks, (v->nblocks + 1) *
	    sizeof(*v->blocks));
	b = &v->blocks[v->nblocks++];
	b->title = n->title == NULL ? NULL : xstrdup(n->title);
	v->is_set = 1;
	before = count_errors(errs);
	mistakes = conf_check(n, conf_rows_within(v->key), NULL, &b->values,
	    errs);
	return mistakes - (int)(count_errors(errs) - before);
}

static void
values_init(struct conf_values *out, const struct hostd_key *const *rows,
    struct conf_pos pos)
{
	size_t i;

	for (out->n = 0; rows[out->n] != NULL; out->n++)
		;
	memset(&out->view, 0, sizeof(out->view));
	out->pos = pos;
	out->vals = xcalloc(out->n, sizeof(*out->vals));
	for (i = 0; i < out->n; i++) {
		out->vals[i].key = rows[i];
		out->vals[i].pos = pos;
	}
}

int
conf_check(const struct conf_node *block, const struct hostd_key *const *rows,
    const char *const *also, struct conf_values *out, struct conf_errors *errs)
{
	const struct hostd_key *k;
	const struct conf_node *n;
	size_t i, before = count_errors(errs);
	int silent = 0;

	values_init(out, rows, block->pos);
	TAILQ_FOREACH(n, &block->children, entry) {
		if (is_listed(also, n->name))
			continue;
		k = row_find(rows, n->name);
		if (k == NULL || n->is_block != (k->type == HOSTD_KEY_BLOCK)) {
			unknown_key(n, rows, also, errs);
			continue;
		}
		for (i = 0; rows[i] != k; i++)
			;
		silent += n->is_block ? block_set(&out->vals[i], n, errs) :
		    value_set(&out->vals[i], n, errs) == 1;
	}
	for (i = 0; i < out->n; i++) {
		if (out->vals[i].is_set)
			continue;
		if (rows[i]->flags & HOSTD_KEY_REQUIRED)
			conf_error(errs, &block->pos, "%s%s%s%s needs %s "
			    "\"%s\"", block->name, block->title ? " \"" : "",
			    block->title ? block->title : "",
			    block->title ? "\"" : "",
			    rows[i]->type == HOSTD_KEY_BLOCK ? "a block" :
			    "the key", rows[i]->name);
		else
			value_default(&out->vals[i]);
	}
	return (int)(count_errors(errs) - before) + silent;
}

const char *const conf_plugin_keys[] = { "module", "offered_by", "pool", NULL };

int
conf_is_plugin_key(const char *name)
{
	size_t i;

	for (i = 0; conf_plugin_keys[i] != NULL; i++)
		if (strcmp(conf_plugin_keys[i], name) == 0)
			return 1;
	return 0;
}

void
conf_values_free(struct conf_values *vals)
{
	size_t i, k;

	for (i = 0; i < vals->n; i++) {
		for (k = 0; k < vals->vals[i].nblocks; k++) {
			free(vals->vals[i].blocks[k].title);
			conf_values_free(&vals->vals[i].blocks[k].values);
		}
		free(vals->vals[i].blocks);
		free(vals->vals[i].text);
		for (k = 0; k < vals->vals[i].nitems; k++)
			free(vals->vals[i].items[k]);
		free(vals->vals[i].items);
	}
	free(vals->vals);
	memset(vals, 0, sizeof(*vals));
}

const struct conf_val *
conf_val(const struct conf_values *vals, const char *name)
{
	size_t i;

	for (i = 0; i < vals->n; i++)
		if (strcmp(vals->vals[i].key->name, name) == 0)
			return &vals->vals[i];
	return NULL;
}

/* -- the rows themselves -- */

static int
row_check(const struct hostd_key *k, const char *owner,
    struct conf_errors *errs)
{
	struct conf_val v = { .key = k };
	int rc = 0;

	if (k->name == NULL || *k->name == '\0' || strspn(k->name,
	    "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(k->name)) {
		conf_error(errs, NULL, "%s: a key's name is not [a-z0-9_]+",
		    owner);
		return -1;
	}
	if (k->type < HOSTD_KEY_INT || k->type > HOSTD_KEY_BLOCK ||
	    (k->type == HOSTD_KEY_ENUM && k->choices == NULL)) {
		conf_error(errs, NULL, "%s: key \"%s\" has an unknown type or "
		    "an enum without choices", owner, k->name);
		return -1;
	}
	if (k->type == HOSTD_KEY_BLOCK)
		return conf_rows_check(conf_rows_within(k), owner, errs);
	if (k->dflt != NULL && k->type != HOSTD_KEY_LIST)
		rc = value_parse(&v, k->dflt, NULL, errs);
	free(v.text);
	if (rc != 0)
		conf_error(errs, NULL, "%s: the default of key \"%s\" does "
		    "not pass its own check", owner, k->name);
	return rc;
}

int
conf_rows_check(const struct hostd_key *const *rows, const char *owner,
    struct conf_errors *errs)
{
	size_t before = count_errors(errs);
	size_t i, k;

	for (i = 0; rows[i] != NULL; i++) {
		if (row_check(rows[i], owner, errs) != 0)
			continue;
		for (k = 0; k < i; k++)
			if (rows[k]->name != NULL &&
			    strcmp(rows[k]->name, rows[i]->name) == 0)
				conf_error(errs, NULL, "%s: key \"%s\" is "
				    "declared twice", owner, rows[i]->name);
	}
	return (int)(count_errors(errs) - before);
}

const char *
conf_type_name(uint32_t type)
{
	static const char *const names[] = { "?", "int", "bool", "duration",
		"size", "string", "enum", "list", "secret", "path", "block" };

	return type < sizeof(names) / sizeof(names[0]) ? names[type] : names[0];
}
