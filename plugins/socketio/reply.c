/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>
#include <hostd/json_write.h>
#include "event.h"
#include "old_packet.h"
#include "reply.h"

void
reply_packet(struct client *c, enum sio_type type, hostd_buf nsp,
    hostd_buf json)
{
	struct eio_message *m = packet_message(type, nsp, json);

	/* A client that misses one of these can't be helped. */
	if (m == NULL) {
		eio_end(c->eio, HOSTD_SIO_FORCED_CLOSE);
		return;
	}
	(void)eio_send(c->eio, m, 0);
	eio_message_unref(m);
}

static void
put_refusal(struct hostd_json *j, hostd_buf message, hostd_buf data)
{
	hostd_json_begin(j, '{');
	hostd_json_key(j, "message");
	hostd_json_strn(j, message);
	if (data.n > 0) {
		hostd_json_key(j, "data");
		hostd_json_raw(j, data);
	}
	hostd_json_end(j, '}');
}

void
reply_refused(struct client *c, hostd_buf nsp, hostd_buf message,
    hostd_buf data, int is_of_server)
{
	struct hostd_json j = { NULL, 0, 0, 0 };

	if (c->revision == 3 && !is_of_server)
		old_refusal(&j, message, data);
	else
		put_refusal(&j, message, data);
	if (j.failed)
		eio_end(c->eio, HOSTD_SIO_FORCED_CLOSE);
	else
		reply_packet(c, SIO_CONNECT_ERROR, nsp,
		    hostd_json_done(&j));
	hostd_json_free(&j);
}

void
reply_accepted(struct sio_socket *s)
{
	static const hostd_buf none = { NULL, 0 };
	char text[sizeof("{\"sid\":\"\",\"pid\":\"\"}") + SOCKET_ID_LEN +
	    sizeof(s->pid)];
	int n;

	if (s->client->revision == 3) {
		reply_packet(s->client, SIO_CONNECT, space_name(s->space),
		    none);
		return;
	}
	n = s->pid[0] == '\0' ?
	    snprintf(text, sizeof(text), "{\"sid\":\"%s\"}", s->id) :
	    snprintf(text, sizeof(text), "{\"sid\":\"%s\",\"pid\":\"%s\"}",
	    s->id, s->pid);
	reply_packet(s->client, SIO_CONNECT, space_name(s->space),
	    hostd_json_slice(text, text + n));
}
