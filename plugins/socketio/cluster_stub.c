/* SPDX-License-Identifier: BSD-2-Clause */
/* The cluster, until there is one: this worker only. */
#include "cluster.h"
#include "event.h"

static int32_t
attach(struct hostd_inst *in, hostd_user user,
    const struct hostd_user_info *info, const void **table,
    struct hostd_err *err)
{
	(void)in, (void)user, (void)info, (void)table;
	return hostd_fail(err, HOSTD_E_NOTSUP, "no adapters yet");
}

static void
detach(struct hostd_inst *in, hostd_user user)
{
	(void)in, (void)user;
}

const struct hostd_offer cluster_offer = {
	.struct_size = sizeof(cluster_offer),
	.kind = HOSTD_KIND_SIO_ADAPTER,
	.ext = HOSTD_EXT_SIO_ADAPTER,
	.attach = attach,
	.detach = detach,
};

int32_t
cluster_create(struct hostd_inst *in, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	(void)in, (void)conf, (void)err;
	return HOSTD_OK;
}

int32_t
cluster_start(struct hostd_inst *in)
{
	(void)in;
	return HOSTD_OK;
}

void
cluster_destroy(struct hostd_inst *in)
{
	(void)in;
}

void
cluster_open(struct hostd_inst *in, hostd_buf nsp)
{
	(void)in, (void)nsp;
}

void
cluster_close(struct hostd_inst *in, hostd_buf nsp)
{
	(void)in, (void)nsp;
}

void
cluster_room(struct hostd_inst *in, hostd_buf nsp, hostd_buf room, int on)
{
	(void)in, (void)nsp, (void)room, (void)on;
}

int32_t
cluster_tell(struct hostd_inst *in, const struct hostd_sio_order *o)
{
	struct space *sp = space_find(in, o->to->nsp);
	struct sio_socket **s;
	struct eio_message *m;
	int64_t i, n;
	uint32_t r;

	if (sp == NULL || o->type == HOSTD_SIO_SERVER_EVENT)
		return HOSTD_OK;
	if (o->type == HOSTD_SIO_BROADCAST) {
		m = event_message(o->to->nsp, NULL, o->name, o->args, NULL);
		if (m == NULL)
			return HOSTD_E_NOMEM;
		(void)space_send(sp, o->to, m);
		eio_message_unref(m);
		return HOSTD_OK;
	}
	n = space_select(sp, o->to, &s);
	for (i = 0; i < n; i++)
		if (o->type == HOSTD_SIO_DISCONNECT)
			client_disconnect(s[i], o->close);
		else
			for (r = 0; r < o->nrooms; r++)
				if (o->type == HOSTD_SIO_JOIN)
					(void)socket_join(s[i], o->rooms[r]);
				else
					socket_leave(s[i], o->rooms[r]);
	return HOSTD_OK;
}

int32_t
cluster_ask(struct hostd_inst *in, const struct hostd_sio_question *q,
    void (*reply)(struct hostd_inst *, void *, const struct hostd_sio_reply *),
    void (*done)(struct hostd_inst *, void *, int32_t), void *arg)
{
	(void)in, (void)q, (void)reply, (void)done, (void)arg;
	return HOSTD_E_NOTSUP;
}
