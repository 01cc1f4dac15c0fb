/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include "base/mem.h"
#include "base/units.h"
#include "config/builder.h"
#include "config/files.h"

const char *
text_of(const struct builder *b, const char *key)
{
	return conf_val(&b->vals, key)->text;
}

int64_t
num_of(const struct builder *b, const char *key)
{
	return conf_val(&b->vals, key)->num;
}

int64_t
ratio_of(struct builder *b, const char *key)
{
	const char *text = text_of(b, key);
	int64_t ratio = 0;

	if (text != NULL && ratio_parse(text, &ratio) == -1) {
		conf_error(b->errs, pos_of(b, key), "\"%s\": \"%s\" is not a "
		    "share from 0 to 1, such as 0.01", key, text);
		return 0;
	}
	return ratio;
}

int
is_set(const struct builder *b, const char *key)
{
	return conf_val(&b->vals, key)->is_set;
}

const struct conf_pos *
pos_of(const struct builder *b, const char *key)
{
	return &conf_val(&b->vals, key)->pos;
}

char *
copy_text(const struct builder *b, const char *key)
{
	const char *s = text_of(b, key);

	return s == NULL ? NULL : xstrdup(s);
}

char *
path_of(const struct builder *b, const char *key)
{
	const char *s = text_of(b, key);

	return s == NULL ? NULL : conf_path(b->main_file, s);
}

char **
copy_list(const struct builder *b, const char *key, size_t *n)
{
	const struct conf_val *v = conf_val(&b->vals, key);
	char **list = xcalloc(v->nitems + 1, sizeof(char *));
	size_t i;

	for (i = 0; i < v->nitems; i++)
		list[i] = xstrdup(v->items[i]);
	*n = v->nitems;
	return list;
}

void
no_such(struct builder *b, const struct conf_pos *pos, const char *what,
    const char *name, const char *const *names)
{
	const char *hint = conf_nearest(name, names);

	conf_error(b->errs, pos, "there is no %s \"%s\"%s%s%s", what, name,
	    hint ? "; did you mean \"" : "", hint ? hint : "",
	    hint ? "\"?" : "");
}

void
enter_block(struct builder *b, const struct conf_node *n,
    const char *const *also)
{
	conf_values_free(&b->vals);
	(void)conf_check(n, conf_block_rows(n->name), also, &b->vals, b->errs);
}

const struct conf_node *
block_only(struct builder *b, const struct conf_node *parent, const char *name)
{
	const struct conf_node *n, *found = NULL;

	TAILQ_FOREACH(n, &parent->children, entry) {
		if (strcmp(n->name, name) != 0)
			continue;
		if (!n->is_block || n->title != NULL)
			conf_error(b->errs, &n->pos, "\"%s\" is a block "
			    "without a title: %s { ... }", name, name);
		else if (found != NULL)
			conf_error(b->errs, &n->pos, "%s is already defined "
			    "at %s:%d", name, found->pos.file,
			    found->pos.line);
		else
			found = n;
	}
	return found;
}

void
conf_block_only(struct builder *b, const char *name,
    void (*build)(struct builder *))
{
	struct conf_node *empty = conf_root_new();
	const struct conf_node *n = block_only(b, b->conf->tree, name);

	(void)conf_check(n != NULL ? n : empty, conf_block_rows(name), NULL,
	    &b->vals, b->errs);
	build(b);
	conf_values_free(&b->vals);
	conf_node_free(empty);
}
