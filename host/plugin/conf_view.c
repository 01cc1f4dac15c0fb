/* SPDX-License-Identifier: BSD-2-Clause */
/* struct hostd_conf over an instance's checked values. */
#include <string.h>
#include "plugin/instance.h"

static const struct conf_val *
view_find(const struct hostd_conf *view, const char *key)
{
	const struct instance *in = view->ctx;

	return key == NULL ? NULL : conf_val(&in->values, key);
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

void
conf_view_bind(struct instance *in)
{
	in->view.struct_size = sizeof(in->view);
	in->view.ctx = in;
	in->view.get_int = view_get_int;
	in->view.get_str = view_get_str;
	in->view.get_count = view_get_count;
	in->view.get_item = view_get_item;
}
