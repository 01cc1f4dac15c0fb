/* SPDX-License-Identifier: BSD-2-Clause */
/* What came, and what is answered to it. */
#include <string.h>
#include "app.h"

static void
add_name(struct names *names, hostd_buf value)
{
	int64_t n;

	if (names->n == NAMES_MAX || (n = hostd_json_text(value,
	    names->room[names->n], sizeof(names->room[0]))) < 0)
		return;
	names->v[names->n].p = names->room[names->n];
	names->v[names->n++].n = (size_t)n;
}

void
read_names(const struct call *c, uint32_t i, struct names *names)
{
	struct hostd_json_walk w;
	hostd_buf value;

	names->n = 0;
	if (i >= c->args->n)
		return;
	if (!hostd_json_is_array(c->args->v[i])) {
		add_name(names, c->args->v[i]);
		return;
	}
	w = hostd_json_walk(c->args->v[i]);
	while (hostd_json_next(&w, &value))
		add_name(names, value);
}

int
is_true(const struct call *c, uint32_t i)
{
	return i < c->args->n && hostd_json_is(c->args->v[i], "true");
}

void
ack(const struct call *c, const struct hostd_sio_args *args)
{
	if (c->ack.id != 0)
		(void)c->sio->ack(c->sio, c->ack, args);
}

void
ack_list(const struct hostd_sio_api *sio, hostd_sio_ack to, const hostd_buf *v,
    uint32_t n)
{
	struct hostd_sio_args args = {.struct_size = sizeof(args), .n = n,
	    .v = v};

	if (to.id != 0)
		(void)sio->ack(sio, to, &args);
}

void
ack_json(const struct hostd_sio_api *sio, hostd_sio_ack to,
    struct hostd_json *j)
{
	hostd_buf v = hostd_json_done(j);

	ack_list(sio, to, &v, 1);
	hostd_json_free(j);
}

void
ack_status(const struct hostd_sio_api *sio, hostd_sio_ack to, int32_t status,
    const struct hostd_sio_args *answer)
{
	hostd_buf v[NAMES_MAX] = {hostd_str(status == HOSTD_OK ? "null" :
	    "\"timeout\"")};
	struct hostd_sio_args args = {.struct_size = sizeof(args), .n = 1,
	    .v = v};
	uint32_t i;

	if (answer != NULL) {
		for (i = 0; i < answer->n && args.n < NAMES_MAX; i++)
			v[args.n++] = answer->v[i];
		args.bins = answer->bins;
		args.nbins = answer->nbins;
	}
	if (to.id != 0)
		(void)sio->ack(sio, to, &args);
}

static const struct {
	const char *name;
	void (*fn)(struct call *);
	int answers;			/* by itself */
} events[] = {
	{"back", do_back, 1}, {"echo", do_echo, 1}, {"twice", do_twice, 1},
	{"rooms", do_rooms, 1}, {"whoami", do_whoami, 1}, {"ask", do_ask, 1},
	{"askall", do_askall, 1}, {"fetch", do_fetch, 1},
	{"asklong", do_asklong, 1}, {"askshort", do_askshort, 1},
	{"askallshort", do_askallshort, 1},
	{"pid", do_pid, 1}, {"later", do_later, 1},
	{"join", do_join, 0}, {"leave", do_leave, 0}, {"say", do_say, 0},
	{"others", do_others, 0}, {"except", do_except, 0},
	{"local", do_local, 0}, {"volatile", do_volatile, 0},
	{"many", do_many, 0}, {"setdata", do_setdata, 0},
	{"joinall", do_joinall, 0}, {"leaveall", do_leaveall, 0},
	{"sseask", do_sseask, 1}, {"bye", do_bye, 1}, {"kick", do_kick, 0},
	{"sse", do_sse, 0}, {"saystatus", do_saystatus, 1},
};

int32_t
on_event(struct hostd_inst *in, hostd_sio s, void *d,
    const struct hostd_sio_event *ev)
{
	struct call c = {.in = in, .sio = in->sio, .s = s, .ack = ev->ack,
	    .args = ev->args, .info = in->sio->info(in->sio, s), .seat = d,
	    .rest = *ev->args};
	size_t i;

	if (c.rest.n > 0) {
		c.rest.v++;
		c.rest.n--;
	}
	for (i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (is_same(ev->name, events[i].name)) {
			events[i].fn(&c);
			if (!events[i].answers)
				ack_list(c.sio, c.ack, NULL, 0);
			return HOSTD_OK;
		}
	return HOSTD_PASS;
}
