/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <openssl/crypto.h>
#include "base/mem.h"
#include "net/tls_state.h"

struct tls_io *
tls_io(struct stream_io *sio)
{
	if (sio->tls == NULL)
		sio->tls = xmalloc(sizeof(*sio->tls));
	return sio->tls;
}

void
tls_io_free(struct stream_io *sio)
{
	free(sio->tls);
	sio->tls = NULL;
}

int
tls_is_beginning(const struct stream *s)
{
	return tls_is(s) && tls_of(s)->shake != NULL;
}

int
tls_has_begun(const struct stream *s)
{
	return tls_is_beginning(s) && tls_of(s)->shake->heard;
}

const char *
tls_why(const struct stream *s)
{
	return tls_is(s) && tls_of(s)->why != NULL ? tls_of(s)->why : "";
}

/* The socket takes more, and nothing of the owner's waits for that. */
static int
push_own(struct stream *s)
{
	s->can_write = 1;
	if (tls_push(s) == -1) {
		s->ops->failed(s, s->error);
		return -1;
	}
	if (tls_of(s)->waiting == NULL)
		s->ops->sent(s);
	return s->io.fd == -1 || s->rests ? -1 : 0;
}

static void
tls_ready(struct stream *s, uint32_t events)
{
	struct tls *t = tls_of(s);

	t->drained = 0;
	if (t->shake != NULL) {
		tls_shake_ready(s, events);
		return;
	}
	if (events & EPOLLOUT && !(events & EPOLLERR) && !s->can_write &&
	    t->waiting != NULL && stream_pending(s) == 0 && push_own(s) == -1)
		return;
	stream_events(s, events);
}

static void
tls_shutdown(struct stream *s)
{
	struct tls *t = tls_of(s);

	if (t->shake == NULL && !t->sent_close && s->error == 0) {
		t->sent_close = 1;
		if (tls_put_alert(s, TLS_CLOSE_NOTIFY) == -1)
			return;
	}
	if (t->waiting != NULL)
		t->fin = 1;
	else
		(void)shutdown(s->io.fd, SHUT_WR);
}

/* May the peer believe that this is the end of what it was to get? */
static int
is_in_order(const struct stream *s)
{
	const struct tls *t = tls_of(s);

	return t->shake == NULL && s->error == 0 && !s->rests &&
	    !s->broken && s->io.fd >= 0 && !t->sent_close &&
	    t->waiting == NULL && stream_pending(s) == 0;
}

static void
tls_close(struct stream *s)
{
	struct tls *t = tls_of(s);

	if (is_in_order(s))
		(void)tls_put_alert(s, TLS_CLOSE_NOTIFY);
	tls_shake_free(t);
	tls_tail_free(t);
	tls_half_close(&t->in);
	tls_half_close(&t->out);
	free(t->waiting);
	buf_free(&t->ciphertext);
	if (t->plain.len > 0)
		OPENSSL_cleanse(t->plain.p, t->plain.len);
	buf_free(&t->plain);
	free(t->info);
	free(t->why);
	free(t);
}

static void
tls_moved(struct stream *to)
{
	if (tls_of(to)->shake != NULL)
		tls_of(to)->shake->stream = to;
	if (tls_of(to)->waiting != NULL)
		stream_flush_later(to);
}

static const struct stream_layer_ops tls_ops = {
	.ready = tls_ready,
	.read = tls_read,
	.flush = tls_flush,
	.shutdown = tls_shutdown,
	.moved = tls_moved,
	.save = tls_save,
	.close = tls_close,
};

int
tls_is(const struct stream *s)
{
	return s->layer != NULL && s->layer->ops == &tls_ops;
}

struct tls *
tls_new(struct stream *s)
{
	struct tls *t = xcalloc(1, sizeof(*t));

	t->layer.ops = &tls_ops;
	t->most = TLS_PLAIN_MAX;
	s->layer = &t->layer;
	return t;
}
