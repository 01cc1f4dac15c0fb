/* SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "ctl/check_dir.h"
#include "ctl/fake.h"

struct value {
	const struct hostd_key *key;
	int64_t num;
	char *text; /* also holds a list's items */
	char **items;
	uint32_t nitems;
};

struct fake_conf {
	struct value *vals;
	size_t n;
};

static int
choice_index(const struct hostd_key *k, const char *word, int64_t *out)
{
	int64_t i;

	for (i = 0; k->choices[i] != NULL; i++)
		if (strcmp(k->choices[i], word) == 0) {
			*out = i;
			return 0;
		}
	return -1;
}

static void
split_items(struct value *v)
{
	char *s = v->text, *item;

	while (s != NULL && (item = strsep(&s, ",")) != NULL) {
		item += strspn(item, " ");
		if (*item == '\0')
			continue;
		v->items =
		    xrealloc(v->items, (v->nitems + 1) * sizeof(*v->items));
		v->items[v->nitems++] = item;
	}
}

static int
parse_num(const struct hostd_key *k, const char *text, int64_t *out)
{
	int on = 0, rc;

	switch (k->type) {
	case HOSTD_KEY_INT:
		return int_parse(text, out);
	case HOSTD_KEY_DURATION:
		return duration_parse(text, out);
	case HOSTD_KEY_SIZE:
		return size_parse(text, out);
	case HOSTD_KEY_BOOL:
		rc = bool_parse(text, &on);
		*out = on;
		return rc;
	case HOSTD_KEY_ENUM:
		return choice_index(k, text, out);
	default:
		return 0;
	}
}

static void
value_fill(struct value *v, const char *text, unsigned number)
{
	static const char state[] = "$state/";
	const struct hostd_key *k = v->key;
	int bounded = k->type == HOSTD_KEY_INT ||
	    k->type == HOSTD_KEY_DURATION || k->type == HOSTD_KEY_SIZE;

	if (text == NULL) {
		if ((k->flags & HOSTD_KEY_REQUIRED) != 0)
			check_fail("key \"%s\" is required: give --set "
				   "%s=VALUE",
			    k->name, k->name);
		return;
	}
	if (parse_num(k, text, &v->num) == -1)
		check_fail("\"%s\" is no value for key \"%s\"", text, k->name);
	if (bounded && (k->min != 0 || k->max != 0) &&
	    (v->num < k->min || v->num > k->max))
		check_fail("key \"%s\": %s is out of its range", k->name, text);
	if (k->type == HOSTD_KEY_PATH &&
	    strncmp(text, state, sizeof(state) - 1) == 0)
		v->text = check_dir_path(number, text + sizeof(state) - 1);
	else
		v->text = xstrdup(text);
	if (k->type == HOSTD_KEY_LIST)
		split_items(v);
}

/* The last one wins, so that a test can add to what the user gave. */
static const char *
set_of(const struct fake_set *sets, const char *key)
{
	const char *value = NULL;

	for (; sets != NULL && sets->key != NULL; sets++)
		if (strcmp(sets->key, key) == 0)
			value = sets->value;
	return value;
}

struct fake_conf *
fake_conf_new(
    const struct module *m, const struct fake_set *sets, unsigned number)
{
	struct fake_conf *c = xcalloc(1, sizeof(*c));
	const char *text;
	size_t i;

	while (m->keys[c->n] != NULL)
		c->n++;
	c->vals = xcalloc(c->n + 1, sizeof(*c->vals));
	for (i = 0; i < c->n; i++) {
		c->vals[i].key = m->keys[i];
		text = set_of(sets, m->keys[i]->name);
		value_fill(&c->vals[i], text == NULL ? m->keys[i]->dflt : text,
		    number);
	}
	return c;
}

void
fake_conf_free(struct fake_conf *c)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		free(c->vals[i].text);
		free(c->vals[i].items);
	}
	free(c->vals);
	free(c);
}

