// SPDX-License-Identifier: BSD-2-Clause
// Requests sent without waiting are answered one by one, in their order.
import assert from 'node:assert/strict';
import test from 'node:test';
import { chunked, connect, get, post, serveShow } from './lib/http1.mjs';

const show = async (c, options) => {
	const r = await c.next(options);

	assert.equal(r.status, 200);
	return r.body === '' ? r : JSON.parse(r.body);
};

test('two requests in one write', async (t) => {
	const h = await serveShow(t);
	const c = await connect(t, h.port);

	await c.send(get('/1') + get('/2'));
	assert.equal((await show(c)).path, '/1');
	assert.equal((await show(c)).path, '/2');
});

test('two thousand requests, bodies of all kinds between them', async (t) => {
	const h = await serveShow(t);
	const c = await connect(t, h.port);
	const all = [];

	for (let i = 0; i < 2000; i++)
		all.push(i % 5 === 1 ? post(`/${i}`, `body ${i}`) :
		    i % 5 === 3 ? chunked(`/${i}`, ['bo', `dy ${i}`]) :
		    i % 7 === 2 ? `HEAD /${i} HTTP/1.1\r\nHost: a\r\n\r\n` :
		    get(`/${i}`));
	const sent = c.send(all.join(''));

	for (let i = 0; i < all.length; i++) {
		const r = await show(c, { head: all[i].startsWith('HEAD') });

		if (all[i].startsWith('HEAD'))
			continue;
		assert.equal(r.path, `/${i}`);
		assert.equal(r.body, all[i].startsWith('POST') ? `body ${i}` :
		    '');
	}
	await sent;
	assert.equal(c.unread, '', 'nothing is answered twice');
});

test('cut anywhere', async (t) => {
	const h = await serveShow(t);
	const bytes = get('/1') + post('/2', 'hello') +
	    chunked('/3', ['he', 'llo']) + get('/4');

	for (let step = 1; step < bytes.length; step = step < 8 ? step + 1 :
	    step * 2 - 3) {
		const c = await connect(t, h.port);

		for (let i = 0; i < bytes.length; i += step)
			await c.send(bytes.slice(i, i + step));
		for (let i = 1; i <= 4; i++) {
			const r = await show(c);

			assert.equal(r.path, `/${i}`);
			assert.equal(r.body, i === 2 || i === 3 ? 'hello' : '');
		}
		c.destroy();
	}
});

test('answers larger than the output limit keep their order', async (t) => {
	const h = await serveShow(t, 'output_high = 16k');
	const c = await connect(t, h.port);
	const n = 40;

	await c.send(Array.from({ length: n }, (_, i) =>
	    get(`/?length=${30000 + i}`)).join(''));
	for (let i = 0; i < n; i++) {
		const r = await c.next();

		assert.equal(r.status, 200);
		assert.equal(r.body.length, 30000 + i);
	}
});

test('heads and bodies that cross every boundary of a read', async (t) => {
	const h = await serveShow(t,
	    'max_head = 60k  max_body = 1m  max_headers = 255');
	const c = await connect(t, h.port);
	const sizes = [1, 50000, 59000, 100, 57000, 8000, 200000, 58000, 64000];
	const bytes = sizes.map((n, i) => i % 3 === 2 || n > 59000 ?
	    post(`/${i}`, 'b'.repeat(n)) :
	    get(`/${i}`, ...Array.from({ length: Math.ceil(n / 1000) },
	    (_, k) => `X-${k}: ${'v'.repeat(Math.min(n, 980))}`))).join('');

	for (const step of [bytes.length, 65536, 65535, 60001, 9973]) {
		for (let i = 0; i < bytes.length; i += step)
			await c.send(bytes.slice(i, i + step));
		for (let i = 0; i < sizes.length; i++) {
			const r = await show(c);

			assert.equal(r.path, `/${i}`);
			if (i % 3 === 2 || sizes[i] > 59000)
				assert.equal(r.seen, sizes[i]);
			else
				assert.equal(r.headers,
				    1 + Math.ceil(sizes[i] / 1000));
		}
	}
	assert.equal(c.unread, '');
});

test('what is behind a request that closes is not answered', async (t) => {
	const h = await serveShow(t);
	const c = await connect(t, h.port);

	await c.send(get('/1') + get('/2', 'Connection: close') + get('/3') +
	    get('/4'));
	assert.equal((await show(c)).path, '/1');
	assert.equal((await show(c)).path, '/2');
	assert.equal(await c.end(), '');
});

test('a malformed request behind good ones', async (t) => {
	const h = await serveShow(t);
	const c = await connect(t, h.port);

	await c.send(get('/1') + get('/2') + 'nonsense\r\n\r\n' + get('/3'));
	assert.equal((await show(c)).path, '/1');
	assert.equal((await show(c)).path, '/2');
	assert.equal((await c.next()).status, 400);
	assert.equal(await c.end(), '');
});

test('requests followed by the end of the client all get answers',
    async (t) => {
	const h = await serveShow(t);
	const all = Array.from({ length: 20 }, (_, i) => get(`/${i}`)).join('');

	for (let k = 0; k < 20; k++) {
		const c = await connect(t, h.port);

		c.send(all);
		c.finish();
		for (let i = 0; i < 20; i++)
			assert.equal((await show(c)).path, `/${i}`);
		assert.equal(await c.end(), '');
		assert.equal(c.error, undefined);
	}
});
