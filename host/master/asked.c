/* SPDX-License-Identifier: BSD-2-Clause */
#include <hostd/abi.h>
#include <hostd/control.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/pack.h"
#include "config/model.h"
#include "master/asked.h"
#include "master/control.h"
#include "master/generations.h"

#define ASKED_MAX	64	/* of one worker, at a time */
#define NAME_BYTES	255
#define TEXT_MAX	4096	/* bytes of a text for people */
#define PART_MAX	(CHAN_DATA_MAX - sizeof(struct chan_told))
#define EVENTS_TOLD	100

struct asked {
	LIST_ENTRY(asked) link;
	struct master *m;
	struct child *child;	/* NULL: it has left */
	struct chan_ask head;
	char instance[NAME_BYTES + 1];
	char name[NAME_BYTES + 1];
	char user[NAME_BYTES + 1];
	json_t *events;		/* as they are told; NULL: none are */
	struct buf text;	/* for people */
};

static const struct {
	uint32_t what;
	const char *cmd;	/* of master/command.c */
	int changes;
} orders[] = {
	{HOSTD_CONTROL_RELOAD, "reload", 1},
	{HOSTD_CONTROL_DRAIN, "drain", 1},
	{HOSTD_CONTROL_UNDRAIN, "undrain", 1},
	{HOSTD_CONTROL_SCALE, "scale", 1},
	{HOSTD_CONTROL_RESTART, "restart", 1},
	{HOSTD_CONTROL_NODE, "node", 0},
	{HOSTD_CONTROL_EVENTS, "events", 0},
	{HOSTD_CONTROL_LOG, "log-tail", 0},
};

/* ---- telling ---- */

/* Now or never: whoever reads nothing has stopped waiting long since. */
static void
child_tell(struct child *c, const struct chan_ask *head, int32_t status,
    const char *text, size_t n)
{
	struct chan_told told = {.id = head->id, .status = status};
	char data[CHAN_DATA_MAX];
	size_t part;

	if (n > head->max) {
		told.status = HOSTD_E_FULL;
		n = 0;
	}
	do {
		part = n < PART_MAX ? n : PART_MAX;
		told.more = part < n;
		memcpy(data, &told, sizeof(told));
		if (part > 0)
			memcpy(data + sizeof(told), text, part);
		if (child_try(c, CHAN_TOLD, data, sizeof(told) + part) == -1)
			return;
		text += part;
		n -= part;
	} while (told.more);
}

static void
asked_tell(const struct asked *a, int32_t status, const char *text, size_t n)
{
	if (a->child != NULL)
		child_tell(a->child, &a->head, status, text, n);
}

static void
text_add(struct asked *a, const json_t *text)
{
	const char *s = json_string_value(text);

	if (s == NULL || a->text.len + strlen(s) + 1 > TEXT_MAX)
		return;
	if (a->text.len > 0)
		buf_puts(&a->text, "\n");
	buf_puts(&a->text, s);
}

/* What was found out, without what says that it was. */
static void
asked_answer(struct asked *a, const json_t *line)
{
	json_t *o = json_copy((json_t *)(uintptr_t)line);
	char *text;

	(void)json_object_del(o, "ok");
	if (a->events != NULL)
		(void)json_object_set(o, "events", a->events);
	text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	if (text != NULL)
		asked_tell(a, HOSTD_OK, text, strlen(text));
	free(text);
}

static int
asked_changes(const struct asked *a)
{
	return a->head.what < HOSTD_CONTROL_NODE;
}

static void
asked_ended(struct asked *a, const json_t *line)
{
	const char *outcome =
	    json_string_value(json_object_get(line, "outcome"));
	int ok = json_is_true(json_object_get(line, "ok"));
	int busy = outcome != NULL && strcmp(outcome, "busy") == 0;

	if (ok && !asked_changes(a)) {
		asked_answer(a, line);
		return;
	}
	text_add(a, json_object_get(line, "error"));
	asked_tell(a, ok ? HOSTD_OK : busy ? HOSTD_E_STATE : HOSTD_E_INVAL,
	    a->text.p, a->text.len);
	if (!ok)
		log_warnx("what plugin %s has asked for was not done: %.*s",
		    a->instance, (int)a->text.len,
		    a->text.len > 0 ? a->text.p : "");
}

static void
asked_told(void *arg, const json_t *line)
{
	struct asked *a = arg;
	const json_t *event = json_object_get(line, "event");

	if (event != NULL && a->events != NULL)
		(void)json_array_append(a->events, (json_t *)(uintptr_t)event);
	text_add(a, json_object_get(line, "progress"));
	if (json_object_get(line, "ok") != NULL)
		asked_ended(a, line);
	else
		text_add(a, json_object_get(line, "error"));
}

static void
asked_free(void *arg)
{
	struct asked *a = arg;

	LIST_REMOVE(a, link);
	json_decref(a->events);
	buf_free(&a->text);
	free(a);
}

