/* SPDX-License-Identifier: BSD-2-Clause */
#include "marks.h"

#define SIZE_LEAST 8

static struct mark *
mark_find(const struct marks *m, uint64_t process)
{
	uint32_t i;

	for (i = 0; i < m->n; i++)
		if (m->v[i].process == process)
			return &m->v[i];
	return NULL;
}

uint64_t
marks_get(const struct marks *m, uint64_t process)
{
	const struct mark *k = mark_find(m, process);

	return k == NULL ? 0 : k->seq;
}

static struct mark *
mark_new(struct marks *m, uint64_t process)
{
	uint32_t size = m->size == 0 ? SIZE_LEAST : m->size * 2;
	struct mark *v;

	if (m->n == m->size) {
		if ((v = realloc(m->v, size * sizeof(*v))) == NULL)
			return NULL;
		m->v = v;
		m->size = size;
	}
	v = &m->v[m->n++];
	memset(v, 0, sizeof(*v));
	v->process = process;
	return v;
}

int
marks_raise(struct marks *m, uint64_t process, uint64_t seq, uint64_t now_ms)
{
	struct mark *k = mark_find(m, process);

	if (k == NULL && (k = mark_new(m, process)) == NULL)
		return -1;
	if (seq > k->seq)
		k->seq = seq;
	k->heard_ms = now_ms;
	return 0;
}

void
marks_forget(struct marks *m, uint64_t before_ms)
{
	uint32_t i = 0;

	while (i < m->n) {
		if (m->v[i].heard_ms < before_ms)
			m->v[i] = m->v[--m->n];
		else
			i++;
	}
}

void
marks_free(struct marks *m)
{
	free(m->v);
	memset(m, 0, sizeof(*m));
}

void
marks_pack_all(struct pack *b, const struct marks *m)
{
	uint32_t i;

	for (i = 0; i < m->n; i++) {
		pack_u64(b, m->v[i].process);
		pack_u64(b, m->v[i].seq);
	}
}

int
marks_unpack(struct marks *m, struct unpack *u)
{
	uint32_t n = unpack_count(u), i;
	uint64_t process, seq;

	memset(m, 0, sizeof(*m));
	for (i = 0; i < n && !u->bad; i++) {
		process = unpack_u64(u);
		seq = unpack_u64(u);
		if (marks_raise(m, process, seq, 0) == -1)
			u->bad = 1;
	}
	if (!u->bad)
		return 0;
	marks_free(m);
	return -1;
}
