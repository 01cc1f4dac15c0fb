/* SPDX-License-Identifier: BSD-2-Clause */
#include <dlfcn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/schema.h"
#include "plugin/elf.h"
#include "plugin/module.h"
#include "plugin/module_check.h"

#define MAX_CMDS 64u
#define MAX_BLOCKS 4u
#define MAX_KEYS 256u
#define MAX_PROVIDES 64u
#define REASON_SIZE 512

uint32_t
module_host_minor(void)
{
	const char *s = getenv("HOSTD_ABI_PRETEND_MINOR");
	unsigned long n;
	char *end;

	if (s == NULL || *s < '0' || *s > '9')
		return HOSTD_ABI_MINOR;
	n = strtoul(s, &end, 10);
	return *end != '\0' || n > HOSTD_ABI_MINOR ? HOSTD_ABI_MINOR
						   : (uint32_t)n;
}

/*
 * Copy a plugin's table into a zeroed one of this host's size: what the
 * plugin's lacks is absent, what it has beyond ours is ignored.
 */
static int
copy_table(void *dst, size_t full, const void *src, uint32_t have, size_t least,
    const char *what, char *why)
{
	if ((uintptr_t)src % sizeof(uint32_t) != 0) {
		(void)snprintf(why, REASON_SIZE, "%s: misaligned table", what);
		return -1;
	}
	if (have < least || have > MODULE_MAX_TABLE) {
		(void)snprintf(why, REASON_SIZE,
		    "%s: struct_size %u, expected %zu or more", what, have,
		    least);
		return -1;
	}
	memset(dst, 0, full);
	memcpy(dst, src, have < full ? have : full);
	return 0;
}

/* The struct_size that a table, other than the entry, starts with. */
static uint32_t
size_of(const void *table)
{
	uint32_t n;

	memcpy(&n, table, sizeof(n));
	return n;
}

/*
 * Read the prefix out of the file, so that what can't be accepted is refused
 * before even its constructors run.
 */
static int
check_file(const char *path, char *why)
{
	struct module_prefix prefix;
	const ElfW(Sym) * sym;
	const void *bytes;
	struct elf elf;
	int rc = -1;

	if (elf_open(&elf, path, why, REASON_SIZE) == -1)
		return -1;
	if (elf.syms == NULL) { /* stripped of sections: dlsym will tell */
		rc = 0;
		goto out;
	}
	if ((sym = elf_find(&elf, HOSTD_ENTRY)) == NULL) {
		(void)snprintf(why, REASON_SIZE,
		    "exports no " HOSTD_ENTRY "; is it a hostd plugin?");
		goto out;
	}
	bytes = elf_bytes(&elf, sym->st_value, sizeof(prefix));
	if (ELF64_ST_TYPE(sym->st_info) != STT_OBJECT || bytes == NULL) {
		(void)snprintf(why, REASON_SIZE,
		    "its " HOSTD_ENTRY " is not constant data");
		goto out;
	}
	memcpy(&prefix, bytes, sizeof(prefix));
	if (module_check_prefix(&prefix, why, REASON_SIZE) == -1)
		goto out;
	if (sym->st_size < prefix.struct_size) {
		(void)snprintf(why, REASON_SIZE,
		    "broken entry: struct_size %u, but it has %zu bytes",
		    prefix.struct_size, (size_t)sym->st_size);
		goto out;
	}
	rc = 0;
out:
	elf_close(&elf);
	return rc;
}

/* What dlopen says, in the words of this house. */
static void
explain_dlerror(const char *path, char *why)
{
	static const char undefined[] = "undefined symbol: ";
	const char *err = dlerror(), *s;
	size_t n = strlen(path);

	if (err == NULL)
		err = "dlopen failed";
	if ((s = strstr(err, undefined)) != NULL) {
		s += sizeof(undefined) - 1;
		(void)snprintf(why, REASON_SIZE,
		    "unresolved symbol `%.*s` (link with -Wl,-z,defs to see "
		    "it at build time)",
		    (int)strcspn(s, " ,"), s);
		return;
	}
	if (strncmp(err, path, n) == 0 && strncmp(err + n, ": ", 2) == 0)
		err += n + 2;
	(void)snprintf(why, REASON_SIZE, "%s", err);
}

static int
load_desc(struct module *m, const void *entry, char *why)
{
	struct module_prefix prefix;

	memcpy(&prefix, entry, sizeof(prefix));
	if (module_check_prefix(&prefix, why, REASON_SIZE) == -1 ||
	    copy_table(&m->desc, sizeof(m->desc), entry, prefix.struct_size,
		MODULE_MIN_PLUGIN, "entry", why) == -1)
		return -1;
	return module_check_desc(&m->desc, why, REASON_SIZE);
}

