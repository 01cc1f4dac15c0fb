/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands of plugins, which workers run:
 *
 *	{"cmd": "plugin", "instance": "app", "command": "purge",
 *	 "args": ["/x"], "timeout_ms": n}
 *	{"cmd": "plugin-commands"}
 *
 * All workers that are ready are asked first whether it can be run there; then
 * one of those that say so runs it, or all of them do.  The answer has
 * "workers": [{"worker", "pid", "ok", "status", "result" or "error"}].
 */
#include <hostd/cmd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pack.h"
#include "config/schema.h"
#include "master/call.h"
#include "master/command.h"
#include "master/control.h"
#include "master/pick.h"

#define LIMIT_MS	10000
#define LIMIT_MS_MAX	3600000
#define ASK_MS		2000	/* to say whether it can be run */
#define GRACE_MS	500	/* a worker that is in time says so itself */
#define CALLED_MAX	127	/* bytes of a name that is looked for */
#define SHOWN_MAX	200	/* of arguments, in events */

struct ordered {
	struct call *call;
	struct control_client *client;	/* NULL: does not listen any more */
	char *instance, *command;	/* NULL: the list of all */
	char *shown;			/* arguments, for people */
	uint32_t nargs;
	struct buf packed;
	uint32_t limit_ms;
	uint32_t flags;			/* of the command */
	int running;
};

static void
ordered_free(struct ordered *o)
{
	struct call *c = o->call;

	free(o->instance);
	free(o->command);
	free(o->shown);
	buf_free(&o->packed);
	free(o);
	if (c != NULL)
		call_free(c);
}

static struct ordered *
ordered_of(const struct control_client *client)
{
	struct ordered *o;
	struct call *c;

	TAILQ_FOREACH (c, &client->control->m->calls.list, link) {
		o = c->owner;
		if (o->client == client)
			return o;
	}
	return NULL;
}

void
command_leaves(struct control_client *client)
{
	struct ordered *o = ordered_of(client);

	if (o != NULL)
		o->client = NULL;
}

int
command_is_ordered(const struct control_client *client)
{
	return ordered_of(client) != NULL;
}

void
commands_close(struct master *m)
{
	while (!TAILQ_EMPTY(&m->calls.list))
		ordered_free(TAILQ_FIRST(&m->calls.list)->owner);
}

/* ---- answers ---- */

/* Whatever bytes they are: "?" stands for what is no text; in one line for
 * what could move a terminal's cursor, too. */
static json_t *
text_json(const struct buf *b, int line)
{
	char *copy = xmalloc(b->len + 1);
	json_t *o;
	size_t i;

	for (i = 0; i < b->len; i++)
		copy[i] = b->p[i] == '\0' || (line &&
		    ((unsigned char)b->p[i] < ' ' || b->p[i] == 127)) ? '?' :
		    b->p[i];
	copy[b->len] = '\0';
	o = control_text(copy);
	free(copy);
	return o;
}

static const char *
code_text(int32_t status)
{
	static const char *const names[] = {"OK", "E_INVAL", "E_NOMEM",
	    "E_GONE", "E_FULL", "E_NOTSUP", "E_TIMEOUT", "E_IO", "E_THREAD",
	    "E_STATE"};

	return status <= 0 && -status < (int)(sizeof(names) / sizeof(names[0]))
	    ? names[-status] : "a code that is not known";
}

static json_t *
done_error(const struct ordered *o, const struct call_part *p)
{
	if (p->text.len > 0)
		return text_json(&p->text, 1);
	if (p->status == HOSTD_E_TIMEOUT)
		return json_sprintf("the plugin has not answered within %u ms",
		    o->limit_ms);
	if (p->status == HOSTD_E_FULL)
		return json_sprintf("the answer is longer than %zu bytes",
		    o->call->max);
	if (p->status == HOSTD_E_GONE)
		return json_string("the worker ends, and has not answered");
	return json_sprintf("it failed: %s", code_text(p->status));
}

