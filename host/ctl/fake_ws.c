/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.ws/1 of the fake host: takes messages and judges them. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "ctl/fake_sock.h"

#define FAR_ABOVE (1u << 20) /* pending bytes: E_FULL from here on */
#define MAX_ROOMS 1000u
#define TYPES (HOSTD_WS_TEXT | HOSTD_WS_BINARY)
#define OPTIONS (HOSTD_WS_VOLATILE | HOSTD_WS_PLAIN)

/* The socket that a service function was called for; NULL: stale. */
static struct fake_sock *
find(const struct hostd_host *host, hostd_ws id, const char *function)
{
	return fake_sock_find(fake_called(host, function), id, function);
}

static void
judge_buf(hostd_buf b, const char *function)
{
	if (b.p == NULL && b.n > 0)
		check_fail("called %s with %zu bytes at NULL", function, b.n);
}

/* -- the upgrade -- */

/* Is p among the protocols that the client offers? */
static int
is_offered(const struct fake_sock *s, hostd_buf p)
{
	const char *list = s->spec.protocols;
	size_t n;

	while (list != NULL && *list != '\0') {
		list += strspn(list, ", ");
		n = strcspn(list, ", ");
		if (n == p.n && n > 0 && memcmp(list, p.p, n) == 0)
			return 1;
		list += n;
	}
	return 0;
}

static void
judge_headers(const hostd_hdr *hdrs, uint32_t n)
{
	static const char prefix[] = "Sec-WebSocket-";
	uint32_t i;

	if (hdrs == NULL && n > 0)
		check_fail("called accept with %u headers at NULL", n);
	for (i = 0; i < n; i++) {
		fake_judge_header(&hdrs[i]);
		if (hdrs[i].name.n >= sizeof(prefix) - 1 &&
		    strncasecmp(hdrs[i].name.p, prefix, sizeof(prefix) - 1) ==
			0)
			check_fail("accepted with the header %.*s, which is "
				   "the host's",
			    (int)hdrs[i].name.n, (const char *)hdrs[i].name.p);
	}
}

static int32_t
ws_accept(const struct hostd_host *host, hostd_req id, hostd_buf protocol,
    const hostd_hdr *hdrs, uint32_t nhdrs)
{
	struct fake *f = fake_called(host, "accept");
	struct fake_req *r = fake_req_find(f, id, "accept");

	if (r == NULL)
		return HOSTD_E_GONE;
	if (r->sock == NULL)
		check_fail("called accept with a request that is no upgrade");
	judge_buf(protocol, "accept");
	judge_headers(hdrs, nhdrs);
	if (r->ending || r->aborted)
		return HOSTD_E_STATE;
	if (r->begun)
		check_fail("called accept after it had %s",
		    r->status == 101 ? "accepted" : "begun an answer");
	if (protocol.p != NULL && !is_offered(r->sock, protocol))
		return HOSTD_E_INVAL;
	fake_sock_accept(r->sock, protocol);
	return HOSTD_OK;
}

/* -- while it moves -- */

int32_t
fake_judge_moving(const struct fake_sock *s, const char *function, int sends)
{
	if (s->moving == MOVE_CALLED || (s->moving == MOVE_LOADED && sends))
		check_fail("called %s with a socket that moves, in the "
			   "callback that is about it", function);
	return s->moving == MOVE_UNDECIDED ? HOSTD_E_STATE : HOSTD_OK;
}

/* -- sending -- */

int32_t
fake_judge_message(hostd_buf msg, uint32_t flags, const char *function)
{
	uint32_t type = flags & TYPES;

	judge_buf(msg, function);
	if ((flags & ~(TYPES | OPTIONS)) != 0)
		check_fail("called %s with flags 0x%x, which are not for "
			   "sending",
		    function, flags & ~(TYPES | OPTIONS));
	if (type == 0 || type == TYPES)
		check_fail("called %s with %s HOSTD_WS_TEXT and "
			   "HOSTD_WS_BINARY",
		    function, type == 0 ? "neither of" : "both");
	if (type == HOSTD_WS_BINARY || utf8_is_valid(msg.p, msg.n))
		return HOSTD_OK;
	if (!fake_channel_is_odd())
		check_fail("called %s with a text that is not UTF-8", function);
	return HOSTD_E_INVAL;
}

