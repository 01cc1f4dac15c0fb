/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <hostd/easy.h>
#include "cookie.h"
#include "text.h"

/* -- pairs -- */

static int
read_pair(struct pair *pr, hostd_buf item)
{
	const char *p = item.p, *space = memchr(p, ' ', item.n);
	size_t i;

	for (i = 0; i < item.n; i++)
		if ((unsigned char)p[i] < ' ' || p[i] == 0x7f)
			return -1;
	if (space == NULL || space == p)
		return -1;
	pr->from = text_of(p, (size_t)(space - p));
	pr->to = text_trim(text_from(item, pr->from.n));
	return pr->to.n > 0 && memchr(pr->to.p, ' ', pr->to.n) != NULL ? -1 :
	    0;
}

static int
is_word(hostd_buf item, const char *const *words, unsigned *found)
{
	unsigned i;

	for (i = 0; words != NULL && words[i] != NULL; i++)
		if (text_is(item, words[i])) {
			*found |= 1u << i;
			return 1;
		}
	return 0;
}

int32_t
pairs_read(struct pairs *all, const struct hostd_conf *conf, const char *key,
    const char *const *skip, unsigned *found, struct hostd_err *err)
{
	hostd_buf item;
	uint32_t i, n = 0;

	if (conf->get_count(conf, key, &n) != HOSTD_OK || n == 0)
		return HOSTD_OK;
	if ((all->v = calloc(n, sizeof(*all->v))) == NULL)
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	for (i = 0; i < n; i++) {
		if (conf->get_item(conf, key, i, &item) != HOSTD_OK)
			break;
		if (is_word(item, skip, found))
			continue;
		if (read_pair(&all->v[all->n], item) == -1)
			return hostd_fail(err, HOSTD_E_INVAL, "%s: \"%s\" is "
			    "not \"FROM TO\", what is replaced and by what",
			    key, (const char *)item.p);
		all->n++;
	}
	return HOSTD_OK;
}

void
pairs_free(struct pairs *all)
{
	free(all->v);
}

const struct pair *
pairs_find(const struct pairs *all, hostd_buf value)
{
	uint32_t i;

	for (i = 0; i < all->n; i++)
		if (text_begins(value, all->v[i].from))
			return &all->v[i];
	return NULL;
}

/* -- cookies -- */

static const struct pair *
find_domain(const struct pairs *all, hostd_buf value)
{
	hostd_buf from;
	uint32_t i;

	if (value.n > 0 && *(const char *)value.p == '.')
		value = text_from(value, 1);
	for (i = 0; i < all->n; i++) {
		from = all->v[i].from;
		if (*(const char *)from.p == '.')
			from = text_from(from, 1);
		if (text_same(from, value))
			return &all->v[i];
	}
	return NULL;
}

/* One attribute, which is put as it shall be. */
static void
put_attribute(hostd_buf item, const struct pairs *paths,
    const struct pairs *domains, struct head *out)
{
	const struct pair *pr = NULL;
	hostd_buf rest = item, name, value;
	int is_path;

	(void)text_next(&rest, '=', &name);
	value = text_trim(rest);
	is_path = text_is(name, "path");
	if (rest.p != NULL && is_path)
		pr = pairs_find(paths, value);
	else if (rest.p != NULL && text_is(name, "domain"))
		pr = find_domain(domains, value);
	if (pr != NULL && pr->to.n == 0)
		return;
	head_puts(out, "; ");
	if (pr == NULL) {
		head_put(out, item);
		return;
	}
	head_put(out, name);
	head_puts(out, "=");
	head_put(out, pr->to);
	if (is_path)
		head_put(out, text_from(value, pr->from.n));
}

hostd_buf
cookie_rewrite(hostd_buf value, const struct pairs *paths,
    const struct pairs *domains, struct head *out)
{
	hostd_buf rest = value, item;

	if (paths->n == 0 && domains->n == 0)
		return value;
	head_open(out);
	if (text_next(&rest, ';', &item))
		head_put(out, item);
	while (text_next(&rest, ';', &item))
		put_attribute(item, paths, domains, out);
	return head_take(out);
}
