/* SPDX-License-Identifier: BSD-2-Clause */
/* Channels, to sockets. */
#include "rules.h"

/* In a namespace that has a name of its own. */
static void
relay_to(struct hostd_inst *in, const struct relay *r, struct occasion *o,
    const char *nsp)
{
	const char *why;

	if (strchr(nsp, '*') != NULL)
		return;
	o->values.nsp = hostd_str(nsp);
	(void)rule_do(in, &r->rule, o, &why);
}

/* Every worker, of every node, hears it, and tells the sockets that it has. */
static void
on_message(struct hostd_inst *in, hostd_sub sub, void *arg,
    const struct hostd_channel_event *ev)
{
	static const char placeholder[] = "{\"_placeholder\":true,\"num\":0}";
	struct hostd_json quoted = { NULL, 0, 0, 0 };
	const struct relay *r = arg;
	struct occasion o;
	hostd_buf message;
	size_t i;

	(void)sub;
	if (ev->type != HOSTD_CHANNEL_MESSAGE)
		return;
	memset(&o, 0, sizeof(o));
	message = ev->msg;
	if ((ev->flags & HOSTD_WS_BINARY) != 0) {
		o.bins = &ev->msg;
		o.nbins = 1;
		message = hostd_str(placeholder);
	} else if (!hostd_json_ok(message)) {
		hostd_json_strn(&quoted, message);
		message = hostd_json_done(&quoted);
	}
	o.values.args = &message;
	o.values.nargs = message.p != NULL;
	o.values.event = ev->channel;
	for (i = 0; in->namespaces[i] != NULL; i++)
		relay_to(in, r, &o, in->namespaces[i]);
	hostd_json_free(&quoted);
}

int32_t
relays_start(struct hostd_inst *in)
{
	const struct hostd_easy *e = &in->easy;
	struct relay *r;
	hostd_sub sub;
	uint32_t i;
	int32_t rc;

	for (i = 0; i < in->nrelays; i++) {
		r = &in->relays[i];
		rc = e->channel->subscribe(e->host, r->channel, on_message, r,
		    &sub);
		if (rc != HOSTD_OK) {
			hostd_logf(e->host, HOSTD_LOG_ERROR, "%s:%u: channel "
			    "\"%s\" is no name of one, or there are too many",
			    (const char *)r->rule.place.p, r->rule.line,
			    (const char *)r->channel.p);
			return rc;
		}
	}
	return HOSTD_OK;
}
