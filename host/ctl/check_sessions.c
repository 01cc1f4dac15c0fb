/* SPDX-License-Identifier: BSD-2-Clause */
/* Visitors with all sorts of sessions (fake_session.c). */
#include "ctl/check_sockets.h"

#define VISITORS 60 /* of each manner some */

static void
visit(struct fake *f, unsigned i)
{
	static const char body[] = "user=Ada&password=x&token=y";
	struct fake_spec spec = {.method = i % 3 ? "GET" : "POST"};

	if (i % 3 == 0) {
		spec.body = body;
		spec.nbody = sizeof(body) - 1;
	}
	/* While it waits for the session. */
	spec.gone = i % 7 == 6 ? GONE_HEAD : GONE_NEVER;
	fake_request(f, &spec, NULL);
}

static void
connect(struct fake *f, unsigned i)
{
	struct fake_spec spec = sockets_plain();
	struct fake_sock *s;

	spec.gone = i % 7 == 6 ? GONE_HEAD : GONE_NEVER;
	s = fake_sock_open(f, &spec);
	sockets_say(s, i, HOSTD_WS_TEXT);
	if (i % 2)
		(void)fake_turn();
	sockets_say(s, i + 1, HOSTD_WS_TEXT);
	fake_sock_close(s, HOSTD_WS_NORMAL, "");
	(void)fake_turn();
	fake_sock_free(s);
}

static void
visit_both(const struct check *c, struct fake *f, unsigned i)
{
	if ((c->kinds & CHECK_HTTP) != 0)
		visit(f, i);
	if ((c->kinds & CHECK_WS) != 0)
		connect(f, i);
}

static void
case_sessions(const struct check *c, const void *arg)
{
	struct fake *f = fake_serve(fake_load(c), c);
	unsigned i;

	(void)arg;
	fake_session_spare(0);
	for (i = 0; i < VISITORS; i++)
		visit_both(c, f, i);
	if (fake_session_count() == 0)
		check_skip("it asks for no session");
	check_note("%u sessions", fake_session_count());
	fake_destroy(f);
}

void
check_sessions(struct check *c)
{
	if ((c->kinds & (CHECK_HTTP | CHECK_WS)) != 0)
		check_simple(c, "sessions", case_sessions, NULL);
}
