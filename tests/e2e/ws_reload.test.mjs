// SPDX-License-Identifier: BSD-2-Clause
// What becomes of WebSockets that can't go on in another worker when theirs
// goes.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { until, within } from './lib/hostd.mjs';
import { plugin } from './lib/http1.mjs';
import { CLOSE, closing, CONT, frame, handshake, open, PING, PONG,
    serveEcho as serve, Socket, TEXT, text, untilWebsockets, websockets } from
    './lib/websocket.mjs';

const conf = 'pool "web" { workers = 2 }';
const routes = { '/echo': 'close_timeout = 1h',
	'/brief': 'close_timeout = 300ms', '/long': 'close_timeout = 1h' };

const serveEcho = async (t, options) => serve(t, { ...options,
	module: await plugin('stay_ws') });

async function openMany(t, h, n, path) {
	const all = [];

	for (let i = 0; i < n; i++)
		all.push(await open(t, h, path));
	return all;
}

const reload = async (h) => {
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
};

// Nothing else comes, and both sides close the connection.
async function gone(s) {
	await s.end();
	assert.equal(s.error, undefined);
	s.finish();
}

// It is told to go, answers, and is let go.
async function leaves(s, code) {
	assert.deepEqual(await s.closing(), { code, reason: '' });
	assert.equal(s.closed, false);
	await s.send(closing(code));
	await gone(s);
}

const generation = (h, n) => h.workersSatisfy((ws) => ws.length === 2 &&
    ws.every((w) => w.generation === n), 'end of the old workers');

test('a reload: 1012', async (t) => {
	const h = await serveEcho(t, { routes, conf });

	await t.test('when it has answered, the old worker ends', async (t) => {
		const all = await openMany(t, h, 10);

		await reload(h);
		await Promise.all(all.map((s) => leaves(s, 1012)));
		await generation(h, 2);
	});
	await t.test('nothing is lost before it', async (t) => {
		const all = await openMany(t, h, 10);
		// Until it is told to go: what came back is what was sent.
		const talk = async (s) => {
			for (let i = 0; ; i++) {
				await s.send(text(`${i}`));
				const f = await s.next();

				if (f.opcode === CLOSE)
					return f.payload.readUInt16BE();
				assert.equal(f.payload.toString(), `${i}`);
			}
		};
		const talks = all.map(talk);

		await reload(h);
		for (const code of await Promise.all(talks))
			assert.equal(code, 1012);
		for (const s of all) {
			await s.send(closing(1012));
			await gone(s);
		}
		await generation(h, 3);
	});
	await t.test('new ones come to the new worker', async (t) => {
		const [before] = await openMany(t, h, 1);

		await reload(h);
		const s = await open(t, h);

		await leaves(before, 1012);
		await generation(h, 4);
		await s.echo(TEXT, 'stays');
		assert.equal((await websockets(h)).reduce((a, b) => a + b), 1);
		s.destroy();
		await untilWebsockets(h, 0);
	});
	await t.test('in the middle of a message', async (t) => {
		const s = await open(t, h);

		await s.send(text('he', { fin: false }));
		await s.roundtrip();
		await reload(h);
		assert.equal((await s.closing()).code, 1012);
		// It may finish what it has begun.
		await s.send(frame(CONT, 'llo'), frame(PING), closing(1012));
		await gone(s);
		await generation(h, 5);
	});
	await t.test('its own close wins', async (t) => {
		const s = await open(t, h);

		await reload(h);
		await s.send(closing(4000));
		const { code } = await s.closing();

		// Ours, or the answer to its own.
		assert.ok(code === 4000 || code === 1012, `${code}`);
		await gone(s);
		await generation(h, 6);
	});
	await t.test('who breaks a rule instead is let go, too', async (t) => {
		const s = await open(t, h);

		await reload(h);
		assert.equal((await s.closing()).code, 1012);
		await s.send(frame(3, 'bad'));
		await gone(s);
		await generation(h, 7);
	});
	await t.test('who does not answer is cut off after close_timeout',
	    async (t) => {
		const s = await open(t, h, '/brief');

		await reload(h);
		assert.equal((await s.closing()).code, 1012);
		await s.end();
		await generation(h, 8);
	});
	await t.test('one that is refused: nobody notices', async (t) => {
		const [s] = await openMany(t, h, 1);
		const good = fs.readFileSync(h.confFile);

		fs.writeFileSync(h.confFile, 'nonsense');
		const r = await h.hostctl('reload');

		assert.equal(r.code, 1);
		await s.echo(TEXT, 'still there');
		fs.writeFileSync(h.confFile, good);
		s.destroy();
		await untilWebsockets(h, 0);
	});
	await t.test('keys of the new configuration', async (t) => {
		const text = fs.readFileSync(h.confFile, 'utf8');

		fs.writeFileSync(h.confFile, text.replace('route "/echo" ' +
		    '{ plugin = "echo"\n\t\t\twebsocket { ', (all) =>
		    `${all} max_message = 10 `));
		await reload(h);
		const s = await open(t, h);

		await s.echo(TEXT, 'x'.repeat(10));
		await s.send(frame(TEXT, 'x'.repeat(11)));
		await s.closedWith(1009);
	});
});

