// SPDX-License-Identifier: BSD-2-Clause
// Connections of a plugin: how they come about, and what is said when they do
// not.
import assert from 'node:assert/strict';
import dns from 'node:dns/promises';
import path from 'node:path';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { freePort, tempDir } from './lib/hostd.mjs';
import { blackHole, listen, run, startNet } from './lib/net.mjs';

const E_TIMEOUT = -6;
const E_IO = -7;

// Answers what it was told, and ends.
const echo = (s) => s.once('data', (d) => s.end(d));

async function echoes(t, h, where) {
	const r = await run(t, h, 'run',
	    { ...where, say: 'hello', shut: 'eof' });

	assert.equal(r.story, 'connect data eof close', r.text);
	assert.equal(r.status, 0);
	assert.equal(r.received, 5);
}

test('to an address', async (t) => {
	const h = await startNet(t);
	const { port } = await listen(t, echo);

	await echoes(t, h, { host: '127.0.0.1', port });
});

test('to an address of IPv6', async (t) => {
	const h = await startNet(t);
	const s = await listen(t, echo, { host: '::1' }).catch(() => null);

	if (!s) {
		t.skip('this machine has no ::1');
		return;
	}
	await echoes(t, h, { host: '::1', port: s.port });
});

// "127.1" is looked up as names are, and is known everywhere.
test('to a name', async (t) => {
	const h = await startNet(t);
	const { port } = await listen(t, echo);

	await echoes(t, h, { host: '127.1', port });
	if (await dns.lookup('localhost', { family: 4 }).catch(() => null))
		await echoes(t, h, { host: 'localhost', port });
});

test('to a unix socket', async (t) => {
	const h = await startNet(t);
	const s = await listen(t, echo, { path: path.join(tempDir(t), 's') });

	await echoes(t, h, { host: s.host });
});

test('nobody listens', async (t) => {
	const h = await startNet(t);
	const port = await freePort();
	const r = await run(t, h, 'run', { host: '127.0.0.1', port });

	assert.equal(r.story, 'close');
	assert.equal(r.status, E_IO);
	assert.equal(r.text,
	    `connecting to 127.0.0.1:${port}: Connection refused`);
});

test('no such socket', async (t) => {
	const h = await startNet(t);
	const r = await run(t, h, 'run', { host: '/nonexistent/s' });

	assert.equal(r.status, E_IO);
	assert.equal(r.text, 'connecting to unix:/nonexistent/s: ' +
	    'No such file or directory');
});

// That a label is too long is known without asking anybody.
test('no such name', async (t) => {
	const h = await startNet(t);
	const host = `${'a'.repeat(64)}.invalid`;
	const r = await run(t, h, 'run', { host, port: 80, timeout: 60000 });

	assert.equal(r.story, 'close');
	assert.equal(r.status, E_IO);
	assert.match(r.text, new RegExp(`^looking up ${host}: .`));
});

test('nobody answers', async (t) => {
	const clock = await makeClock(t);
	const h = await startNet(t, '', `http { defer_timeout = 2h }
		pool "web" { workers = 1  watchdog = 0 }`, { env: clock.env });
	const { host, port } = await blackHole(t);
	let answered = false;
	const answer = run(t, h, 'run', { host, port, timeout: 3_600_000 })
	    .finally(() => { answered = true; });

	await h.logged(/started \d+/);
	await clock.passFor(h, 3590);
	await clock.passFor(h, 0);
	assert.equal(answered, false);
	await clock.passFor(h, 11);
	const r = await answer;

	assert.equal(r.story, 'close');
	assert.equal(r.status, E_TIMEOUT);
	assert.equal(r.text,
	    `connecting to 127.0.0.1:${port}: no answer within 3600000 ms`);
});

test('what connect does not take', async (t) => {
	const h = await startNet(t);

	assert.deepEqual(await run(t, h, 'wrong'),
	    [-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1]);
});

test('an instance has a number of connections', async (t) => {
	const h = await startNet(t);

	for (let i = 0; i < 2; i++) {
		const from = h.log.length;

		assert.deepEqual(await run(t, h, 'flood'), { n: 1024, rc: -4 });
		await h.logged('the flood is over', from);
	}
});

test('many at once', async (t) => {
	const h = await startNet(t);
	const { port } = await listen(t, echo);
	const hole = await blackHole(t);
	const unix = await listen(t, echo,
	    { path: path.join(tempDir(t), 's') });

	await Promise.all(Array.from({ length: 150 }, (_, i) =>
	    i % 3 === 0 ? echoes(t, h, { host: '127.0.0.1', port }) :
	    i % 3 === 1 ? echoes(t, h, { host: unix.host }) :
	    run(t, h, 'run', { ...hole, timeout: 200 })));
});
