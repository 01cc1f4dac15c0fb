// SPDX-License-Identifier: BSD-2-Clause
// Requests with bodies for a route of another pool: they move with what of them
// was read, before their handler is told, and the rest is read there.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { command, raw, tempDir } from './lib/hostd.mjs';
import { chunked, Client, get, post } from './lib/http1.mjs';
import { serveShows, sumsSatisfy } from './lib/pools.mjs';

const SIZE = 10 << 20;
const hash = (b) => createHash('sha256').update(b).digest('hex');

function upload(t) {
	const dir = tempDir(t);
	const body = randomBytes(SIZE);

	fs.writeFileSync(path.join(dir, 'body'), body);
	return { dir, file: path.join(dir, 'body'), sum: hash(body) };
}

test('large ones', async (t) => {
	const h = await serveShows(t);
	const { dir, file, sum } = upload(t);
	const back = path.join(dir, 'back');
	const curl = (...args) => command('curl', ['-sS', '--max-time', '60',
		'-w', '%{http_code} %{num_connects}\n', '-o', back, ...args]);
	let count = 0;

	for (const [name, args] of [['of a known length', []],
		['chunked', ['-H', 'Transfer-Encoding: chunked']]]) {
		await t.test(`${name}, echoed`, async () => {
			const r = await curl('-H', 'Expect:', '-T', file, '-X',
			    'POST', ...args, `${h.url}/far?echo`);

			assert.equal(r.stdout, '200 1\n', r.stderr);
			assert.equal(hash(fs.readFileSync(back)), sum);
			count++;
		});
		await t.test(`${name}, after the 100`, async () => {
			const r = await curl('-v', '-H', 'Expect: 100-continue',
			    '--expect100-timeout', '50', '-T', file, '-X',
			    'POST', ...args, `${h.url}/far`);
			const { label, seen } = JSON.parse(
			    fs.readFileSync(back, 'utf8'));

			assert.equal(r.stdout, '200 1\n', r.stderr);
			assert.match(r.stderr, /< HTTP\/1.1 100 Continue/);
			assert.equal(label, 'far');
			assert.equal(seen, SIZE);
			count++;
		});
	}
	await t.test('between others on one connection', async () => {
		const w = ['-sS', '-w', '%{http_code} %{num_connects}\n', '-o'];
		const r = await curl(`${h.url}/`, '--next', ...w, back,
		    '-H', 'Expect:', '--data-binary', `@${file}`,
		    `${h.url}/far?echo`, '--next', ...w, '/dev/null',
		    `${h.url}/`);

		assert.equal(r.stdout, '200 1\n200 0\n200 0\n', r.stderr);
		assert.equal(hash(fs.readFileSync(back)), sum);
		count++;
	});
	await sumsSatisfy(h, (s) => s.socket.requests === count,
	    `${count} requests`);
});

test('small ones', async (t) => {
	const h = await serveShows(t);
	const client = async () => {
		const c = await Client.connect(h.port);

		t.after(() => c.destroy());
		return c;
	};

	await t.test('pipelined, alternating', async () => {
		const c = await client();
		const all = Array.from({ length: 40 }, (_, i) => {
			const body = 'x'.repeat(i * 97);

			return [i % 2 ? '/far' : '/', body,
				i % 3 ? post : (p, b) => chunked(p,
				    b === '' ? [] : [b])];
		});

		await c.send(all.map(([p, b, make]) => make(p, b)).join(''));
		for (const [p, b] of all) {
			const r = JSON.parse((await c.next()).body);

			assert.equal(r.label, p === '/' ? 'near' : 'far');
			assert.equal(r.seen, b.length);
		}
	});
	await t.test('byte by byte', async () => {
		const bytes = post('/far', 'hello') + get('/') +
		    chunked('/far', ['he', 'llo'], 'Connection: close');
		const r = await raw(h.port, bytes, { pieces: 1 });
		const answers = r.text.match(/\{.*\}/g).map(
		    (j) => JSON.parse(j));

		assert.deepEqual(answers.map((a) => `${a.label} ${a.body}`),
		    ['far hello', 'near ', 'far hello']);
	});
	await t.test('a head that comes slowly', async () => {
		const c = await client();

		await c.send('POST /far HTTP/1.1\r\nHost: a\r\nContent-Length: 2');
		const other = await client();

		await other.send(get('/far'));
		assert.equal((await other.next()).status, 200);
		await c.send('\r\n\r\n');
		await other.send(get('/'));
		assert.equal((await other.next()).status, 200);
		await c.send('ok');
		assert.equal(JSON.parse((await c.next()).body).body, 'ok');
	});
	await t.test('a body that is too large, and one that is not',
	    async () => {
		const c = await client();

		await c.send('POST /far HTTP/1.1\r\nHost: a\r\n' +
		    'Content-Length: 2000000000\r\n\r\n');
		assert.equal((await c.next()).status, 413);
		assert.equal(await c.end(), '');
	});
	await t.test('a malformed head behind it', async () => {
		const c = await client();

		await c.send(`${post('/far', 'x')}GET / HTTP/9\r\n\r\n`);
		assert.equal((await c.next()).status, 200);
		assert.equal((await c.next()).status, 400);
	});
	await t.test('a buffer full of requests', async () => {
		const c = await client();
		const n = 3000;

		// More than a worker reads at a time.
		await c.send(get('/far').repeat(n) + get('/'));
		for (let i = 0; i < n; i++)
			assert.equal((await c.next()).status, 200);
		assert.equal(JSON.parse((await c.next()).body).label, 'near');
	});
});
