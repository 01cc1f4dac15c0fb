// SPDX-License-Identifier: BSD-2-Clause
// Error pages: small ones of the host, the operator's for a status; a
// generation keeps its copy.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { ask, connect, get, post, serveShow } from './lib/http1.mjs';

const pages = `
	error_page "404" { file = "@DIR@/404.html" }
	error_page "413" { file = "sub/413.txt"  type = "text/plain" }
	error_page "502" { file = "@DIR@/502.json"  type = "application/json" }
	error_page "400" { file = "@DIR@/empty" }
	route "/nowhere/" { plugin = "show"  methods = "GET" }`;
const files = { '404.html': '<p>not here</p>', 'sub/413.txt': 'too much\n',
	'502.json': '{"down":true}', empty: '' };
const start = (t, more = '') =>
	serveShow(t, 'max_body = 1k', pages + more, { files });

const answer = async (t, h, bytes, options) => {
	const c = await connect(t, h.port);

	await c.send(bytes);
	const r = await c.next(options);

	c.destroy();
	return r;
};

test('without pages: a small one', async (t) => {
	const h = await serveShow(t);

	for (const [status, reason] of [[400, 'Bad Request'],
	    [404, 'Not Found'],
		[418, ''], [500, 'Internal Server Error'],
		[503, 'Service Unavailable']]) {
		const r = await ask(t, h.port, `/?status=${status}`);

		assert.equal(r.status, status);
		assert.match(r.headers['content-type'][0], /^text\/html/);
		assert.ok(r.body.includes(`${status} ${reason}`), r.body);
		assert.ok(r.body.length < 200);
	}
});

test('the page of a status, whoever answers it', async (t) => {
	const h = await start(t);
	let r = await ask(t, h.port, '/?status=404');

	assert.equal(r.status, 404);
	assert.equal(r.body, '<p>not here</p>');
	assert.deepEqual(r.headers['content-type'],
	    ['text/html; charset=utf-8']);
	assert.deepEqual(r.headers['content-length'], ['15']);
	r = await ask(t, h.port, '/?status=502');
	assert.deepEqual(r.json, { down: true });
	r = await answer(t, h, post('/', 'x'.repeat(2000)));
	assert.equal(r.status, 413);
	assert.equal(r.body, 'too much\n');
	assert.deepEqual(r.headers['content-type'], ['text/plain']);
	r = await answer(t, h, 'nonsense\r\n\r\n');
	assert.equal(r.status, 400);
	assert.equal(r.body, '');
	assert.deepEqual(r.headers['content-length'], ['0']);
	r = await ask(t, h.port, '/?status=403');
	assert.match(r.body, /403 Forbidden/, 'the others stay as they are');
	r = await answer(t, h, post('/nowhere/', ''));
	assert.equal(r.status, 405);
	assert.deepEqual(r.headers.allow, ['GET, HEAD']);
});

test('HEAD gets the page\'s headers', async (t) => {
	const h = await start(t);
	const c = await connect(t, h.port);

	await c.send('HEAD /?status=404 HTTP/1.1\r\nHost: a\r\n\r\n');
	const r = await c.next({ head: true });

	assert.deepEqual(r.headers['content-length'], ['15']);
	await c.send(get('/'));
	assert.equal((await c.next()).status, 200);
});

test('a changed page is served after a reload, not before', async (t) => {
	const h = await start(t);
	const file = path.join(h.dir, '404.html');
	const page = async () => (await ask(t, h.port, '/?status=404')).body;

	fs.writeFileSync(file, 'another');
	assert.equal(await page(), '<p>not here</p>');
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
	assert.equal(await page(), 'another');
});

test('a page deleted from disk stays in the generation', async (t) => {
	const h = await start(t);
	const page = async () => (await ask(t, h.port, '/?status=404')).body;

	fs.unlinkSync(path.join(h.dir, '404.html'));
	fs.writeFileSync(path.join(h.dir, '502.json'), '');
	assert.equal(await page(), '<p>not here</p>');
	const [w] = await h.workers();

	process.kill(w.pid, 'SIGKILL');
	await h.workersSatisfy((all) => all.length === 1 &&
	    all[0].pid !== w.pid &&
	    all[0].state === 'ready', 'the worker\'s successor');
	assert.equal(await page(), '<p>not here</p>');
	assert.deepEqual((await ask(t, h.port, '/?status=502')).json,
	    { down: true });
	const r = await h.hostctl('reload');

	assert.notEqual(r.code, 0);
	assert.match(r.stdout + r.stderr, /hostd\.conf:\d+: .*404\.html/);
	assert.equal(await page(), '<p>not here</p>');
});

test('a page too large is refused with file and line', async (t) => {
	const h = await start(t);

	fs.writeFileSync(path.join(h.dir, '404.html'), 'x'.repeat(65537));
	let r = await h.hostctl('reload');

	assert.notEqual(r.code, 0);
	assert.match(r.stdout + r.stderr, /hostd\.conf:\d+: .*404\.html/);
	fs.writeFileSync(path.join(h.dir, '404.html'), 'y'.repeat(65536));
	r = await h.hostctl('reload');
	assert.equal(r.code, 0, r.stderr);
	assert.equal((await ask(t, h.port, '/?status=404')).body.length, 65536);
});