static int load_rows(const struct hostd_key *const *,
    const struct hostd_key *const **, unsigned, char *);

static int
load_key(struct hostd_key_block *dst, const struct hostd_key *src,
    unsigned depth, char *why)
{
	struct hostd_key_block all;

	if (copy_table(&all, sizeof(all), src, size_of(src), MODULE_MIN_KEY,
		"broken key", why) == -1)
		return -1;
	dst->key = all.key;
	if (module_check_key(&dst->key, why, REASON_SIZE) == -1)
		return -1;
	if (dst->key.type != HOSTD_KEY_BLOCK)
		return 0;
	if (all.keys != NULL)
		return load_rows(all.keys, &dst->keys, depth + 1, why);
	(void)snprintf(why, REASON_SIZE, "key \"%s\": a block without keys",
	    dst->key.name);
	return -1;
}

/* One block: the list, then the rows that it points to.  *out is to be freed
 * after a failure, too. */
static int
load_rows(const struct hostd_key *const *src,
    const struct hostd_key *const **out, unsigned depth, char *why)
{
	const struct hostd_key **keys;
	struct hostd_key_block *rows;
	size_t i, j, n = 0;

	while (src[n] != NULL)
		if (++n > MAX_KEYS) {
			(void)snprintf(
			    why, REASON_SIZE, "more than %u keys", MAX_KEYS);
			return -1;
		}
	if (depth > MAX_BLOCKS) {
		(void)snprintf(why, REASON_SIZE, "blocks in blocks, more than "
		    "%u deep", MAX_BLOCKS);
		return -1;
	}
	keys = xcalloc(1, (n + 1) * sizeof(*keys) + n * sizeof(*rows));
	*out = keys;
	rows = (struct hostd_key_block *)(void *)(keys + n + 1);
	for (i = 0; i < n; i++) {
		keys[i] = &rows[i].key;
		if (load_key(&rows[i], src[i], depth, why) == -1)
			return -1;
		for (j = 0; j < i; j++)
			if (strcmp(keys[j]->name, keys[i]->name) == 0) {
				(void)snprintf(why, REASON_SIZE,
				    "key \"%s\" is declared twice",
				    keys[i]->name);
				return -1;
			}
	}
	return 0;
}

static void
free_rows(const struct hostd_key *const *keys)
{
	size_t i;

	for (i = 0; keys != NULL && keys[i] != NULL; i++)
		if (keys[i]->type == HOSTD_KEY_BLOCK)
			free_rows(conf_rows_within(keys[i]));
	free((void *)(uintptr_t)keys);
}

/* Defaults have to pass the checks of their own keys. */
static int
check_rows(const struct module *m, char *why)
{
	struct conf_errors errs;
	int rc = 0;

	conf_errors_init(&errs);
	if (conf_rows_check(m->keys, m->desc.id, &errs) != 0) {
		(void)snprintf(
		    why, REASON_SIZE, "broken default: %s",
		    TAILQ_FIRST(&errs)->text);
		rc = -1;
	}
	conf_errors_free(&errs);
	return rc;
}

static int
load_keys(struct module *m, char *why)
{
	static const struct hostd_key *const none[] = { NULL };

	if (load_rows(m->desc.keys != NULL ? m->desc.keys : none, &m->keys,
	    0, why) == -1)
		return -1;
	m->desc.keys = m->keys;
	return check_rows(m, why);
}

static int
load_cmd(struct hostd_cmd *dst, const struct hostd_cmd *src, char *why)
{
	if (copy_table(dst, sizeof(*dst), src, size_of(src), MODULE_MIN_CMD,
		"broken command", why) == -1)
		return -1;
	return module_check_cmd(dst, why, REASON_SIZE);
}

static int
load_cmds(struct module *m, char *why)
{
	const struct hostd_cmd **cmds;
	struct hostd_cmd *rows;
	size_t i, j, n = 0;

	while (m->desc.cmds != NULL && m->desc.cmds[n] != NULL)
		if (++n > MAX_CMDS) {
			(void)snprintf(why, REASON_SIZE,
			    "more than %u commands", MAX_CMDS);
			return -1;
		}
	/* One block, as of keys. */
	cmds = xcalloc(1, (n + 1) * sizeof(*cmds) + n * sizeof(*rows));
	m->cmds = cmds;
	rows = (struct hostd_cmd *)(void *)(cmds + n + 1);
	for (i = 0; i < n; i++) {
		if (load_cmd(&rows[i], m->desc.cmds[i], why) == -1)
			return -1;
		for (j = 0; j < i; j++)
			if (strcmp(rows[j].name, rows[i].name) == 0) {
				(void)snprintf(why, REASON_SIZE,
				    "command \"%s\" is declared twice",
				    rows[i].name);
				return -1;
			}
		cmds[i] = &rows[i];
	}
	m->desc.cmds = m->cmds;
	return 0;
}

