/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of one WebSocket, step by step, as ws.h tells it. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/fake_memory.h"
#include "ctl/fake_sock.h"

#define SLOTS 1024

static LIST_HEAD(, fake_sock) socks = LIST_HEAD_INITIALIZER(socks);
static uint32_t last_gen;

/* The lowest free slot, so that slots are used again soon. */
static uint64_t
new_id(void)
{
	struct fake_sock *s;
	uint64_t slot, gen = ++last_gen;

	for (slot = 1; slot < SLOTS; slot++) {
		LIST_FOREACH(s, &socks, entry)
			if ((s->id & 0xffffffffu) == slot)
				break;
		if (s == NULL)
			break;
	}
	return gen << 32 | slot;
}

struct fake_sock *
fake_sock_find(struct fake *f, hostd_ws id, const char *function)
{
	struct fake_sock *s;

	LIST_FOREACH(s, &socks, entry) {
		if (id.id == 0 || s->id != id.id)
			continue;
		if (s->fake != f)
			check_fail("instance %u called %s with a socket of "
				   "instance %u",
			    f->number, function, s->fake->number);
		return s;
	}
	return NULL;
}

void
fake_sock_each(int (*fn)(struct fake_sock *, void *), void *arg)
{
	struct fake_sock *s, *next;

	for (s = LIST_FIRST(&socks); s != NULL; s = next) {
		next = LIST_NEXT(s, entry);
		if (fn(s, arg) != 0)
			break;
	}
}

/* -- what all clients have in common -- */

static const char *const *words;
static const char *offer;

void
fake_client_choose(const char *const *some, const char *protocols)
{
	words = some;
	offer = protocols;
}

hostd_buf
fake_word(unsigned i)
{
	hostd_buf b = {"hello", 5};
	unsigned n = 0;

	while (words != NULL && words[n] != NULL)
		n++;
	if (n > 0) {
		b.p = words[i % n];
		b.n = strlen(b.p);
	}
	return b;
}

const char *
fake_offer(void)
{
	return offer;
}

/* -- the upgrade -- */

struct fake_sock *
fake_sock_make(struct fake *f, const struct fake_spec *spec, const char *path)
{
	struct fake_sock *s = xcalloc(1, sizeof(*s));

	s->fake = f;
	s->ops = fake_provide(f->m, 1)->ws;
	s->spec = *spec;
	s->path = xstrdup(path);
	s->d = guard_alloc(s->ops->data_size, "the socket's data block");
	LIST_INSERT_HEAD(&socks, s, entry);
	return s;
}

struct fake_sock *
fake_sock_new(struct fake_req *r)
{
	struct fake_sock *s = fake_sock_make(r->fake, &r->spec, r->path);

	s->req = r;
	return s;
}

int32_t
fake_sock_ask(struct fake_sock *s)
{
	hostd_req id = {s->req->id};
	int32_t rc;

	if (s->ops->on_upgrade == NULL)
		return HOSTD_OK;
	fake_enter(s->fake, "on_upgrade", s->req);
	rc = s->ops->on_upgrade(s->fake->inst, id, s->d);
	fake_leave(s->fake);
	return rc;
}

void
fake_sock_accept(struct fake_sock *s, hostd_buf protocol)
{
	struct fake_req *r = s->req;

	s->state = SOCK_ACCEPTED;
	if (protocol.p != NULL)
		s->protocol = xstrndup(protocol.p, protocol.n);
	r->begun = r->finished = 1;
	r->status = 101;
}

/* The handle, and all that is the plugin's, is gone. */
void
fake_sock_over(struct fake_sock *s)
{
	s->state = SOCK_ENDED;
	s->id = 0;
	s->moving = MOVE_NOT;
	if (s->req != NULL)
		s->status = s->req->status;
	s->req = NULL;
	guard_retire(s->d);
	s->d = NULL;
}

void
fake_sock_refuse(struct fake_sock *s, int why)
{
	hostd_req id = {s->req->id};

	if (s->ops->on_refused != NULL) {
		fake_enter(s->fake, "on_refused", s->req);
		s->ops->on_refused(s->fake->inst, id, s->d, why);
		fake_leave(s->fake);
	}
	fake_sock_over(s);
}

void
fake_sock_pass(struct fake_sock *s)
{
	fake_sock_over(s);
}

void
fake_sock_name(struct fake_sock *s)
{
	s->id = new_id();
}

void
fake_sock_go(struct fake_sock *s)
{
	hostd_ws id;

	s->status = 101;
	s->req->ended = 1;
	s->req = NULL;
	s->state = SOCK_OPEN;
	s->opened_ms = fake_now();
	fake_sock_name(s);
	id.id = s->id;
	if (s->ops->on_open == NULL)
		return;
	fake_enter(s->fake, "on_open", NULL);
	s->ops->on_open(s->fake->inst, id, s->d);
	fake_leave(s->fake);
}

struct fake_sock *
fake_sock_open(struct fake *f, const struct fake_spec *spec)
{
	struct fake_spec upgrade = *spec;
	struct fake_sock *s;
	struct fake_req *r;

	upgrade.method = "GET";
	upgrade.upgrade = 1;
	r = fake_req_start(f, &upgrade);
	s = r->sock;
	fake_req_run(r);
	fake_req_free(r);
	return s;
}

