/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * As clumsy.c, of what goes to a successor.
 *
 * 1	called put when save had returned
 * 2	called put with 8 bytes at NULL
 * 3	called put, which is [loop], on another thread
 * 4	save returned 1
 * 5	load returned 1
 * 6	load returned -1 for what save has put
 * 7	touched memory lent to load
 * 8	touched memory lent to load beyond its end
 * 9	a state that is saved and loaded leaks about
 * 10	crashed with SIGABRT, while in start
 * 11	save returned -9 after one that was refused
 * 12	called send with a socket that moves
 * 13	called close with a socket that moves
 * 14	called subscribe with a socket that moves
 * 15	touched the socket's data block after its time
 * 16	a socket that moves leaks about
 * 17	save of a socket returned 3
 * 18	load of a socket returned -1 for what save has put
 * 19	touched memory lent to load of a socket
 * 20	touched memory lent to load of a socket beyond its end
 * 21	called put with an arg that did not come with it
 * 22	crashed with SIGABRT, while in on_message
 */
#include <pthread.h>

#include <hostd/easy.h>

#ifndef MISTAKE
#define MISTAKE 0
#endif
/* A constant, so that all of it is compiled, whichever is chosen. */
#define IS(n) (MISTAKE == (n))

#define VERSION	3
#define WORDS	40
/* It starts aligned, and ends there at the latest. */
#define BEHIND(n) (((n) + 15) & ~(size_t)15)

typedef int32_t put_fn(void *, hostd_buf);

struct hostd_inst {
	HOSTD_EASY_HEAD;
	uint64_t said;
	int refused, full;
};

struct data {
	char *words;		/* the last ones */
	size_t n;
};

static put_fn *kept_put;
static void *kept_arg;
static const char *kept;

static hostd_buf
bytes(const void *p, size_t n)
{
	hostd_buf b;

	b.p = p;
	b.n = n;
	return b;
}

/* -- one socket -- */

static void
forget(struct data *d)
{
	free(d->words);
	d->words = NULL;
	d->n = 0;
}

static int
remember(struct data *d, const void *p, size_t n)
{
	forget(d);
	if ((d->words = malloc(n + 1)) == NULL)
		return -1;
	if (n > 0)
		memcpy(d->words, p, n);
	d->n = n;
	return 0;
}

static int32_t
on_message(struct hostd_inst *in, hostd_ws ws, void *arg, hostd_buf msg,
    uint32_t flags)
{
	struct data *d = arg;

	in->said++;
	if (IS(1) && kept_put != NULL)
		(void)kept_put(kept_arg, bytes("late", 4));
	if (IS(15) && kept != NULL && *(const volatile char *)kept == 'x')
		return HOSTD_OK;
	if (IS(22) && in->refused)
		abort();
	if (remember(d, msg.p, msg.n < WORDS ? msg.n : WORDS) == -1)
		return HOSTD_E_NOMEM;
	return in->easy.ws->send(in->easy.host, ws, msg,
	    flags & (HOSTD_WS_TEXT | HOSTD_WS_BINARY));
}

static void
on_close(struct hostd_inst *in, hostd_ws ws, void *d, int32_t code,
    hostd_buf reason)
{
	(void)in, (void)ws, (void)code, (void)reason;
	forget(d);
}

static int32_t
ws_save(struct hostd_inst *in, hostd_ws ws, void *arg, put_fn *put,
    void *put_arg)
{
	const struct data *d = arg;
	const struct hostd_easy *e = &in->easy;

	if (IS(12))
		(void)e->ws->send(e->host, ws, bytes("bye", 3), HOSTD_WS_TEXT);
	if (IS(17))
		return 3;
	return put(put_arg, bytes(d->words, d->n));
}