/* The kinds that are served. */
static const struct kind {
	const char *id;
	size_t full, least;	/* of its table */
	int (*check)(const void *, char *, size_t);
	size_t at;		/* of its pointer in struct module_provide */
} kinds[] = {
	{ HOSTD_KIND_HTTP_ROUTE, sizeof(struct hostd_http_ops),
	    MODULE_MIN_HTTP, module_check_http,
	    offsetof(struct module_provide, http) },
	{ HOSTD_KIND_WS_HANDLER, sizeof(struct hostd_ws_ops),
	    MODULE_MIN_WS, module_check_ws,
	    offsetof(struct module_provide, ws) },
	{ HOSTD_KIND_PUBSUB_BACKEND, sizeof(struct hostd_pubsub_ops),
	    MODULE_MIN_PUBSUB, module_check_pubsub,
	    offsetof(struct module_provide, pubsub) },
	{ HOSTD_KIND_BALANCER, sizeof(struct hostd_balancer_ops),
	    MODULE_MIN_BALANCER, module_check_balancer,
	    offsetof(struct module_provide, balancer) },
	{ HOSTD_KIND_SESSION_STORE, sizeof(struct hostd_session_store_ops),
	    MODULE_MIN_STORE, module_check_store,
	    offsetof(struct module_provide, store) },
};

static const struct kind *
find_kind(const char *id)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].id, id) == 0)
			return &kinds[i];
	return NULL;
}

static int
load_ops(struct module_provide *p, const struct kind *k, char *why)
{
	const void *src = p->info.ops;
	uint32_t *ops = xcalloc(1, k->full);

	p->info.ops = NULL;
	*(void **)(void *)((char *)p + k->at) = ops;
	if (copy_table(ops, k->full, src, size_of(src), k->least, k->id,
	    why) == -1 || k->check(ops, why, REASON_SIZE) == -1)
		return -1;
	*ops = (uint32_t)k->full;	/* struct_size comes first */
	p->info.ops = ops;
	return 0;
}

static int
load_provide(struct module *m, struct module_provide *p,
    const struct hostd_provide *src, char *why)
{
	const struct kind *kind;

	if (copy_table(&p->info, sizeof(p->info), src, size_of(src),
		MODULE_MIN_PROVIDE, "broken provide", why) == -1)
		return -1;
	if (p->info.name == NULL)
		p->info.name = m->desc.id;
	if (module_check_provide(&p->info, why, REASON_SIZE) == -1)
		return -1;
	kind = find_kind(p->info.kind);
	return kind == NULL ? 0 : load_ops(p, kind, why);
}

static int
load_provides(struct module *m, char *why)
{
	struct module_provide *p;
	size_t i, n = 0;

	while (m->desc.provides[n] != NULL)
		if (++n > MAX_PROVIDES) {
			(void)snprintf(why, REASON_SIZE,
			    "provides more than %u things", MAX_PROVIDES);
			return -1;
		}
	m->provides = xcalloc(n, sizeof(*m->provides));
	m->nprovides = n;
	for (i = 0; i < n; i++) {
		p = &m->provides[i];
		if (load_provide(m, p, m->desc.provides[i], why) == -1)
			return -1;
		if (module_provides(m, p->info.kind) != p) {
			(void)snprintf(why, REASON_SIZE,
			    "provides %s twice; one of a kind", p->info.kind);
			return -1;
		}
	}
	return 0;
}

/* What the plugin may offer by get_ext. */
static const struct ext {
	const char *id;
	size_t full, least;	/* of its table */
	int (*check)(const void *, char *, size_t);
	size_t at;		/* of its pointer in struct module */
} exts[] = {
	{ HOSTD_P_STATE, sizeof(struct hostd_p_state), MODULE_MIN_STATE,
	    module_check_state, offsetof(struct module, state) },
	{ HOSTD_P_WS_STATE, sizeof(struct hostd_p_ws_state),
	    MODULE_MIN_WS_STATE, module_check_ws_state,
	    offsetof(struct module, ws_state) },
	{ HOSTD_P_SANDBOX, sizeof(struct hostd_p_sandbox), MODULE_MIN_SANDBOX,
	    module_check_sandbox, offsetof(struct module, sandbox) },
	{ HOSTD_P_OFFER, sizeof(struct hostd_p_offer), MODULE_MIN_P_OFFER,
	    module_check_p_offer, offsetof(struct module, offer) },
};

static int
load_ext(struct module *m, const struct ext *x, char *why)
{
	const void *src = m->desc.get_ext(x->id);
	uint32_t *table;

	if (src == NULL)
		return 0;
	table = xcalloc(1, x->full);
	*(void **)(void *)((char *)m + x->at) = table;
	if (copy_table(table, x->full, src, size_of(src), x->least, x->id,
	    why) == -1 || x->check(table, why, REASON_SIZE) == -1)
		return -1;
	*table = (uint32_t)x->full;	/* struct_size comes first */
	return 0;
}

