/* SPDX-License-Identifier: BSD-2-Clause */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "message.h"

static const uint8_t key[4] = { 0x9d, 0x3a, 0xc6, 0x51 };

/* The header but for the key. */
static size_t
put_head(uint8_t *to, unsigned first, unsigned mask, uint64_t n)
{
	size_t i, size = n < 126 ? 0 : n < 65536 ? 2 : 8;

	to[0] = (uint8_t)first;
	to[1] = (uint8_t)(mask |
	    (size == 0 ? (unsigned)n : size == 2 ? 126u : 127u));
	for (i = 0; i < size; i++)
		to[2 + i] = (uint8_t)(n >> 8 * (size - 1 - i));
	return 2 + size;
}

size_t
frame_put(uint8_t *to, unsigned first, const void *payload, size_t n)
{
	const uint8_t *p = payload;
	size_t i, at = put_head(to, first, 0x80, n);

	memcpy(to + at, key, sizeof(key));
	at += sizeof(key);
	for (i = 0; i < n; i++)
		to[at + i] = p[i] ^ key[i & 3];
	return at + n;
}

static void *
allocate(size_t n)
{
	void *p = malloc(n);

	if (p == NULL)
		err(1, "malloc");
	return p;
}

void
message_make(struct message *m, unsigned opcode, const void *payload,
    size_t n, unsigned copies)
{
	unsigned i;

	m->out = allocate((n + FRAME_HEAD_MAX) * copies);
	m->nout = frame_put(m->out, FRAME_FIN | opcode, payload, n);
	m->copies = copies;
	for (i = 1; i < copies; i++)
		memcpy(m->out + i * m->nout, m->out, m->nout);
	m->in = allocate(n + FRAME_HEAD_MAX);
	m->nhead = put_head(m->in, FRAME_FIN | opcode, 0, n);
	memcpy(m->in + m->nhead, payload, n);
	m->nin = m->nhead + n;
}

void
message_event(struct message *m, const char *name, size_t n, unsigned copies)
{
	char *payload = payload_make(n, 1), *event;

	if (asprintf(&event, "42[\"%s\",\"%s\"]", name, payload) == -1)
		err(1, "asprintf");
	message_make(m, OP_TEXT, event, strlen(event), copies);
	free(event);
	free(payload);
}

char *
payload_make(size_t n, int text)
{
	static const char words[] = "a message like many others, ";
	char *p = allocate(n + 1);
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = text ? words[i % (sizeof(words) - 1)] :
			      (char)(i * 167 + (i >> 8));
	p[n] = '\0';
	return p;
}
