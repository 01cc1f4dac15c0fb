/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The largest rooms of this node, of all its workers: channels that WebSockets
 * are subscribed to.  As JSON
 *
 *	{"n": how many there are, "more": bool, "exact": bool,
 *	 "largest": [[name, members], ...]}
 *
 * more: there may be more than n; exact: all workers have told theirs.
 */
#include "dashboard.h"

#define ROOMS_ASKED	1000
#define ROOMS_SHOWN	50

/* JSON is UTF-8, which names need not be. */
static json_t *
name_json(hostd_buf name)
{
	json_t *s = json_stringn(name.p, name.n);
	char text[256];
	size_t i, n = name.n < sizeof(text) ? name.n : sizeof(text);

	if (s != NULL)
		return s;
	memcpy(text, name.p, n);
	for (i = 0; i < n; i++)
		if ((unsigned char)text[i] >= 0x80)
			text[i] = '?';
	return json_stringn(text, n);
}

static void
rooms_told(struct hostd_inst *in, void *arg, int32_t status,
    const hostd_channel_size *sizes, uint32_t n)
{
	json_t *list = json_array();
	uint32_t i;

	(void)arg;
	in->asked_rooms = 0;
	for (i = 0; i < n && i < ROOMS_SHOWN; i++)
		(void)json_array_append_new(list, json_pack("[o,I]",
		    name_json(sizes[i].channel),
		    (json_int_t)sizes[i].sockets));
	json_decref(in->rooms);
	in->rooms = json_pack("{s:i,s:b,s:b,s:o}", "n", (int)n, "more",
	    n == ROOMS_ASKED, "exact", status == HOSTD_OK, "largest", list);
}

void
rooms_ask(struct hostd_inst *in)
{
	const struct hostd_channel_api *channel = in->easy.channel;

	if (in->asked_rooms || channel == NULL || !HOSTD_HAS(channel, largest))
		return;
	in->asked_rooms = channel->largest(in->easy.host, ROOMS_ASKED,
	    rooms_told, NULL) == HOSTD_OK;
}

void
rooms_free(struct hostd_inst *in)
{
	json_decref(in->rooms);
}
