/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <openssl/evp.h>

#include "ctl/plugin.h"
#include "ctl/words.h"
#include "plugin/elf.h"
#include "plugin/module.h"

#define SECONDS 10

/* Libraries that a worker already has one of; two event loops, or two copies
 * of a TLS library's state, in one process is asking for trouble. */
static const char *const heavy[] = {"libuv", "libev", "libevent", "libhiredis",
    "libssl", "libcrypto", "libgnutls", "libmbedtls", "libllhttp", "libwslay",
    NULL};

struct inspect {
	json_t *doc;
	json_t *warnings;
};

static void
add_warning(struct inspect *in, json_t *text)
{
	(void)json_array_append_new(in->warnings, text);
}

static void
add_hash(struct inspect *in, const struct elf *elf)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	char hex[2 * EVP_MAX_MD_SIZE + 1];
	unsigned i, n = 0;

	if (EVP_Digest(elf->data, elf->size, md, &n, EVP_sha256(), NULL) != 1)
		return;
	for (i = 0; i < n; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", md[i]);
	(void)json_object_set_new(in->doc, "sha256", json_string(hex));
	(void)json_object_set_new(
	    in->doc, "bytes", json_integer((json_int_t)elf->size));
}

static void
add_symbols(struct inspect *in, const struct elf *elf)
{
	json_t *list = json_array();
	const char *s;
	size_t i;

	for (i = 0; elf->syms != NULL && i < elf->nsyms; i++)
		if ((s = elf_export(elf, i)) != NULL)
			(void)json_array_append_new(list, json_string(s));
	if (json_array_size(list) > 1)
		add_warning(in,
		    json_string(
			"it exports more than " HOSTD_ENTRY ": build "
			"it with -fvisibility=hidden and the SDK's version "
			"script"));
	(void)json_object_set_new(in->doc, "exports", list);
}

static void
add_needed(struct inspect *in, const struct elf *elf)
{
	json_t *list = json_array();
	const char *s;
	size_t i, k;

	for (i = 0; (s = elf_needed(elf, i)) != NULL; i++) {
		(void)json_array_append_new(list, json_string(s));
		for (k = 0; heavy[k] != NULL; k++)
			if (strncmp(s, heavy[k], strlen(heavy[k])) == 0)
				add_warning(in,
				    json_sprintf("it links %s of its own; what "
						 "plugins need of it is a "
						 "service of the "
						 "host",
					s));
	}
	(void)json_object_set_new(in->doc, "libraries", list);
}

/* What can be told without running any of it. */
static int
add_file(struct inspect *in, const char *path)
{
	char why[256];
	struct elf elf;

	if (elf_open(&elf, path, why, sizeof(why)) == -1) {
		(void)json_object_set_new(in->doc, "reason",
		    json_sprintf("%s: %s", plugin_display(path), why));
		return -1;
	}
	add_hash(in, &elf);
	add_symbols(in, &elf);
	add_needed(in, &elf);
	elf_close(&elf);
	return 0;
}

static json_t *
provide_json(const struct module *m, const struct module_provide *p)
{
	json_t *o =
	    json_pack("{s:s, s:s}", "kind", p->info.kind, "name", p->info.name);
	char route[300];

	if (p->info.route != NULL)
		(void)json_object_set_new(
		    o, "route", json_string(p->info.route));
	else if (p->http != NULL || p->ws != NULL) {
		plugin_route(m->path, route, sizeof(route));
		(void)json_object_set_new(o, "route", json_string(route));
	}
	(void)json_object_set_new(o, "served",
	    json_boolean(
		p->http != NULL || p->ws != NULL || p->pubsub != NULL ||
		p->balancer != NULL || p->store != NULL));
	return o;
}

/* What it takes over a reload. */
static json_t *
extensions_json(const struct module *m)
{
	json_t *list = json_array();

	if (m->state != NULL)
		(void)json_array_append_new(list,
		    json_pack("{s:s, s:i}", "id", HOSTD_P_STATE, "version",
		    (int)m->state->version));
	if (m->ws_state != NULL)
		(void)json_array_append_new(list,
		    json_pack("{s:s, s:i}", "id", HOSTD_P_WS_STATE, "version",
		    (int)m->ws_state->version));
	return list;
}

