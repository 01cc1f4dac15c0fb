// SPDX-License-Identifier: BSD-2-Clause
// Connections with TLS go on in other workers: at a reload and to other pools.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import https from 'node:https';
import test from 'node:test';
import { atEnd, until, within } from './lib/hostd.mjs';
import { lifePlugin } from './lib/life.mjs';
import { npm } from './lib/npm.mjs';
import { secure, startTls } from './lib/tls.mjs';

const { WebSocket } = npm('ws');

const versions = ['TLSv1.2', 'TLSv1.3'];

async function reload(h) {
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
}

test('idle connections over reloads', async (t) => {
	const h = await startTls(t, { conf: `
		http { idle_timeout = 1h }
		plugin "hello" { module = "http_respond.so"  body = "hello" }
		route "/" { plugin = "hello"  match = prefix }` });
	const all = [];

	for (let i = 0; i < 20; i++)
		all.push(await secure(t, h, { maxVersion: versions[i % 2] }));
	for (let i = 0; i < 4; i++) {
		for (const c of all) {
			c.socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
			await c.next(/200 OK[^]*hello$/);
			assert.doesNotMatch(c.got, /close/);
		}
		await reload(h);
		await until(async () => (await h.workers()).length === 2,
		    'the old ones to end');
	}
	assert.ok(all.every((c) => !c.closed));
	assert.doesNotMatch(h.log, /drain deadline/);
	assert.equal((await h.status()).tls.full, all.length);
});

test('node agents that go on asking', async (t) => {
	const h = await startTls(t, { conf: `
		plugin "hello" { module = "http_respond.so"  body = "hello" }
		route "/" { plugin = "hello"  match = prefix }` });
	const agent = new https.Agent({ keepAlive: true, maxSockets: 8,
		ca: fs.readFileSync(h.ca), servername: 'localhost' });
	let done = false, answers = 0;
	const ask = () => new Promise((resolve, reject) => https.get(
	    { agent, port: h.port, host: '127.0.0.1' }, (r) => {
		r.resume();
		r.on('end', () => {
			answers++;
			resolve(r.statusCode);
		});
		r.on('error', reject);
	}).on('error', reject));
	const loop = async () => {
		while (!done)
			assert.equal(await ask(), 200);
	};

	atEnd(t, () => agent.destroy());
	const loops = Promise.all(Array.from({ length: 8 }, loop));

	loops.catch(() => {});
	for (let i = 0; i < 3; i++) {
		const before = answers;

		await until(() => answers > before + 50, 'answers');
		await reload(h);
	}
	done = true;
	await within(loops, 'the last answers');
	// No connection was lost.
	assert.equal((await h.status()).tls.full +
	    (await h.status()).tls.resumed, 8);
});

test('500 WebSockets over a reload', async (t) => {
	const h = await startTls(t, { conf: `
		plugin "echo" { module = "ws_echo.so" }
		route "/echo" { plugin = "echo" }` });
	const all = [];
	const open = (i) => new Promise((resolve, reject) => {
		const s = new WebSocket(`wss://127.0.0.1:${h.port}/echo`,
		    { ca: fs.readFileSync(h.ca), servername: 'localhost',
			perMessageDeflate: false,
			    maxVersion: versions[i % 2] });

		all.push(s);
		s.once('open', resolve);
		s.once('error', reject);
		s.on('close', (code) => { s.code = code; });
		s.on('message', (m) => { s.last = m.toString(); });
	});

	atEnd(t, () => all.forEach((s) => s.terminate()));
	for (let i = 0; i < 500; i += 50)
		await Promise.all(Array.from({ length: 50 },
		    (_, k) => open(i + k)));
	for (let round = 0; round < 2; round++) {
		all.forEach((s, i) => s.send(`${round} ${i}`));
		await until(() => all.every((s, i) => s.last ===
		    `${round} ${i}` || s.code), 'echoes');
		// And while it goes on.
		all.forEach((s, i) => s.send(`${round} moving ${i}`));
		await reload(h);
		await until(() => all.every((s, i) => s.last ===
		    `${round} moving ${i}` || s.code), 'echoes');
	}
	assert.deepEqual(all.filter((s) => s.code), []);
	await h.workersSatisfy((ws) => ws.length === 2 &&
	    ws.reduce((n, w) => n + w.websockets, 0) === 500, 'all are there');
	assert.doesNotMatch(h.log, /drain deadline|can't move/);
});

test('to and from another pool', async (t) => {
	const so = await lifePlugin();
	const h = await startTls(t, { listen: 'pool = "web"', conf: `
		pool "web" { workers = 2 }
		pool "socket" { workers = 2 }
		plugin "near" { module = "${so}"  text = "near" }
		plugin "far" { module = "${so}"  text = "far" }
		route "/" { plugin = "near" }
		route "/far" { plugin = "far"  match = prefix  pool = "socket" }` });

	for (const version of versions) {
		const c = await secure(t, h, { maxVersion: version });

		for (let i = 0; i < 6; i++) {
			const [path, text] = i % 2 ? ['/', 'near'] :
			    ['/far', 'far'];

			c.socket.write(
			    `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
			await c.next(new RegExp(`200 OK[^]*${text}`));
		}
		// A body that is half there.
		c.socket.write('POST /far HTTP/1.1\r\nHost: x\r\n' +
		    'Content-Length: 10\r\n\r\n12345');
		c.socket.write('67890');
		await c.next(/HTTP\/1.1 \d+/);
		assert.ok(!c.closed);
	}
});
