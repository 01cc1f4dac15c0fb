/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "config/schema.h"
#include "plugin/module.h"
#include "plugin/module_check.h"

#define MAX_NAME 63u
#define MAX_ROUTE 1024u
#define MAX_CHOICES 256u
#define MAX_DATA 65536u
#define MAX_LINE 200u

#define REFUSE(...)                                     \
	do {                                            \
		(void)snprintf(why, size, __VA_ARGS__); \
		return -1;                              \
	} while (0)

/* A name that may appear in files, metrics and URLs. */
static int
is_name(const char *s)
{
	size_t n;

	if (s == NULL)
		return 0;
	n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_");
	return n > 0 && n <= MAX_NAME && s[n] == '\0';
}

/* "<name>/<rev>", as kinds are called. */
static int
is_kind(const char *s)
{
	size_t n, digits;

	if (s == NULL)
		return 0;
	n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_.");
	if (n == 0 || s[n] != '/')
		return 0;
	digits = strspn(s + n + 1, "0123456789");
	return digits > 0 && n + 1 + digits <= MAX_NAME &&
	    s[n + 1 + digits] == '\0';
}

/* Printable ASCII, at least one and at most max bytes. */
static int
is_text(const char *s, size_t max)
{
	size_t i;

	if (s == NULL)
		return 0;
	for (i = 0; i <= max && s[i] != '\0'; i++)
		if (s[i] < ' ' || s[i] > '~')
			return 0;
	return i > 0 && i <= max;
}

int
module_check_prefix(const struct module_prefix *p, char *why, size_t size)
{
	if (p->magic != HOSTD_MAGIC)
		REFUSE("its " HOSTD_ENTRY " starts with 0x%08x instead of "
		       "0x%08x; is it a hostd plugin?",
		    p->magic, HOSTD_MAGIC);
	if (p->abi_major != HOSTD_ABI_MAJOR)
		REFUSE("built for ABI major %u, this host serves %u",
		    p->abi_major, HOSTD_ABI_MAJOR);
	if (p->abi_minor_needed > module_host_minor())
		REFUSE("needs ABI %u.%u, this host serves %u.%u", p->abi_major,
		    p->abi_minor_needed, HOSTD_ABI_MAJOR, module_host_minor());
	if (p->struct_size < MODULE_MIN_PLUGIN ||
	    p->struct_size > MODULE_MAX_TABLE)
		REFUSE("broken entry: struct_size %u, expected %zu or more",
		    p->struct_size, MODULE_MIN_PLUGIN);
	return 0;
}

int
module_check_desc(const struct hostd_plugin *d, char *why, size_t size)
{
	if (!is_name(d->id))
		REFUSE("broken entry: id must be 1-%u of [a-z0-9_]", MAX_NAME);
	if (!is_text(d->version, MAX_NAME))
		REFUSE("broken entry: version must be 1-%u printable bytes",
		    MAX_NAME);
	if (!is_text(d->built_with, MAX_NAME))
		REFUSE("broken entry: built_with must be HOSTD_SDK_VERSION");
	if (d->create == NULL)
		REFUSE("broken entry: create is NULL");
	if (d->provides == NULL || d->provides[0] == NULL)
		REFUSE("provides nothing");
	return 0;
}

static int
check_choices(const struct hostd_key *k, char *why, size_t size)
{
	size_t i;
	int found = k->dflt == NULL;

	if (k->choices == NULL || k->choices[0] == NULL)
		REFUSE("key \"%s\": an enum without choices", k->name);
	for (i = 0; k->choices[i] != NULL; i++) {
		if (i == MAX_CHOICES || !is_text(k->choices[i], MAX_NAME))
			REFUSE("key \"%s\": broken choices", k->name);
		if (!found && strcmp(k->choices[i], k->dflt) == 0)
			found = 1;
	}
	if (!found)
		REFUSE("key \"%s\": the default \"%s\" is not a choice",
		    k->name, k->dflt);
	return 0;
}

#define KEY_FLAGS (HOSTD_KEY_REQUIRED | HOSTD_KEY_WRITE | HOSTD_KEY_DIR)

