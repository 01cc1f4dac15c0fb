/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/fake.h"
#include "ctl/fake_memory.h"
#include "ctl/fake_request.h"
#include "ctl/fake_sio.h"
#include "ctl/fake_sock.h"

static LIST_HEAD(, fake) fakes = LIST_HEAD_INITIALIZER(fakes);
static struct fake *current; /* whose callback runs */
static pthread_t loop_thread;
static unsigned last_number;

static char callback_name[160];
static uint64_t ncallbacks;
static void **lent; /* to the callback that runs */
static size_t nlent, lent_cap;

int
fake_on_loop(void)
{
	return pthread_equal(pthread_self(), loop_thread);
}

void
fake_enter(struct fake *f, const char *callback, const struct fake_req *r)
{
	current = f;
	ncallbacks++;
	if (r != NULL)
		(void)snprintf(callback_name, sizeof(callback_name),
		    "%s of %s %.100s", callback, r->spec.method, r->path);
	else
		(void)snprintf(
		    callback_name, sizeof(callback_name), "%s", callback);
	check_where("in %s", callback_name);
}

uint64_t
fake_callbacks(void)
{
	return ncallbacks;
}

void
fake_leave(struct fake *f)
{
	(void)f;
	while (nlent > 0)
		guard_retire(lent[--nlent]);
	current = NULL;
	check_where("after %s", callback_name);
}

void *
fake_lend(size_t n)
{
	char what[120];

	if (nlent == lent_cap)
		lent = xrealloc(lent, (lent_cap += 64) * sizeof(*lent));
	(void)snprintf(
	    what, sizeof(what), "memory lent to %.60s", callback_name);
	return lent[nlent++] = guard_alloc(n, what);
}

hostd_buf
fake_lend_copy(const void *p, size_t n)
{
	hostd_buf b;
	char *mem = fake_lend(n + 1);

	/* Just before the fence, so that reading beyond n is noticed. */
	mem += ((n + 16) & ~(size_t)15) - n;
	if (n > 0)
		memcpy(mem, p, n);
	b.p = mem;
	b.n = n;
	return b;
}

hostd_buf
fake_lend_text(const char *s)
{
	return fake_lend_copy(s, strlen(s));
}

struct fake *
fake_called_any(const struct hostd_host *host, const char *function)
{
	struct fake *f;

	LIST_FOREACH(f, &fakes, entry)
	if (f->host == host)
		return f;
	check_fail(
	    "called %s with a host that is none of its instances'", function);
}

struct fake *
fake_called(const struct hostd_host *host, const char *function)
{
	struct fake *f = fake_called_any(host, function);

	if (!fake_on_loop())
		check_fail(
		    "called %s, which is [loop], on another thread", function);
	if (current != NULL && current != f)
		check_fail("instance %u called %s with the host of instance "
			   "%u: is there a global variable?",
		    current->number, function, f->number);
	return f;
}

/* Only when it is asked for: most plugins ask for few. */
static const void *
table_made(struct fake *f, size_t i)
{
	void **table = &f->tables[i - 1];

	if (*table == NULL)
		*table = fake_table_make(&fake_tables[i], &f->shape);
	return *table;
}

static const void *
host_get_ext(const struct hostd_host *host, const char *id)
{
	struct fake *f = fake_called(host, "get_ext");
	struct check_report *r = check_report();
	size_t i;
	uint32_t k;

	if (id == NULL)
		check_fail("called get_ext without an id");
	for (k = 0; k < r->nids && strcmp(r->ids[k], id) != 0; k++)
		;
	if (k == r->nids && k < CHECK_MAX_IDS)
		(void)snprintf(r->ids[r->nids++], sizeof(r->ids[0]), "%s", id);
	if (f->shape.missing != NULL && strcmp(f->shape.missing, id) == 0)
		return NULL;
	for (i = 1; fake_tables[i].id != NULL; i++)
		if (strcmp(fake_tables[i].id, id) == 0)
			return table_made(f, i);
	return NULL;
}

static void
host_log(
    const struct hostd_host *host, int32_t level, const char *text, size_t n)
{
	static const char *const names[] = {
	    "debug", "info", "warn", "error", "host bug"};

	(void)fake_called_any(host, "log");
	if (level < HOSTD_LOG_DEBUG || level > HOSTD_LOG_HOST_BUG)
		check_fail("logged at level %d, which there is not", level);
	if (text == NULL && n > 0)
		check_fail("logged a NULL text");
	(void)fprintf(stderr, "%s: %.*s\n", names[level],
	    n > 2048 ? 2048 : (int)n, text == NULL ? "" : text);
}

static uint64_t
host_now_ms(const struct hostd_host *host)
{
	(void)fake_called_any(host, "now_ms");
	return fake_now();
}

const struct hostd_host fake_host_table = {
    .struct_size = sizeof(struct hostd_host),
    .abi_minor = HOSTD_ABI_MINOR,
    .get_ext = host_get_ext,
    .log = host_log,
    .now_ms = host_now_ms,
    .post = fake_post,
};

