/* SPDX-License-Identifier: BSD-2-Clause */
/* What workers may do. */
#include <string.h>
#include "base/mem.h"
#include "base/units.h"
#include "config/builder.h"
#include "config/files.h"

/* "rw:/srv/x" */
static int
grant_parse(const struct builder *b, const char *text, struct conf_grant *g)
{
	const char *colon = strchr(text, ':');
	const char *p;

	if (colon == NULL || colon == text || colon[1] == '\0')
		return -1;
	for (p = text; p < colon; p++)
		if (*p == 'r')
			g->access |= SANDBOX_READ;
		else if (*p == 'w')
			g->access |= SANDBOX_WRITE;
		else if (*p == 'x')
			g->access |= SANDBOX_EXEC;
		else
			return -1;
	g->path = conf_path(b->main_file, colon + 1);
	return 0;
}

static void
build_grants(struct builder *b)
{
	const struct conf_val *v = conf_val(&b->vals, "sandbox_paths");
	struct conf_sandbox *s = &b->conf->sandbox;
	size_t i;

	s->grants = xcalloc(v->nitems + 1, sizeof(*s->grants));
	for (i = 0; i < v->nitems; i++)
		if (grant_parse(b, v->items[i], &s->grants[s->ngrants]) == 0)
			s->ngrants++;
		else
			conf_error(b->errs, &v->pos, "\"sandbox_paths\": "
			    "\"%s\" is not as \"r:/path\", \"rw:/path\" or "
			    "\"rx:/path\"", v->items[i]);
}

static void
build_core(struct builder *b)
{
	const char *text = text_of(b, "core");
	struct conf_sandbox *s = &b->conf->sandbox;

	s->core = CONF_CORE_INHERITED;
	if (text == NULL)
		return;
	if (strcmp(text, "off") == 0)
		s->core = 0;
	else if (strcmp(text, "on") == 0)
		s->core = CONF_CORE_ANY;
	else if (size_parse(text, &s->core) == -1)
		conf_error(b->errs, pos_of(b, "core"), "\"core\": \"%s\" is "
		    "not \"on\", \"off\" or a size as \"64m\"", text);
}

void
build_sandbox(struct builder *b)
{
	struct conf_sandbox *s = &b->conf->sandbox;

	s->mode = (int)num_of(b, "sandbox");
	build_grants(b);
	s->calls = copy_list(b, "sandbox_calls", &s->ncalls);
	s->calls_pos = *pos_of(b, "sandbox_calls");
	s->chroot = path_of(b, "chroot");
	s->chroot_pos = *pos_of(b, "chroot");
	build_core(b);
}