/* ---- being asked ---- */

/* Somebody's bytes, which are to be in a line of the log. */
static int
take_name(struct unpack *u, char name[NAME_BYTES + 1])
{
	hostd_buf b = unpack_bytes(u);
	size_t i;

	if (b.n > NAME_BYTES)
		return -1;
	if (b.n > 0)
		memcpy(name, b.p, b.n);
	name[b.n] = '\0';
	for (i = 0; i < b.n; i++)
		if ((unsigned char)name[i] < ' ' || name[i] == 127)
			name[i] = '?';
	return 0;
}

/* 0, or -1: it is not as it should be. */
static int
asked_read(struct asked *a, const struct chan_msg *msg)
{
	struct unpack u = {msg->data, msg->len, 0};
	const void *head = unpack_take(&u, sizeof(a->head));

	if (head == NULL)
		return -1;
	memcpy(&a->head, head, sizeof(a->head));
	if (take_name(&u, a->instance) == -1 ||
	    take_name(&u, a->name) == -1 || take_name(&u, a->user) == -1)
		return -1;
	return unpack_ok(&u) ? 0 : -1;
}

/* As it would come from hostctl; NULL: there is no such thing. */
static json_t *
asked_request(const struct asked *a)
{
	size_t i, n = sizeof(orders) / sizeof(orders[0]);
	json_t *o;

	for (i = 0; i < n && orders[i].what != a->head.what; i++)
		;
	if (i == n)
		return NULL;
	o = json_pack("{s:s}", "cmd", orders[i].cmd);
	if (a->name[0] != '\0')
		(void)json_object_set_new(o, "name", control_text(a->name));
	if (a->head.what == HOSTD_CONTROL_SCALE)
		(void)json_object_set_new(o, "workers",
		    json_integer(a->head.number));
	if (a->head.what == HOSTD_CONTROL_EVENTS) {
		(void)json_object_set_new(o, "after",
		    json_integer(a->head.number));
		(void)json_object_set_new(o, "last", json_integer(EVENTS_TOLD));
	}
	if (orders[i].changes)
		event_add(a->m, EVENT_CONTROL_ASKED, "plugin %s of worker %s "
		    "asks for %s%s%s, for %s%s%s", a->instance,
		    a->child->name, orders[i].cmd,
		    a->name[0] != '\0' ? " of " : "", a->name,
		    a->user[0] != '\0' ? "\"" : "nobody",
		    a->user, a->user[0] != '\0' ? "\"" : "");
	return o;
}

static void
asked_run(struct asked *a)
{
	struct control_visitor v = {asked_told, asked_free, a};
	json_t *request = asked_request(a);

	if (request == NULL) {
		asked_tell(a, HOSTD_E_NOTSUP, NULL, 0);
		asked_free(a);
		return;
	}
	if (a->head.what == HOSTD_CONTROL_EVENTS)
		a->events = json_array();
	control_visit(a->m->control, &v, request);
	json_decref(request);
}

static unsigned
asked_by(const struct master *m, const struct child *c)
{
	const struct asked *a;
	unsigned n = 0;

	LIST_FOREACH (a, &m->asked, link)
		n += a->child == c;
	return n;
}

static int
child_may(const struct master *m, const struct child *c, const char *instance)
{
	const struct generation *g = generations_find(m, c->generation);
	const struct worker *w = c->owner;

	return g != NULL && conf_is_controller(g->conf, instance,
	    w->slot->pool->name);
}

/* Why not, as a code of hostd.control/1; HOSTD_OK: nothing is in the way. */
static int32_t
asked_refuse(const struct asked *a)
{
	if (!child_may(a->m, a->child, a->instance)) {
		log_warnx("worker %s (pid %d) asks for what plugin \"%s\" may "
		    "not: it is none of the \"controllers\" of generation %u, "
		    "or not this pool's",
		    a->child->name, (int)a->child->pid, a->instance,
		    a->child->generation);
		return HOSTD_E_NOTSUP;
	}
	if (asked_by(a->m, a->child) > ASKED_MAX)
		return HOSTD_E_FULL;
	return a->m->control == NULL || a->m->gen == NULL ? HOSTD_E_STATE :
	    HOSTD_OK;
}

void
asked_heard(struct child *c, const struct chan_msg *msg)
{
	struct asked *a = xcalloc(1, sizeof(*a));
	int32_t rc;

	a->m = children_master(c->all);
	a->child = c;
	LIST_INSERT_HEAD(&a->m->asked, a, link);
	rc = asked_read(a, msg) == -1 ? HOSTD_E_INVAL : asked_refuse(a);
	if (rc == HOSTD_OK) {
		asked_run(a);
		return;
	}
	asked_tell(a, rc, NULL, 0);
	asked_free(a);
}

void
asked_left(struct child *c)
{
	struct asked *a;

	LIST_FOREACH (a, &children_master(c->all)->asked, link)
		if (a->child == c)
			a->child = NULL;
}