static json_t *
texts_json(const char *const *list)
{
	json_t *o = json_array();

	for (; list != NULL && *list != NULL; list++)
		(void)json_array_append_new(o, json_string(*list));
	return o;
}

/* What it needs beyond the files that its keys name. */
static json_t *
sandbox_json(const struct hostd_p_sandbox *s)
{
	return json_pack("{s:b, s:o, s:o, s:o}", "exec",
	    (s->flags & HOSTD_SANDBOX_EXEC) != 0, "reads",
	    texts_json(s->reads), "writes", texts_json(s->writes), "calls",
	    texts_json(s->calls));
}

/* Child: write what the plugin says of itself to the pipe at *arg. */
static int
describe(const char *path, void *arg)
{
	FILE *out = arg;
	char why[512];
	struct module *m;
	json_t *doc, *provides = json_array(), *keys = json_array();
	json_t *cmds = json_array();
	size_t i;

	m = module_open(path, plugin_display(path), why, sizeof(why));
	if (m == NULL) {
		doc = json_pack("{s:b, s:s}", "accepted", 0, "reason", why);
		goto out;
	}
	for (i = 0; i < m->nprovides; i++)
		(void)json_array_append_new(
		    provides, provide_json(m, &m->provides[i]));
	for (i = 0; m->keys[i] != NULL; i++)
		(void)json_array_append_new(
		    keys, json_string(m->keys[i]->name));
	for (i = 0; m->cmds[i] != NULL; i++)
		(void)json_array_append_new(cmds, json_sprintf("%s%s%s",
		    m->cmds[i]->name, m->cmds[i]->usage != NULL ? " " : "",
		    m->cmds[i]->usage != NULL ? m->cmds[i]->usage : ""));
	doc = json_pack("{s:b, s:s, s:s, s:s, s:s, s:i, s:i, s:O, s:o, s:O, "
			"s:O}",
	    "accepted", 1, "reason", why, "id", m->desc.id, "version",
	    m->desc.version, "built_with", m->desc.built_with, "abi_major",
	    m->desc.abi_major, "abi_minor_needed", m->desc.abi_minor_needed,
	    "provides", provides, "extensions", extensions_json(m), "keys",
	    keys, "commands", cmds);
	if (m->sandbox != NULL)
		(void)json_object_set_new(
		    doc, "sandbox", sandbox_json(m->sandbox));
	module_free(m);
out:
	(void)json_dumpf(doc, out, JSON_COMPACT);
	(void)fflush(out);
	json_decref(doc);
	json_decref(provides);
	json_decref(keys);
	json_decref(cmds);
	return 0;
}

static void
add_descriptor(struct inspect *in, const char *path)
{
	char why[512] = "";
	json_t *said = NULL;
	FILE *f = tmpfile();

	if (f == NULL ||
	    plugin_fork(describe, path, f, SECONDS, why, sizeof(why)) != 0) {
		(void)json_object_set_new(in->doc, "reason", json_string(why));
		goto out;
	}
	rewind(f);
	if ((said = json_loadf(f, 0, NULL)) != NULL)
		(void)json_object_update(in->doc, said);
	json_decref(said);
out:
	if (f != NULL)
		(void)fclose(f);
}

static const char *
text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s == NULL ? "" : s;
}

static void
print_list(const json_t *doc, const char *key)
{
	json_t *v;
	size_t i;

	(void)printf("%-12s", key);
	json_array_foreach (json_object_get(doc, key), i, v)
		(void)printf("%s%s", i == 0 ? "" : ", ", json_string_value(v));
	(void)putchar('\n');
}

