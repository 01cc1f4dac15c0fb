// SPDX-License-Identifier: BSD-2-Clause
// Socket.IO applications that are plugins: several of them, who decides, and
// who is blamed; and the example.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { startHostd, tempDir, top } from './lib/hostd.mjs';
import { buildPlugin } from './lib/plugin.mjs';
import { also, call, callAll, client, connect, connected, eachMode, gone,
    next } from './lib/sio.mjs';

/*
 * A handler of "/" and "/both-*".  What it does is said by the auth payload's
 * member of its name: "refuse", "later", "late": refuse later, "never", "fail".
 * It counts events of its name, in d.
 */
const handler = `
#include <hostd/socketio_easy.h>
#include <hostd/timer.h>

struct hostd_inst {
	HOSTD_SIO_EASY_HEAD;
	const struct hostd_timer_api *timer;
	const char *name;
};
struct seat {
	int32_t count;
};

static void
say(struct hostd_inst *in, const char *what)
{
	hostd_logf(in->easy.host, HOSTD_LOG_INFO, "%s: %s", in->name, what);
}

static int
told(struct hostd_inst *in, hostd_sio s, const char *what)
{
	hostd_buf v = hostd_json_get(hostd_sio_info_of(in, s)->auth, in->name);

	return v.p != NULL && hostd_json_says(v, hostd_str(what));
}

static void
on_time(struct hostd_inst *in, hostd_timer t, void *arg)
{
	hostd_sio s = { (uint64_t)(uintptr_t)arg };

	(void)t;
	if (hostd_sio_info_of(in, s) == NULL)
		say(in, "too late");
	else if (told(in, s, "late"))
		(void)in->sio->refuse(in->sio, s, hostd_str("too late"),
		    hostd_str("{\\"code\\":7}"));
	else if (in->sio->accept(in->sio, s) != HOSTD_OK ||
	    in->sio->accept(in->sio, s) != HOSTD_E_STATE)
		say(in, "accept is wrong");
}

static int32_t
on_connecting(struct hostd_inst *in, hostd_sio s, void *d)
{
	hostd_timer t;

	((struct seat *)d)->count = 10;
	say(in, "on_connecting");
	if (told(in, s, "fail"))
		return HOSTD_E_IO;
	if (told(in, s, "never"))
		return HOSTD_DEFER;
	if (told(in, s, "refuse"))
		return hostd_sio_refuse(in, s, in->name);
	if (!told(in, s, "later") && !told(in, s, "late"))
		return HOSTD_OK;
	(void)in->timer->start(in->easy.host, 5, 0, on_time,
	    (void *)(uintptr_t)s.id, &t);
	return HOSTD_DEFER;
}

static void
on_refused(struct hostd_inst *in, hostd_sio s, void *d)
{
	(void)s;
	if (((struct seat *)d)->count == 10)
		say(in, "on_refused");
}

static void
on_connect(struct hostd_inst *in, hostd_sio s, void *d, int32_t recovered)
{
	(void)d;
	(void)recovered;
	(void)hostd_sio_emitf(in, s, "hello", "s", in->name);
}

/* What is lent stays good in the callback. */
static int32_t
change(struct hostd_inst *in, hostd_sio s, const struct hostd_sio_event *ev)
{
	const struct hostd_sio_api *api = in->sio;
	const struct hostd_sio_info *was, *is;
	hostd_buf rooms, more, data = hostd_sio_arg(ev, 0);

	was = api->info(api, s);
	(void)api->rooms(api, s, &rooms);
	(void)api->set_data(api, s, data);
	(void)hostd_sio_join(in, s, "more");
	(void)api->rooms(api, s, &more);
	is = api->info(api, s);
	return hostd_sio_ackf(in, ev, "jjjji", was->data, is->data, rooms,
	    more, was->nheaders == is->nheaders && was->nheaders > 0);
}

static int32_t
on_event(struct hostd_inst *in, hostd_sio s, void *d,
    const struct hostd_sio_event *ev)
{
	struct seat *seat = d;
	hostd_buf bytes = { "\\1\\2\\3", 3 };

	if (hostd_sio_is(ev, "crash") && in->name[0] == 's')
		abort();
	if (hostd_sio_is(ev, "change"))
		return change(in, s, ev);
	if (hostd_sio_is(ev, "leave")) {
		(void)in->sio->disconnect(in->sio, s, 0);
		return in->sio->emit(in->sio, s, 0, hostd_str("x"), NULL) ==
		    HOSTD_E_STATE ? HOSTD_OK : HOSTD_E_INVAL;
	}
	if (hostd_sio_is(ev, "all"))
		return hostd_sio_ackf(in, ev, "sbiIdtnjB", "a\\"b", ev->name,
		    -1, (int64_t)1 << 40, 0.5, 1, hostd_sio_arg(ev, 0),
		    bytes);
	if (hostd_sio_is(ev, "bad"))
		return in->sio->emit(in->sio, s, 0, hostd_str("disconnect"),
		    NULL) == HOSTD_E_INVAL && hostd_sio_emitf(in, s, "x", "j",
		    hostd_str("{")) == HOSTD_E_INVAL ?
		    hostd_sio_ackf(in, ev, "s", "refused") : HOSTD_OK;
	if (!hostd_sio_is(ev, in->name))
		return HOSTD_PASS;
	return hostd_sio_ackf(in, ev, "si", in->name, ++seat->count);
}

static void
on_disconnecting(struct hostd_inst *in, hostd_sio s, void *d, int32_t reason)
{
	hostd_buf rooms;
	char text[80];

	(void)d;
	if (in->sio->rooms(in->sio, s, &rooms) == HOSTD_OK) {
		(void)snprintf(text, sizeof(text), "on_disconnecting %d %d",
		    (int)reason, rooms.n > 20);
		say(in, text);
	}
}

static void
on_disconnect(struct hostd_inst *in, hostd_sio s, void *d, int32_t reason)
{
	char text[80];

	(void)d;
	(void)snprintf(text, sizeof(text), "on_disconnect %d %d", (int)reason,
	    in->sio->join(in->sio, s, hostd_str("r")) == HOSTD_E_GONE);
	say(in, text);
}

static const char *const spaces[] = { "/", "/both-*", NULL };
static const struct hostd_sio_ops ops = {
	.struct_size = sizeof(ops),
	.flags = HOSTD_SIO_PLAIN_DATA,
	.data_size = sizeof(struct seat),
	.namespaces = spaces,
	.on_connecting = on_connecting,
	.on_refused = on_refused,
	.on_connect = on_connect,
	.on_event = on_event,
	.on_disconnecting = on_disconnecting,
	.on_disconnect = on_disconnect,
};

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	int32_t rc = hostd_sio_easy_create(sizeof(struct hostd_inst), host,
	    out, err);
	hostd_buf name;

	if (rc != HOSTD_OK)
		return rc;
	(*out)->timer = (const struct hostd_timer_api *)host->get_ext(host,
	    HOSTD_EXT_TIMER);
	(void)conf->get_str(conf, "name", &name);
	(*out)->name = name.p;
	return HOSTD_OK;
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

static const struct hostd_key key = {
	.struct_size = sizeof(key), .type = HOSTD_KEY_STRING, .name = "name",
	.flags = HOSTD_KEY_REQUIRED, .help = "What it is called.",
};
static const struct hostd_key *const keys[] = { &key, NULL };
static const struct hostd_provide app = {
	sizeof(app), 0, HOSTD_KIND_SIO_HANDLER, NULL, &ops, NULL
};
static const struct hostd_provide *const provides[] = { &app, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(5), "handler", "1.0", HOSTD_SDK_VERSION,
	provides, keys, NULL, create, NULL, NULL, destroy, NULL
};
`;

