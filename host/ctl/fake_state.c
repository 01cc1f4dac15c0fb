/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/fake_state.h"

const struct fake_put fake_put_all = {SIZE_MAX, HOSTD_OK};

static struct fake_putting *putting; /* the save that runs */

void
fake_put_begin(struct fake_putting *p, const struct fake_put *limit,
    struct fake_state *to)
{
	memset(p, 0, sizeof(*p));
	memset(to, 0, sizeof(*to));
	p->limit = limit;
	p->to = to;
	putting = p;
}

int32_t
fake_put(void *arg, hostd_buf part)
{
	struct fake_state *to;

	if (!fake_on_loop())
		check_fail("called put, which is [loop], on another thread");
	if (putting == NULL)
		check_fail("called put when save had returned");
	if (arg != putting)
		check_fail("called put with an arg that did not come with it");
	if (part.p == NULL && part.n > 0)
		check_fail("called put with %zu bytes at NULL", part.n);
	to = putting->to;
	if (putting->full || part.n > putting->limit->max - to->n) {
		putting->full = 1;
		return putting->limit->code;
	}
	to->p = xrealloc(to->p, to->n + part.n + 1);
	if (part.n > 0)
		memcpy(to->p + to->n, part.p, part.n);
	to->n += part.n;
	return HOSTD_OK;
}

int32_t
fake_put_end(struct fake_putting *p, const char *function, int32_t rc)
{
	putting = NULL;
	if (rc > 0)
		check_fail("%s returned %d", function, rc);
	if (rc == HOSTD_OK && p->full)
		rc = p->limit->code;
	if (rc != HOSTD_OK)
		fake_state_free(p->to);
	return rc;
}

/* It ends at the fence, or a little before, since it starts aligned. */
hostd_buf
fake_state_lend(const struct fake_state *s)
{
	char *mem = fake_lend(s->n);
	hostd_buf b = {mem, s->n};

	if (s->n > 0)
		memcpy(mem, s->p, s->n);
	return b;
}

void
fake_state_free(struct fake_state *s)
{
	free(s->p);
	s->p = NULL;
	s->n = 0;
}

int32_t
fake_state_save(
    struct fake *f, const struct fake_put *limit, struct fake_state *to)
{
	struct fake_putting p;
	int32_t rc;

	fake_put_begin(&p, limit, to);
	to->version = f->m->state->version;
	fake_enter(f, "save", NULL);
	rc = f->m->state->save(f->inst, fake_put, &p);
	rc = fake_put_end(&p, "save", rc);
	fake_leave(f);
	return rc;
}

int32_t
fake_state_load(struct fake *f, const struct fake_state *s)
{
	int32_t rc;

	fake_enter(f, "load", NULL);
	rc = f->m->state->load(f->inst, s->version, fake_state_lend(s));
	fake_leave(f);
	if (rc > 0)
		check_fail("load returned %d", rc);
	return rc;
}
