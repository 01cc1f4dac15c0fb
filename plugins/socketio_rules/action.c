/* SPDX-License-Identifier: BSD-2-Clause */
/* What is done for a rule. */
#include "rules.h"

#define NAME_MAX_SENT	256	/* bytes of an event's name */
#define CHANNEL_MAX	256

/* What is sent, as long as in->text is. */
struct made {
	hostd_buf v[MAX_TEMPLATES];
	struct hostd_sio_args args;
};

/* The arguments that templates make.  0, or -1: something does not fit. */
static int
args_make(struct hostd_inst *in, const struct templates *t,
    const struct occasion *o, struct made *m)
{
	const char *p;
	size_t before;
	uint32_t i;

	hostd_json_reset(&in->text);
	for (i = 0; i < t->n; i++) {
		before = in->text.n;
		if (template_json(&t->v[i], &o->values, &in->text) == -1)
			return -1;
		m->v[i].n = in->text.n - before;
	}
	if ((p = hostd_json_done(&in->text).p) == NULL && t->n > 0)
		return -1;
	for (i = 0; i < t->n; i++) {
		m->v[i].p = p;
		p += m->v[i].n;
	}
	memset(&m->args, 0, sizeof(m->args));
	m->args.struct_size = sizeof(m->args);
	m->args.n = t->n;
	m->args.v = m->v;
	m->args.bins = o->bins;
	m->args.nbins = o->nbins;
	return 0;
}

/* Those of a rule, or without any all that came. */
static int
args_of(struct hostd_inst *in, const struct rule *r, const struct occasion *o,
    struct made *m)
{
	if (args_make(in, &r->args, o, m) == -1)
		return -1;
	if (r->args.n == 0) {
		m->args.n = o->values.nargs;
		m->args.v = o->values.args;
	}
	return 0;
}

static int32_t
send_event(struct hostd_inst *in, const struct rule *r,
    const struct occasion *o, uint32_t nrooms, const char **why)
{
	struct hostd_sio_to to = { .struct_size = sizeof(to) };
	uint32_t flags = r->is_volatile ? HOSTD_SIO_VOLATILE : 0;
	hostd_buf name = o->values.event;
	char text[NAME_MAX_SENT];
	struct made m;
	int64_t n;

	if (r->has_as) {
		n = template_text(&r->as, &o->values, text, sizeof(text));
		name.p = text;
		name.n = n < 0 ? 0 : (size_t)n;
	}
	*why = "bad event";
	if (name.n == 0)
		return HOSTD_E_INVAL;
	*why = "bad arguments";
	if (args_of(in, r, o, &m) == -1)
		return HOSTD_E_INVAL;
	*why = "not sent";
	if (r->action == ACTION_REPLY)
		return in->sio->emit(in->sio, o->socket, flags, name,
		    &m.args);
	/* Rooms were asked for, and there are none: nobody is meant. */
	if (nrooms == 0 && (r->of_all_rooms || r->rooms.n > 0))
		return HOSTD_OK;
	to.flags = flags | (o->socket.id == 0 ? HOSTD_SIO_LOCAL : 0);
	to.nsp = o->values.nsp;
	to.rooms = in->rooms;
	to.nrooms = nrooms;
	to.except = in->rooms + nrooms;
	to.nexcept = in->nrooms - nrooms;
	if (r->action == ACTION_BROADCAST)
		to.but = o->socket;
	return in->sio->broadcast(in->sio, &to, name, &m.args);
}

static int32_t
join_or_leave(struct hostd_inst *in, const struct rule *r,
    const struct occasion *o, uint32_t nrooms, const char **why)
{
	int32_t rc = HOSTD_OK;
	uint32_t i;

	for (i = 0; i < nrooms && rc >= 0; i++)
		rc = r->action == ACTION_JOIN ?
		    in->sio->join(in->sio, o->socket, in->rooms[i]) :
		    in->sio->leave(in->sio, o->socket, in->rooms[i]);
	*why = rc == HOSTD_E_FULL ? "too many rooms" : "bad room";
	return rc;
}

static int32_t
set_data(struct hostd_inst *in, const struct rule *r, const struct occasion *o,
    const char **why)
{
	struct made m;

	*why = "bad arguments";
	if (args_make(in, &r->args, o, &m) == -1)
		return HOSTD_E_INVAL;
	return in->sio->set_data(in->sio, o->socket, m.v[0]);
}

/* A text of the socket's or the event's, which may be none. */
static void
put_member(struct hostd_json *j, const char *name, hostd_buf text)
{
	if (text.p == NULL || !hostd_json_is_utf8(text))
		return;
	hostd_json_key(j, name);
	hostd_json_strn(j, text);
}

static void
put_message(struct hostd_json *j, const struct values *v)
{
	uint32_t i;

	hostd_json_begin(j, '{');
	put_member(j, "nsp", v->nsp);
	put_member(j, "event", v->event);
	put_member(j, "id", v->id);
	put_member(j, "user", v->user);
	hostd_json_key(j, "args");
	hostd_json_begin(j, '[');
	for (i = 0; i < v->nargs; i++)
		hostd_json_raw(j, v->args[i]);
	hostd_json_end(j, ']');
	hostd_json_end(j, '}');
}