int
module_check_key(const struct hostd_key *k, char *why, size_t size)
{
	if (!is_name(k->name))
		REFUSE(
		    "broken key: its name must be 1-%u of [a-z0-9_]", MAX_NAME);
	if (conf_is_plugin_key(k->name))
		REFUSE("key \"%s\": the host has one of that name", k->name);
	if (k->type < HOSTD_KEY_INT || k->type > HOSTD_KEY_BLOCK)
		REFUSE("key \"%s\": unknown type %u", k->name, k->type);
	if ((k->flags & ~KEY_FLAGS) != 0)
		REFUSE("key \"%s\": unknown flag bits 0x%x", k->name,
		    k->flags & ~KEY_FLAGS);
	if ((k->flags & (HOSTD_KEY_WRITE | HOSTD_KEY_DIR)) != 0 &&
	    (k->type != HOSTD_KEY_PATH || (k->flags & HOSTD_KEY_WRITE) == 0))
		REFUSE("key \"%s\": HOSTD_KEY_WRITE is for paths, and "
		    "HOSTD_KEY_DIR goes with it", k->name);
	if (k->type == HOSTD_KEY_BLOCK && k->dflt != NULL)
		REFUSE("key \"%s\": a block has no default", k->name);
	if (k->min > k->max)
		REFUSE("key \"%s\": min is above max", k->name);
	if (k->type == HOSTD_KEY_ENUM)
		return check_choices(k, why, size);
	return 0;
}

#define CMD_FLAGS (HOSTD_CMD_ADMIN | HOSTD_CMD_EVERY | HOSTD_CMD_JSON)

int
module_check_cmd(const struct hostd_cmd *c, char *why, size_t size)
{
	if (!is_name(c->name))
		REFUSE("broken command: its name must be 1-%u of [a-z0-9_]",
		    MAX_NAME);
	if ((c->flags & ~CMD_FLAGS) != 0)
		REFUSE("command \"%s\": unknown flag bits 0x%x", c->name,
		    c->flags & ~CMD_FLAGS);
	if (c->usage != NULL && !is_text(c->usage, MAX_LINE))
		REFUSE("command \"%s\": usage must be 1-%u printable bytes",
		    c->name, MAX_LINE);
	if (c->help != NULL && !is_text(c->help, MAX_LINE))
		REFUSE("command \"%s\": help must be 1-%u printable bytes",
		    c->name, MAX_LINE);
	if (c->usage == NULL && c->max_args > 0)
		REFUSE("command \"%s\": takes arguments, but has no usage",
		    c->name);
	if (c->min_args > c->max_args)
		REFUSE("command \"%s\": min_args is above max_args", c->name);
	if (c->run == NULL)
		REFUSE("command \"%s\": run is NULL", c->name);
	return 0;
}

int
module_check_provide(const struct hostd_provide *p, char *why, size_t size)
{
	if (!is_kind(p->kind))
		REFUSE("broken provide: kind must be NAME/NUMBER, as "
		    HOSTD_KIND_HTTP_ROUTE ", of [a-z0-9_.] and at most %u "
		    "bytes", MAX_NAME);
	if (!is_name(p->name))
		REFUSE("%s: its name must be 1-%u of [a-z0-9_]", p->kind,
		    MAX_NAME);
	if (p->reserved != 0)
		REFUSE("%s: unknown flag bits 0x%x", p->kind, p->reserved);
	if (p->ops == NULL)
		REFUSE("%s: ops is NULL", p->kind);
	if (p->route != NULL &&
	    (!is_text(p->route, MAX_ROUTE) || p->route[0] != '/'))
		REFUSE("%s: its route must start with \"/\"", p->kind);
	return 0;
}

/* What the kinds' tables have in common. */
static int
check_flags(const char *kind, uint32_t flags, uint32_t known, uint32_t reserved,
    char *why, size_t size)
{
	uint32_t unknown = (flags & ~known) | reserved;

	if (unknown != 0)
		REFUSE("%s: unknown flag bits 0x%x", kind, unknown);
	return 0;
}

static int
check_data_size(const char *kind, uint32_t n, char *why, size_t size)
{
	if (n > MAX_DATA)
		REFUSE("%s: data_size %u, at most %u", kind, n, MAX_DATA);
	return 0;
}

int
module_check_http(const void *ops, char *why, size_t size)
{
	const struct hostd_http_ops *o = ops;

	if (o->on_headers == NULL)
		REFUSE("http_route/1: on_headers is NULL");
	if (check_flags(HOSTD_KIND_HTTP_ROUTE, o->flags,
	    HOSTD_HTTP_BUFFER_BODY, o->reserved, why, size) == -1)
		return -1;
	return check_data_size(HOSTD_KIND_HTTP_ROUTE, o->data_size, why, size);
}