struct fake *
fake_next(struct fake *f)
{
	return f == NULL ? LIST_FIRST(&fakes) : LIST_NEXT(f, entry);
}

const struct hostd_pubsub_ops *
fake_pubsub_ops(const struct fake *f)
{
	const struct module_provide *p =
	    module_provides(f->m, HOSTD_KIND_PUBSUB_BACKEND);

	return p == NULL ? NULL : p->pubsub;
}

struct module *
fake_load(const struct check *c)
{
	char why[512];
	struct module *m;

	fake_route_choose(c->target);
	fake_client_choose(c->words, c->protocols);
	check_where("loading it");
	if ((m = module_open(c->path, c->path, why, sizeof(why))) == NULL)
		check_fail("%s", why);
	return m;
}

static void
make_host(struct fake *f, const struct fake_shape *shape)
{
	static const struct fake_shape plain = {
	    NULL, NULL, 0, 0, HOSTD_ABI_MINOR};

	f->shape = shape == NULL ? plain : *shape;
	f->host = fake_table_make(&fake_tables[0], &f->shape);
	f->host->abi_minor = f->shape.minor;
	f->host->ctx = f;
}

/* Did a create that failed keep to its contract? */
static void
judge_failure(struct fake *f, int32_t rc, const struct hostd_err *err)
{
	if (memchr(err->msg, '\0', sizeof(err->msg)) == NULL)
		check_fail("create returned %d and a text in err.msg that "
			   "has no end",
		    rc);
	if (err->msg[0] == '\0')
		check_fail(
		    "create returned %d but says nothing in err.msg", rc);
	memcpy(f->err, err->msg, sizeof(f->err));
}

struct fake *
fake_create(const struct module *m, const struct fake_set *sets,
    const struct fake_shape *shape)
{
	struct fake *f = xcalloc(1, sizeof(*f));
	struct hostd_inst *inst = NULL;
	struct hostd_conf *conf;
	struct hostd_err *err;
	int32_t rc;

	loop_thread = pthread_self();
	f->number = ++last_number;
	f->m = m;
	f->conf = fake_conf_new(m, sets, f->number);
	make_host(f, shape);
	LIST_INSERT_HEAD(&fakes, f, entry);
	fake_enter(f, "create", NULL);
	f->creating = 1;
	err = fake_lend(sizeof(*err));
	err->struct_size = sizeof(*err);
	conf = fake_conf_lend(f->conf);
	rc = m->desc.create(f->host, conf, &inst, err);
	f->creating = 0;
	if (rc < 0)
		judge_failure(f, rc, err);
	else if (rc > 0)
		check_fail("create returned %d", rc);
	else if (inst == NULL)
		check_fail("create returned HOSTD_OK but no instance");
	else
		f->inst = inst;
	fake_leave(f);
	return f;
}

int
fake_alive(const struct fake *f)
{
	return f->inst != NULL;
}

void
fake_start(struct fake *f)
{
	int32_t rc = HOSTD_OK;

	if (f->m->desc.start != NULL) {
		fake_enter(f, "start", NULL);
		rc = f->m->desc.start(f->inst);
		fake_leave(f);
	}
	f->started = 1;
	if (rc != HOSTD_OK)
		check_fail("start returned %d", rc);
}

struct fake *
fake_serve(const struct module *m, const struct check *c)
{
	struct fake *f = fake_create(m, c->sets, NULL);

	if (!fake_alive(f))
		check_fail("create failed: %s (values are given by --set "
			   "key=value)",
		    f->err);
	fake_start(f);
	if (fake_ready_wait(f) == -1)
		check_skip("its worker would not get ready: %s",
		    f->ready.refused[0] != '\0' ? f->ready.refused :
		    f->ready.reason);
	return f;
}

void
fake_drain(struct fake *f, uint32_t deadline_ms)
{
	f->draining = 1;
	if (f->m->desc.drain == NULL)
		return;
	fake_enter(f, "drain", NULL);
	f->m->desc.drain(f->inst, deadline_ms);
	fake_leave(f);
}

void
fake_destroy(struct fake *f)
{
	size_t i;

	fake_req_end_all(f, HOSTD_END_SHUTDOWN);
	fake_sock_end_all(f);
	fake_sio_end(f);
	f->destroying = 1;
	fake_channel_end(f);
	fake_net_end(f);
	fake_fetch_end(f);
	fake_op_end(f);
	fake_session_end(f);
	fake_backend_end(f);
	fake_loop_end(f);
	if (f->inst != NULL && f->m->desc.destroy != NULL) {
		f->ended = 1;
		fake_enter(f, "destroy", NULL);
		f->m->desc.destroy(f->inst);
		fake_leave(f);
	}
	LIST_REMOVE(f, entry);
	guard_retire(f->host);
	for (i = 1; fake_tables[i].id != NULL; i++)
		guard_retire(f->tables[i - 1]);
	fake_conf_free(f->conf);
	free(f);
}
