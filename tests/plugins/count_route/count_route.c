/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests of hostd.p.state/1.  Counts its requests and answers the number.
 * The keys save, load and start make each go wrong in several ways, but not in
 * a probe; VERSION is that of its state, and refuses what is newer.
 */
#include <hostd/easy.h>
#include <unistd.h>

#ifndef VERSION
#define VERSION 1
#endif
#define LARGE (1 << 20)

enum how { OK, FAIL, NONE, HANG, CRASH, BIG };

struct hostd_inst {
	HOSTD_EASY_HEAD;
	uint64_t count;
	int64_t save, load, start;
};

struct state {
	char mark[8];
	uint64_t count;
};

static const char mark[8] = "counted";

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	char body[32];

	(void)d;
	(void)snprintf(body, sizeof(body), "%llu",
	    (unsigned long long)++in->count);
	return hostd_respond(in, req, 200, "text/plain", body);
}

static int32_t
go_wrong(int64_t how)
{
	if (how == CRASH)
		abort();
	if (how == HANG)
		(void)fputs("hangs\n", stderr);
	while (how == HANG)
		(void)pause();
	return how == FAIL ? HOSTD_E_IO : how == NONE ? HOSTD_E_NOTSUP :
	    HOSTD_OK;
}

/* Too much, in small parts; tells what the host said. */
static int32_t
put_large(struct hostd_inst *in, int32_t (*put)(void *, hostd_buf), void *arg)
{
	char kilobyte[1024] = "";
	hostd_buf b = { kilobyte, sizeof(kilobyte) };
	int32_t rc = HOSTD_OK;
	int i;

	for (i = 0; i < LARGE / 1024 && rc == HOSTD_OK; i++)
		rc = put(arg, b);
	hostd_logf(in->easy.host, HOSTD_LOG_INFO, "put %d parts, then %d", i,
	    (int)rc);
	return HOSTD_OK;
}

static int32_t
save(struct hostd_inst *in, int32_t (*put)(void *, hostd_buf), void *arg)
{
	hostd_buf count = { &in->count, sizeof(in->count) };
	hostd_buf head = { mark, sizeof(mark) };
	int32_t rc;

	if (in->save == BIG)
		return put_large(in, put, arg);
	if ((rc = go_wrong(in->save)) != HOSTD_OK)
		return rc;
	if ((rc = put(arg, head)) != HOSTD_OK)
		return rc;
	return put(arg, count);
}

static int32_t
load(struct hostd_inst *in, uint32_t from_version, hostd_buf state)
{
	const struct state *s = state.p;
	int32_t rc;

	if ((rc = go_wrong(in->load)) != HOSTD_OK)
		return rc;
	if (from_version > VERSION)
		return HOSTD_E_NOTSUP;
	if (state.n != sizeof(*s) || memcmp(s->mark, mark, sizeof(mark)) != 0)
		return HOSTD_E_INVAL;
	in->count = s->count;
	return HOSTD_OK;
}

static int32_t
start(struct hostd_inst *in)
{
	return go_wrong(in->start);
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	int32_t rc = hostd_easy_create(sizeof(**out), host, out, err);

	if (rc != HOSTD_OK)
		return rc;
	(void)conf->get_int(conf, "save", &(*out)->save);
	(void)conf->get_int(conf, "load", &(*out)->load);
	(void)conf->get_int(conf, "start", &(*out)->start);
	return HOSTD_OK;
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

static const struct hostd_p_state state = { sizeof(state), VERSION, save,
    load };

static const void *
get_ext(const char *id)
{
	return strcmp(id, HOSTD_P_STATE) == 0 ? &state : NULL;
}

static const char *const hows[] = { "ok", "fail", "none", "hang", "crash",
    "big", NULL };
static const struct hostd_key save_key = { .struct_size = sizeof(save_key),
    .type = HOSTD_KEY_ENUM, .name = "save", .dflt = "ok", .choices = hows };
static const struct hostd_key load_key = { .struct_size = sizeof(load_key),
    .type = HOSTD_KEY_ENUM, .name = "load", .dflt = "ok", .choices = hows };
static const struct hostd_key start_key = { .struct_size = sizeof(start_key),
    .type = HOSTD_KEY_ENUM, .name = "start", .dflt = "ok", .choices = hows };
static const struct hostd_key *const keys[] = { &save_key, &load_key,
    &start_key, NULL };

static const struct hostd_http_ops ops = { .struct_size = sizeof(ops),
    .on_headers = on_headers };
static const struct hostd_provide provide = { .struct_size = sizeof(provide),
    .kind = HOSTD_KIND_HTTP_ROUTE, .ops = &ops, .route = "/" };
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), .id = "count_route", .version = "1.0",
    .built_with = HOSTD_SDK_VERSION, .provides = provides, .keys = keys,
    .create = create, .start = start, .destroy = destroy, .get_ext = get_ext };
