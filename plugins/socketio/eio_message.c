/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include "engine.h"

/* The bytes of text and bins, each with its type before it, stand behind the
 * array of bins. */
static struct eio_message *
message_alloc(size_t ntext, const hostd_buf *bins, uint32_t nbins)
{
	size_t size = sizeof(struct eio_message) + nbins * sizeof(*bins) +
	    ntext;
	struct eio_message *m;
	char *p;
	uint32_t i;

	for (i = 0; i < nbins; i++)
		size += 1 + bins[i].n;
	if ((m = malloc(size)) == NULL)
		return NULL;
	m->refs = 1;
	m->nbins = nbins;
	m->bins = (hostd_buf *)(void *)(m + 1);
	p = (char *)(m->bins + nbins);
	m->text = (hostd_buf){ p, ntext };
	p += ntext;
	for (i = 0; i < nbins; i++) {
		*p++ = EIO_DATA;
		if (bins[i].n > 0)
			memcpy(p, bins[i].p, bins[i].n);
		m->bins[i] = (hostd_buf){ p, bins[i].n };
		p += bins[i].n;
	}
	return m;
}

struct eio_message *
eio_message_new(const hostd_buf *pieces, uint32_t npieces,
    const hostd_buf *bins, uint32_t nbins)
{
	struct eio_message *m;
	size_t n = 1;
	uint32_t i;
	char *p;

	for (i = 0; i < npieces; i++)
		n += pieces[i].n;
	if ((m = message_alloc(n, bins, nbins)) == NULL)
		return NULL;
	p = (char *)(m->bins + nbins);
	*p++ = '4';
	for (i = 0; i < npieces; i++) {
		if (pieces[i].n > 0)
			memcpy(p, pieces[i].p, pieces[i].n);
		p += pieces[i].n;
	}
	return m;
}

struct eio_message *
eio_message_raw(hostd_buf text, const hostd_buf *bins, uint32_t nbins)
{
	struct eio_message *m = message_alloc(text.n, bins, nbins);

	if (m != NULL && text.n > 0)
		memcpy(m->bins + nbins, text.p, text.n);
	return m;
}

void
eio_message_ref(struct eio_message *m)
{
	m->refs++;
}

void
eio_message_unref(struct eio_message *m)
{
	if (m != NULL && --m->refs == 0)
		free(m);
}

size_t
eio_message_size(const struct eio_message *m)
{
	size_t n = m->text.n;
	uint32_t i;

	for (i = 0; i < m->nbins; i++)
		n += m->bins[i].n;
	return n;
}
