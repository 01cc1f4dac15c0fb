/* SPDX-License-Identifier: BSD-2-Clause */
/* An answer on its way from the server. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "upstream/exchange.h"

#define READS		4	/* in a row: others want a turn */
#define INFO_MAX	100	/* interim answers */
#define COOKIE_MAX	1024

static const struct guard_limits limits = {
	.request_line = 8192,
	.head = 65536,
	.headers = UP_HEADERS,
	.answers = 1,
};

/* What the functions below return. */
enum { GONE = -1, STOP = 0, MORE = 1 };

/* Another server is asked, or it is over. */
static int
gone_or_stop(int rc)
{
	return rc == -1 ? GONE : STOP;
}

static int
answer_invalid(struct up_exchange *x, const char *what, const char *why)
{
	char text[320];

	(void)snprintf(text, sizeof(text), "%s: %s is not HTTP: %s",
	    x->peer->text, what, why);
	return gone_or_stop(exchange_failed(x, HOSTD_NEXT_INVALID,
	    UP_WHY_NOT_HTTP, 0, text));
}

/* -- the body -- */

/* Behind its last byte, rest more have come. */
static int
answer_end(struct up_exchange *x, size_t rest)
{
	x->surplus = rest > 0;
	return gone_or_stop(exchange_answered(x));
}

static int
tell_body(struct up_exchange *x, const char *p, size_t n, int fin)
{
	hostd_buf part = { p, n };

	x->body_seen += n;
	if (x->rules.max_body != 0 && x->body_seen > x->rules.max_body) {
		exchange_over(x, HOSTD_E_FULL,
		    "the answer is larger than it may be");
		return GONE;
	}
	x->ops->body(x, part, fin);
	return MORE;
}

static int
body_length(struct up_exchange *x, const char *p, size_t n, size_t *used)
{
	if ((uint64_t)x->left < n)
		n = (size_t)x->left;
	x->left -= (int64_t)n;
	*used = n;
	return tell_body(x, p, n, x->left == 0);
}

static int
body_chunked(struct up_exchange *x, const char *p, size_t n, size_t *used,
    int *fin)
{
	const char *data;
	size_t ndata;

	switch (chunked_feed(&x->chunked, p, n, used, &data, &ndata)) {
	case CHUNKED_BAD:
		return answer_invalid(x, "its body", "a chunk is malformed");
	case CHUNKED_DONE:
		trailers_split(&x->trailers);
		*fin = 1;
		return tell_body(x, NULL, 0, 1);
	default:
		return ndata > 0 ? tell_body(x, data, ndata, 0) : MORE;
	}
}

static int
read_body(struct up_exchange *x, const char *p, size_t n, size_t *used)
{
	int rc, fin = 0;

	switch (x->body) {
	case ANSWER_LENGTH:
		rc = body_length(x, p, n, used);
		fin = rc == MORE && x->left == 0;
		break;
	case ANSWER_CHUNKED:
		rc = body_chunked(x, p, n, used, &fin);
		break;
	default:
		*used = n;
		rc = tell_body(x, p, n, 0);
	}
	if (rc != MORE || !fin || x->cancelled)
		return rc;
	return answer_end(x, n - *used);
}

/* -- the head -- */

static void
tell_head(struct up_exchange *x, const struct answer *a,
    void (*tell)(struct up_exchange *, const struct hostd_fetch_response *))
{
	char room[COOKIE_MAX];
	struct hostd_fetch_response r = {
		.struct_size = sizeof(r),
		.status = a->status,
		.headers = a->headers,
		.nheaders = a->nheaders,
		.tries = x->ntries,
		.content_length = a->length,
		.upstream = { x->group->conf->name,
		    strlen(x->group->conf->name) },
		.server = { x->peer->text, x->peer->view.addr.n },
		.protocol = a->status == 101 ? a->upgrade :
		    (hostd_buf){ NULL, 0 },
		.header_us = x->header_us
	};

	if (a->status >= 200 || a->status == 101) {
		group_answered(x->peer, &x->search, a->status, a->headers,
		    a->nheaders);
		(void)group_cookie(x->peer, &x->search, room, sizeof(room),
		    &r.set_cookie);
	}
	tell(x, &r);
}

static void
note_head(struct up_exchange *x, const struct answer *a)
{
	uint64_t now = exchange_clock_us();

	/* Early, it has come before all was sent. */
	if (x->sent_us == 0 || x->sent_us > now)
		x->sent_us = now;
	x->header_us = now > x->sent_us ? now - x->sent_us : 1;
	x->status = a->status;
}

/* It serves; nobody has to wait until all of the answer has come, or a tunnel
 * ends. */
static void
note_served(struct up_exchange *x)
{
	uint64_t now = x->group->all->loop->now_ms;
	uint64_t ms = (exchange_clock_us() - x->try_us) / 1000;

	peer_served(x->peer, ms < now ? now - ms : 0, now);
}

static int
head_switched(struct up_exchange *x, const struct answer *a)
{
	if (!x->rules.upgrade)
		return answer_invalid(x, "its answer",
		    "it switches protocols without being asked to");
	if (a->upgrade.p == NULL || a->upgrade.n == 0)
		return answer_invalid(x, "its answer",
		    "it switches protocols, but does not say to which");
	note_head(x, a);
	note_served(x);
	x->answered = 1;
	x->state = UP_SWITCHED;
	exchange_arm(x, 0);
	tell_head(x, a, x->ops->head);
	return MORE;
}

