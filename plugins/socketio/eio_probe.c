/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From polling to WebSocket: the client probes a WebSocket, stops polling, and
 * goes on there.  Until it says so, polling is the transport.
 */
#include <stdlib.h>
#include <string.h>
#include "cluster.h"
#include "engine.h"
#include "metrics.h"
#include "move.h"

int
eio_probe_new(struct eio *eio, struct eio_ws *w)
{
	struct eio_probe *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return -1;
	p->eio = eio;
	p->ws = w;
	w->role = EIO_WS_PROBE;
	w->u.probe = p;
	eio->probe = p;
	eio_wait_begin(eio->in, &p->wait, EIO_WAIT_PROBE,
	    eio->in->opt.upgrade_timeout);
	return 0;
}

static void
go(struct hostd_inst *in, void *arg)
{
	(void)arg;
	(void)move_polling(in);
}

/* Its session may have stayed for it. */
static void
probe_free(struct eio_probe *p)
{
	struct hostd_inst *in = p->eio->in;

	eio_wait_end(in, &p->wait);
	p->eio->probe = NULL;
	free(p);
	if (in->draining)
		(void)in->easy.host->post(in->easy.host, go, NULL);
}

void
eio_probe_gone(struct eio_probe *p)
{
	p->ws->role = EIO_WS_NONE;
	probe_free(p);
}

void
eio_probe_end(struct eio_probe *p)
{
	const struct hostd_easy *e = &p->eio->in->easy;

	/* Else it is closed when it opens. */
	if (p->ws->ws.id != 0)
		(void)e->ws->close(e->host, p->ws->ws, HOSTD_WS_NORMAL,
		    hostd_str(""));
	eio_probe_gone(p);
}

void
eio_probe_late(struct hostd_inst *in, struct eio_wait *w)
{
	(void)in;
	eio_probe_end(TABLE_OF(w, struct eio_probe, wait));
}

static void
answer(struct eio_probe *p)
{
	const struct hostd_easy *e = &p->eio->in->easy;

	/* The client stops polling at the answer, and never polls again when
	 * the WebSocket ends before the upgrade, as it may at a reload. */
	if (cluster_has_heir(p->eio->in)) {
		eio_probe_end(p);
		return;
	}
	p->is_probed = 1;
	(void)e->ws->send(e->host, p->ws->ws, hostd_str("3probe"),
	    HOSTD_WS_TEXT);
	/* The client goes on when its GET has ended. */
	if (p->eio->get != NULL)
		eio_poll_flush(p->eio, "6");
}

static void
upgrade(struct eio_probe *p)
{
	struct eio *eio = p->eio;
	struct eio_queue q;
	uint32_t i;

	if (eio->get != NULL)
		eio_poll_flush(eio, "1");
	p->ws->role = EIO_WS_TRANSPORT;
	p->ws->u.eio = eio;
	eio->ws = p->ws;
	metrics_sessions(eio->in, HOSTD_SIO_POLLING, -1);
	metrics_sessions(eio->in, HOSTD_SIO_WEBSOCKET, 1);
	metrics_upgraded(eio->in);
	eio->transport = HOSTD_SIO_WEBSOCKET;
	probe_free(p);
	eio_beat_change(eio);
	q = eio->queue;
	memset(&eio->queue, 0, sizeof(eio->queue));
	for (i = 0; i < q.n; i++)
		(void)eio_send(eio, q.m[i], 0);
	eio_queue_clear(&q);
}

void
eio_probe_text(struct eio_probe *p, hostd_buf text)
{
	/* It did not go: see eio_pack. */
	if (p->eio->is_moving)
		eio_send_kept(p->eio);
	if (p->eio->state != EIO_OPEN)
		eio_probe_end(p);
	else if (text.n == 6 && memcmp(text.p, "2probe", 6) == 0 &&
	    !p->is_probed)
		answer(p);
	else if (text.n > 0 && *(const char *)text.p == '5')
		upgrade(p);
	else
		eio_probe_end(p);
}
