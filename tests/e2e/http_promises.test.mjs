// SPDX-License-Identifier: BSD-2-Clause
// Plugins that break what they promised: the host refuses, answers instead, or
// cuts the connection, and goes on serving.
import assert from 'node:assert/strict';
import test from 'node:test';
import { command, tempDir } from './lib/hostd.mjs';
import { ask, chunked, connect, get, post, serve } from './lib/http1.mjs';
import { buildPlugin } from './lib/plugin.mjs';

const start = (t) => serve(t, 'promise_route', (so) => `
	plugin "promise" { module = "${so}" }
	route "/" { plugin = "promise" }`);

const OK = 0, AGAIN = 1, INVAL = -1, STATE = -9;

async function codes(h, path) {
	const m = await h.logged(new RegExp(`promise: ${path}:([ \\d-]*)$`,
	    'm'));

	return m[1].trim().split(' ').map(Number);
}

// The answer to path, and nothing behind it.
async function closing(t, h, path) {
	const c = await connect(t, h.port);

	await c.send(get(path) + get('/none'));
	const r = await c.next();

	assert.deepEqual(r.headers.connection, ['close']);
	assert.equal(await c.end(), '');
	c.destroy();
	return r;
}

test('a failure before an answer is the host\'s to answer', async (t) => {
	const h = await start(t);
	let from = 0;

	for (const [path, status] of [['/none', 500], ['/invalid', 500],
		['/full', 503], ['/timeout', 504]]) {
		assert.equal((await closing(t, h, path)).status, status, path);
		await h.logged('ended why 4', from);
		from = h.log.length;
	}
	assert.equal((await h.status()).plugin_errors, 4);
});

test('a second answer is refused', async (t) => {
	const h = await start(t);
	const c = await connect(t, h.port);

	await c.send(get('/twice') + get('/owned'));
	assert.equal((await c.next()).body, 'once');
	assert.equal((await c.next()).body, 'fine');
	assert.deepEqual(await codes(h, 'twice'),
	    [OK, STATE, STATE, STATE, STATE]);
});

for (const [path, n] of [['owned', 7], ['bytes', 7], ['status', 7]])
	test(`what may not be sent is refused: ${path}`, async (t) => {
		const h = await start(t);
		const r = await ask(t, h.port, `/${path}`);

		assert.equal(r.body, 'fine');
		assert.equal(r.status, path === 'status' ? 299 : 200);
		assert.deepEqual(await codes(h, path), Array(n).fill(INVAL));
	});

test('too early is refused, and no harm done', async (t) => {
	const h = await start(t);

	assert.equal((await ask(t, h.port, '/early')).body, 'fine');
	assert.deepEqual(await codes(h, 'early'), [STATE, STATE, INVAL]);
});

test('another length than promised: the connection is cut', async (t) => {
	const h = await start(t);

	for (const [path, last] of [['short', INVAL], ['long', INVAL]]) {
		const c = await connect(t, h.port);
		const from = h.log.length;

		await c.send(get(`/${path}`) + get('/early'));
		const text = await c.end();

		assert.match(text, /\r\nContent-Length: 10\r\n/);
		assert.ok(text.endsWith('\r\n\r\n12345'), text);
		assert.deepEqual(await codes(h, path), [OK, OK, last]);
		await h.logged('ended why 4', from);
		c.destroy();
	}
	const curl = await command('curl', ['-sS', `${h.url}/short`]);

	assert.equal(curl.code, 18, 'curl knows that it is a part');
});

test('a failure within an answer: the connection is cut', async (t) => {
	const h = await start(t);
	const c = await connect(t, h.port);

	await c.send(get('/broken'));
	const text = await c.end();

	assert.ok(!text.includes('\r\n0\r\n'), 'it has no end');
	await h.logged('ended why 4');
	assert.equal((await ask(t, h.port, '/early')).status, 200);
});

test('borrowed bytes are given back once each, in order', async (t) => {
	const h = await start(t);
	const r = await ask(t, h.port, '/ref');

	assert.equal(r.body, `${'r'.repeat(10)}12345${'r'.repeat(100000)}`);
	await h.logged('ended why 0');
	assert.deepEqual((await codes(h, 'ref')).map((c) => c === AGAIN ? OK :
	    c), [STATE, OK, OK, OK, OK, OK]);
	assert.deepEqual([...h.log.matchAll(/released (\d)/g)].map((m) => m[1]),
	    ['1', '2', '3']);
	const from = h.log.length;
	const c = await connect(t, h.port);

	// HEAD sends none of them; they come back all the same.
	await c.send('HEAD /ref HTTP/1.1\r\nHost: a\r\n\r\n');
	await c.next({ head: true });
	await h.logged(/released 1[^]*released 2[^]*released 3[^]*ended why 0/,
	    from);
	assert.equal([...h.log.slice(from).matchAll(/released/g)].length, 3);
});

const buffered = `#include <hostd/easy.h>
struct hostd_inst { HOSTD_EASY_HEAD; };
static int32_t
headers(struct hostd_inst *in, hostd_req req, void *d)
{
	(void)in; (void)req; (void)d;
	return HOSTD_OK;
}
static int32_t
body(struct hostd_inst *in, hostd_req req, void *d, hostd_buf b, int32_t fin)
{
	const char *p = b.p;

	++*(int *)d;
	return hostd_json(in, req, 200, "[%zu,%d,%d,%d]", b.n, (int)fin,
	    *(int *)d, b.n > 0 ? p[b.n - 1] : -1);
}
static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	(void)conf;
	return hostd_easy_create(sizeof(**out), host, out, err);
}
static void destroy(struct hostd_inst *in) { free(in); }
static const struct hostd_http_ops ops = {
	.struct_size = sizeof(ops), .flags = HOSTD_HTTP_BUFFER_BODY,
	.data_size = sizeof(int), .on_headers = headers, .on_body = body
};
static const struct hostd_provide provide = {
	.struct_size = sizeof(provide), .kind = HOSTD_KIND_HTTP_ROUTE,
	.ops = &ops, .route = "/"
};
static const struct hostd_provide *const provides[] = { &provide, NULL };
HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(0), .id = "buffered", .version = "1.0",
	.built_with = HOSTD_SDK_VERSION, .provides = provides,
	.create = create, .destroy = destroy
};
`;

test('a body is buffered for who asks for it', async (t) => {
	const so = await buildPlugin(tempDir(t), 'buffered', buffered);
	const h = await serve(t, 'promise_route', () => `
		http { max_body = 300k }
		plugin "buffered" { module = "${so}" }
		route "/" { plugin = "buffered" }`);
	const c = await connect(t, h.port);
	const big = `${'x'.repeat(299999)}!`;

	for (const [bytes, want] of [
		[get('/'), [0, 1, 1, -1]],
		[post('/', ''), [0, 1, 1, -1]],
		[post('/', 'hello'), [5, 1, 1, 111]],
		[post('/', big), [300000, 1, 1, 33]],
		[chunked('/', ['hel', 'l', 'o']), [5, 1, 1, 111]],
		[chunked('/', ['x'.repeat(70000), big.slice(0, 229999), '!']),
			[300000, 1, 1, 33]],
		[chunked('/', []), [0, 1, 1, -1]]]) {
		await c.send(bytes);
		assert.deepEqual(JSON.parse((await c.next()).body), want);
	}
	for (const byte of post('/', 'hello'))
		await c.send(byte);
	assert.deepEqual(JSON.parse((await c.next()).body), [5, 1, 1, 111]);
	await c.send(chunked('/', ['x'.repeat(300000), 'y'.repeat(7201)]));
	assert.equal((await c.next()).status, 413);
});