static int32_t
publish(struct hostd_inst *in, const struct rule *r, const struct occasion *o,
    const char **why)
{
	const struct hostd_easy *e = &in->easy;
	hostd_buf channel, message;
	char name[CHANNEL_MAX];
	hostd_ws nobody = { 0 };
	int64_t n;

	*why = "bad channel";
	n = template_text(&r->channel, &o->values, name, sizeof(name));
	if (n <= 0)
		return HOSTD_E_INVAL;
	channel.p = name;
	channel.n = (size_t)n;
	*why = "bad arguments";
	hostd_json_reset(&in->text);
	if (!r->has_message)
		put_message(&in->text, &o->values);
	else if (template_json(&r->message, &o->values, &in->text) == -1)
		return HOSTD_E_INVAL;
	if ((message = hostd_json_done(&in->text)).p == NULL)
		return HOSTD_E_NOMEM;
	*why = "not published";
	return e->channel->publish(e->host, channel, message, HOSTD_WS_TEXT,
	    nobody);
}

static int32_t
act(struct hostd_inst *in, const struct rule *r, const struct occasion *o,
    uint32_t nrooms, const char **why)
{
	switch (r->action) {
	case ACTION_JOIN:
	case ACTION_LEAVE:
		return join_or_leave(in, r, o, nrooms, why);
	case ACTION_EMIT:
	case ACTION_BROADCAST:
	case ACTION_REPLY:
		return send_event(in, r, o, nrooms, why);
	case ACTION_SET:
		return set_data(in, r, o, why);
	case ACTION_PUBLISH:
		return publish(in, r, o, why);
	case ACTION_DISCONNECT:
		return in->sio->disconnect(in->sio, o->socket, 0);
	default:
		return HOSTD_OK;
	}
}

static void
count(struct hostd_inst *in, uint32_t series)
{
	if (in->metrics != NULL)
		in->metrics->add(in->easy.host, series, 1);
}

int32_t
rule_do(struct hostd_inst *in, const struct rule *r, const struct occasion *o,
    const char **why)
{
	uint32_t nrooms = 0;
	int32_t rc = HOSTD_E_INVAL;

	*why = "not authorized";
	if (r->needs_user && o->values.user.p == NULL)
		goto out;
	*why = "bad room";
	if (rooms_make(in, r, o, &nrooms) == -1)
		goto out;
	*why = "not in the room";
	if (r->needs_room && !rooms_has(in, o->socket, in->rooms[0]))
		goto out;
	rc = act(in, r, o, nrooms, why);
out:
	count(in, rc < 0 ? in->failed : in->done);
	if (rc < 0)
		hostd_logf(in->easy.host, HOSTD_LOG_DEBUG, "%s:%u: not done: "
		    "%s", (const char *)r->place.p, r->line, *why);
	return rc;
}

/* -- all of an event -- */

static void
acknowledge(struct hostd_inst *in, const struct rule *says,
    const struct occasion *o, const char *error)
{
	static const char ok[] = "{\"ok\":true}";
	struct made m;

	if (o->ack.id == 0)
		return;
	if (says != NULL && error == NULL &&
	    args_make(in, &says->ack, o, &m) == -1)
		error = "bad arguments";
	if (says == NULL || error != NULL) {
		memset(&m, 0, sizeof(m));
		hostd_json_reset(&in->text);
		if (error != NULL) {
			hostd_json_begin(&in->text, '{');
			hostd_json_key(&in->text, "error");
			hostd_json_str(&in->text, error);
			hostd_json_end(&in->text, '}');
		} else
			hostd_json_bytes(&in->text, ok, sizeof(ok) - 1);
		m.v[0] = hostd_json_done(&in->text);
		m.args.struct_size = sizeof(m.args);
		m.args.n = m.v[0].p != NULL;
		m.args.v = m.v;
	}
	(void)in->sio->ack(in->sio, o->ack, &m.args);
}

static int
is_for(const struct rule *r, hostd_buf event)
{
	return r->event.p == NULL || (r->event.n == event.n &&
	    memcmp(r->event.p, event.p, event.n) == 0);
}

/* What set_data has replaced is not there any more. */
static void
look_again(struct hostd_inst *in, struct occasion *o)
{
	const struct hostd_sio_info *info = in->sio->info(in->sio, o->socket);

	o->values.data = (hostd_buf){ NULL, 0 };
	if (info != NULL && info->data.n > 0)
		o->values.data = info->data;
}

int32_t
rules_do(struct hostd_inst *in, const struct rules *rules, struct occasion *o)
{
	const hostd_buf any = hostd_str("*");
	const struct rule *r, *says = NULL;
	hostd_buf event = o->values.event;
	const char *why = NULL;
	uint32_t i, n = 0;
	int32_t rc = HOSTD_OK;

	for (i = 0; i < rules->n; i++)
		n += (uint32_t)is_for(&rules->v[i], event);
	if (n == 0)
		event = any;
	for (i = 0; i < rules->n && rc >= 0; i++) {
		r = &rules->v[i];
		if (!is_for(r, event))
			continue;
		n = 1;
		rc = rule_do(in, r, o, &why);
		if (r->action == ACTION_SET)
			look_again(in, o);
		if (r->has_ack)
			says = r;
	}
	if (n == 0)
		return HOSTD_PASS;
	acknowledge(in, says, o, rc < 0 ? why : NULL);
	return HOSTD_OK;
}

int
occasion_of(struct hostd_inst *in, hostd_sio s, struct occasion *o)
{
	const struct hostd_sio_info *info = in->sio->info(in->sio, s);

	memset(o, 0, sizeof(*o));
	if (info == NULL)
		return -1;
	o->socket = s;
	o->values.id = info->id;
	o->values.user = info->user;
	o->values.nsp = info->nsp;
	o->values.auth = info->auth;
	o->values.data = info->data;
	if (info->auth.n == 0)
		o->values.auth.p = NULL;
	if (info->data.n == 0)
		o->values.data.p = NULL;
	return 0;
}
