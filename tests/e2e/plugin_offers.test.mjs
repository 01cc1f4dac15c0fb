// SPDX-License-Identifier: BSD-2-Clause
// A kind that a plugin offers to others: they are attached, called, blamed and
// detached as those of the host's kinds are.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { startHostd, tempDir } from './lib/hostd.mjs';
import { buildPlugin } from './lib/plugin.mjs';

const kind = `
struct words_ops {
	uint32_t struct_size;
	const char *(*word)(struct hostd_inst *);
};
struct words_api {
	uint32_t struct_size;
	void *ctx;
	uint32_t (*users)(void *ctx);
};
`;

// Answers with what each of its users says.
const desk = (kindName = 'words/1') => `
#include <hostd/easy.h>
#include <hostd/offer.h>
${kind}
struct user {
	hostd_user id;
	const char *name;
	const struct words_ops *ops;
};
struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_offer_api *offer;
	struct words_api api;
	struct user users[8];
	uint32_t n;
};

static uint32_t
users(void *ctx)
{
	return ((struct hostd_inst *)ctx)->n;
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	int32_t rc = hostd_easy_create(sizeof(struct hostd_inst), host, out, err);

	(void)conf;
	if (rc < 0)
		return rc;
	(*out)->offer = host->get_ext(host, HOSTD_EXT_OFFER);
	(*out)->api.struct_size = sizeof((*out)->api);
	(*out)->api.ctx = *out;
	(*out)->api.users = users;
	return HOSTD_OK;
}

static void
destroy(struct hostd_inst *in)
{
	if (in->n != 0)
		abort();
	free(in);
}

static int32_t
attach(struct hostd_inst *in, hostd_user id, const struct hostd_user_info *info,
    const void **table, struct hostd_err *err)
{
	if (in->n == 8 || strcmp(info->name, "unwanted") == 0)
		return hostd_fail(err, HOSTD_E_FULL, "no seat for %s",
		    info->name);
	in->users[in->n].id = id;
	in->users[in->n].name = info->name;
	in->users[in->n++].ops = info->ops;
	*table = &in->api;
	return HOSTD_OK;
}

static void
detach(struct hostd_inst *in, hostd_user id)
{
	uint32_t i;

	for (i = 0; i < in->n; i++)
		if (in->users[i].id.id == id.id)
			in->users[i] = in->users[--in->n];
}

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_host *host = in->easy.host;
	struct hostd_inst *user;
	char text[256] = "";
	uint32_t i;

	(void)d;
	for (i = 0; i < in->n; i++) {
		if ((user = in->offer->enter(host, in->users[i].id)) == NULL)
			continue;
		(void)snprintf(text + strlen(text), sizeof(text) -
		    strlen(text), "%s=%s ", in->users[i].name,
		    in->users[i].ops->word(user));
		in->offer->leave(host, in->users[i].id);
	}
	return hostd_respond(in, req, 200, "text/plain", text);
}

static const struct hostd_offer offer = {.struct_size = sizeof(offer),
    .kind = "${kindName}", .ext = "desk/1", .attach = attach,
    .detach = detach};
static const struct hostd_offer *const offers[] = {&offer, NULL};
static const struct hostd_p_offer p_offer = {.struct_size = sizeof(p_offer),
    .offers = offers};

static const void *
get_ext(const char *id)
{
	return strcmp(id, HOSTD_P_OFFER) == 0 ? &p_offer : NULL;
}

static const struct hostd_http_ops ops = {.struct_size = sizeof(ops),
    .on_headers = on_headers};
static const struct hostd_provide provide = {.struct_size = sizeof(provide),
    .kind = HOSTD_KIND_HTTP_ROUTE, .ops = &ops};
static const struct hostd_provide *const provides[] = {&provide, NULL};

HOSTD_PLUGIN_ENTRY = {HOSTD_PREFIX(5), .id = "desk", .version = "1.0",
    .built_with = HOSTD_SDK_VERSION, .provides = provides, .create = create,
    .destroy = destroy, .get_ext = get_ext};
`;

