/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log and the sockets that recovery keeps, for the worker that takes our
 * place:
 *
 *	u32	orders; of each: u64 process, u64 number, u64 age in ms, bytes
 *		head, u32 has a packet, and that
 *	u32	sessions; of each: u64 ms that are left, bytes record
 */
#include "cluster_inside.h"
#include "recover.h"

static void
pack_entry(struct pack *b, const struct log_entry *e, uint64_t now)
{
	pack_u64(b, e->process);
	pack_u64(b, e->seq);
	pack_u64(b, now - e->ms);
	pack_bytes(b, (hostd_buf){ e->head, e->nhead });
	pack_u32(b, e->message != NULL);
	if (e->message != NULL)
		order_pack_packet(b, cluster_text(e->message),
		    e->message->bins, e->message->nbins);
}

void
bequest_pack_log(const struct order_log *log, struct pack *b, uint64_t now)
{
	const struct log_entry *e;
	uint32_t n = 0;

	STAILQ_FOREACH(e, &log->all, link)
		n++;
	pack_u32(b, n);
	STAILQ_FOREACH(e, &log->all, link)
		pack_entry(b, e, now);
}

static int
unpack_entry(struct order_log *log, struct unpack *u, uint64_t now)
{
	uint64_t process = unpack_u64(u), seq = unpack_u64(u);
	uint64_t age = unpack_u64(u);
	hostd_buf head = unpack_bytes(u);
	struct eio_message *m = NULL;
	struct order o;
	int rc = u->bad ? -1 : 0;

	memset(&o, 0, sizeof(o));
	if (rc == 0 && unpack_u32(u) != 0) {
		if (order_read_packet(&o, u) == 0)
			m = eio_message_new(&o.text, 1, o.bins, o.nbins);
		rc = m == NULL ? -1 : 0;
	}
	if (rc == 0 && !u->bad)
		rc = log_add(log, process, seq, head, m, age < now ? now - age :
		    0);
	if (m != NULL)
		eio_message_unref(m);
	order_free(&o);
	return u->bad ? -1 : rc;
}

/* What it had before us comes before what we have. */
int
bequest_unpack_log(struct order_log *log, struct unpack *u, uint64_t now)
{
	uint32_t n = unpack_count(u), i;
	struct order_log before;
	int rc = 0;

	log_init(&before, log->max_bytes);
	for (i = 0; i < n && rc == 0; i++)
		rc = unpack_entry(&before, u, now);
	if (rc == 0)
		log_prepend(log, &before);
	log_free(&before);
	return rc;
}
