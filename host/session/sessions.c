/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "session/sessions.h"

void
sessions_open(struct sessions *all, struct loop *loop, const struct conf *conf,
    struct conf_errors *errs)
{
	const struct conf_session *c;
	struct session_block *b;
	struct secrets *secrets;
	char why[512];

	TAILQ_INIT(&all->all);
	TAILQ_FOREACH(c, &conf->sessions, entry) {
		if ((secrets = secrets_of(c, why, sizeof(why))) == NULL) {
			conf_error(errs, &c->pos, "session \"%s\": %s",
			    c->name, why);
			continue;
		}
		b = xcalloc(1, sizeof(*b));
		session_kind_init(&b->kind, c, NULL, secrets, loop, NULL);
		session_gate_init(&b->gate, &b->kind);
		TAILQ_INSERT_TAIL(&all->all, b, entry);
	}
}

struct session_block *
sessions_find(const struct sessions *all, const char *name)
{
	struct session_block *b;

	TAILQ_FOREACH(b, &all->all, entry)
		if (strcmp(b->kind.conf->name, name) == 0)
			return b;
	return NULL;
}

void
sessions_close(struct sessions *all)
{
	struct session_block *b;

	while ((b = TAILQ_FIRST(&all->all)) != NULL) {
		TAILQ_REMOVE(&all->all, b, entry);
		session_kind_close(&b->kind);
		secrets_free(b->kind.secrets);
		free(b);
	}
}