async function serve(t, keys = '', clock = undefined) {
	const so = await buildPlugin(tempDir(t), 'handler', handler);

	return startHostd(t, { env: clock?.env, conf: `
		pool "web" { workers = 1  ${clock ? 'watchdog = 0' : ''} }
		plugin "io" { module = "socketio.so" ${keys} }
		plugin "one" { module = "${so}"  name = "first" }
		plugin "two" { module = "${so}"  name = "second" }
		route "/socket.io/" { plugin = "io"
			${clock ? 'websocket { ping_interval = 0 }' : ''} }` });
}

const refused = async (s) => (await next(s, 'connect_error'))[0];

test('two handlers', async (t) => {
	const h = await serve(t);

	await t.test('both accept, and are told in their order', async (t) => {
		const s = await connected(client(t, h, 'websocket'));

		await call(s, 'second');
		assert.deepEqual(s.heard.map(([, who]) => who),
		    ['first', 'second']);
		assert.deepEqual(await callAll(s, 'second'), ['second', 12]);
		assert.deepEqual(await callAll(s, 'first'), ['first', 11]);
	});
	await t.test('what the first does not pass the second never gets',
	    async (t) => {
		const s = await connect(t, h, 'polling', { nsp: '/both-x' });

		assert.equal(await call(s, 'bad'), 'refused');
		assert.deepEqual(await callAll(s, 'all', { a: [1] }), ['a"b',
			'all', -1, 2 ** 40, 0.5, true, null, { a: [1] },
			Buffer.from([1, 2, 3])]);
	});
	await t.test('what a callback was lent stays good', async (t) => {
		const s = await connected(client(t, h, 'websocket'));
		const more = [s.id, 'more'];

		assert.deepEqual(await callAll(s, 'change', { n: 1 }),
		    [{}, { n: 1 }, [s.id], more, 1]);
		assert.deepEqual(await callAll(s, 'change', { n: 2 }),
		    [{ n: 1 }, { n: 2 }, more, more, 1]);
	});
	await t.test('an event that all pass is dropped', async (t) => {
		const s = await connected(client(t, h, 'websocket'));

		s.emit('nobody', 1, () => assert.fail('it was acknowledged'));
		assert.deepEqual(await callAll(s, 'first'), ['first', 11]);
	});
	await t.test('the second refuses, and the first is told',
	    async (t) => {
		const from = h.log.length;
		const err = await refused(client(t, h, 'websocket',
		    { auth: { second: 'refuse' } }));

		assert.equal(err.message, 'second');
		assert.equal(err.data, undefined);
		await h.logged('second: on_refused', from);
		await h.logged('first: on_refused', from);
	});
	await t.test('the first refuses, and the second is not asked',
	    async (t) => {
		const from = h.log.length;
		const err = await refused(client(t, h, 'websocket',
		    { auth: { first: 'refuse' } }));

		assert.equal(err.message, 'first');
		await h.logged('first: on_refused', from);
		assert.ok(!h.log.slice(from).includes('second: on_'));
	});
	await t.test('one that fails refuses', async (t) => {
		const err = await refused(client(t, h, 'websocket',
		    { auth: { first: 'fail' } }));

		assert.equal(err.message, 'Internal error');
	});
	await t.test('both accept later', async (t) => {
		await eachMode(t, async (t, mode) => {
			const s = await connected(client(t, h, mode,
			    { auth: { first: 'later', second: 'later' } }));

			assert.deepEqual(await callAll(s, 'second'),
			    ['second', 11]);
		});
	});
	await t.test('one refuses later, with data', async (t) => {
		const err = await refused(client(t, h, 'websocket',
		    { auth: { second: 'late' } }));

		assert.equal(err.message, 'too late');
		assert.deepEqual(err.data, { code: 7 });
	});
	await t.test('a client that goes before it is decided', async (t) => {
		const from = h.log.length;
		const s = client(t, h, 'websocket',
		    { auth: { second: 'never' } });

		await h.logged('second: on_connecting', from);
		s.io.engine.close();
		await h.logged('first: on_refused', from);
		await h.logged('second: on_refused', from);
	});
	await t.test('one disconnects it: both are told', async (t) => {
		const from = h.log.length;
		const s = await connected(client(t, h, 'websocket'));

		s.emit('leave');
		assert.equal(await gone(s), 'io server disconnect');
		for (const name of ['first', 'second'])
			await h.logged(`${name}: on_disconnect 2 1`, from);
		assert.match(h.log.slice(from), new RegExp(['first', 'second']
		    .map((name) => `${name}: on_disconnecting 2 1[^]*`).join('')
		    + 'first: on_disconnect 2 1'));
	});
	assert.ok(!h.log.includes('accept is wrong'));
});

