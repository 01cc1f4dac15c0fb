/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * {"cmd": "reload", "parallel": n, "canary": n, "for_ms": n, "factor": x,
 *  "wait": bool}
 * {"cmd": "rollback", "generation": n, "parallel": n, "wait": bool}
 * {"cmd": "generations"}
 */
#include <stdio.h>

#include "master/command.h"
#include "master/control.h"
#include "master/generations.h"
#include "master/rollout.h"

#define PARALLEL_MAX	256
#define CANARY_MS	30000
#define CANARY_MS_MAX	86400000
#define CANARY_FACTOR	2.0
#define CANARY_FACTOR_MAX 1000.0

/* ---- a rollout's watcher ---- */

void
command_said(void *arg, const json_t *step)
{
	control_say(arg, json_deep_copy(step));
}

static const char *
outcome_name(enum rollout_outcome outcome)
{
	static const char *const names[] = {
	    [ROLLOUT_DONE] = "done",
	    [ROLLOUT_REFUSED] = "refused",
	    [ROLLOUT_ROLLED_BACK] = "rolled back",
	};

	return names[outcome];
}

static void
command_outcome(struct control_client *c, int ok, enum rollout_outcome outcome)
{
	control_end(c, ok,
	    json_pack("{s:I,s:s}", "generation",
		(json_int_t)c->control->m->gen->n, "outcome",
		outcome_name(outcome)));
}

void
command_ended(void *arg, enum rollout_outcome outcome,
    const struct conf_errors *errors)
{
	struct control_client *c = arg;
	const struct conf_error *e;

	TAILQ_FOREACH (e, errors, entry)
		control_error(c, e->text);
	command_outcome(c, outcome == ROLLOUT_DONE, outcome);
}

void
command_busy(struct control_client *c)
{
	const char *why = master_busy(c->control->m);

	control_error(c, why != NULL ? why : "try again");
	control_end(c, 0, json_pack("{s:s}", "outcome", "busy"));
}

/* ---- one after the other ---- */

/* Not now: say so, or remember it until it is its turn. */
static void
command_later(struct control_client *c, const json_t *request)
{
	if (c->control->m->stopping ||
	    !json_is_true(json_object_get(request, "wait"))) {
		command_busy(c);
		return;
	}
	control_progress(c, "waiting for what is under way to end");
	c->waiting = json_deep_copy(request);
}

static struct control_client *
control_waiting(const struct control *k)
{
	struct control_client *c;

	TAILQ_FOREACH (c, &k->clients, link)
		if (c->waiting != NULL)
			return c;
	return NULL;
}

/* One that is refused at once makes room for the next; when we are stopping,
 * all are. */
void
command_next(struct control *k)
{
	struct control_client *c;
	json_t *request;

	while ((c = control_waiting(k)) != NULL &&
	    (k->m->stopping || master_busy(k->m) == NULL)) {
		request = c->waiting;
		c->waiting = NULL;
		command_run(c, request);
		json_decref(request);
	}
}

/* ---- the commands ---- */

static void
command_refuse(struct control_client *c, const char *text)
{
	control_error(c, text);
	control_end(c, 0, json_pack("{s:s}", "outcome", "refused"));
}

/* A member from low to high; otherwise when there is none.  -1: neither. */
static int
request_number(const json_t *request, const char *name, double low,
    double high, double otherwise, double *n)
{
	const json_t *v = json_object_get(request, name);

	*n = json_is_number(v) ? json_number_value(v) : otherwise;
	return v != NULL && (!json_is_number(v) || *n < low || *n > high) ? -1
									  : 0;
}

static int
request_opts(struct control_client *c, const json_t *request,
    struct rollout_opts *o)
{
	double parallel, canary, ms;
	char text[160];

	if (request_number(request, "parallel", 1, PARALLEL_MAX, 1,
		&parallel) == 0 &&
	    request_number(request, "canary", 1, PARALLEL_MAX, 0,
		&canary) == 0 &&
	    request_number(request, "for_ms", 1, CANARY_MS_MAX, CANARY_MS,
		&ms) == 0 &&
	    request_number(request, "factor", 1, CANARY_FACTOR_MAX,
		CANARY_FACTOR, &o->canary.factor) == 0) {
		o->parallel = (int)parallel;
		o->canary.workers = (int)canary;
		o->canary.ms = (int64_t)ms;
		return 0;
	}
	(void)snprintf(text, sizeof(text),
	    "parallel and canary are 1 to %d, the canary's time is up to a "
	    "day and its factor 1 to %g",
	    PARALLEL_MAX, CANARY_FACTOR_MAX);
	command_refuse(c, text);
	return -1;
}

void
command_reload(struct control_client *c, const json_t *request)
{
	struct watcher w = {command_said, command_ended, c};
	struct rollout_opts o;

	if (request_opts(c, request, &o) == 0 &&
	    rollout_reload(c->control->m, &o, &w) == -1)
		command_later(c, request);
}

/* That the reload fails is what was asked for. */
static void
command_taken_back(void *arg, enum rollout_outcome outcome,
    const struct conf_errors *errors)
{
	(void)errors;
	command_outcome(arg, 1, outcome);
}

/* Where to; NULL: the client was told why nowhere. */
static struct generation *
rollback_target(struct control_client *c, const json_t *request)
{
	const json_t *v = json_object_get(request, "generation");
	struct master *m = c->control->m;
	struct generation *g;
	char text[160];
	json_int_t n = json_integer_value(v);

	if (v == NULL)
		g = generations_before(m, m->gen);
	else
		g = n > 0 && n <= UINT32_MAX ?
		    generations_find(m, (uint32_t)n) : NULL;
	if (g != NULL && g != m->gen && g->tried)
		return g;
	if (v == NULL)
		(void)snprintf(text, sizeof(text),
		    "there is no generation before %u to go back to",
		    m->gen->n);
	else if (g == m->gen)
		(void)snprintf(text, sizeof(text),
		    "generation %lld is what is served", (long long)n);
	else
		(void)snprintf(text, sizeof(text),
		    "there is no generation %lld any more; see hostctl "
		    "generations", (long long)n);
	command_refuse(c, text);
	return NULL;
}

void
command_rollback(struct control_client *c, const json_t *request)
{
	struct watcher w = {command_said, command_ended, c};
	struct watcher other = {command_said, command_taken_back, c};
	struct master *m = c->control->m;
	struct generation *to;
	struct rollout_opts o;

	if (request_opts(c, request, &o) == -1)
		return;
	if (m->rollout != NULL || m->gen == NULL) {
		if (json_object_get(request, "generation") != NULL ||
		    rollout_take_back(m, "taken back by hostctl rollback",
			&other) == -1)
			command_later(c, request);
		return;
	}
	to = rollback_target(c, request);
	if (to != NULL && rollout_back(m, to, NULL, &o, &w) == -1)
		command_busy(c);
}

void
command_generations(struct control_client *c, const json_t *request)
{
	(void)request;
	control_end(c, 1,
	    json_pack("{s:o}", "generations",
		generations_json(c->control->m)));
}