static int32_t
ws_load(struct hostd_inst *in, hostd_ws ws, void *d, uint32_t from_version,
    hostd_buf state)
{
	const struct hostd_easy *e = &in->easy;
	const volatile char *p = state.p;

	if (from_version != VERSION) {
		in->refused = 1;
		return HOSTD_E_NOTSUP;
	}
	if (IS(13))
		(void)e->ws->close(e->host, ws, HOSTD_WS_NORMAL, bytes("", 0));
	if (IS(18))
		return HOSTD_E_INVAL;
	if (IS(19) && kept != NULL && *(const volatile char *)kept == 'x')
		return HOSTD_OK;
	if (IS(19) && state.n > 0)
		kept = state.p;
	if (IS(20) && p[BEHIND(state.n)] == 'x')
		return HOSTD_OK;
	if (state.n > WORDS)
		return HOSTD_E_INVAL;
	return remember(d, state.p, state.n) == -1 ? HOSTD_E_NOMEM : HOSTD_OK;
}

static void
ws_moved(struct hostd_inst *in, hostd_ws ws, void *d)
{
	const struct hostd_easy *e = &in->easy;

	if (IS(14))
		(void)e->ws->subscribe(e->host, ws, bytes("room", 4));
	if (IS(15))
		kept = d;
	/* Words are few, so it leaks more than those. */
	if (IS(16))
		kept = malloc(100);
	forget(d);
}

static const struct hostd_p_ws_state ws_table = {
	sizeof(ws_table), VERSION, ws_save, ws_load, ws_moved
};

/* -- the instance -- */

static void *
put_elsewhere(void *put)
{
	(void)((put_fn *)(uintptr_t)put)(kept_arg, bytes("else", 4));
	return NULL;
}

static int32_t
save(struct hostd_inst *in, put_fn *put, void *arg)
{
	pthread_t thread;
	int32_t rc;

	kept_put = put;
	kept_arg = arg;
	if (IS(2))
		return put(arg, bytes(NULL, 8));
	if (IS(3) && pthread_create(&thread, NULL, put_elsewhere,
	    (void *)(uintptr_t)put) == 0)
		(void)pthread_join(thread, NULL);
	if (IS(4))
		return 1;
	if (IS(11) && in->full)
		return HOSTD_E_STATE;
	if (IS(21))
		return put(in, bytes(&in->said, sizeof(in->said)));
	rc = put(arg, bytes(&in->said, sizeof(in->said)));
	in->full |= rc != HOSTD_OK;
	return rc;
}

static int32_t
load(struct hostd_inst *in, uint32_t from_version, hostd_buf state)
{
	const volatile char *p = state.p;

	if (IS(9))
		kept = malloc(50);
	if (IS(5))
		return 1;
	if (IS(6))
		return HOSTD_E_INVAL;
	if (IS(7))
		kept = state.p;
	if (IS(8) && p[BEHIND(state.n)] == 'x')
		return HOSTD_OK;
	if (from_version != VERSION || state.n != sizeof(in->said)) {
		in->refused = 1;
		return HOSTD_E_NOTSUP;
	}
	memcpy(&in->said, state.p, sizeof(in->said));
	return HOSTD_OK;
}

static int32_t
start(struct hostd_inst *in)
{
	if (IS(7) && kept != NULL && *(const volatile char *)kept == 'x')
		return HOSTD_OK;
	if (IS(10) && in->refused)
		abort();
	return HOSTD_OK;
}

static const struct hostd_p_state table = {
	sizeof(table), VERSION, save, load
};

static const void *
get_ext(const char *id)
{
	if (strcmp(id, HOSTD_P_STATE) == 0)
		return &table;
	return strcmp(id, HOSTD_P_WS_STATE) == 0 ? &ws_table : NULL;
}

/* -- the plugin -- */

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	(void)conf;
	return hostd_easy_create_kind(HOSTD_KIND_WS_HANDLER,
	    sizeof(struct hostd_inst), host, out, err);
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

static const struct hostd_ws_ops ops = {
	.struct_size = sizeof(ops), .data_size = sizeof(struct data),
	.on_message = on_message, .on_close = on_close
};
static const struct hostd_provide provide = {
	.struct_size = sizeof(provide), .kind = HOSTD_KIND_WS_HANDLER,
	.ops = &ops, .route = "/clumsy"
};
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(0), .id = "clumsy", .version = "1.0",
	.built_with = HOSTD_SDK_VERSION, .provides = provides,
	.create = create, .start = start, .destroy = destroy,
	.get_ext = get_ext
};
