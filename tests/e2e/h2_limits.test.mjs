// SPDX-License-Identifier: BSD-2-Clause
// Clients of HTTP/2 that cost more than they bring are disconnected, while
// others are served.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import * as h2 from './lib/h2frames.mjs';
import { Frames, block, frame, get, headers, pseudo, u32 }
	from './lib/h2frames.mjs';
import { until } from './lib/hostd.mjs';
import { ask } from './lib/http1.mjs';
import { connect, serveFlow } from './lib/http2.mjs';

// Until the connection is refused anything more.
async function flood(t, h, each, ...before) {
	const c = await Frames.connect(t, h.port);
	const gone = c.first((f) => f.type === h2.GOAWAY);
	let over = false;

	gone.then(() => { over = true; });
	c.send(...before);
	for (let i = 0; !over && !c.closed; i++) {
		for (let k = 0; k < 50; k++)
			c.send(each(50 * i + k));
		await new Promise((r) => setImmediate(r));
	}
	const f = await gone;

	// A reset may have been faster than the word.
	if (f !== undefined)
		assert.equal(f.payload.readUInt32BE(4), h2.ENHANCE_YOUR_CALM);
	await c.ended();
	assert.equal((await ask(t, h.port, '/')).body, 'hello');
}

const zeros = (n) => Buffer.alloc(n);
const open = headers(1, pseudo('/flow/gate', 'POST'), h2.END_HEADERS);

const floods = {
	'requests that are reset at once': [(i) => Buffer.concat([
	    get(2 * i + 1, '/flow/defer'),
	    frame(h2.RST_STREAM, 0, 2 * i + 1, u32(h2.CANCEL))])],
	'requests that we have to reset': [(i) => Buffer.concat([
	    headers(2 * i + 1, pseudo('/flow/gate', 'POST'), h2.END_HEADERS),
	    frame(h2.WINDOW_UPDATE, 0, 2 * i + 1, u32(0x7fffffff))])],
	'pings': [() => frame(h2.PING, 0, 0, zeros(8))],
	'settings': [() => frame(h2.SETTINGS, 0, 0)],
	'priorities': [(i) => frame(h2.PRIORITY, 0, 2 * i + 1,
	    Buffer.from([0, 0, 0, 0, 1]))],
	'window updates': [() => frame(h2.WINDOW_UPDATE, 0, 0, u32(1))],
	'empty DATA': [() => frame(h2.DATA, 0, 1), open],
	'resets, and bytes for nobody': [(i) => Buffer.concat([
	    get(2 * i + 1, '/flow/defer'),
	    frame(h2.RST_STREAM, 0, 2 * i + 1, u32(h2.CANCEL)),
	    frame(h2.DATA, 0, 2 * i + 1, zeros(1)),
	    frame(h2.DATA, 0, 2 * i + 1, zeros(1))])],
	'heads for streams that are over': [(i) => get(1, `/${i}`),
	    get(1, '/flow/defer'), frame(h2.RST_STREAM, 0, 1, u32(h2.CANCEL))],
	'bodies that are longer than was told': [(i) => Buffer.concat([
	    headers(2 * i + 1, [...pseudo('/flow/gate', 'POST'),
	    ['content-length', '1']], h2.END_HEADERS),
	    frame(h2.DATA, 0, 2 * i + 1, zeros(2))])],
	'bodies that are shorter': [(i) => Buffer.concat([
	    headers(2 * i + 1, [...pseudo('/flow/gate', 'POST'),
	    ['content-length', '2']], h2.END_HEADERS),
	    frame(h2.DATA, h2.END_STREAM, 2 * i + 1, zeros(1))])],
};

for (const [name, [each, ...before]] of Object.entries(floods))
	test(name, async (t) => flood(t, await serveFlow(t), each, ...before));

// Those of many streams, as it takes more of them in a second than there may be
// answers on a busy machine.
test('windows that are opened byte by byte', async (t) => {
	const h = await serveFlow(t);
	const c = await Frames.connect(t, h.port, { settings: [[4, 0]] });
	const ids = Array.from({ length: 20 }, (_, i) => 2 * i + 1);
	const data = () => c.frames.filter((f) => f.type === h2.DATA);
	const isOver = () => c.closed ||
	    c.frames.some((f) => f.type === h2.GOAWAY);
	let drops = 0;

	c.send(...ids.map((id) => get(id, '/flow/source?100000000')));
	while (!isOver()) {
		c.send(...ids.map((id) =>
		    frame(h2.WINDOW_UPDATE, 0, id, u32(1))));
		drops += ids.length;
		await c.first(() => isOver() || data().length === drops);
	}
	assert.ok(data().every((f) => f.payload.length === 1));
	assert.ok(drops > 50, `${drops} drops`);
	assert.equal((await c.frame(h2.GOAWAY, 0)).payload.readUInt32BE(4),
	    h2.ENHANCE_YOUR_CALM);
	await c.ended();
});