int32_t
fake_sock_take(struct fake_sock *s, hostd_buf msg, uint32_t flags)
{
	enum fake_room room = s->spec.room;
	int full;

	if (s->state != SOCK_OPEN || s->moving != MOVE_NOT)
		return HOSTD_E_STATE;
	full = s->pending > FAR_ABOVE ||
	    (room == ROOM_NONE && !s->refused && !s->want_writable) ||
	    (s->pending > 0 && (flags & HOSTD_WS_VOLATILE) != 0);
	if (room != ROOM_ENOUGH)
		s->want_writable = 1;
	if (full && s->spec.slow_close && (flags & HOSTD_WS_VOLATILE) == 0)
		fake_sock_dismiss(s, HOSTD_WS_TRY_LATER);
	s->refused = full;
	if (full)
		return HOSTD_E_FULL;
	s->received++;
	s->bytes += msg.n;
	if (room == ROOM_ENOUGH)
		return HOSTD_OK;
	s->pending += msg.n + 1;
	return HOSTD_AGAIN;
}

static int32_t
ws_send(
    const struct hostd_host *host, hostd_ws id, hostd_buf msg, uint32_t flags)
{
	struct fake_sock *s = find(host, id, "send");
	int32_t rc = fake_judge_message(msg, flags, "send");

	if (s == NULL)
		return HOSTD_E_GONE;
	(void)fake_judge_moving(s, "send", 1);
	return rc != HOSTD_OK ? rc : fake_sock_take(s, msg, flags);
}

/* The text is gone through once, whoever is stale. */
static int32_t
ws_send_many(const struct hostd_host *host, const hostd_ws *ids, uint32_t n,
    hostd_buf msg, uint32_t flags, int32_t *results)
{
	struct fake *f = fake_called(host, "send_many");
	int32_t rc = fake_judge_message(msg, flags, "send_many");
	struct fake_sock *s;
	uint32_t i;

	if (ids == NULL && n > 0)
		check_fail("called send_many with %u sockets at NULL", n);
	if (rc != HOSTD_OK)
		return rc;
	for (i = 0; i < n; i++) {
		s = fake_sock_find(f, ids[i], "send_many");
		if (s != NULL)
			(void)fake_judge_moving(s, "send_many", 1);
		rc = s == NULL ? HOSTD_E_GONE : fake_sock_take(s, msg, flags);
		if (results != NULL)
			results[i] = rc;
	}
	return HOSTD_OK;
}