/* -- what its client does -- */

static void
sock_end(struct fake_sock *s, int32_t code, const char *reason)
{
	hostd_ws id = {s->id};

	fake_sock_leave_all(s);
	if (s->ops->on_close != NULL) {
		fake_enter(s->fake, "on_close", NULL);
		s->ops->on_close(s->fake->inst, id, s->d, code,
		    fake_lend_text(reason));
		fake_leave(s->fake);
	}
	fake_sock_over(s);
}

/* What on_message returned. */
static void
judge_message(struct fake_sock *s, int32_t rc)
{
	if (rc > HOSTD_AGAIN)
		check_fail("on_message returned %d", rc);
	if (rc >= 0 || rc == HOSTD_E_FULL || rc == HOSTD_E_GONE ||
	    rc == HOSTD_E_STATE)
		return;
	check_note("on_message returned %d: closed with 1011", rc);
	if (s->state == SOCK_OPEN)
		sock_end(s, HOSTD_WS_SERVER_ERROR, "");
}

void
fake_sock_part(struct fake_sock *s, const void *p, size_t n, uint32_t flags)
{
	hostd_ws id = {s->id};
	int32_t rc;

	fake_channel_spoken();
	fake_enter(s->fake, "on_message", NULL);
	rc = s->ops->on_message(
	    s->fake->inst, id, s->d, fake_lend_copy(p, n), flags);
	fake_leave(s->fake);
	judge_message(s, rc);
}

/* The host stops reading when it is told to, but for what it has read. */
static int
sock_hears(struct fake_sock *s)
{
	uint64_t limit = fake_now() + 10000;

	if (s->paused && s->late) {
		s->late = 0;
		return fake_sock_is_open(s);
	}
	while (fake_sock_is_open(s) && s->paused &&
	    (fake_turn() > 0 || fake_tick(limit)))
		;
	return fake_sock_is_open(s) && !s->paused;
}

void
fake_sock_say(
    struct fake_sock *s, const void *p, size_t n, uint32_t flags, size_t part)
{
	hostd_buf all = {p, n};
	const char *c = p;
	size_t at = 0, k;
	int end;

	if (!fake_channel_is_name(all))
		fake_channel_odd();
	if ((s->ops->flags & HOSTD_WS_FRAGMENTS) == 0)
		part = 0;
	flags |= HOSTD_WS_FIRST;
	do {
		if (!sock_hears(s))
			return;
		k = part > 0 && n - at > part ? part : n - at;
		/* The last part is an empty one, every other time. */
		end = part == 0 || k == 0 || (at + k == n && n % 2 == 0);
		fake_sock_part(s, n == 0 ? p : c + at, k,
		    flags | (end ? HOSTD_WS_FIN : 0));
		flags &= ~HOSTD_WS_FIRST;
		at += k;
	} while (!end);
}

void
fake_sock_close(struct fake_sock *s, int32_t code, const char *reason)
{
	if (s->state == SOCK_CLOSING)
		sock_end(s, s->code, "");
	else if (s->state == SOCK_OPEN)
		sock_end(s, code == 0 ? HOSTD_WS_NO_STATUS : code, reason);
}

void
fake_sock_cut(struct fake_sock *s)
{
	if (s->state == SOCK_CLOSING)
		sock_end(s, s->code, "");
	else if (s->state == SOCK_OPEN)
		sock_end(s, HOSTD_WS_ABNORMAL, "");
}

void
fake_sock_dismiss(struct fake_sock *s, int32_t code)
{
	if (s->state != SOCK_OPEN)
		return;
	s->state = SOCK_CLOSING;
	s->code = code;
}

/* -- turns -- */

static void
sock_writable(struct fake_sock *s)
{
	hostd_ws id = {s->id};

	s->want_writable = 0;
	s->pending = 0;
	if (s->ops->on_writable == NULL)
		return;
	fake_enter(s->fake, "on_writable", NULL);
	s->ops->on_writable(s->fake->inst, id, s->d);
	fake_leave(s->fake);
}

static int
sock_step(struct fake_sock *s, void *arg)
{
	unsigned *n = arg;

	if (s->state == SOCK_ACCEPTED)
		(void)fake_req_step(s->req);
	else if (s->state == SOCK_CLOSING)
		sock_end(s, s->code, "");
	else if (s->state == SOCK_OPEN && s->want_writable &&
	    s->moving == MOVE_NOT)
		sock_writable(s);
	else
		return 0;
	++*n;
	return 0;
}

unsigned
fake_sock_turn(void)
{
	unsigned n = 0;

	fake_sock_each(sock_step, &n);
	return n;
}

void
fake_sock_end_all(struct fake *f)
{
	struct fake_sock *s;
	int closes = 0;

	/* Some clients answer the close in time, and some do not. */
	LIST_FOREACH(s, &socks, entry)
		if (s->fake == f && closes++ % 2 == 0)
			fake_sock_dismiss(s, HOSTD_WS_GOING_AWAY);
	LIST_FOREACH(s, &socks, entry)
		if (s->fake == f && fake_sock_is_open(s))
			fake_sock_cut(s);
}

void
fake_sock_free(struct fake_sock *s)
{
	LIST_REMOVE(s, entry);
	fake_sock_leave_all(s);
	free(s->path);
	free(s->protocol);
	free(s);
}
