/* SPDX-License-Identifier: BSD-2-Clause */
/* struct hostd_conf over the checked values of an instance, and of its
 * blocks. */
#include <string.h>
#include "plugin/instance.h"

static const struct conf_val *
view_find(const struct hostd_conf *view, const char *key)
{
	return key == NULL ? NULL : conf_val(view->ctx, key);
}

static int32_t
view_get_int(const struct hostd_conf *view, const char *key, int64_t *out)
{
	const struct conf_val *v = view_find(view, key);

	if (v == NULL || out == NULL)
		return HOSTD_E_INVAL;
	switch (v->key->type) {
	case HOSTD_KEY_INT:
	case HOSTD_KEY_BOOL:
	case HOSTD_KEY_DURATION:
	case HOSTD_KEY_SIZE:
	case HOSTD_KEY_ENUM:
		*out = v->num;
		return HOSTD_OK;
	default:
		return HOSTD_E_INVAL;
	}
}

static int32_t
view_get_str(const struct hostd_conf *view, const char *key, hostd_buf *out)
{
	const struct conf_val *v = view_find(view, key);

	if (v == NULL || out == NULL)
		return HOSTD_E_INVAL;
	switch (v->key->type) {
	case HOSTD_KEY_STRING:
	case HOSTD_KEY_ENUM:
	case HOSTD_KEY_SECRET:
	case HOSTD_KEY_PATH:
		out->p = v->text;
		out->n = v->text == NULL ? 0 : strlen(v->text);
		return HOSTD_OK;
	default:
		return HOSTD_E_INVAL;
	}
}

static int32_t
view_get_count(const struct hostd_conf *view, const char *key, uint32_t *out)
{
	const struct conf_val *v = view_find(view, key);

	if (v == NULL || out == NULL || v->key->type != HOSTD_KEY_LIST)
		return HOSTD_E_INVAL;
	*out = (uint32_t)v->nitems;
	return HOSTD_OK;
}

static int32_t
view_get_item(const struct hostd_conf *view, const char *key, uint32_t i,
    hostd_buf *out)
{
	const struct conf_val *v = view_find(view, key);

	if (v == NULL || out == NULL || v->key->type != HOSTD_KEY_LIST ||
	    i >= v->nitems)
		return HOSTD_E_INVAL;
	out->p = v->items[i];
	out->n = strlen(v->items[i]);
	return HOSTD_OK;
}

static int32_t
view_get_blocks(const struct hostd_conf *view, const char *key, uint32_t *out)
{
	const struct conf_val *v = view_find(view, key);

	if (v == NULL || out == NULL || v->key->type != HOSTD_KEY_BLOCK)
		return HOSTD_E_INVAL;
	*out = (uint32_t)v->nblocks;
	return HOSTD_OK;
}

static int32_t
view_get_block(const struct hostd_conf *view, const char *key, uint32_t i,
    hostd_buf *title, const struct hostd_conf **out)
{
	const struct conf_val *v = view_find(view, key);
	const char *text;

	if (v == NULL || title == NULL || out == NULL ||
	    v->key->type != HOSTD_KEY_BLOCK || i >= v->nblocks)
		return HOSTD_E_INVAL;
	text = v->blocks[i].title;
	title->p = text;
	title->n = text == NULL ? 0 : strlen(text);
	*out = &v->blocks[i].values.view;
	return HOSTD_OK;
}

static int32_t
view_get_place(const struct hostd_conf *view, hostd_buf *file, uint32_t *line)
{
	const struct conf_values *values = view->ctx;
	const char *name = values->pos.file;

	if (file == NULL || line == NULL)
		return HOSTD_E_INVAL;
	file->p = name;
	file->n = name == NULL ? 0 : strlen(name);
	*line = (uint32_t)values->pos.line;
	return HOSTD_OK;
}

void
conf_view_bind(struct conf_values *values)
{
	struct hostd_conf *view = &values->view;
	struct conf_val *v;
	size_t i, k;

	view->struct_size = sizeof(*view);
	view->ctx = values;
	view->get_int = view_get_int;
	view->get_str = view_get_str;
	view->get_count = view_get_count;
	view->get_item = view_get_item;
	view->get_blocks = view_get_blocks;
	view->get_block = view_get_block;
	view->get_place = view_get_place;
	for (i = 0; i < values->n; i++)
		for (v = &values->vals[i], k = 0; k < v->nblocks; k++)
			conf_view_bind(&v->blocks[k].values);
}
