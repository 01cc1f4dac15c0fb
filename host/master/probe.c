/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "master/probe.h"

#define REPORTS_MAX 1000

void
conf_errors_merge(struct conf_errors *errors, const char *text)
{
	const struct conf_error *e;

	TAILQ_FOREACH (e, errors, entry)
		if (strcmp(e->text, text) == 0)
			return;
	conf_error(errors, NULL, "%s", text);
}

static void
probe_message(struct child *c, const struct chan_msg *msg)
{
	struct probe *p = c->owner;

	if (msg->type == CHAN_REPORT && p->reports++ < REPORTS_MAX)
		conf_errors_merge(p->errors, msg->data);
}

static const struct conf_plugin *
probe_plugin(const struct probe *p, const char *name)
{
	const struct conf_plugin *cp;

	if (name[0] != '\0')
		TAILQ_FOREACH(cp, &p->gen->conf->plugins, entry)
	if (strcmp(cp->name, name) == 0)
		return cp;
	return NULL;
}

/* It crashed, hung, or could not say what is wrong: say where it was. */
static void
probe_failed(struct probe *p, const struct child *c, const char *cause)
{
	const struct conf_plugin *cp;
	char name[64] = "";

	(void)board_running(&c->all->board->cells[c->cell], name, sizeof(name));
	cp = probe_plugin(p, name);
	if (cp != NULL)
		conf_error(p->errors, &cp->pos,
		    "plugin \"%s\": %s: trying it failed: %s", cp->name,
		    cp->file, cause);
	else
		conf_error(
		    p->errors, NULL, "trying the plugins failed: %s", cause);
}

static void
probe_exited(struct child *c, const char *cause)
{
	struct probe *p = c->owner;

	/* What it has reported explains that it was not ready, but not a
	 * crash. */
	if (!c->ready && (p->reports == 0 || !c->failed))
		probe_failed(p, c, cause);
	if (p->done != NULL)
		p->done(p);
}

static const struct child_ops probe_ops = {
    .message = probe_message, .exited = probe_exited};

void
probe_start(struct probe *p, struct children *children)
{
	struct child_opts o = {
	    .role = CHAN_ROLE_PROBE,
	    .pool = "",
	    .conf = p->gen->conf,
	    .generation = p->gen->n,
	    .snapshot = p->gen->snapshot_path,
	    .ready_timeout = p->gen->conf->ready_timeout,
	};
	struct child *c;
	char why[512];

	c = child_spawn(children, &o, &probe_ops, p, why, sizeof(why));
	if (c == NULL) {
		conf_error(p->errors, NULL, "starting the probe: %s", why);
		p->done(p);
		return;
	}
	p->child = c;
	child_send(c, CHAN_START, NULL, 0, -1);
}
