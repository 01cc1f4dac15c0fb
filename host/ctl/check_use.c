/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/check_store.h"
#include "ctl/check_use.h"
#include "ctl/fake_group.h"
#include "ctl/fake_sio.h"
#include "ctl/fake_sock.h"

#define BODY "0123456789"
#define WORD "hello"

static const hostd_buf word = {WORD, sizeof(WORD) - 1};

unsigned
check_kinds(const struct module *m)
{
	static const struct {
		const char *kind;
		unsigned bit;
	} kinds[] = {
	    {HOSTD_KIND_HTTP_ROUTE, CHECK_HTTP},
	    {HOSTD_KIND_WS_HANDLER, CHECK_WS},
	    {HOSTD_KIND_PUBSUB_BACKEND, CHECK_BACKEND},
	    {HOSTD_KIND_BALANCER, CHECK_BALANCER},
	    {HOSTD_KIND_SESSION_STORE, CHECK_STORE},
	    {HOSTD_KIND_SIO_HANDLER, CHECK_SIO},
	};
	const struct module_provide *p;
	unsigned i, all = 0;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if ((p = module_provides(m, kinds[i].kind)) == NULL)
			continue;
		all |= kinds[i].bit;
		if (kinds[i].bit == CHECK_STORE &&
		    (p->store->flags & HOSTD_STORE_STATELESS) != 0)
			all |= CHECK_STATELESS;
	}
	return all;
}

unsigned
check_exts(const struct module *m)
{
	return (m->state != NULL ? CHECK_STATE : 0u) |
	    (m->ws_state != NULL ? CHECK_WS_STATE : 0u) |
	    (m->cmds[0] != NULL ? CHECK_COMMANDS : 0u);
}

static void
use_requests(struct fake *f)
{
	struct fake_spec spec = {.method = "GET"};

	fake_request(f, &spec, NULL);
	spec.method = "POST";
	spec.body = BODY;
	spec.nbody = sizeof(BODY) - 1;
	fake_request(f, &spec, NULL);
}

static void
use_socket(struct fake *f)
{
	struct fake_spec spec = {.protocols = fake_offer()};
	struct fake_sock *s = fake_sock_open(f, &spec);
	unsigned i;

	for (i = 0; i < 4 && fake_sock_is_open(s); i++) {
		fake_sock_say(s, fake_word(i).p, fake_word(i).n,
		    i == 3 ? HOSTD_WS_BINARY : HOSTD_WS_TEXT, i % 2);
		(void)fake_turn();
	}
	fake_sock_close(s, HOSTD_WS_NORMAL, "bye");
	fake_sock_free(s);
}

static void
use_backend(void)
{
	fake_backend_want(word, 1);
	fake_settle();
	fake_backend_say(word, word);
	fake_settle();
	fake_backend_say(word, word);
	fake_backend_want(word, 0);
	(void)fake_turn();
}

/* A pick of a group of three. */
static void
use_balancer(struct fake *f)
{
	struct fake_group *g = fake_group_open(f);
	struct fake_search s;
	unsigned i;

	for (i = 0; i < 3; i++)
		fake_group_set(g, i, 0, 1, 256);
	fake_group_update(g);
	fake_search_start(&s, g, NULL, 0);
	if (fake_search_pick(&s))
		fake_search_report(&s, HOSTD_OK, 200);
	(void)fake_turn();
	fake_group_close(g);
}

void
check_use(struct fake *f)
{
	unsigned kinds = check_kinds(f->m);

	if ((kinds & CHECK_HTTP) != 0)
		use_requests(f);
	if ((kinds & CHECK_WS) != 0)
		use_socket(f);
	if ((kinds & CHECK_BACKEND) != 0)
		use_backend();
	if ((kinds & CHECK_BALANCER) != 0)
		use_balancer(f);
	if ((kinds & CHECK_STORE) != 0)
		store_use(f);
	if ((kinds & CHECK_SIO) != 0)
		sio_use(f);
	check_command_use(f);
}

/* -- two instances -- */

static void
both_requests(struct fake **f)
{
	struct fake_spec spec = {.method = "POST",
	    .body = BODY,
	    .nbody = sizeof(BODY) - 1,
	    .part = 1};
	struct fake_req *r[2];
	int i, busy;

	r[0] = fake_req_start(f[0], &spec);
	r[1] = fake_req_start(f[1], &spec);
	do {
		busy = 0;
		for (i = 0; i < 2; i++)
			busy += fake_req_step(r[i]);
		busy += (int)fake_turn();
	} while (busy > 0);
	for (i = 0; i < 2; i++)
		fake_req_run(r[i]);
	for (i = 0; i < 2; i++)
		fake_req_free(r[i]);
}

static void
both_sockets(struct fake **f)
{
	struct fake_spec spec = {.protocols = fake_offer()};
	struct fake_sock *s[4];
	unsigned i;

	for (i = 0; i < 4; i++)
		s[i] = fake_sock_open(f[i % 2], &spec);
	for (i = 0; i < 16; i++) {
		if (fake_sock_is_open(s[i % 4]))
			fake_sock_say(s[i % 4], fake_word(i / 4).p,
			    fake_word(i / 4).n,
			    i < 12 ? HOSTD_WS_TEXT : HOSTD_WS_BINARY, 2);
		if (i % 3 == 0)
			(void)fake_turn();
	}
	for (i = 0; i < 4; i++) {
		fake_sock_close(s[i], i == 0 ? 0 : HOSTD_WS_NORMAL, "");
		(void)fake_turn();
	}
	for (i = 0; i < 4; i++)
		fake_sock_free(s[i]);
}

void
check_use_both(struct fake *a, struct fake *b)
{
	unsigned kinds = check_kinds(a->m);
	struct fake *f[2] = {a, b};

	if ((kinds & CHECK_HTTP) != 0)
		both_requests(f);
	if ((kinds & CHECK_WS) != 0)
		both_sockets(f);
	if ((kinds & CHECK_BACKEND) != 0)
		use_backend();
	if ((kinds & CHECK_BALANCER) != 0) {
		use_balancer(a);
		use_balancer(b);
	}
	if ((kinds & CHECK_STORE) != 0) {
		store_use(a);
		store_use(b);
	}
	if ((kinds & CHECK_SIO) != 0) {
		sio_use(a);
		sio_use(b);
	}
	check_command_use(a);
	check_command_use(b);
}
