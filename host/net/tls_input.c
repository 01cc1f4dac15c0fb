/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>
#include "base/board.h"
#include "base/log.h"
#include "net/tls_state.h"

#define EMPTY_MAX	32	/* records in a row that bring nothing */
#define WARNING		1

enum { HELLO_REQUEST = 0, CLIENT_HELLO = 1, NEW_SESSION_TICKET = 4,
    KEY_UPDATE = 24 };

/* -- what is no data -- */

static int
refuse(struct tls *t, enum tls_alert alert)
{
	t->alert = (uint8_t)(alert + 1);
	return -1;
}

/* After that one comes nothing more. */
static int
take_alert(struct tls *t, const unsigned char *p, size_t n)
{
	if (n != 2)
		return refuse(t, TLS_DECODE_ERROR);
	if (p[1] == TLS_CLOSE_NOTIFY) {
		t->got_close = 1;
		return -1;
	}
	/* 1.3 has no warnings but that one. */
	if (p[0] == WARNING && t->in.keys.version == TLS_1_2)
		return 0;
	log_debug("TLS: the peer has ended the connection with alert %u", p[1]);
	return refuse(t, TLS_CLOSE_NOTIFY);
}

/* Renegotiation: no, thank you.  Once more, and that was it. */
static int
take_request(struct stream *s)
{
	struct tls *t = tls_of(s);

	if (t->warned)
		return refuse(t, TLS_UNEXPECTED_MESSAGE);
	t->warned = 1;
	return tls_put_alert(s, TLS_NO_RENEGOTIATION);
}

/* The peer's next key; it may want ours as well. */
static int
take_update(struct stream *s, const unsigned char *p, size_t n)
{
	struct tls *t = tls_of(s);

	if (n != 5 || p[1] != 0 || p[2] != 0 || p[3] != 1 || p[4] > 1)
		return refuse(t, TLS_UNEXPECTED_MESSAGE);
	if (tls_half_update(&t->in, 0) == -1)
		return refuse(t, TLS_INTERNAL_ERROR);
	/* Behind what waits, with the next data: several want no more than
	 * one. */
	t->update |= p[4];
	if (t->update && t->waiting == NULL)
		return tls_put_update(s);
	return 0;
}

/* Tickets are for OpenSSL only; the parts of one may come in several
 * records. */
static int
skip_message(struct tls *t, const unsigned char *p, size_t n)
{
	size_t len;

	while (n > 0) {
		if (t->skip == 0) {
			if (n < 4 || p[0] != NEW_SESSION_TICKET)
				return refuse(t, TLS_UNEXPECTED_MESSAGE);
			t->skip = 4 + ((uint32_t)p[1] << 16 |
			    (uint32_t)p[2] << 8 | p[3]);
		}
		len = n < t->skip ? n : t->skip;
		t->skip -= (uint32_t)len;
		p += len;
		n -= len;
	}
	return 0;
}

static int
take_handshake(struct stream *s, const unsigned char *p, size_t n)
{
	struct tls *t = tls_of(s);

	if (n == 0)
		return refuse(t, TLS_UNEXPECTED_MESSAGE);
	if (t->in.keys.version == TLS_1_2) {
		if (p[0] == (t->is_client ? HELLO_REQUEST : CLIENT_HELLO))
			return take_request(s);
		return refuse(t, TLS_UNEXPECTED_MESSAGE);
	}
	if (t->skip == 0 && p[0] == KEY_UPDATE)
		return take_update(s, p, n);
	if (t->is_client)
		return skip_message(t, p, n);
	return refuse(t, TLS_UNEXPECTED_MESSAGE);
}

/* 0, or -1: nothing more is opened. */
static int
take_other(struct stream *s, enum tls_type type, const unsigned char *p,
    size_t n)
{
	struct tls *t = tls_of(s);

	if (type == TLS_ALERT)
		return take_alert(t, p, n);
	if (type == TLS_HANDSHAKE)
		return take_handshake(s, p, n);
	return refuse(t, TLS_UNEXPECTED_MESSAGE);
}

/* -- records -- */

/* A record is opened: bytes of data; -1: nothing more is. */
static ssize_t
open_into(struct stream *s, const unsigned char *record, size_t len,
    unsigned char *out)
{
	struct tls *t = tls_of(s);
	enum tls_alert alert;
	enum tls_type type;
	ssize_t n = tls_open(&t->in, record, len, out, &type, &alert);

	if (n == -1)
		return refuse(t, alert);
	if (t->tail != NULL)
		tls_tail_hear(t, type, record, len);
	if (type == TLS_DATA && n > 0 && t->skip == 0) {
		t->empty = 0;
		return n;
	}
	if (++t->empty > EMPTY_MAX)
		return refuse(t, TLS_UNEXPECTED_MESSAGE);
	if (type == TLS_DATA)
		return t->skip == 0 ? 0 : refuse(t, TLS_UNEXPECTED_MESSAGE);
	return take_other(s, type, out, (size_t)n);
}

static size_t
take_plain(struct tls *t, unsigned char *out, size_t room)
{
	size_t n = t->plain.len < room ? t->plain.len : room;

	if (n == 0)
		return 0;
	memcpy(out, t->plain.p, n);
	buf_consume(&t->plain, n);
	if (t->plain.len == 0)
		buf_free(&t->plain);
	return n;
}

