/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "upstream/direct.h"

struct direct {
	struct up_peer peer;		/* first */
	struct up_count count;
};

int
direct_parse(hostd_buf text, struct addr *out, const char **why)
{
	char buf[ADDR_TEXT_MAX];

	*why = "its server must be an address with a port, as "
	    "\"192.0.2.1:80\" or \"[2001:db8::1]:80\"";
	if (text.p == NULL || text.n >= sizeof(buf) ||
	    memchr(text.p, '\0', text.n) != NULL ||
	    memchr(text.p, ':', text.n) == NULL)
		return -1;
	memcpy(buf, text.p, text.n);
	buf[text.n] = '\0';
	if (buf[0] == '*' || strncmp(buf, "unix:", 5) == 0)
		return -1;
	return addr_parse(buf, out, &(const char *){ NULL });
}

static struct up_peer *
direct_new(struct up_group *g, const struct addr *addr, const char *text)
{
	struct direct *d = aligned_alloc(_Alignof(struct direct), sizeof(*d));
	struct up_peer *p = &d->peer;

	if (d == NULL)
		fatal("memory for a server");
	memset(d, 0, sizeof(*d));
	p->own = &d->count;
	p->group = g;
	p->conf = &g->conf->rules;
	p->is.addr = *addr;
	(void)snprintf(p->is.server, sizeof(p->is.server), "%s", text);
	(void)snprintf(p->text, sizeof(p->text), "%s", text);
	TAILQ_INIT(&p->idle);
	p->view.struct_size = sizeof(p->view);
	p->view.name = p->view.addr = (hostd_buf){ p->text, strlen(p->text) };
	map_put(&g->directs, p->text, strlen(p->text), p);
	return p;
}

struct up_peer *
direct_take(struct up_group *g, const struct addr *addr)
{
	char text[ADDR_TEXT_MAX];
	struct up_peer *p;

	(void)addr_format(addr, text, sizeof(text));
	if ((p = map_get(&g->directs, text, strlen(text))) == NULL)
		p = direct_new(g, addr, text);
	peer_hold(p);
	return p;
}

void
direct_free(struct up_peer *p)
{
	(void)map_del(&p->group->directs, p->text, strlen(p->text));
	free(p);
}

void
directs_close(struct up_group *g)
{
	struct map_entry *e;
	struct up_peer *p;
	size_t it = 0;

	while ((e = map_next(&g->directs, &it)) != NULL) {
		p = e->value;
		peer_hold(p);
		if (g->all->peer_gone != NULL)
			g->all->peer_gone(p);
		peer_release(p);
		it = 0;
	}
	map_free(&g->directs);
}
