/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may come: rules by network, and the node's budget. */
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "config/builder.h"

/* "allow 192.0.2.0/24", "deny all": 0, or -1 with a reason in *why. */
static int
rule_parse(const char *text, struct conf_rule *r, const char **why)
{
	size_t n = strcspn(text, " ");
	const char *net = text + n + strspn(text + n, " ");

	memset(r, 0, sizeof(*r));
	r->deny = n == 4 && memcmp(text, "deny", 4) == 0;
	if (*net == '\0' || (!r->deny && (n != 5 ||
	    memcmp(text, "allow", 5) != 0))) {
		*why = "a rule is \"allow NETWORK\" or \"deny NETWORK\", and "
		    "\"all\" is a network";
		return -1;
	}
	r->all = strcmp(net, "all") == 0;
	return r->all ? 0 : cidr_parse(net, &r->net, why);
}

void
build_access(struct builder *b, struct conf_access *a)
{
	const struct conf_val *v = conf_val(&b->vals, "access");
	const char *why;
	size_t i;

	if (!v->is_set)
		return;
	free(a->v);
	a->v = xcalloc(v->nitems + 1, sizeof(*a->v));
	a->n = 0;
	for (i = 0; i < v->nitems; i++)
		if (rule_parse(v->items[i], &a->v[a->n], &why) == 0)
			a->n++;
		else
			conf_error(b->errs, &v->pos, "\"access\": \"%s\": %s",
			    v->items[i], why);
}

void
conf_access_copy(struct conf_access *to, const struct conf_access *from)
{
	to->n = from->n;
	to->v = xcalloc(from->n + 1, sizeof(*to->v));
	if (from->n > 0)
		memcpy(to->v, from->v, from->n * sizeof(*to->v));
}

void
build_budget(struct builder *b)
{
	struct conf_budget *g = &b->conf->budget;

	g->max_connections = num_of(b, "max_connections");
	g->max_memory = num_of(b, "max_memory");
	g->resume = (int)num_of(b, "resume");
	g->retry_after = num_of(b, "retry_after");
}