static void
print_sandbox(const json_t *s)
{
	static const char *const lists[] = {"reads", "writes", "calls"};
	const char *head = "sandbox";
	const json_t *list;
	json_t *v;
	size_t i, k;

	if (json_is_true(json_object_get(s, "exec"))) {
		(void)printf("%-12sexecutes programs\n", head);
		head = "";
	}
	for (i = 0; i < 3; i++) {
		list = json_object_get(s, lists[i]);
		if (json_array_size(list) == 0)
			continue;
		(void)printf("%-12s%s ", head, lists[i]);
		json_array_foreach (list, k, v)
			(void)printf("%s%s", k == 0 ? "" : ", ",
			    json_string_value(v));
		(void)putchar('\n');
		head = "";
	}
}

static void
print_descriptor(const json_t *doc)
{
	json_t *p;
	size_t i;

	(void)printf("%-12s%s\n%-12s%s\n", "id", text_of(doc, "id"), "version",
	    text_of(doc, "version"));
	(void)printf("%-12s%d.%d or newer, built with SDK %s\n", "abi",
	    (int)json_integer_value(json_object_get(doc, "abi_major")),
	    (int)json_integer_value(json_object_get(doc, "abi_minor_needed")),
	    text_of(doc, "built_with"));
	json_array_foreach (json_object_get(doc, "provides"), i, p)
		(void)printf("%-12s%s%s%s%s\n", i == 0 ? "provides" : "",
		    text_of(p, "kind"),
		    *text_of(p, "route") == '\0' ? "" : ", by default at ",
		    text_of(p, "route"),
		    json_is_true(json_object_get(p, "served"))
			? ""
			: " (of a plugin that offers it)");
	json_array_foreach (json_object_get(doc, "extensions"), i, p)
		(void)printf("%-12s%s, version %d\n",
		    i == 0 ? "extensions" : "", text_of(p, "id"),
		    (int)json_integer_value(json_object_get(p, "version")));
	print_sandbox(json_object_get(doc, "sandbox"));
	print_list(doc, "keys");
	if (json_array_size(json_object_get(doc, "commands")) > 0)
		print_list(doc, "commands");
}

static void
print_text(const json_t *doc)
{
	json_t *w;
	size_t i;
	int accepted = json_is_true(json_object_get(doc, "accepted"));

	(void)printf("%-12s%s\n", "path", text_of(doc, "path"));
	if (json_object_get(doc, "sha256") != NULL) {
		(void)printf("%-12s%s\n", "sha256", text_of(doc, "sha256"));
		print_list(doc, "exports");
		print_list(doc, "libraries");
	}
	if (accepted)
		print_descriptor(doc);
	json_array_foreach (json_object_get(doc, "warnings"), i, w)
		(void)printf("%-12s%s\n", "warning", json_string_value(w));
	(void)printf("%-12s%s%s%s\n", "verdict",
	    accepted ? "accepted" : "refused",
	    *text_of(doc, "reason") == '\0' ? "" : ": ",
	    text_of(doc, "reason"));
}

static int
inspect(const char *path, int as_json)
{
	struct inspect in = {json_object(), json_array()};
	int accepted;

	(void)json_object_set_new(in.doc, "path", json_string(path));
	(void)json_object_set_new(in.doc, "accepted", json_false());
	(void)json_object_set(in.doc, "warnings", in.warnings);
	if (add_file(&in, path) == 0)
		add_descriptor(&in, path);
	accepted = json_is_true(json_object_get(in.doc, "accepted"));
	if (as_json) {
		(void)json_dumpf(in.doc, stdout, JSON_INDENT(2));
		(void)putchar('\n');
	} else {
		print_text(in.doc);
	}
	json_decref(in.warnings);
	json_decref(in.doc);
	return accepted ? PLUGIN_OK : PLUGIN_FAILED;
}

int
plugin_inspect(int argc, char **argv)
{
	int as_json = 0;

	if (words_take(argc, argv, "--json", &as_json) != 1) {
		(void)fprintf(
		    stderr, "usage: hostctl plugin inspect [--json] FILE\n");
		return PLUGIN_USAGE;
	}
	return inspect(argv[1], as_json);
}