// Says its key "word", and how many were there when it was created.
const user = `
#include <hostd/easy.h>
${kind}
struct hostd_inst {
	HOSTD_EASY_HEAD;
	char said[64];
	int crashes;
};

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	const struct words_api *desk = host->get_ext(host, "desk/1");
	hostd_buf word;
	int32_t rc;

	if (desk == NULL)
		return hostd_fail(err, HOSTD_E_NOTSUP, "no desk");
	if ((rc = hostd_easy_create(sizeof(struct hostd_inst), host, out,
	    err)) < 0)
		return rc;
	(void)conf->get_str(conf, "word", &word);
	(void)snprintf((*out)->said, sizeof((*out)->said), "%s/%u",
	    (const char *)word.p, desk->users(desk->ctx));
	(*out)->crashes = strcmp(word.p, "crash") == 0;
	return HOSTD_OK;
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

static const char *
word(struct hostd_inst *in)
{
	if (in->crashes)
		abort();
	return in->said;
}

static const struct hostd_key key = {.struct_size = sizeof(key),
    .type = HOSTD_KEY_STRING, .name = "word", .dflt = "hm",
    .help = "What it says."};
static const struct hostd_key *const keys[] = {&key, NULL};
static const struct words_ops ops = {sizeof(ops), word};
static const struct hostd_provide provide = {.struct_size = sizeof(provide),
    .kind = "words/1", .ops = &ops};
static const struct hostd_provide *const provides[] = {&provide, NULL};

HOSTD_PLUGIN_ENTRY = {HOSTD_PREFIX(0), .id = "user", .version = "1.0",
    .built_with = HOSTD_SDK_VERSION, .provides = provides, .keys = keys,
    .create = create, .destroy = destroy};
`;

// @DESK@ and @USER@ are the modules.
async function serve(t, conf, options = {}) {
	const dir = tempDir(t);
	const so = { DESK: await buildPlugin(dir, 'desk', desk()),
		USER: await buildPlugin(dir, 'user', user) };

	return startHostd(t, { conf: conf.replace(/@(DESK|USER)@/g,
	    (_, w) => so[w]), ...options });
}

const said = async (h) => (await fetch(`${h.url}/desk`)).text();

test('users before and behind it in the file', async (t) => {
	const h = await serve(t, `pool "web" { workers = 1 }
		plugin "ada" { module = "@USER@"  word = "hello" }
		plugin "desk" { module = "@DESK@" }
		plugin "bob" { module = "@USER@"  word = "hi" }
		route "/desk" { plugin = "desk" }`);

	// Each was told of when it was created: attached before that.
	assert.equal(await said(h), 'ada=hello/1 bob=hi/2 ');
	// Those of before are detached, or the desk aborts.
	assert.equal((await h.hostctl('reload')).code, 0);
	assert.equal(await said(h), 'ada=hello/1 bob=hi/2 ');
	assert.doesNotMatch(h.log, / died/);
});

test('a user is where the one who offers is', async (t) => {
	const h = await serve(t, `pool "web" { workers = 1 }
		pool "socket" { workers = 1 }
		plugin "ada" { module = "@USER@" }
		plugin "desk" { module = "@DESK@" }
		route "/desk" { plugin = "desk"  pool = "socket" }`);

	assert.equal(await said(h), 'ada=hm/1 ');
	for (const w of await h.workers())
		assert.deepEqual(w.plugins.map((p) => p.name),
		    w.pool === 'web' ? [] : ['desk', 'ada']);
});

test('which, of two', async (t) => {
	const two = (by) => `pool "web" { workers = 1 }
		plugin "one" { module = "@DESK@" }
		plugin "two" { module = "@DESK@" }
		plugin "ada" { module = "@USER@" ${by} }
		route "/desk" { plugin = "two" }
		route "/one" { plugin = "one" }`;
	const h = await serve(t, two('offered_by = "two"'));

	assert.equal(await said(h), 'ada=hm/1 ');
	assert.equal(await (await fetch(`${h.url}/one`)).text(), '');
	await assert.rejects(serve(t, two('')),
	    /plugin "ada" provides words\/1, which 2 plugins offer; choose one: offered_by = "two"/);
	await assert.rejects(serve(t, two('offered_by = "tow"')),
	    /plugin "ada" provides words\/1, which no plugin "tow" offers/);
});

test('nobody offers it, or wants it', async (t) => {
	await assert.rejects(serve(t, `
		plugin "ada" { module = "@USER@" }`), /plugin "ada" provides words\/1, which this host does not serve, and no other plugin here offers/);
	await assert.rejects(serve(t, `
		plugin "desk" { module = "@DESK@" }
		plugin "unwanted" { module = "@USER@" }
		route "/desk" { plugin = "desk" }`), /plugin "unwanted" \(user\.so\): plugin "desk" refuses its words\/1: no seat for unwanted/);
});

test('a kind of the host cannot be offered', async (t) => {
	const dir = tempDir(t);
	const so = await buildPlugin(dir, 'thief', desk('balancer/1'));

	await assert.rejects(startHostd(t, { conf: `
		plugin "thief" { module = "${so}" }
		route "/desk" { plugin = "thief" }` }), /thief\.so: hostd\.p\.offer\/1: balancer\/1 is the host's/);
});

test('a user that crashes is the one who is named', async (t) => {
	const h = await serve(t, `pool "web" { workers = 1 }
		plugin "desk" { module = "@DESK@" }
		plugin "ada" { module = "@USER@"  word = "crash" }
		route "/desk" { plugin = "desk" }`);

	await assert.rejects(said(h));
	await h.logged(/died: SIGABRT in plugin ada, a function of an offered kind/);
});
