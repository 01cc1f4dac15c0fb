/* SPDX-License-Identifier: BSD-2-Clause */
/* {"cmd": "events", "follow": bool, "after": n, "last": n} */
#include "master/command.h"
#include "master/control.h"

/*
 * Those after number "after", and of these the "last" n.  With follow, what
 * comes is told until the client leaves; nothing is missed in between, as both
 * happen here.
 */
void
command_events(struct control_client *c, const json_t *request)
{
	const struct events *all = &c->control->m->events;
	const json_t *last = json_object_get(request, "last");
	const struct event *e;
	json_int_t after, n;

	after = json_integer_value(json_object_get(request, "after"));
	n = (json_int_t)all->added;
	if (after < 0 || after > n)
		after = 0;
	if (json_is_integer(last) && json_integer_value(last) >= 0 &&
	    json_integer_value(last) < n - after)
		after = n - json_integer_value(last);
	if (n - after > EVENTS_KEPT)
		after = n - EVENTS_KEPT;
	for (; after < n && !c->closing; after++)
		if ((e = events_get(all, (uint64_t)after + 1)) != NULL)
			control_say(c, json_pack("{s:o}", "event",
			    event_json(e)));
	if (json_is_true(json_object_get(request, "follow")))
		c->follows = 1;
	else
		control_end(c, 1, NULL);
}