int
module_check_ws(const void *ops, char *why, size_t size)
{
	const struct hostd_ws_ops *o = ops;

	if (o->on_message == NULL)
		REFUSE("ws_handler/1: on_message is NULL");
	if (check_flags(HOSTD_KIND_WS_HANDLER, o->flags, HOSTD_WS_FRAGMENTS,
	    o->reserved, why, size) == -1)
		return -1;
	return check_data_size(HOSTD_KIND_WS_HANDLER, o->data_size, why, size);
}

int
module_check_pubsub(const void *ops, char *why, size_t size)
{
	const struct hostd_pubsub_ops *o = ops;

	if (o->publish == NULL)
		REFUSE("pubsub_backend/1: publish is NULL");
	if (o->subscribe == NULL)
		REFUSE("pubsub_backend/1: subscribe is NULL");
	return check_flags(HOSTD_KIND_PUBSUB_BACKEND, o->flags, 0,
	    o->reserved, why, size);
}

int
module_check_balancer(const void *ops, char *why, size_t size)
{
	const struct hostd_balancer_ops *o = ops;

	if (o->update == NULL)
		REFUSE("balancer/1: update is NULL");
	if (o->pick == NULL)
		REFUSE("balancer/1: pick is NULL");
	if (check_flags(HOSTD_KIND_BALANCER, o->flags, 0, o->reserved, why,
	    size) == -1)
		return -1;
	return check_data_size(HOSTD_KIND_BALANCER, o->data_size, why, size);
}

int
module_check_store(const void *ops, char *why, size_t size)
{
	const struct hostd_session_store_ops *o = ops;
	int stateless = (o->flags & HOSTD_STORE_STATELESS) != 0;

	if (o->get == NULL || o->set == NULL)
		REFUSE("session_store/1: get and set must be set");
	if (!stateless && (o->touch == NULL || o->del == NULL))
		REFUSE("session_store/1: touch and del must be set, unless it "
		    "is stateless");
	if (stateless && (o->flags & HOSTD_STORE_CAS))
		REFUSE("session_store/1: what is stateless can't compare");
	return check_flags(HOSTD_KIND_SESSION_STORE, o->flags,
	    HOSTD_STORE_CAS | HOSTD_STORE_STATELESS | HOSTD_STORE_LOCAL,
	    o->reserved, why, size);
}

int
module_check_state(const void *table, char *why, size_t size)
{
	const struct hostd_p_state *t = table;

	if (t->save == NULL || t->load == NULL)
		REFUSE(HOSTD_P_STATE ": save and load must be set");
	return 0;
}

int
module_check_ws_state(const void *table, char *why, size_t size)
{
	const struct hostd_p_ws_state *t = table;

	if (t->save == NULL || t->load == NULL)
		REFUSE(HOSTD_P_WS_STATE ": save and load must be set");
	return 0;
}

#define MAX_PATHS 256u

static int
check_list(const char *const *list, const char *what, int is_path, char *why,
    size_t size)
{
	size_t i;

	for (i = 0; list != NULL && list[i] != NULL; i++)
		if (i == MAX_PATHS || !is_text(list[i], MAX_LINE) ||
		    (is_path && list[i][0] != '/'))
			REFUSE(HOSTD_P_SANDBOX ": broken %s", what);
	return 0;
}

int
module_check_sandbox(const void *table, char *why, size_t size)
{
	const struct hostd_p_sandbox *t = table;

	if ((t->flags & ~HOSTD_SANDBOX_EXEC) != 0)
		REFUSE(HOSTD_P_SANDBOX ": unknown flag bits 0x%x",
		    t->flags & ~HOSTD_SANDBOX_EXEC);
	if (check_list(t->reads, "reads", 1, why, size) == -1 ||
	    check_list(t->writes, "writes", 1, why, size) == -1)
		return -1;
	return check_list(t->calls, "calls", 0, why, size);
}

int
module_check_p_offer(const void *table, char *why, size_t size)
{
	const struct hostd_p_offer *t = table;

	if (t->offers == NULL)
		REFUSE(HOSTD_P_OFFER ": offers must be set");
	return check_flags(HOSTD_P_OFFER, 0, 0, t->reserved, why, size);
}

int
module_check_offer(const struct hostd_offer *o, char *why, size_t size)
{
	if (!is_kind(o->kind) || (o->ext != NULL && !is_kind(o->ext)))
		REFUSE(HOSTD_P_OFFER ": kind and ext must be NAME/NUMBER, of "
		    "[a-z0-9_.] and at most %u bytes", MAX_NAME);
	if (o->attach == NULL || o->detach == NULL)
		REFUSE(HOSTD_P_OFFER ": %s: attach and detach must be set",
		    o->kind);
	return check_flags(HOSTD_P_OFFER, 0, 0, o->reserved, why, size);
}