test('what nobody decides is refused after connect_timeout', async (t) => {
	const clock = await makeClock(t);
	const h = await serve(t, 'connect_timeout = 1h  ping_interval = 24h',
	    clock);
	const s = await connected(client(t, h, 'websocket'));
	const other = also(t, s, '/both-x', { auth: { first: 'later',
		second: 'never' } });
	const end = refused(other);

	// The second one's, of it.
	await h.logged(/(second: on_connecting[^]*){2}/);
	// It is looked at a few times.
	for (let i = 0; i < 5; i++)
		await clock.passFor(h, 901);
	assert.equal((await end).message, 'Internal error');
	await h.logged('second: on_refused');
	assert.deepEqual(await callAll(s, 'first'), ['first', 11]);
});

test('over a reload d goes along', async (t) => {
	const h = await serve(t);
	const s = await connected(client(t, h, 'websocket'));
	const { id } = s;

	await callAll(s, 'first');
	const from = h.log.length;
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
	await h.logged(/generation 1\) has ended/, from);
	assert.deepEqual(await callAll(s, 'first'), ['first', 12]);
	assert.deepEqual(await callAll(s, 'second'), ['second', 11]);
	assert.equal(s.id, id);
	assert.ok(s.connected);
});

test('the one that crashes is named', async (t) => {
	const h = await serve(t);
	const s = await connected(client(t, h, 'websocket'));

	s.emit('crash');
	assert.equal(await gone(s), 'transport close');
	await h.logged(/died: SIGABRT in plugin two, a function of an offered kind/);
});

test('the example is a chat', async (t) => {
	const so = await buildPlugin(tempDir(t), 'sio_chat', path.join(top,
	    'examples/plugins/sio_chat/sio_chat.c'));
	const h = await startHostd(t, { conf: `
		plugin "io" { module = "socketio.so" }
		plugin "chat" { module = "${so}" }
		route "/socket.io/" { plugin = "io" }` });
	const a = await connect(t, h, 'upgrade');
	const b = await connect(t, h, 'polling');

	for (const s of [a, b])
		assert.equal(await call(s, 'joinRoom', 'x'), null);
	const message = next(b, 'message');
	const said = { hi: 'wörld', bytes: Buffer.from([0, 255]) };

	assert.equal(await call(a, 'sendMessage', 'x', said), null);
	assert.deepEqual(await message, ['x', said]);
	assert.equal(await call(a, 'whoami'), a.id);
	assert.equal(await call(a, 'joinRoom', ''), 'no such room');
	assert.equal(await call(b, 'leaveRoom', 'x'), null);
	await call(a, 'sendMessage', 'x', 'not for b');
	assert.equal(await call(b, 'whoami'), b.id);
	assert.equal(b.heard.length, 1);
});