#define BIT(type) (1u << (type))
#define NUMBERS                                                               \
	(BIT(HOSTD_KEY_INT) | BIT(HOSTD_KEY_BOOL) | BIT(HOSTD_KEY_DURATION) | \
	    BIT(HOSTD_KEY_SIZE) | BIT(HOSTD_KEY_ENUM))
#define TEXTS \
	(BIT(HOSTD_KEY_STRING) | BIT(HOSTD_KEY_PATH) | BIT(HOSTD_KEY_ENUM) | \
	    BIT(HOSTD_KEY_SECRET))

static const struct value *
lookup(const struct hostd_conf *conf, const char *key, unsigned types,
    const char *function)
{
	struct fake_conf *c = conf->ctx;
	size_t i;

	if (!fake_on_loop())
		check_fail("called %s on another thread", function);
	if (key == NULL)
		check_fail("called %s without a key", function);
	for (i = 0; i < c->n; i++) {
		if (strcmp(c->vals[i].key->name, key) != 0)
			continue;
		if ((BIT(c->vals[i].key->type) & types) == 0)
			check_fail("called %s for key \"%s\", which is of "
				   "another type",
			    function, key);
		return &c->vals[i];
	}
	check_fail("called %s for key \"%s\", which it does not declare",
	    function, key);
}

static int32_t
conf_get_int(const struct hostd_conf *conf, const char *key, int64_t *out)
{
	*out = lookup(conf, key, NUMBERS, "get_int")->num;
	return HOSTD_OK;
}

static int32_t
conf_get_str(const struct hostd_conf *conf, const char *key, hostd_buf *out)
{
	const struct value *v = lookup(conf, key, TEXTS, "get_str");

	out->p = v->text;
	out->n = v->text == NULL ? 0 : strlen(v->text);
	return HOSTD_OK;
}

static int32_t
conf_get_count(const struct hostd_conf *conf, const char *key, uint32_t *out)
{
	*out = lookup(conf, key, BIT(HOSTD_KEY_LIST), "get_count")->nitems;
	return HOSTD_OK;
}

static int32_t
conf_get_item(
    const struct hostd_conf *conf, const char *key, uint32_t i, hostd_buf *out)
{
	const struct value *v =
	    lookup(conf, key, BIT(HOSTD_KEY_LIST), "get_item");

	if (i >= v->nitems)
		return HOSTD_E_INVAL;
	out->p = v->items[i];
	out->n = strlen(v->items[i]);
	return HOSTD_OK;
}

/* The checker's configuration has none. */
static int32_t
conf_get_blocks(const struct hostd_conf *conf, const char *key, uint32_t *out)
{
	(void)lookup(conf, key, BIT(HOSTD_KEY_BLOCK), "get_blocks");
	*out = 0;
	return HOSTD_OK;
}

static int32_t
conf_get_block(const struct hostd_conf *conf, const char *key, uint32_t i,
    hostd_buf *title, const struct hostd_conf **out)
{
	(void)lookup(conf, key, BIT(HOSTD_KEY_BLOCK), "get_block");
	(void)i;
	(void)title;
	(void)out;
	return HOSTD_E_INVAL;
}

static int32_t
conf_get_place(const struct hostd_conf *conf, hostd_buf *file, uint32_t *line)
{
	static const char name[] = "check.conf";

	(void)conf;
	file->p = name;
	file->n = sizeof(name) - 1;
	*line = 1;
	return HOSTD_OK;
}

struct hostd_conf *
fake_conf_lend(struct fake_conf *c)
{
	struct hostd_conf *conf = fake_lend(sizeof(*conf));

	conf->struct_size = sizeof(*conf);
	conf->ctx = c;
	conf->get_int = conf_get_int;
	conf->get_str = conf_get_str;
	conf->get_count = conf_get_count;
	conf->get_item = conf_get_item;
	conf->get_blocks = conf_get_blocks;
	conf->get_block = conf_get_block;
	conf->get_place = conf_get_place;
	return conf;
}
