/* SPDX-License-Identifier: BSD-2-Clause */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "config/schema.h"
#include "plugin/cmd.h"
#include "plugin/instance.h"
#include "plugin/plugins.h"

/* -- finding one -- */

static struct instance *
find_instance(const struct plugins *all, const char *name)
{
	struct instance *in;

	TAILQ_FOREACH(in, &all->instances, link)
		if (strcmp(in->conf->name, name) == 0)
			return in;
	return NULL;
}

static const struct hostd_cmd *
find_row(const struct instance *in, const char *name)
{
	const struct hostd_cmd *const *c;

	for (c = in->module->cmds; *c != NULL; c++)
		if (strcmp((*c)->name, name) == 0)
			return *c;
	return NULL;
}

static void
refuse_name(const struct instance *in, const char *name, struct buf *text)
{
	const struct hostd_cmd *const *c = in->module->cmds;
	const char **names, *near;
	size_t n = 0;

	if (c[0] == NULL) {
		buf_printf(text, "plugin \"%s\" (%s) has no commands",
		    in->conf->name, in->module->desc.id);
		return;
	}
	while (c[n] != NULL)
		n++;
	names = xcalloc(n + 1, sizeof(*names));
	for (n = 0; c[n] != NULL; n++)
		names[n] = c[n]->name;
	near = conf_nearest(name, names);
	buf_printf(text, "plugin \"%s\" has no command \"%s\"", in->conf->name,
	    name);
	if (near != NULL)
		buf_printf(text, "; did you mean \"%s\"?", near);
	else
		for (n = 0; names[n] != NULL; n++)
			buf_printf(text, "%s%s", n == 0 ? "; it has: " : ", ",
			    names[n]);
	free(names);
}

static void
refuse_count(const struct instance *in, const struct hostd_cmd *row,
    uint32_t argc, struct buf *text)
{
	buf_printf(text, "%s arguments; usage: hostctl plugin call %s %s%s%s",
	    argc < row->min_args ? "too few" : "too many", in->conf->name,
	    row->name, row->usage != NULL ? " " : "",
	    row->usage != NULL ? row->usage : "");
}

enum cmd_found
cmd_find(const struct plugins *all, const char *instance,
    const char *name, uint32_t argc, struct cmd *out, struct buf *text)
{
	out->in = find_instance(all, instance);
	if (out->in == NULL || !out->in->started)
		return CMD_ABSENT;
	out->row = find_row(out->in, name);
	if (out->row == NULL) {
		refuse_name(out->in, name, text);
		return CMD_REFUSED;
	}
	if (argc >= out->row->min_args && argc <= out->row->max_args)
		return CMD_FOUND;
	refuse_count(out->in, out->row, argc, text);
	return CMD_REFUSED;
}

int
cmd_run(const struct cmd *c, uint32_t argc, const hostd_buf *argv,
    struct op *op, uint64_t limit_ms, size_t max,
    void (*done)(struct op *, int32_t, hostd_buf))
{
	hostd_op h = op_start(op, c->in, limit_ms, max, done);
	uint64_t entered;
	int32_t rc;

	if (h.id == 0)
		return -1;
	entered = instance_enter(c->in, BOARD_CB_COMMAND);
	rc = c->row->run(c->in->inst, argc, argv, h);
	instance_leave(c->in, entered);
	op_returned(op, rc);
	return 0;
}

/* -- all there are -- */

static json_t *
row_json(const struct hostd_cmd *c)
{
	return json_pack("{s:s,s:s,s:s,s:b,s:b,s:b,s:I,s:I}", "name", c->name,
	    "usage", c->usage != NULL ? c->usage : "",
	    "help", c->help != NULL ? c->help : "",
	    "admin", (c->flags & HOSTD_CMD_ADMIN) != 0,
	    "every", (c->flags & HOSTD_CMD_EVERY) != 0,
	    "json", (c->flags & HOSTD_CMD_JSON) != 0,
	    "min_args", (json_int_t)c->min_args,
	    "max_args", (json_int_t)c->max_args);
}

static json_t *
instance_json(const struct instance *in)
{
	const struct hostd_cmd *const *c;
	json_t *list = json_array();

	for (c = in->module->cmds; *c != NULL; c++)
		(void)json_array_append_new(list, row_json(*c));
	return json_pack("{s:s,s:s,s:o}", "instance", in->conf->name,
	    "plugin", in->module->desc.id, "commands", list);
}

void
cmds_list(const struct plugins *all, struct buf *out)
{
	const struct instance *in;
	json_t *list = json_array();
	char *text;

	TAILQ_FOREACH(in, &all->instances, link)
		(void)json_array_append_new(list, instance_json(in));
	text = json_dumps(list, JSON_COMPACT);
	json_decref(list);
	if (text != NULL)
		buf_puts(out, text);
	free(text);
}
