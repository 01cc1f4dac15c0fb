/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * POST action, {"do": "scale", "name": "web", "number": 3}:
 *
 *	200	done
 *	202	not within ACTION_MS: it goes on
 *	403	actions are off, not for this user, or it is another site's page
 *	409	something else is under way
 *	415, 400 it is not JSON, or says nothing that is known
 *	422	it can't be done: the text says why
 *	503	the master does not answer
 *
 * The answer is {"ok": bool, "text": "for people"}.
 */
#include "dashboard.h"

#define ACTION_MS	20000	/* less than defer_timeout */

static const struct {
	const char *name;
	uint32_t what;
} actions[] = {
	{ "reload", HOSTD_CONTROL_RELOAD },
	{ "drain", HOSTD_CONTROL_DRAIN },
	{ "undrain", HOSTD_CONTROL_UNDRAIN },
	{ "scale", HOSTD_CONTROL_SCALE },
	{ "restart", HOSTD_CONTROL_RESTART },
};

static uint32_t
action_find(const char *name)
{
	size_t i;

	for (i = 0; name != NULL && i < sizeof(actions) / sizeof(actions[0]);
	    i++)
		if (strcmp(actions[i].name, name) == 0)
			return actions[i].what;
	return 0;
}

static int32_t
tell(struct hostd_inst *in, hostd_req req, int32_t status, hostd_buf text)
{
	switch (status) {
	case HOSTD_OK:
		return answer_json(in, req, 200, text.n > 0 ? text :
		    hostd_str("done"));
	case HOSTD_E_STATE:
		return answer_json(in, req, 409, text.n > 0 ? text :
		    hostd_str("something else is under way"));
	case HOSTD_E_INVAL:
		return answer_json(in, req, 422, text);
	case HOSTD_E_TIMEOUT:
		return answer_json(in, req, 202,
		    hostd_str("not done yet; it goes on"));
	case HOSTD_E_NOTSUP:
		return answer_json(in, req, 403, hostd_str("this plugin is "
		    "none of the \"controllers\" of hostd.conf"));
	default:
		return answer_json(in, req, 503,
		    hostd_str("the master does not answer"));
	}
}

/* A request that waits for the master. */
struct pending {
	LIST_ENTRY(pending) link;
	hostd_req req;
};

static void
is_done(struct hostd_inst *in, void *arg, int32_t status, hostd_buf text)
{
	struct pending *p = arg;
	hostd_req req = p->req;

	LIST_REMOVE(p, link);
	free(p);
	/* Who asked may have left. */
	(void)tell(in, req, status, text);
}

void
action_free(struct hostd_inst *in)
{
	struct pending *p;

	while ((p = LIST_FIRST(&in->pending)) != NULL) {
		LIST_REMOVE(p, link);
		free(p);
	}
}

static int32_t
ask(struct hostd_inst *in, hostd_req req,
    const struct hostd_control_order *order)
{
	struct pending *p = calloc(1, sizeof(*p));
	hostd_buf none = { NULL, 0 };
	int32_t rc = HOSTD_E_NOTSUP;

	if (p == NULL)
		return HOSTD_E_NOMEM;
	p->req = req;
	LIST_INSERT_HEAD(&in->pending, p, link);
	if (in->control != NULL)
		rc = in->control->ask(in->easy.host, order, is_done, p);
	if (rc == HOSTD_DEFER)
		return rc;
	LIST_REMOVE(p, link);
	free(p);
	return tell(in, req, rc, none);
}

static int32_t
follow(struct hostd_inst *in, struct visit *v)
{
	const json_t *o = v->order;
	const char *what = json_string_value(json_object_get(o, "do"));
	struct hostd_control_order order = {
		.struct_size = sizeof(order),
		.what = action_find(what),
		.number = json_integer_value(json_object_get(o, "number")),
		.name = hostd_str(json_string_value(json_object_get(o,
		    "name"))),
		.user = hostd_str(v->user),
		.limit_ms = ACTION_MS
	};

	if (!v->may_act)
		return answer_json(in, v->req, 403, hostd_str(in->acts ?
		    "you are none of the operators" : "actions are off"));
	if (order.what == 0 || order.name.n > 255)
		return answer_json(in, v->req, 400,
		    hostd_str("this says nothing that can be done"));
	return ask(in, v->req, &order);
}

static int
is_json(struct hostd_inst *in, hostd_req req)
{
	static const char type[] = "application/json";
	hostd_buf b;

	return in->easy.http->header(in->easy.host, req, "Content-Type", &b) ==
	    HOSTD_OK && b.n == sizeof(type) - 1 &&
	    memcmp(b.p, type, b.n) == 0;
}

int32_t
action_take(struct hostd_inst *in, struct visit *v, hostd_buf body)
{
	if (!who_is_ours(in, v->req) || !token_is_sent(in, v->req))
		return answer_json(in, v->req, 403, hostd_str("this did not "
		    "come from the dashboard's page; reload that"));
	if (!is_json(in, v->req))
		return answer_json(in, v->req, 415,
		    hostd_str("this takes application/json"));
	v->order = json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, NULL);
	return who_then(in, v, follow);
}
