/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "master/control.h"
#include "master/pick.h"

static struct worker *
slot_worker(const struct slot *s, pid_t pid)
{
	struct worker *w;

	if (s->current != NULL && s->current->child->pid == pid)
		return s->current;
	if (s->next != NULL && s->next->child->pid == pid)
		return s->next;
	TAILQ_FOREACH (w, &s->old, link)
		if (w->child->pid == pid)
			return w;
	return NULL;
}

static int
pick_pid(struct master *m, struct pick *k, pid_t pid)
{
	struct pool *p;
	struct slot *s;

	TAILQ_FOREACH (p, &m->pools.list, link)
		TAILQ_FOREACH (s, &p->slots, link) {
			k->worker = slot_worker(s, pid);
			if (k->worker == NULL)
				continue;
			k->slot = s;
			k->pool = p->name;
			return 0;
		}
	return -1;
}

/* Pools' names may have dots in them; slots are numbers. */
static struct pool *
place_parse(struct master *m, const char *name, uint32_t *index)
{
	const char *dot = strrchr(name, '.');
	struct pool *p;
	int64_t n;

	if (dot == NULL || int_parse(dot + 1, &n) == -1 || n < 0 ||
	    n > UINT32_MAX)
		return NULL;
	*index = (uint32_t)n;
	TAILQ_FOREACH (p, &m->pools.list, link)
		if (strlen(p->name) == (size_t)(dot - name) &&
		    strncmp(p->name, name, (size_t)(dot - name)) == 0)
			return p;
	return NULL;
}

static int
pick_name(struct master *m, struct pick *k, const char *name)
{
	uint32_t index;
	struct pool *p = place_parse(m, name, &index);

	if (p == NULL)
		return -1;
	k->pool = p->name;
	k->slot = pool_slot(p, index);
	return k->slot != NULL ? 0 : -1;
}

int
pick_place(struct control_client *c, const char *name, struct pool **p,
    uint32_t *index)
{
	*p = place_parse(c->control->m, name, index);
	if (*p != NULL)
		return 0;
	pick_refuse(c, "\"%.64s\" is not a worker's place, such as web.0",
	    name);
	return -1;
}

void
pick_refuse(struct control_client *c, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	control_error(c, text);
	control_end(c, 0, NULL);
}

static int
pick_worker(struct control_client *c, const char *name, struct pick *k)
{
	struct master *m = c->control->m;
	int64_t pid;

	if (int_parse(name, &pid) == 0 && pid > 0 && pid < INT32_MAX) {
		if (pick_pid(m, k, (pid_t)pid) == 0)
			return 0;
		pick_refuse(c, "there is no worker of pid %.64s", name);
		return -1;
	}
	if (pick_name(m, k, name) == 0)
		return 0;
	pick_refuse(c, "there is no worker \"%.64s\"; see hostctl list", name);
	return -1;
}

static int
is_pool(const struct master *m, const char *name)
{
	return m->gen != NULL && generation_pool(m->gen, name) != NULL;
}

int
pick(struct control_client *c, const json_t *request, struct pick *k)
{
	const char *pool = json_string_value(json_object_get(request, "pool"));
	const char *name = json_string_value(json_object_get(request, "name"));

	memset(k, 0, sizeof(*k));
	if (name != NULL && is_pool(c->control->m, name))
		pool = name;
	else if (name != NULL && strpbrk(name, ".0123456789") != NULL)
		return pick_worker(c, name, k);
	else if (name != NULL)
		pool = name;
	if (pool != NULL && !is_pool(c->control->m, pool)) {
		pick_refuse(c, "there is no pool \"%.64s\"", pool);
		return -1;
	}
	k->pool = pool;
	return 0;
}