static json_t *
part_error(const struct ordered *o, const struct call_part *p)
{
	switch (p->state) {
	case PART_DONE:
		return done_error(o, p);
	case PART_REFUSED:
		return text_json(&p->text, 1);
	case PART_GONE:
		return json_string("the worker has ended before it answered");
	case PART_LATE:
		return json_string("the worker has not answered in time");
	case PART_DEAF:
		return json_string("the worker does not read what it is told");
	case PART_OLDER:
		return json_string("the worker is of an older hostd, which "
		    "knows no commands; hostctl reload replaces it");
	case PART_ABSENT:
		return json_string("the worker has no such plugin any more");
	default:
		return json_string("the worker's answer makes no sense");
	}
}

static int
part_is_well(const struct call_part *p)
{
	return p->state == PART_DONE && p->status == HOSTD_OK;
}

static int32_t
part_status(const struct call_part *p)
{
	switch (p->state) {
	case PART_DONE:
	case PART_REFUSED:
		return p->status;
	case PART_LATE:
		return HOSTD_E_TIMEOUT;
	case PART_GONE:
		return HOSTD_E_GONE;
	case PART_OLDER:
	case PART_ABSENT:
		return HOSTD_E_NOTSUP;
	default:
		return HOSTD_E_IO;
	}
}

static json_t *
part_json(const struct ordered *o, const struct call_part *p)
{
	int ok = part_is_well(p);

	return json_pack("{s:s,s:i,s:b,s:i,s:o}", "worker", p->worker, "pid",
	    (int)p->pid, "ok", ok, "status", (int)part_status(p),
	    ok ? "result" : "error", ok ? text_json(&p->text, 0) :
	    part_error(o, p));
}

/* Who has used what changes something, and what came of it. */
static void
ordered_audit(const struct ordered *o, size_t well, size_t all)
{
	if ((o->flags & HOSTD_CMD_ADMIN) != 0)
		event_add(o->call->m, EVENT_PLUGIN_COMMAND,
		    "plugin %s: command %s%s: done by %zu of %zu worker%s",
		    o->instance, o->command, o->shown, well, all,
		    all == 1 ? "" : "s");
}

static void
ordered_end(struct ordered *o)
{
	json_t *list = json_array();
	const struct call_part *p;
	size_t well = 0, all = 0;

	TAILQ_FOREACH (p, &o->call->parts, link) {
		(void)json_array_append_new(list, part_json(o, p));
		well += part_is_well(p) != 0;
		all++;
	}
	if (o->command != NULL)
		ordered_audit(o, well, all);
	if (o->client != NULL)
		control_end(o->client, well == all && all > 0,
		    json_pack("{s:b,s:b,s:O}", "every",
			(o->flags & HOSTD_CMD_EVERY) != 0, "json",
			(o->flags & HOSTD_CMD_JSON) != 0, "workers", list));
	json_decref(list);
	ordered_free(o);
}

static void
ordered_refuse(struct ordered *o, json_t *text, const char *outcome)
{
	if (o->client != NULL)
		control_end(o->client, 0, json_pack("{s:s,s:O}", "outcome",
		    outcome, "error", text));
	json_decref(text);
	ordered_free(o);
}

/* ---- who has it? ---- */

static struct call_part *
part_in(const struct call *c, enum part_state state)
{
	struct call_part *p;

	TAILQ_FOREACH (p, &c->parts, link)
		if (p->state == state)
			return p;
	return NULL;
}

/* Its pool has not got the instance: whatever is wrong, it is not asked for. */
static int
part_is_beside(const struct call *c, const struct call_part *p)
{
	const struct call_part *q;

	TAILQ_FOREACH (q, &c->parts, link)
		if (q->state == PART_ABSENT && strcmp(q->pool, p->pool) == 0)
			return 1;
	return 0;
}

