/* SPDX-License-Identifier: BSD-2-Clause */
#include "log.h"

void
log_init(struct order_log *log, size_t max_bytes)
{
	memset(log, 0, sizeof(*log));
	STAILQ_INIT(&log->all);
	log->max_bytes = max_bytes;
}

static size_t
entry_size(const struct log_entry *e)
{
	return sizeof(*e) + e->nhead +
	    (e->message == NULL ? 0 : eio_message_size(e->message));
}

static void
drop_first(struct order_log *log)
{
	struct log_entry *e = STAILQ_FIRST(&log->all);

	STAILQ_REMOVE_HEAD(&log->all, link);
	log->bytes -= entry_size(e);
	(void)marks_raise(&log->dropped, e->process, e->seq, e->ms);
	if (e->message != NULL)
		eio_message_unref(e->message);
	free(e);
}

int
log_add(struct order_log *log, uint64_t process, uint64_t seq, hostd_buf head,
    struct eio_message *m, uint64_t now_ms)
{
	struct log_entry *e = malloc(sizeof(*e) + head.n);

	if (e == NULL) {
		(void)marks_raise(&log->dropped, process, seq, now_ms);
		return -1;
	}
	e->process = process;
	e->seq = seq;
	e->ms = now_ms;
	e->message = m;
	e->nhead = head.n;
	memcpy(e->head, head.p, head.n);
	if (m != NULL)
		eio_message_ref(m);
	STAILQ_INSERT_TAIL(&log->all, e, link);
	log->bytes += entry_size(e);
	while (log->bytes > log->max_bytes)
		drop_first(log);
	return 0;
}

void
log_trim(struct order_log *log, uint64_t before_ms)
{
	struct log_entry *e;

	while ((e = STAILQ_FIRST(&log->all)) != NULL && e->ms < before_ms)
		drop_first(log);
}

struct log_entry *
log_find(const struct order_log *log, uint64_t process, uint64_t seq)
{
	struct log_entry *e;

	STAILQ_FOREACH(e, &log->all, link)
		if (e->process == process && e->seq == seq)
			return e;
	return NULL;
}

/* The first of each process that the log has. */
static void
first_of_each(const struct order_log *log, struct marks *first)
{
	struct log_entry *e;

	STAILQ_FOREACH(e, &log->all, link)
		if (marks_get(first, e->process) == 0)
			(void)marks_raise(first, e->process, e->seq, 0);
}

void
log_prepend(struct order_log *log, struct order_log *older)
{
	struct order_log all;
	struct log_entry *e;
	struct marks first = { NULL, 0, 0 };
	uint64_t seq;

	first_of_each(log, &first);
	log_init(&all, log->max_bytes);
	STAILQ_FOREACH(e, &older->all, link) {
		seq = marks_get(&first, e->process);
		if (seq == 0 || e->seq < seq)
			(void)log_add(&all, e->process, e->seq, (hostd_buf){
			    e->head, e->nhead }, e->message, e->ms);
	}
	marks_free(&first);
	STAILQ_CONCAT(&all.all, &log->all);
	STAILQ_INIT(&log->all);
	STAILQ_CONCAT(&log->all, &all.all);
	log->bytes += all.bytes;
	while (log->bytes > log->max_bytes)
		drop_first(log);
	marks_free(&all.dropped);
}

int
log_covers(const struct order_log *log, const struct marks *m)
{
	uint32_t i;

	for (i = 0; i < log->dropped.n; i++)
		if (!mark_is_foreign(log->dropped.v[i].process) &&
		    log->dropped.v[i].seq > marks_get(m,
		    log->dropped.v[i].process))
			return 0;
	return 1;
}

void
log_free(struct order_log *log)
{
	while (!STAILQ_EMPTY(&log->all))
		drop_first(log);
	marks_free(&log->dropped);
}