static int
load_offer(struct module *m, const struct hostd_offer *src, char *why)
{
	struct hostd_offer *o = &m->offers[m->noffers];
	size_t i;

	if (copy_table(o, sizeof(*o), src, size_of(src), MODULE_MIN_OFFER,
	    HOSTD_P_OFFER, why) == -1 ||
	    module_check_offer(o, why, REASON_SIZE) == -1)
		return -1;
	if (find_kind(o->kind) != NULL) {
		(void)snprintf(why, REASON_SIZE, HOSTD_P_OFFER ": %s is the "
		    "host's", o->kind);
		return -1;
	}
	for (i = 0; i < m->noffers; i++)
		if (strcmp(m->offers[i].kind, o->kind) == 0) {
			(void)snprintf(why, REASON_SIZE, HOSTD_P_OFFER ": %s "
			    "is offered twice", o->kind);
			return -1;
		}
	m->noffers++;
	return 0;
}

static int
load_offers(struct module *m, char *why)
{
	size_t i, n = 0;

	if (m->offer == NULL)
		return 0;
	while (m->offer->offers[n] != NULL)
		if (++n > MAX_PROVIDES) {
			(void)snprintf(why, REASON_SIZE, HOSTD_P_OFFER
			    ": more than %u offers", MAX_PROVIDES);
			return -1;
		}
	m->offers = xcalloc(n + 1, sizeof(*m->offers));
	for (i = 0; i < n; i++)
		if (load_offer(m, m->offer->offers[i], why) == -1)
			return -1;
	return 0;
}

static int
load_exts(struct module *m, char *why)
{
	size_t i;

	for (i = 0; m->desc.get_ext != NULL &&
	    i < sizeof(exts) / sizeof(exts[0]); i++)
		if (load_ext(m, &exts[i], why) == -1)
			return -1;
	return load_offers(m, why);
}

struct module *
module_open(const char *path, const char *display, char *why, size_t size)
{
	char reason[REASON_SIZE] = "";
	const void *entry;
	struct module *m;

	m = xcalloc(1, sizeof(*m));
	/* A bare name would make dlopen search the system's libraries. */
	m->path = xasprintf("%s%s", strchr(path, '/') == NULL ? "./" : "",
	    path);
	m->display = xstrdup(display);
	if (check_file(m->path, reason) == -1)
		goto refuse;
	if ((m->dl = dlopen(m->path, RTLD_NOW | RTLD_LOCAL)) == NULL) {
		explain_dlerror(m->path, reason);
		goto refuse;
	}
	if ((entry = dlsym(m->dl, HOSTD_ENTRY)) == NULL) {
		(void)snprintf(reason, sizeof(reason),
		    "exports no " HOSTD_ENTRY "; is it a hostd plugin?");
		goto refuse;
	}
	if (load_desc(m, entry, reason) == -1 || load_keys(m, reason) == -1 ||
	    load_cmds(m, reason) == -1 || load_exts(m, reason) == -1 ||
	    load_provides(m, reason) == -1)
		goto refuse;
	if (size > 0)
		why[0] = '\0';
	if (reason[0] != '\0')
		(void)snprintf(why, size, "%s: %s", display, reason);
	return m;
refuse:
	(void)snprintf(why, size, "%s: %s", display, reason);
	module_free(m);
	return NULL;
}

void
module_free(struct module *m)
{
	size_t i;

	if (m == NULL)
		return;
	for (i = 0; i < m->nprovides; i++) {
		free((void *)(uintptr_t)m->provides[i].http);
		free((void *)(uintptr_t)m->provides[i].ws);
		free((void *)(uintptr_t)m->provides[i].pubsub);
		free((void *)(uintptr_t)m->provides[i].balancer);
		free((void *)(uintptr_t)m->provides[i].store);
	}
	free(m->provides);
	free((void *)(uintptr_t)m->state);
	free((void *)(uintptr_t)m->ws_state);
	free((void *)(uintptr_t)m->sandbox);
	free((void *)(uintptr_t)m->offer);
	free(m->offers);
	free_rows(m->keys);
	free((void *)(uintptr_t)m->cmds);
	free(m->display);
	free(m->path);
	free(m);
}

int
module_is_served(const struct module_provide *p)
{
	return find_kind(p->info.kind) != NULL;
}

const struct module_provide *
module_provides(const struct module *m, const char *kind)
{
	size_t i;

	for (i = 0; i < m->nprovides; i++)
		if (strcmp(m->provides[i].info.kind, kind) == 0)
			return &m->provides[i];
	return NULL;
}
