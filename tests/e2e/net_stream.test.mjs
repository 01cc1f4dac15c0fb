// SPDX-License-Identifier: BSD-2-Clause
// Connections of a plugin: bytes in both directions, and every end.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import { within } from './lib/hostd.mjs';
import { listen, run, startNet, sum } from './lib/net.mjs';

const E_IO = -7;

// All that comes, counted, until its end.
function count(s) {
	let n = 0;

	s.on('data', (d) => { n += d.length; });
	return within(once(s, 'end').then(() => n), 'end');
}

test('the server sends much', async (t) => {
	const h = await startNet(t);
	const bytes = Buffer.from(Array.from({ length: 1 << 20 },
	    (_, i) => (i * 7) & 255));
	const { host, port } = await listen(t, (s) => s.end(bytes));
	const r = await run(t, h, 'run', { host, port, shut: 'eof' });

	assert.equal(r.story, 'connect data eof close');
	assert.equal(r.received, bytes.length);
	assert.equal(r.sum, sum(bytes));
	assert.equal(r.status, 0);
});

// Above high water send says so, far above it takes no more; on_writable comes
// when there is room, and everything arrives.
test('a server that reads slowly holds up who sends', async (t) => {
	const h = await startNet(t);
	let got;
	const { host, port } = await listen(t, (s) => {
		got = h.logged('stuffed').then(() => count(s)).then((n) => {
			s.end();
			return n;
		});
	});
	const r = await run(t, h, 'run', { host, port, fill: 16 << 20,
		high: 65536, shut: 'filled' });

	assert.equal(r.out, 16 << 20);
	assert.equal(await got, 16 << 20);
	assert.ok(r.again > 0);
	assert.ok(r.full > 0);
	assert.equal(r.story, 'connect stuffed writable eof close');
	assert.equal(r.status, 0);
});

test('the plugin ends its side first', async (t) => {
	const h = await startNet(t);
	const { host, port } = await listen(t, (s) => {
		// The rest is sent when the plugin's end has come.
		count(s).then((n) => s.end(`got ${n}`));
	});
	const r = await run(t, h, 'run', { host, port, say: 'bye',
		shut: 'connect' });

	assert.equal(r.story, 'connect data eof close');
	assert.equal(r.received, 'got 3'.length);
	assert.equal(r.status, 0);
});

test('what is pending is sent before that end', async (t) => {
	const h = await startNet(t);
	let got;
	const { host, port } = await listen(t, (s) => {
		got = count(s).then((n) => { s.end(); return n; });
	});
	const r = await run(t, h, 'run', { host, port, fill: 5 << 20,
		high: 64 << 20, shut: 'filled' });

	assert.equal(await got, 5 << 20);
	assert.equal(r.status, 0);
});

test('the server ends its side first', async (t) => {
	const h = await startNet(t);
	let got;
	const { host, port } = await listen(t, (s) => {
		s.end('first');
		got = count(s);
	});
	const r = await run(t, h, 'run', { host, port, at: 'eof',
		say: 'after', shut: 'eof' });

	assert.equal(r.story, 'connect data eof close');
	assert.equal(r.received, 5);
	assert.equal(await got, 5);
	assert.equal(r.status, 0);
});

test('the server ends its side, and is still sent much', async (t) => {
	const h = await startNet(t);
	let got;
	const { host, port } = await listen(t, (s) => {
		s.end('first');
		got = h.logged('stuffed').then(() => count(s));
	});
	const r = await run(t, h, 'run', { host, port, fill: 16 << 20,
		high: 65536, at: 'eof', shut: 'filled' });

	assert.equal(r.story, 'connect data eof stuffed writable close');
	assert.equal(await got, 16 << 20);
	assert.equal(r.status, 0);
});

test('the server resets', async (t) => {
	const h = await startNet(t);
	const { host, port } = await listen(t, (s) => {
		s.once('data', () => s.resetAndDestroy());
	});
	const r = await run(t, h, 'run', { host, port, say: 'x' });

	assert.equal(r.story, 'connect close');
	assert.equal(r.status, E_IO);
	assert.equal(r.text, `127.0.0.1:${port}: Connection reset by peer`);
});

// Both are there before the worker, which was stopped, looks.
test('what came before a reset arrives', async (t) => {
	const h = await startNet(t);
	const [{ pid }] = await h.workers();
	const { host, port } = await listen(t, (s) => {
		s.once('data', () => {
			process.kill(pid, 'SIGSTOP');
			s.write('last words', () => s.resetAndDestroy());
			s.on('close', () => process.kill(pid, 'SIGCONT'));
		});
	});
	const r = await run(t, h, 'run', { host, port, say: 'x' });

	assert.equal(r.story, 'connect data close');
	assert.equal(r.received, 'last words'.length);
	assert.equal(r.status, E_IO);
});

test('closed from within each callback', async (t) => {
	const h = await startNet(t);
	const { host, port } = await listen(t, (s) => {
		s.write('data');
		s.on('data', () => {});
		s.on('end', () => s.end());
	});
	const ended = await listen(t, (s) => s.end());
	const at = (close, more) => run(t, h, 'run',
	    { host, port, close, ...more });

	assert.equal((await at('start')).story, 'close');
	assert.equal((await at('connect')).story, 'connect close');
	assert.equal((await at('data')).story, 'connect data close');
	assert.equal((await at('eof', { port: ended.port })).story,
	    'connect eof close');
	const r = await at('writable', { fill: 8 << 20, high: 16384 });

	assert.match(r.story, /^connect (data )?(stuffed )?(data )?writable close$/);
	assert.equal(r.status, 0);
	assert.equal(r.text, 'closed by the plugin');
	assert.doesNotMatch(h.log, /before the call has returned/);
});

test('nothing is read while it is paused', async (t) => {
	const h = await startNet(t);
	const { host, port } = await listen(t, (s) => {
		h.logged('connected').then(() => s.end('12345', async () => {
			assert.equal(await run(t, h, 'resume'), 0);
		}));
	});
	const r = await run(t, h, 'run', { host, port, pause: 1, shut: 'eof' });

	assert.equal(r.story, 'connect 0 bytes before data eof close');
	assert.equal(r.received, 5);
});