test('at the end of drain_timeout who has not answered is cut off',
    async (t) => {
	const clock = await makeClock(t);
	const h = await serveEcho(t, { routes, env: clock.env,
		conf: `pool "web" { workers = 2  watchdog = 0 }
		drain_timeout = 1000s` });
	const s = await open(t, h, '/long');

	// The worker looks at its clock when something comes.
	const passes = (seconds, pred, what) => until(async () => {
		clock.pass(seconds);
		await s.send(frame(PONG));
		return pred();
	}, what);

	await reload(h);
	// They are told one after the other, in a part of the time.
	await passes(5, () => s.unread > 0, 'word to go');
	assert.equal((await s.closing()).code, 1012);
	clock.pass(1000);
	await passes(0, () => s.closed, 'the end');
	await s.end();
	await generation(h, 2);
});

test('a connection that has not upgraded yet does so in the next worker',
    async (t) => {
	const h = await serveEcho(t, { routes });
	const ws = await open(t, h, '/long');
	const s = await Socket.connect(t, h);

	await s.send('GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n');
	assert.equal((await s.answer()).status, 404);
	await reload(h);
	await s.send(handshake());
	assert.equal((await s.answer()).status, 101);
	await s.roundtrip();
	await leaves(ws, 1012);
});

test('a pool that gets smaller: 1012 for those of the worker that goes',
    async (t) => {
	const h = await serveEcho(t, { routes, conf });
	const all = await openMany(t, h, 4);

	// Both workers have some, and what they have is counted.
	for (let n = [0, 0]; Math.min(...n) === 0; n = await websockets(h))
		all.push(await open(t, h));
	for (const s of all)
		await s.roundtrip();
	const [stay, go] = await websockets(h);

	assert.equal(stay + go, all.length);
	assert.equal((await h.hostctl('scale', 'web', '1')).code, 0);
	// Whoever is told to go, goes; the others are there as before.
	const left = new Set();
	const answers = Promise.all(all.map(async (s) => {
		const f = await s.next();

		if (f.opcode === PONG)
			return;
		assert.equal(f.payload.readUInt16BE(), 1012);
		left.add(s);
		await s.send(closing(1012));
		await gone(s);
	}));

	await h.workersSatisfy((ws) => ws.length === 1 ||
	    ws[1].websockets === 0, 'end of those that go');
	for (const s of all.filter((x) => !left.has(x)))
		await s.send(frame(PING));
	await within(answers, 'answers of all');
	assert.equal(left.size, go);
});

test('a stop: 1001, at once', async (t) => {
	for (const path of ['/echo', '/brief'])
		await t.test(path, async (t) => {
			const h = await serveEcho(t, { routes,
				conf: 'pool "web" { workers = 2 }' });
			const all = await openMany(t, h, 8, path);
			const end = h.stop('SIGTERM');

			if (path === '/brief')
				// Nobody answers.
				for (const s of all) {
					assert.equal((await s.closing()).code,
					    1001);
					await s.end();
				}
			else
				await Promise.all(all.map((s) =>
				    leaves(s, 1001)));
			assert.deepEqual(await end, { code: 0, signal: null });
		});
});

test('a worker that is killed: cut off without a close', async (t) => {
	const h = await serveEcho(t, { routes });
	const [{ pid }] = await h.workers();
	const all = await openMany(t, h, 5);

	await all[0].echo(TEXT, 'before');
	process.kill(pid, 'SIGKILL');
	for (const s of all)
		await s.end();
	await h.workersSatisfy((ws) => ws.length === 1 && ws[0].pid !== pid &&
	    ws[0].state === 'ready', 'a new worker');
	await (await open(t, h)).echo(TEXT, 'after');
});
