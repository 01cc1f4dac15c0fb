/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "config/schema.h"
#include "ctl/plugin.h"
#include "ctl/words.h"
#include "plugin/module.h"

#define SECONDS 10
#define WIDTH 72

static int
is_number(const struct hostd_key *k)
{
	return k->type == HOSTD_KEY_INT || k->type == HOSTD_KEY_DURATION ||
	    k->type == HOSTD_KEY_SIZE;
}

static json_t *keys_json(const struct hostd_key *const *);

static json_t *
key_json(const struct hostd_key *k)
{
	json_t *o, *choices;
	size_t i;

	o = json_pack("{s:s, s:s, s:b, s:s?, s:s}", "name", k->name, "type",
	    conf_type_name(k->type), "required",
	    (k->flags & HOSTD_KEY_REQUIRED) != 0, "default",
	    k->type == HOSTD_KEY_SECRET ? NULL : k->dflt, "help",
	    k->help == NULL ? "" : k->help);
	if (k->min != 0 || k->max != 0) {
		(void)json_object_set_new(o, "min", json_integer(k->min));
		(void)json_object_set_new(o, "max", json_integer(k->max));
	}
	if (k->type == HOSTD_KEY_BLOCK)
		(void)json_object_set_new(o, "keys",
		    keys_json(conf_rows_within(k)));
	if (k->type == HOSTD_KEY_ENUM) {
		choices = json_array();
		for (i = 0; k->choices[i] != NULL; i++)
			(void)json_array_append_new(
			    choices, json_string(k->choices[i]));
		(void)json_object_set_new(o, "choices", choices);
	}
	return o;
}

static json_t *
keys_json(const struct hostd_key *const *keys)
{
	json_t *list = json_array();

	for (; *keys != NULL; keys++)
		(void)json_array_append_new(list, key_json(*keys));
	return list;
}

/* A comment of any length in lines of WIDTH. */
static void
print_help(const char *before, const char *help)
{
	int len;

	while (help != NULL && *help != '\0') {
		len = (int)strlen(help);
		if (len > WIDTH) {
			for (len = WIDTH; len > 0 && help[len] != ' '; len--)
				;
			if (len == 0)
				len = (int)strcspn(help, " ");
		}
		(void)printf("%s# %.*s\n", before, len, help);
		help += len;
		help += strspn(help, " ");
	}
}

/* Bounds as they would be written in the file. */
static void
print_bound(const struct hostd_key *k, int64_t n)
{
	static const struct {
		int64_t per;
		char unit;
	} sizes[] = {{1 << 30, 'g'}, {1 << 20, 'm'}, {1 << 10, 'k'}},
	  times[] = {
	      {86400000, 'd'}, {3600000, 'h'}, {60000, 'm'}, {1000, 's'}};
	size_t i;

	for (i = 0; k->type == HOSTD_KEY_SIZE && i < 3; i++)
		if (n != 0 && n % sizes[i].per == 0) {
			(void)printf("%lld%c", (long long)(n / sizes[i].per),
			    sizes[i].unit);
			return;
		}
	for (i = 0; k->type == HOSTD_KEY_DURATION && i < 4; i++)
		if (n != 0 && n % times[i].per == 0) {
			(void)printf("%lld%c", (long long)(n / times[i].per),
			    times[i].unit);
			return;
		}
	(void)printf(
	    "%lld%s", (long long)n, k->type == HOSTD_KEY_DURATION ? "ms" : "");
}

static void
print_kind(const char *before, const struct hostd_key *k)
{
	size_t i;

	(void)printf("%s# %s", before, conf_type_name(k->type));
	if (k->min != 0 || k->max != 0) {
		(void)printf(is_number(k) ? ", " : k->type == HOSTD_KEY_BLOCK ?
		    ", title of length " : ", length ");
		print_bound(k, k->min);
		(void)printf(" to ");
		print_bound(k, k->max);
	}
	for (i = 0; k->type == HOSTD_KEY_ENUM && k->choices[i] != NULL; i++)
		(void)printf("%s%s", i == 0 ? ": " : ", ", k->choices[i]);
	if ((k->flags & HOSTD_KEY_REQUIRED) != 0)
		(void)printf("; required");
	(void)putchar('\n');
}