static int
head_interim(struct up_exchange *x, const struct answer *a)
{
	if (a->status == 101)
		return head_switched(x, a);
	if (++x->ninfo > INFO_MAX)
		return answer_invalid(x, "its answer",
		    "too many interim ones come before it");
	exchange_arm(x, x->rules.read_ms);
	if (a->status != 100)
		tell_head(x, a, x->ops->info);
	return MORE;
}

static int
head_final(struct up_exchange *x, const struct answer *a, size_t rest)
{
	int rc;

	if (!a->keepalive && exchange_asks_again(x, a->status))
		return STOP;
	note_head(x, a);
	if (exchange_tries_next(x, a->status))
		return STOP;
	if (x->rules.max_body != 0 && a->length > 0 &&
	    (uint64_t)a->length > x->rules.max_body) {
		exchange_over(x, HOSTD_E_FULL,
		    "the answer is larger than it may be");
		return GONE;
	}
	note_served(x);
	x->answered = 1;
	x->keepalive = (uint8_t)a->keepalive;
	x->body = a->body;
	x->left = a->length;
	x->state = UP_BODY;
	memset(&x->chunked, 0, sizeof(x->chunked));
	x->chunked.trailers = &x->trailers.raw;
	exchange_arm(x, x->rules.read_ms);
	tell_head(x, a, x->ops->head);
	if (x->body != ANSWER_EMPTY || x->cancelled)
		return MORE;
	if ((rc = tell_body(x, NULL, 0, 1)) != MORE || x->cancelled)
		return rc;
	return answer_end(x, rest);
}

static int
read_head(struct up_exchange *x, const char *p, size_t n, size_t *used)
{
	struct answer a = {
		.headers = x->group->all->links->headers,
		.max = UP_HEADERS,
		.to_head = x->rules.is_head
	};
	const char *why;
	int len = guard_head(&x->guard, &limits, p, n);

	*used = 0;
	if (len == 0)
		return MORE;
	if (len < 0)
		return answer_invalid(x, "its answer", len == -400 ?
		    "a line of its head is malformed" :
		    "its head is too large");
	if (answer_head(&a, p, (size_t)len, &why) == -1)
		return answer_invalid(x, "its answer", why);
	memset(&x->guard, 0, sizeof(x->guard));
	*used = (size_t)len;
	return a.status < 200 ? head_interim(x, &a) :
	    head_final(x, &a, n - (size_t)len);
}

/* -- bytes -- */

static int
feed(struct up_exchange *x, const char *p, size_t n)
{
	size_t used = 0, k;
	int rc;

	x->stalled = 0;
	while (used < n && x->state <= UP_BODY && !x->cancelled) {
		if (x->paused) {
			x->stalled = 1;
			break;
		}
		rc = x->state == UP_BODY ?
		    read_body(x, p + used, n - used, &k) :
		    read_head(x, p + used, n - used, &k);
		if (rc != MORE)
			return rc;
		if (k == 0)
			break;
		used += k;
	}
	x->in.len = 0;
	buf_append(&x->in, p + used, n - used);
	return MORE;
}

/* No more will come. */
static int
read_end(struct up_exchange *x, int error)
{
	char text[256];
	int rc;

	if (error == 0 && x->state == UP_BODY && x->body == ANSWER_CLOSE) {
		rc = tell_body(x, NULL, 0, 1);
		return rc != MORE || x->cancelled ? rc : answer_end(x, 0);
	}
	(void)snprintf(text, sizeof(text), "%s: %s%s%s", x->peer->text,
	    x->answered ? "its answer was cut short" :
	    x->got ? "it has closed the connection within the answer's head" :
	    "it has closed the connection without an answer",
	    error != 0 ? ": " : "", error != 0 ? strerror(error) : "");
	return gone_or_stop(exchange_failed(x, HOSTD_NEXT_ERROR, UP_WHY_IO,
	    (uint32_t)error, text));
}

static int
read_once(struct up_exchange *x)
{
	struct stream *s;
	size_t have = x->in.len;
	char *rbuf;
	ssize_t n;

	if (x->link == NULL || x->cancelled || x->paused ||
	    x->state < UP_SEND || x->state > UP_BODY)
		return STOP;
	s = &x->link->stream;
	rbuf = s->sio->rbuf;
	if (have > 0)
		memcpy(rbuf, x->in.p, have);
	if (x->stalled)
		return feed(x, rbuf, have);
	if (!s->can_read && x->error == 0)
		return STOP;
	n = stream_read(s, rbuf + have, STREAM_RBUF - have);
	if (n > 0) {
		x->got = 1;
		board_add(&peer_count(x->peer)->bytes_in, (uint64_t)n);
		if (x->state != UP_SEND)
			exchange_arm(x, x->rules.read_ms);
		return feed(x, rbuf, have + (size_t)n);
	}
	if (n == -1 && errno == EAGAIN)
		return STOP;
	return read_end(x, n == -1 ? errno : x->error);
}

int
exchange_read(struct up_exchange *x)
{
	int i, rc = MORE;

	for (i = 0; i < READS && rc == MORE; i++)
		rc = read_once(x);
	if (rc == MORE && x->link != NULL)
		stream_read_again(&x->link->stream);
	return rc;
}