static void
ordered_keep(struct ordered *o, const struct call_part *only)
{
	struct call_part *p, *next;

	for (p = TAILQ_FIRST(&o->call->parts); p != NULL; p = next) {
		next = TAILQ_NEXT(p, link);
		if (only != NULL ? p != only :
		    p->state != PART_ABSENT && part_is_beside(o->call, p))
			call_drop(o->call, p);
	}
	for (p = TAILQ_FIRST(&o->call->parts); p != NULL; p = next) {
		next = TAILQ_NEXT(p, link);
		if (p->state == PART_ABSENT)
			call_drop(o->call, p);
	}
}

static size_t
parts_count(const struct call *c, enum part_state state)
{
	const struct call_part *p;
	size_t n = 0;

	TAILQ_FOREACH (p, &c->parts, link)
		n += p->state == state;
	return n;
}

static void
ordered_run(struct ordered *o, struct call_part *here)
{
	size_t n;

	o->flags = here->flags;
	o->running = 1;
	o->call->early = 0;
	ordered_keep(o, (o->flags & HOSTD_CMD_EVERY) != 0 ? NULL : here);
	n = parts_count(o->call, PART_HERE);
	o->call->max = CALL_RESULT_MAX / (n > 0 ? n : 1);
	call_ask(o->call, CALL_RUN, o->nargs, &o->packed, o->limit_ms,
	    (uint64_t)o->limit_ms + GRACE_MS);
}

static const char *
instance_near(const struct master *m, const char *name, int *known)
{
	const struct conf_plugin *cp;
	const char **names, *near;
	size_t n = 0;

	*known = 0;
	TAILQ_FOREACH (cp, &m->gen->conf->plugins, entry) {
		*known |= strcmp(cp->name, name) == 0;
		n++;
	}
	names = xcalloc(n + 1, sizeof(*names));
	n = 0;
	TAILQ_FOREACH (cp, &m->gen->conf->plugins, entry)
		names[n++] = cp->name;
	near = conf_nearest(name, names);
	free(names);
	return near;
}

/* Nobody says that it has it. */
static void
ordered_nowhere(struct ordered *o)
{
	struct call_part *p;
	const char *near;
	int known;

	near = instance_near(o->call->m, o->instance, &known);
	if (!known) {
		ordered_refuse(o, json_sprintf("there is no plugin \"%s\""
		    "%s%s%s", o->instance, near != NULL ? "; did you mean \"" :
		    "; see hostctl plugin commands", near != NULL ? near : "",
		    near != NULL ? "\"?" : ""), "refused");
		return;
	}
	ordered_keep(o, NULL);
	p = TAILQ_FIRST(&o->call->parts);
	if (p != NULL)		/* those that have not said anything */
		ordered_end(o);
	else
		ordered_refuse(o, json_sprintf("no worker that is ready has "
		    "plugin \"%s\"; its pool is stopped, or no route leads to "
		    "it", o->instance), "refused");
}

static void
ordered_step(struct call *c)
{
	struct ordered *o = c->owner;
	struct call_part *p;

	if (o->running || o->command == NULL) {
		ordered_end(o);
		return;
	}
	if ((p = part_in(c, PART_REFUSED)) != NULL) {
		ordered_refuse(o, text_json(&p->text, 1),
		    p->status == HOSTD_E_INVAL ? "usage" : "refused");
		return;
	}
	p = part_in(c, PART_HERE);
	if (p != NULL && ((p->flags & HOSTD_CMD_EVERY) == 0 ||
	    !call_is_waiting(c)))
		ordered_run(o, p);
	else if (!call_is_waiting(c))
		ordered_nowhere(o);
}

/* ---- requests ---- */

static int
child_is_asked(const struct child *c)
{
	return c->fd != -1 && c->ready && !c->ending;
}

/* All that are ready; or one of each pool, that turns its loop if there is
 * one. */
static void
ordered_add_workers(struct ordered *o, struct pools *pools)
{
	const struct slot *s;
	struct child *one;
	struct pool *p;

	TAILQ_FOREACH (p, &pools->list, link) {
		one = NULL;
		TAILQ_FOREACH (s, &p->slots, link) {
			if (s->current == NULL ||
			    !child_is_asked(s->current->child))
				continue;
			if (o->command != NULL)
				(void)call_add(o->call, s->current->child,
				    p->name);
			else if (one == NULL || one->silent)
				one = s->current->child;
		}
		if (one != NULL)
			(void)call_add(o->call, one, p->name);
	}
}

