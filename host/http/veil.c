/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "http/veil.h"

static void
add(struct veil *h, const char *name)
{
	h->names = xrealloc(h->names, (h->n + 1) * sizeof(*h->names));
	h->names[h->n++] = name;
}

void
veil_init(struct veil *h, const struct conf *conf)
{
	const struct conf_auth *a;
	size_t i;

	*h = (struct veil){ 0, NULL };
	TAILQ_FOREACH(a, &conf->auths, entry)
		for (i = 0; i < a->nfrom; i++)
			if (a->from[i].where == CONF_TOKEN_QUERY)
				add(h, a->from[i].name);
}

void
veil_free(struct veil *h)
{
	free(h->names);
	*h = (struct veil){ 0, NULL };
}

static int
is_separator(char c)
{
	return c == '?' || c == '&' || c == ';' || c == '#';
}

/* The length of "name=" with such a name, which begins at p; 0: none does. */
static size_t
name_at(const struct veil *h, const char *p, size_t left)
{
	size_t i, n;

	for (i = 0; i < h->n; i++) {
		n = strlen(h->names[i]);
		if (n < left && p[n] == '=' &&
		    memcmp(p, h->names[i], n) == 0)
			return n + 1;
	}
	return 0;
}

size_t
veil_next(const struct veil *h, hostd_buf url, size_t from, size_t *end)
{
	const char *p = url.p;
	size_t i, n;

	*end = url.n;
	for (i = from; h->n > 0 && i < url.n; i++) {
		if ((i > 0 && !is_separator(p[i - 1])) ||
		    (n = name_at(h, p + i, url.n - i)) == 0)
			continue;
		for (i += n, *end = i; *end < url.n && p[*end] != '&' &&
		    p[*end] != '#'; ++*end)
			;
		return i;
	}
	return url.n;
}
