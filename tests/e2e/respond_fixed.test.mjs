// SPDX-License-Identifier: BSD-2-Clause
// http_respond: fixed bodies, statuses and headers.
import assert from 'node:assert/strict';
import test from 'node:test';
import { command, prepareHostd, sbin, startHostd } from './lib/hostd.mjs';
import { ask } from './lib/static.mjs';

// { route: keys }: one instance for each.
function conf(answers) {
	return `pool "web" { workers = 1 }
		${Object.entries(answers).map(([route, keys], i) => `
			plugin "r${i}" { module = "http_respond.so"
				${keys} }
			route "${route}" { plugin = "r${i}" }`).join('\n')}`;
}

test('bodies and types', async (t) => {
	const long = 'x'.repeat(50_000);
	const h = await startHostd(t, { conf: conf({
		'/nothing': '',
		'/text': 'body = "hello\\n"',
		'/json': 'body = "{\\"a\\": 1}"  type = "application/json"',
		'/own': 'body = "<p>"  headers = { "content-type: text/html" }',
		'/long': `body = "${long}"`,
		'/utf8': 'body = "grüße"',
	}) });
	const get = async (p) => {
		const r = await ask(h, p);

		return [r.status, r.headers['content-type'], r.text];
	};
	const plain = 'text/plain; charset=utf-8';

	assert.deepEqual(await get('/nothing'), [200, undefined, '']);
	assert.deepEqual(await get('/text'), [200, plain, 'hello\n']);
	assert.deepEqual(await get('/json'),
	    [200, 'application/json', '{"a": 1}']);
	assert.deepEqual(await get('/own'), [200, 'text/html', '<p>']);
	assert.deepEqual(await get('/long'), [200, plain, long]);
	assert.deepEqual(await get('/utf8'), [200, plain, 'grüße']);
});

test('every method, and HEAD', async (t) => {
	const h = await startHostd(t, { conf: conf({ '/a': 'body = "a"' }) });

	for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH',
	    'OPTIONS']) {
		const r = await ask(h, '/a', {}, { method });

		assert.equal(r.status, 200);
		assert.equal(r.text, 'a', method);
	}
	const r = await ask(h, '/a', {}, { method: 'HEAD' });

	assert.equal(r.headers['content-length'], '1');
	assert.equal(r.text, '');
});

test('statuses', async (t) => {
	const all = [200, 201, 202, 204, 206, 304, 400, 401, 403, 404, 410, 418,
		429, 451, 500, 503, 599];
	const h = await startHostd(t, { conf: conf(Object.fromEntries(
	    all.map((s) => [`/${s}`,
	    `status = ${s}  body = "this is ${s}"`]))) });

	for (const s of all) {
		const r = await ask(h, `/${s}`);

		assert.equal(r.status, s);
		assert.equal(r.text, s === 204 || s === 304 ? '' :
		    `this is ${s}`);
	}
});

test('an error without a body has the page of its status', async (t) => {
	const h = await startHostd(t, {
		files: { 'gone.html': 'the page' },
		conf: `${conf({ '/gone': 'status = 410',
			'/teapot': 'status = 418  headers = { "X-A: 1" }' })}
			error_page "410" { file = "@DIR@/gone.html" }`,
	});
	const gone = await ask(h, '/gone');

	assert.equal(gone.status, 410);
	assert.equal(gone.text, 'the page');
	const teapot = await ask(h, '/teapot');

	assert.equal(teapot.status, 418);
	assert.match(teapot.text, /418/);
	assert.equal(teapot.headers['x-a'], '1');
});

test('headers', async (t) => {
	const many = Array.from({ length: 30 }, (_, i) => `"X-${i}: v${i}"`);
	const h = await startHostd(t, { conf: conf({
		'/a': `body = "a"  headers = { "X-One: 1", "X-Two:2",
			"X-Empty:", "X-Colon: a:b", "Set-Cookie: a=1",
			"Set-Cookie: b=2", "Cache-Control:   no-store" }`,
		'/many': `body = "a"  location = "/to"  headers = {
			${many.join()} }`,
	}) });
	const r = await ask(h, '/a');

	assert.equal(r.headers['x-one'], '1');
	assert.equal(r.headers['x-two'], '2');
	assert.equal(r.headers['x-empty'], '');
	assert.equal(r.headers['x-colon'], 'a:b');
	assert.deepEqual(r.headers['set-cookie'], ['a=1', 'b=2']);
	assert.equal(r.headers['cache-control'], 'no-store');
	const full = await ask(h, '/many');

	assert.equal(full.status, 302);
	for (let i = 0; i < 30; i++)
		assert.equal(full.headers[`x-${i}`], `v${i}`);
});

for (const [name, keys, why] of [
	['a status below 200', 'status = 100', /status: 100/],
	['a status above 599', 'status = 600', /status/],
	['a header without a colon', 'headers = { "X-A 1" }',
	    /headers: "X-A 1"/],
	['a header without a name', 'headers = { ": 1" }', /headers: ": 1"/],
	['a name with a space', 'headers = { "X A: 1" }', /headers: "X A: 1"/],
	['a space before the colon', 'headers = { "X-A : 1" }', /headers: /],
	['a header of two lines', 'headers = { "X-A: 1\\r\\nX-B: 2" }',
		/headers: /],
	['a header of the host', 'headers = { "connection: close" }',
		/headers: "connection: close"/],
	['a length', 'headers = { "Content-Length: 5" }', /headers: /],
	['a type of two lines', 'body = "a"  type = "a/b\\r\\nX: y"', /type: /],
	['too many headers', `headers = { ${Array(31).fill('"A: b"').join()} }`,
		/headers/],
	['an empty location', 'location = ""', /location: /],
	['an unknown variable', 'location = "/$nothing"', /location: /],
	['a dollar alone', 'location = "/a$"', /location: /],
	['a space in a location', 'location = "/a b"', /location: /],
	['a line feed in a location', 'location = "/a\\r\\nX: y"',
	    /location: /],
	['a backslash in a location', 'location = "/\\\\evil"', /location: /],
	['a location that is not ASCII', 'location = "/ü"', /location: /],
	// The client would say which host it is.
	['the rest as a host', 'location = "https://$rest"', /location: /],
	['the rest behind a host', 'location = "https://a.example$rest"',
		/location: /],
	['the rest behind a port', 'location = "http://$host:80$rest"',
		/location: /],
	['the query behind a host', 'location = "//a.example$args"',
		/location: /],
	['the rest behind a scheme', 'location = "https:$rest"', /location: /],
	['the rest behind one slash', 'location = "https:/$rest"',
	    /location: /],
	['the rest behind three slashes', 'location = "///$rest"',
	    /location: /],
	['the rest alone', 'location = "$rest"', /location: /],
	['the query alone', 'location = "$args"', /location: /],
	['a scheme alone', 'location = "https://"', /location: /],
])
	test(`refused: ${name}`, async (t) => {
		const h = await prepareHostd(t, { conf: conf({ '/': keys }) });
		const r = await command(sbin('hostd'),
		    ['-t', '-c', h.confFile]);

		assert.notEqual(r.code, 0);
		assert.match(r.stderr + r.stdout, why);
	});
