/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <hostd/json_write.h>
#include "event.h"

#define PIECES	40		/* more are rare */
#define TEXT	512

/* A message's pieces, and the text of those that are made here. */
struct making {
	hostd_buf *pieces;
	uint32_t n;
	char *text;
	hostd_buf few[PIECES];
	char little[TEXT];
};

static int
making_start(struct making *m, uint64_t npieces, size_t size)
{
	m->n = 0;
	m->pieces = m->few;
	m->text = m->little;
	if (npieces > PIECES)
		m->pieces = calloc(npieces, sizeof(*m->pieces));
	if (size > TEXT)
		m->text = malloc(size);
	return m->pieces != NULL && m->text != NULL ? 0 : -1;
}

static void
making_end(struct making *m)
{
	if (m->pieces != m->few)
		free(m->pieces);
	if (m->text != m->little)
		free(m->text);
}

static void
put(struct making *m, hostd_buf piece)
{
	m->pieces[m->n++] = piece;
}

/* All of args, with commas between, and before the first if it is not that of
 * the list. */
static void
put_args(struct making *m, const struct hostd_sio_args *args, int is_first)
{
	uint32_t i;

	for (i = 0; args != NULL && i < args->n; i++) {
		if (i > 0 || !is_first)
			put(m, hostd_str(","));
		put(m, args->v[i]);
	}
}

static struct eio_message *
finish(struct making *m, const struct hostd_sio_args *args)
{
	struct eio_message *msg = eio_message_new(m->pieces, m->n,
	    args == NULL ? NULL : args->bins, args == NULL ? 0 : args->nbins);

	making_end(m);
	return msg;
}

struct eio_message *
event_message(hostd_buf nsp, const uint64_t *id, hostd_buf name,
    const struct hostd_sio_args *args, const hostd_buf *offset)
{
	uint32_t nbins = args == NULL ? 0 : args->nbins;
	struct making m;
	size_t len;

	if (making_start(&m, args == NULL ? 4 : 4 + 2 * (uint64_t)args->n,
	    SIO_HEAD_MAX + nsp.n + 1 + hostd_json_quoted(name)) == -1) {
		making_end(&m);
		return NULL;
	}
	len = sio_head_write(m.text, nbins > 0 ? SIO_BINARY_EVENT : SIO_EVENT,
	    nbins, nsp, id);
	m.text[len++] = '[';
	len += hostd_json_quote(m.text + len, name);
	put(&m, hostd_json_slice(m.text, m.text + len));
	put_args(&m, args, 0);
	if (offset != NULL) {
		put(&m, hostd_str(",\""));
		put(&m, *offset);
	}
	put(&m, hostd_str(offset != NULL ? "\"]" : "]"));
	return finish(&m, args);
}

struct eio_message *
ack_message(hostd_buf nsp, uint64_t id, const struct hostd_sio_args *args)
{
	uint32_t nbins = args == NULL ? 0 : args->nbins;
	struct making m;
	size_t len;

	if (making_start(&m, args == NULL ? 2 : 2 + 2 * (uint64_t)args->n,
	    SIO_HEAD_MAX + nsp.n + 1) == -1) {
		making_end(&m);
		return NULL;
	}
	len = sio_head_write(m.text, nbins > 0 ? SIO_BINARY_ACK : SIO_ACK,
	    nbins, nsp, &id);
	m.text[len++] = '[';
	put(&m, hostd_json_slice(m.text, m.text + len));
	put_args(&m, args, 1);
	put(&m, hostd_str("]"));
	return finish(&m, args);
}

struct eio_message *
packet_message(enum sio_type type, hostd_buf nsp, hostd_buf json)
{
	struct making m;
	size_t len;

	if (making_start(&m, 2, SIO_HEAD_MAX + nsp.n) == -1) {
		making_end(&m);
		return NULL;
	}
	len = sio_head_write(m.text, type, 0, nsp, NULL);
	put(&m, hostd_json_slice(m.text, m.text + len));
	put(&m, json);
	return finish(&m, NULL);
}
