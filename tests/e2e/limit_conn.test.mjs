// SPDX-License-Identifier: BSD-2-Clause
// limit_conn: requests and WebSockets at the same time, counted by all workers
// together, given back by whoever ends, moves or is killed.
import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';
import { atEnd, command, startHostd, until } from './lib/hostd.mjs';
import { npm } from './lib/npm.mjs';

const { WebSocket } = npm('ws');

const start = (t, conf, workers = 2) => startHostd(t, {
	files: { 'www/large': Buffer.alloc(24 << 20, 'x'), 'www/a': 'small' },
	conf: `
	pool "web" { workers = ${workers} }
	plugin "files" { module = "http_static.so"  root = "@DIR@/www" }
	plugin "echo" { module = "ws_echo.so" }
	${conf}` });

const zone = async (h, name) => {
	const st = await h.status();

	return (st.status ?? st).limits.zones.find((z) => z.name === name);
};

const get = async (h, uri, ...args) => Number((await command('curl', ['-s',
	'-o', '/dev/null', '-w', '%{http_code}', ...args,
	    h.url + uri])).stdout);

// Asks for more than the kernel takes, and reads the head only.
async function slow(t, h, uri = '/large') {
	const s = net.connect(h.port, '127.0.0.1');

	atEnd(t, () => s.destroy());
	s.on('error', () => {});
	s.write(`GET ${uri} HTTP/1.1\r\nHost: a\r\n\r\n`);
	const status = await new Promise((resolve) => s.once('data', (d) => {
		s.pause();
		resolve(Number(d.toString('latin1').slice(9, 12)));
	}));

	return { status, socket: s };
}

// Whether it could be opened: its socket, or the status.
const open = (t, h) => new Promise((resolve, reject) => {
	const s = new WebSocket(`ws://127.0.0.1:${h.port}/echo`);

	atEnd(t, () => s.terminate());
	s.on('open', () => resolve(s));
	s.on('error', (e) => {
		const m = /Unexpected server response: (\d+)/.exec(e.message);

		if (m)
			resolve(Number(m[1]));
		else
			reject(e);
	});
});

test('answers that are on their way', async (t) => {
	const h = await start(t, `
		limit_conn "few" { max = 2 }
		limit_conn "dry" { max = 1  dry_run = on }
		route "/" { plugin = "files"  limit_conn = { "few", "dry" } }`);
	const one = await slow(t, h), two = await slow(t, h);

	assert.deepEqual([one.status, two.status], [200, 200]);
	assert.equal(await get(h, '/a'), 503);
	one.socket.destroy();
	await until(async () => await get(h, '/a') === 200, 'a free place');
	two.socket.destroy();
	const few = await zone(h, 'few'), dry = await zone(h, 'dry');

	assert.ok(few.refused >= 1 && few.passed >= 3, JSON.stringify(few));
	assert.equal(dry.refused, 0);
	assert.ok(dry.dry_refused >= 1, JSON.stringify(dry));
	await h.logged(/limit_conn few: refused a request of 127.0.0.1 for route \//);
});

test('WebSockets, over a reload and into another worker', async (t) => {
	const h = await start(t, `
		http { limit_conn = "sockets" }
		limit_conn "sockets" { max = 3  status = 429 }
		route "/echo" { plugin = "echo" }
		route "/" { plugin = "files"  limit_conn = { } }`);
	const all = [await open(t, h), await open(t, h), await open(t, h)];

	assert.ok(all.every((s) => typeof s === 'object'));
	assert.equal(await open(t, h), 429);
	assert.equal(await get(h, '/a'), 200);
	for (let i = 0; i < 2; i++) {
		assert.equal((await h.hostctl('reload')).code, 0);
		await h.workersSatisfy((w) => w.length === 2 &&
		    w.reduce((n, x) => n + x.websockets, 0) === 3,
		    'three WebSockets in the new workers');
		assert.equal(await open(t, h), 429);
	}
	assert.ok(all.every((s) => s.readyState === WebSocket.OPEN));
	all[0].close();
	const next = await until(async () => {
		const s = await open(t, h);

		return typeof s === 'object' && s;
	}, 'the place of the one that was closed');

	assert.equal(await open(t, h), 429);
	assert.equal((await zone(h, 'sockets')).uncounted, 0);
	next.close();
});

test('what a killed worker held is free', async (t) => {
	const h = await start(t, `
		limit_conn "few" { max = 2 }
		route "/" { plugin = "files"  limit_conn = "few" }`, 1);
	const [victim] = await h.workers();

	await slow(t, h);
	await slow(t, h);
	assert.equal(await get(h, '/a'), 503);
	process.kill(victim.pid, 'SIGKILL');
	await h.workersSatisfy((w) => w.length === 1 &&
	    w[0].state === 'ready' && w[0].pid !== victim.pid, 'a new worker');
	assert.deepEqual([(await slow(t, h)).status, (await slow(t, h)).status],
	    [200, 200]);
	assert.equal(await get(h, '/a'), 503);
});