static int
is_close_code(int32_t code)
{
	return (code >= 1000 && code <= 1003) ||
	    (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

static int32_t
ws_close(
    const struct hostd_host *host, hostd_ws id, int32_t code, hostd_buf reason)
{
	struct fake_sock *s = find(host, id, "close");

	judge_buf(reason, "close");
	if (!is_close_code(code))
		check_fail(
		    "called close with code %d, which may not be sent", code);
	if (reason.n > FAKE_REASON)
		check_fail("called close with a reason of %zu bytes; %u is the "
			   "most",
		    reason.n, FAKE_REASON);
	if (s == NULL)
		return HOSTD_E_GONE;
	if (!utf8_is_valid(reason.p, reason.n)) {
		if (!fake_channel_is_odd())
			check_fail("called close with a reason that is not "
				   "UTF-8");
		return HOSTD_E_INVAL;
	}
	if (fake_judge_moving(s, "close", 1) != HOSTD_OK ||
	    s->state != SOCK_OPEN)
		return HOSTD_E_STATE;
	fake_sock_dismiss(s, code);
	return HOSTD_OK;
}

static int32_t
ws_pause(const struct hostd_host *host, hostd_ws id, int32_t on)
{
	struct fake_sock *s = find(host, id, "pause");

	if (on != 0 && on != 1)
		check_fail("called pause with %d", on);
	if (s == NULL)
		return HOSTD_E_GONE;
	if (fake_judge_moving(s, "pause", 1) != HOSTD_OK)
		return HOSTD_E_STATE;
	s->late = on && !s->paused;
	s->paused = on;
	return HOSTD_OK;
}

/* -- what is known of it -- */

static const struct hostd_ws_info *
ws_info(const struct hostd_host *host, hostd_ws id)
{
	struct fake_sock *s = find(host, id, "info");
	struct hostd_ws_info *info;

	if (s == NULL)
		return NULL;
	info = fake_lend(sizeof(*info));
	info->struct_size = sizeof(*info);
	info->peer = fake_lend_text("192.0.2.1");
	info->path = fake_lend_text(s->path);
	if (s->protocol != NULL)
		info->subprotocol =
		    fake_lend_text(s->protocol);
	info->opened_ms = s->opened_ms;
	info->pending = s->pending;
	return info;
}

static void *
ws_data(const struct hostd_host *host, hostd_ws id)
{
	struct fake_sock *s = find(host, id, "data");

	return s == NULL ? NULL : s->d;
}

static int32_t
ws_set_label(const struct hostd_host *host, hostd_ws id, hostd_buf label)
{
	struct fake_sock *s = find(host, id, "set_label");

	judge_buf(label, "set_label");
	if (s == NULL)
		return HOSTD_E_GONE;
	if (label.n > FAKE_LABEL)
		return HOSTD_E_INVAL;
	if (fake_judge_moving(s, "set_label", 0) != HOSTD_OK)
		return HOSTD_E_STATE;
	if (label.n > 0)
		memcpy(s->label, label.p, label.n);
	s->nlabel = label.n;
	return HOSTD_OK;
}

/* -- rooms -- */

struct fake_room_of *
fake_sock_room(struct fake_sock *s, hostd_buf name)
{
	struct fake_room_of *r;

	LIST_FOREACH(r, &s->rooms, entry)
		if (r->n == name.n && memcmp(r->name, name.p, name.n) == 0)
			return r;
	return NULL;
}

static void
leave(struct fake_sock *s, struct fake_room_of *r)
{
	LIST_REMOVE(r, entry);
	free(r);
	s->nrooms--;
}

void
fake_sock_leave_all(struct fake_sock *s)
{
	struct fake_room_of *r;

	while ((r = LIST_FIRST(&s->rooms)) != NULL)
		leave(s, r);
}

void
fake_sock_join(struct fake_sock *s, hostd_buf name)
{
	struct fake_room_of *r = xcalloc(1, sizeof(*r) + name.n);

	r->n = name.n;
	memcpy(r->name, name.p, name.n);
	LIST_INSERT_HEAD(&s->rooms, r, entry);
	s->nrooms++;
}

static int32_t
ws_subscribe(const struct hostd_host *host, hostd_ws id, hostd_buf channel)
{
	struct fake_sock *s = find(host, id, "subscribe");
	int32_t rc = fake_judge_channel(channel, "subscribe of hostd.ws/1");

	if (s == NULL)
		return HOSTD_E_GONE;
	if (rc != HOSTD_OK)
		return rc;
	if (fake_judge_moving(s, "subscribe", 0) != HOSTD_OK ||
	    s->state != SOCK_OPEN)
		return HOSTD_E_STATE;
	if (fake_sock_room(s, channel) != NULL)
		return HOSTD_OK;
	if (s->spec.no_rooms || s->nrooms >= MAX_ROOMS)
		return HOSTD_E_FULL;
	fake_sock_join(s, channel);
	return HOSTD_OK;
}

static int32_t
ws_unsubscribe(const struct hostd_host *host, hostd_ws id, hostd_buf channel)
{
	struct fake_sock *s = find(host, id, "unsubscribe");
	int32_t rc = fake_judge_channel(channel, "unsubscribe of hostd.ws/1");
	struct fake_room_of *r;

	if (s == NULL)
		return HOSTD_E_GONE;
	if (rc != HOSTD_OK)
		return rc;
	if (fake_judge_moving(s, "unsubscribe", 0) != HOSTD_OK ||
	    (r = fake_sock_room(s, channel)) == NULL)
		return HOSTD_E_STATE;
	leave(s, r);
	return HOSTD_OK;
}

struct members {
	struct fake *fake;
	hostd_buf channel;
	hostd_ws *out;
	uint32_t max, n;
};

static int
add_member(struct fake_sock *s, void *arg)
{
	struct members *m = arg;

	if (s->fake != m->fake || !fake_sock_is_open(s) ||
	    fake_sock_room(s, m->channel) == NULL)
		return 0;
	if (m->n < m->max)
		m->out[m->n].id = s->id;
	m->n++;
	return 0;
}

static int32_t
ws_members(const struct hostd_host *host, hostd_buf channel, hostd_ws *out,
    uint32_t max, uint32_t *total)
{
	struct members m = {fake_called(host, "members"), channel, out, max, 0};
	int32_t rc = fake_judge_channel(channel, "members");

	if ((out == NULL && max > 0) || total == NULL)
		check_fail("called members without room for %s",
		    total == NULL ? "the total" : "them");
	if (rc != HOSTD_OK)
		return rc;
	fake_sock_each(add_member, &m);
	*total = m.n;
	return HOSTD_OK;
}

const struct hostd_ws_api fake_ws_api = {
    .struct_size = sizeof(struct hostd_ws_api),
    .accept = ws_accept,
    .send = ws_send,
    .close = ws_close,
    .pause = ws_pause,
    .info = ws_info,
    .data = ws_data,
    .subscribe = ws_subscribe,
    .unsubscribe = ws_unsubscribe,
    .set_label = ws_set_label,
    .members = ws_members,
    .send_many = ws_send_many,
};