/* One that is longer than what there is room for. */
static ssize_t
open_aside(struct stream *s, const unsigned char *record, size_t len,
    unsigned char *out, size_t room)
{
	struct tls *t = tls_of(s);
	ssize_t n = open_into(s, record, len, (unsigned char *)buf_reserve(
	    &t->plain, tls_open_room(&t->in, len)));

	if (n > 0) {
		t->plain.len = (size_t)n;
		return (ssize_t)take_plain(t, out, room);
	}
	buf_free(&t->plain);
	return n;
}

static int
is_over(const struct tls *t)
{
	return t->alert != 0 || t->got_close;
}

/* Is there a whole record, or something that is none? */
static ssize_t
next_record(struct tls *t, const unsigned char *p, size_t n)
{
	enum tls_alert alert;
	ssize_t len = tls_record_length(&t->in, p, n, &alert);

	if (len == -1)
		return refuse(t, alert);
	return (size_t)len <= n ? len : 0;
}

/* What fits of the records there; returns how many bytes they were. */
static size_t
open_records(struct stream *s, const unsigned char *p, size_t n,
    unsigned char *out, size_t room, size_t *got)
{
	struct tls *t = tls_of(s);
	size_t used = 0;
	ssize_t len, c;

	/* None: there may be no memory either. */
	while (used < n && !is_over(t) && *got < room &&
	    (len = next_record(t, p + used, n - used)) > 0) {
		if (tls_open_room(&t->in, (size_t)len) <= room - *got)
			c = open_into(s, p + used, (size_t)len, out + *got);
		else if (*got == 0)
			c = open_aside(s, p + used, (size_t)len, out, room);
		else
			break;
		used += (size_t)len;
		*got += c > 0 ? (size_t)c : 0;
	}
	return used;
}

/* -- reading -- */

static void
keep(struct tls *t, const unsigned char *p, size_t n)
{
	t->ciphertext.len = 0;
	if (n == 0)
		buf_free(&t->ciphertext);
	else
		buf_append(&t->ciphertext, p, n);
}

/* More of it from the socket, behind what there is: its result. */
static ssize_t
receive(struct stream *s, unsigned char *out, size_t room, size_t *got)
{
	unsigned char *wire = tls_io(s->sio)->wire;
	struct tls *t = tls_of(s);
	size_t have = t->ciphertext.len, most = room + room / 64 + 256, used;
	ssize_t r;

	if (have > 0)
		memcpy(wire, t->ciphertext.p, have);
	if (most > TLS_WIRE - have)
		most = TLS_WIRE - have;
	if ((r = stream_receive(s, wire + have, most)) <= 0)
		return r;
	have += (size_t)r;
	used = open_records(s, wire, have, out, room, got);
	keep(t, wire + used, have - used);
	return r;
}

/* Without the peer's word a FIN may be anybody's.  Clients leave so all the
 * time, and what they ask for says where it ends; for answers that may be all
 * there is to say it. */
static ssize_t
end_of_file(const struct tls *t)
{
	if (!t->is_client || t->got_close)
		return 0;
	errno = ECONNRESET;
	return -1;
}

/* The peer is told why, and that is the end. */
static ssize_t
fail(struct stream *s)
{
	struct tls *t = tls_of(s);
	unsigned alert = t->alert - 1u;

	if (s->error == 0 && alert != TLS_CLOSE_NOTIFY) {
		log_debug("TLS: a connection ends with alert %u", alert);
		if (s->sio->counters != NULL)
			board_add(&s->sio->counters->tls_broken, 1);
		(void)tls_put_alert(s, (enum tls_alert)alert);
	}
	if (s->error == 0)
		stream_fail(s, EPROTO);
	s->can_read = 0;
	errno = EPROTO;
	return -1;
}

/* What is there already, or one read's worth. */
static ssize_t
read_some(struct stream *s, unsigned char *out, size_t room)
{
	struct tls *t = tls_of(s);
	size_t got = take_plain(t, out, room), used;
	ssize_t r;

	if (got > 0)
		return (ssize_t)got;
	used = open_records(s, (unsigned char *)t->ciphertext.p,
	    t->ciphertext.len, out, room, &got);
	if (used > 0)
		buf_consume(&t->ciphertext, used);
	while (got == 0 && !is_over(t)) {
		if ((r = receive(s, out, room, &got)) == -1)
			return -1;
		if (r == 0)
			return end_of_file(t);
		if (got == 0 && !s->can_read && !is_over(t)) {
			errno = EAGAIN;
			return -1;
		}
	}
	if (got > 0)
		return (ssize_t)got;
	return t->alert != 0 ? fail(s) : 0;
}

ssize_t
tls_read(struct stream *s, void *buf, size_t n)
{
	struct tls *t = tls_of(s);
	ssize_t r;

	if (t->shake != NULL || s->error != 0) {
		s->can_read = 0;
		errno = s->error != 0 ? s->error : EAGAIN;
		return -1;
	}
	if (t->drained) {
		t->drained = 0;
		s->can_read = 0;
		if (t->ciphertext.len == 0) {
			errno = EAGAIN;
			return -1;
		}
	}
	r = read_some(s, buf, n);
	if (r == 0)
		s->eof = 1;
	if (r >= 0 && (r == 0 || is_over(t) || t->plain.len > 0 ||
	    next_record(t, (unsigned char *)t->ciphertext.p,
	    t->ciphertext.len) != 0))
		s->can_read = 1;
	return r;
}