static void
ordered_begin(struct control_client *client, struct ordered *o)
{
	struct master *m = client->control->m;

	o->client = client;
	o->call = call_new(m, o, ordered_step);
	o->call->max = o->command == NULL ? CALL_RESULT_MAX : CALL_TEXT_MAX;
	ordered_add_workers(o, &m->pools);
	if (TAILQ_EMPTY(&o->call->parts)) {
		ordered_refuse(o, json_string("no worker is ready"),
		    "refused");
		return;
	}
	o->call->early = o->command != NULL;
	call_ask(o->call, o->command == NULL ? CALL_LIST : CALL_ASK, o->nargs,
	    &o->packed, o->limit_ms, o->limit_ms < ASK_MS ? o->limit_ms :
	    ASK_MS);
}

/* " /x /y", for an event. */
static char *
args_show(const json_t *args)
{
	struct buf b = {0};
	const json_t *a;
	char *text;
	size_t i;

	json_array_foreach (args, i, a)
		buf_printf(&b, " %s", json_string_value(a));
	if (b.len > SHOWN_MAX) {
		b.len = SHOWN_MAX;
		buf_puts(&b, "...");
	}
	text = xstrndup(b.len > 0 ? b.p : "", b.len);
	buf_free(&b);
	return text;
}

static int
args_pack(struct ordered *o, const json_t *args)
{
	const json_t *a;
	size_t i;

	pack_text(&o->packed, o->instance);
	pack_text(&o->packed, o->command);
	json_array_foreach (args, i, a) {
		if (!json_is_string(a))
			return -1;
		pack_bytes(&o->packed, json_string_value(a),
		    json_string_length(a));
		o->nargs++;
	}
	o->shown = args_show(args);
	return 0;
}

/* 0, or -1: it makes no sense. */
static int
ordered_read(struct ordered *o, const json_t *request)
{
	const json_t *ms = json_object_get(request, "timeout_ms");
	const char *instance, *command;

	instance = json_string_value(json_object_get(request, "instance"));
	command = json_string_value(json_object_get(request, "command"));
	if (instance == NULL || strlen(instance) > CALLED_MAX ||
	    command == NULL || strlen(command) > CALLED_MAX)
		return -1;
	if (ms != NULL && (json_integer_value(ms) < 1 ||
	    json_integer_value(ms) > LIMIT_MS_MAX))
		return -1;
	if (ms != NULL)
		o->limit_ms = (uint32_t)json_integer_value(ms);
	o->instance = xstrdup(instance);
	o->command = xstrdup(command);
	return args_pack(o, json_object_get(request, "args"));
}

static struct ordered *
ordered_new(void)
{
	struct ordered *o = xcalloc(1, sizeof(*o));

	o->limit_ms = LIMIT_MS;
	return o;
}

void
command_plugin(struct control_client *c, const json_t *request)
{
	const size_t max = CHAN_DATA_MAX - sizeof(struct chan_call);
	struct ordered *o = ordered_new();

	if (ordered_read(o, request) == -1)
		pick_refuse(c, "the request needs an instance, a command, args "
		    "that are texts, and a timeout_ms of 1 to %d",
		    LIMIT_MS_MAX);
	else if (o->packed.len > max)
		pick_refuse(c, "names and arguments have %zu bytes, and %zu "
		    "can be passed on", o->packed.len, max);
	else if (c->control->m->gen == NULL)
		pick_refuse(c, "nothing is served yet");
	else {
		ordered_begin(c, o);
		return;
	}
	ordered_free(o);
}

void
command_plugin_commands(struct control_client *c, const json_t *request)
{
	struct ordered *o = ordered_new();

	(void)request;
	pack_text(&o->packed, "");
	pack_text(&o->packed, "");
	ordered_begin(c, o);
}