test('CONTINUATION without an end', async (t) => {
	const h = await serveFlow(t);
	const c = await Frames.connect(t, h.port);

	c.send(frame(h2.HEADERS, 1, 1, block(pseudo())));
	for (let i = 0; i < 20; i++)
		c.send(frame(h2.CONTINUATION, 0, 1, block([[`x${i}`, 'y']])));
	await c.ended();
	assert.equal((await ask(t, h.port, '/')).body, 'hello');
});

test('a head that is small only while it is packed', async (t) => {
	const h = await serveFlow(t);
	const c = await Frames.connect(t, h.port);
	const long = 'v'.repeat(3900);
	const entry = Buffer.concat([Buffer.from([0x40]),
	    block([['bomb', long]]).subarray(1)]);

	c.send(frame(h2.HEADERS, 5, 1, Buffer.concat([block(pseudo()), entry,
	    Buffer.alloc(8000, 0xbe)])));
	const f = await c.first((x) => x.type === h2.GOAWAY);

	assert.equal(f.payload.readUInt32BE(4), h2.ENHANCE_YOUR_CALM);
	await c.ended();
	assert.equal((await ask(t, h.port, '/')).body, 'hello');
});

test('heads that are too large are answered', async (t) => {
	const h = await serveFlow(t);
	const c = await connect(t, h);
	const many = Object.fromEntries(Array.from({ length: 101 },
	    (_, i) => [`x${i}`, 'y']));
	const status = async (...what) => (await c.ask(...what)).status;

	assert.equal(await status('/', { x: 'y'.repeat(17000) }), 431);
	assert.equal(await status('/', many), 431);
	assert.equal(await status(`/${'a'.repeat(9000)}`), 414);
	assert.equal(await status('/', { x: 'y'.repeat(14000) }), 200);
});

test('more streams than are allowed', async (t) => {
	const h = await serveFlow(t, 'max_concurrent_streams = 2');
	const c = await Frames.connect(t, h.port);

	c.send(get(1, '/flow/defer'), get(3, '/flow/defer'), get(5, '/'));
	const f = await c.frame(h2.RST_STREAM, 5);

	assert.equal(f.payload.readUInt32BE(0), 7, 'REFUSED_STREAM');
	await ask(t, h.port, '/flow/release');
	for (const id of [1, 3])
		await c.frame(h2.HEADERS, id);
	// A client that has said that it knows the limit breaks a rule.
	c.send(frame(h2.SETTINGS, h2.ACK, 0), get(7, '/flow/defer'),
	    get(9, '/flow/defer'), get(11, '/flow/defer'));
	assert.equal((await c.frame(h2.GOAWAY, 0)).payload.readUInt32BE(4),
	    h2.PROTOCOL_ERROR);
	await c.ended();
});

test('a client that opens no window is cut off, and holds little',
    async (t) => {
	const clock = await makeClock(t);
	const h = await serveFlow(t, 'send_timeout = 1h', { env: clock.env,
		conf: 'pool "web" { workers = 1  watchdog = 0 }' });
	const [w] = await h.workers();
	const rss = () => Number(/VmRSS:\s+(\d+)/.exec(
	    fs.readFileSync(`/proc/${w.pid}/status`, 'utf8'))[1]);

	await ask(t, h.port, '/flow/source?1000000');
	const before = rss();
	const c = await Frames.connect(t, h.port, { settings: [[4, 0]] });

	for (let i = 0; i < 100; i++)
		c.send(get(2 * i + 1, '/flow/source?100000000'));
	for (let i = 0; i < 100; i++)
		await c.frame(h2.HEADERS, 2 * i + 1);
	await clock.passFor(h, 3601);
	for (let i = 0; i < 100; i++) {
		const f = await c.frame(h2.RST_STREAM, 2 * i + 1);

		assert.ok(f !== undefined);
	}
	if (process.env.HOSTD_BUILD !== 'asan')
		assert.ok(rss() - before < 32 << 10,
		    `${rss() - before} kB more`);
	assert.equal((await ask(t, h.port, '/')).body, 'hello');
});

test('a client that reads nothing is disconnected', async (t) => {
	const h = await serveFlow(t, 'send_timeout = 500ms');
	const c = await Frames.connect(t, h.port,
	    { settings: [[4, 0x7fffffff]] });

	c.send(frame(h2.WINDOW_UPDATE, 0, 0, u32(0x7fff0000 - 65535)),
	    get(1, '/flow/source?100000000'));
	await c.frame(h2.DATA, 1);
	c.socket.pause();
	// Its stream may be ended before it is.
	await until(async () => (await h.status()).connections.active === 0,
	    'end of the connection');
	c.socket.resume();
	await c.ended();
});
