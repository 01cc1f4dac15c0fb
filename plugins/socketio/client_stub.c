/* SPDX-License-Identifier: BSD-2-Clause */
/* Stands in for client.c until that comes: messages are echoed. */
#include <stdlib.h>
#include "client.h"

struct client *
client_new(struct hostd_inst *in, struct eio *eio)
{
	struct client *c = calloc(1, sizeof(*c));

	if (c != NULL) {
		c->in = in;
		c->eio = eio;
	}
	return c;
}

int
client_text(struct client *c, hostd_buf packet)
{
	struct eio_message *m = eio_message_new(&packet, 1, NULL, 0);

	(void)eio_send(c->eio, m, 0);
	eio_message_unref(m);
	return 0;
}

int
client_binary(struct client *c, hostd_buf data)
{
	hostd_buf text = { "bin", 3 };
	struct eio_message *m = eio_message_new(&text, 1, &data, 1);

	(void)eio_send(c->eio, m, 0);
	eio_message_unref(m);
	return 0;
}

void
client_gone(struct client *c, int32_t reason)
{
	(void)reason;
	free(c);
}
