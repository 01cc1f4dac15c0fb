/* SPDX-License-Identifier: BSD-2-Clause */
#include <hostd/json.h>
#include "rules.h"

/* Names lie one behind the other, each with a NUL; where is told when all are
 * there, since they may move. */
static int
name_add(struct hostd_inst *in, int64_t n)
{
	uint32_t size = in->size_rooms == 0 ? 16 : in->size_rooms * 2;
	hostd_buf *v = in->rooms;

	if (n <= 0 || n > HOSTD_SIO_ROOM_MAX)
		return -1;
	if (in->nrooms == in->size_rooms) {
		if ((v = realloc(v, size * sizeof(*v))) == NULL)
			return -1;
		in->rooms = v;
		in->size_rooms = size;
	}
	v[in->nrooms].p = NULL;
	v[in->nrooms++].n = (size_t)n;
	in->names.n += (size_t)n + 1;
	return 0;
}

static void
names_place(struct hostd_inst *in)
{
	const char *p = in->names.p;
	uint32_t i;

	for (i = 0; i < in->nrooms; i++) {
		in->rooms[i].p = p;
		p += in->rooms[i].n + 1;
	}
}

static int
list_add(struct hostd_inst *in, const struct templates *t,
    const struct values *v)
{
	const size_t size = HOSTD_SIO_ROOM_MAX + 1;
	uint32_t i;
	char *room;

	for (i = 0; i < t->n; i++)
		if ((room = hostd_json_room(&in->names, size)) == NULL ||
		    name_add(in, template_text(&t->v[i], v, room, size)) == -1)
			return -1;
	return 0;
}

/* But the one of its own id, which is the first. */
static int
add_joined(struct hostd_inst *in, hostd_sio s)
{
	const size_t size = HOSTD_SIO_ROOM_MAX + 1;
	struct hostd_json_walk w;
	hostd_buf list, name;
	char *room;

	if (in->sio->rooms(in->sio, s, &list) != HOSTD_OK)
		return 0;
	w = hostd_json_walk(list);
	(void)hostd_json_next(&w, &name);
	while (hostd_json_next(&w, &name))
		if ((room = hostd_json_room(&in->names, size)) == NULL ||
		    name_add(in, hostd_json_text(name, room, size)) == -1)
			return -1;
	return 0;
}

int
rooms_make(struct hostd_inst *in, const struct rule *r,
    const struct occasion *o, uint32_t *nrooms)
{
	in->nrooms = 0;
	hostd_json_reset(&in->names);
	if (list_add(in, &r->rooms, &o->values) == -1 ||
	    (r->of_all_rooms && add_joined(in, o->socket) == -1))
		return -1;
	*nrooms = in->nrooms;
	if (list_add(in, &r->except, &o->values) == -1)
		return -1;
	names_place(in);
	return 0;
}

int
rooms_has(struct hostd_inst *in, hostd_sio s, hostd_buf room)
{
	struct hostd_json_walk w;
	hostd_buf list, name;

	if (in->sio->rooms(in->sio, s, &list) != HOSTD_OK)
		return 0;
	w = hostd_json_walk(list);
	while (hostd_json_next(&w, &name))
		if (hostd_json_says(name, room))
			return 1;
	return 0;
}

void
rooms_free(struct hostd_inst *in)
{
	hostd_json_free(&in->names);
	free(in->rooms);
}