static void
print_quoted(const char *s)
{
	(void)putchar('"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			(void)putchar('\\');
		if (*s == '\n')
			(void)printf("\\n");
		else if (*s == '\t')
			(void)printf("\\t");
		else
			(void)putchar(*s);
	}
	(void)putchar('"');
}

static void
print_items(const char *list)
{
	char item[1024];
	size_t n;

	(void)putchar('{');
	while (*list != '\0') {
		list += strspn(list, " ,");
		n = strcspn(list, ",");
		(void)snprintf(item, sizeof(item), "%.*s", (int)n, list);
		print_quoted(item);
		list += n;
		if (*list != '\0')
			(void)printf(", ");
	}
	(void)putchar('}');
}

/* Commented out at the default; a required key is left to be filled in. */
static void
print_value(const char *before, const struct hostd_key *k)
{
	int required = (k->flags & HOSTD_KEY_REQUIRED) != 0;
	const char *dflt = k->dflt == NULL ? "" : k->dflt;

	(void)printf("%s%s%s = ", before, required ? "" : "#", k->name);
	if (k->type == HOSTD_KEY_SECRET)
		(void)printf("\"\"");
	else if (k->type == HOSTD_KEY_LIST)
		print_items(dflt);
	else if (k->type == HOSTD_KEY_STRING ||
	    k->type == HOSTD_KEY_PATH || *dflt == '\0')
		print_quoted(dflt);
	else
		(void)printf("%s", dflt);
	(void)putchar('\n');
}

static void print_rows(const char *before, const struct hostd_key *const *);

/* All of it is commented out, and what is in it once more. */
static void
print_block(const char *before, const struct hostd_key *k)
{
	char within[32];

	(void)snprintf(within, sizeof(within), "%s#\t", before);
	(void)printf("%s#%s %s{\n", before, k->name,
	    k->max > 0 ? "\"\" " : "");
	print_rows(within, conf_rows_within(k));
	(void)printf("%s#}\n", before);
}

static void
print_rows(const char *before, const struct hostd_key *const *keys)
{
	for (; *keys != NULL; keys++) {
		print_help(before, (*keys)->help);
		print_kind(before, *keys);
		if ((*keys)->type == HOSTD_KEY_BLOCK)
			print_block(before, *keys);
		else
			print_value(before, *keys);
		if (keys[1] != NULL)
			(void)printf("%.*s\n", (int)strlen(before) - 1,
			    before);
	}
}

static void
print_text(const struct module *m, const char *file)
{
	(void)printf("plugin \"%s\" {\n\tmodule = \"%s\"\n", m->desc.id, file);
	if (m->keys[0] != NULL)
		(void)putchar('\n');
	print_rows("\t", m->keys);
	(void)printf("}\n");
}

static void
print_json(const struct module *m)
{
	json_t *doc;

	doc = json_pack("{s:s, s:s, s:o}", "id", m->desc.id, "version",
	    m->desc.version, "keys", keys_json(m->keys));
	(void)json_dumpf(doc, stdout, JSON_INDENT(2));
	(void)putchar('\n');
	json_decref(doc);
}

static int
show(const char *path, void *arg)
{
	const int *as_json = arg;
	char why[512];
	struct module *m;

	m = module_open(path, plugin_display(path), why, sizeof(why));
	if (m == NULL) {
		(void)fprintf(stderr, "%s\n", why);
		return PLUGIN_FAILED;
	}
	if (*as_json)
		print_json(m);
	else
		print_text(m, plugin_display(path));
	module_free(m);
	return PLUGIN_OK;
}

int
plugin_schema(int argc, char **argv)
{
	char why[512];
	int rc, as_json = 0;

	if (words_take(argc, argv, "--json", &as_json) != 1) {
		(void)fprintf(
		    stderr, "usage: hostctl plugin schema [--json] FILE\n");
		return PLUGIN_USAGE;
	}
	rc = plugin_fork(show, argv[1], &as_json, SECONDS, why, sizeof(why));
	if (rc == -1)
		(void)fprintf(stderr, "%s\n", why);
	return rc == -1 ? PLUGIN_FAILED : rc;
}
