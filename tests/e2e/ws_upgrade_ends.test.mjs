// SPDX-License-Identifier: BSD-2-Clause
// Upgrades that come to nothing: on_refused is called once, and nothing is
// left.  Bug: one that was accepted and then aborted was told to nobody.
import assert from 'node:assert/strict';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { serveTurns, times } from './lib/turns.mjs';
import { handshake, open, Socket, TEXT, text, untilWebsockets }
    from './lib/websocket.mjs';

const DONE = 0, GONE = 1, TIMEOUT = 2, SHUTDOWN = 3, ERROR = 4;

async function asked(t, h, query) {
	const s = await Socket.connect(t, h);

	await s.send(handshake(`/turns?${query}`));
	return s;
}

// One whose decision is deferred, and another socket that can make it.
async function deferred(t, h) {
	const from = h.log.length;
	const s = await asked(t, h, 'defer');

	await h.logged('turns: deferred', from);
	return s;
}

const decide = (by, how) => by.echo(TEXT, `decide ${how}`);

test('upgrades that come to nothing', async (t) => {
	const clock = await makeClock(t);
	const h = await serveTurns(t, 'ping_interval = 0',
	    'http { defer_timeout = 1h }', clock);
	const by = await open(t, h, '/turns');
	let count = 0;
	const refused = async (why) => {
		await h.logged(new RegExp(`(turns: refused[^]*){${++count}}`));
		assert.equal(times(h, 'turns: refused'), count);
		assert.match(h.log.slice(h.log.lastIndexOf('turns: refused')),
		    new RegExp(`^turns: refused, why ${why}, the same`));
	};

	for (const how of ['before', 'behind'])
		await t.test(`aborted ${how} it is accepted`, async (t) => {
			const s = await asked(t, h, `cut=${how}`);

			await refused(ERROR);
			s.destroy();
		});
	await t.test('deferred, then accepted and aborted', async (t) => {
		const s = await deferred(t, h);

		await decide(by, 'both');
		await refused(ERROR);
		s.destroy();
	});
	await t.test('deferred, then aborted', async (t) => {
		const s = await deferred(t, h);

		await decide(by, 'cut');
		await refused(ERROR);
		await s.end();
	});
	await t.test('deferred, then refused', async (t) => {
		const s = await deferred(t, h);

		await decide(by, 'refuse');
		assert.equal((await s.answer()).status, 403);
		await refused(DONE);
	});
	await t.test('deferred, and the client is gone', async (t) => {
		const s = await deferred(t, h);

		s.socket.resetAndDestroy();
		await refused(GONE);
		await decide(by, 'accept');
	});
	await t.test('deferred, and the client has closed its side',
	    async (t) => {
		const s = await deferred(t, h);

		s.finish();
		await refused(GONE);
		await s.end();
	});
	await t.test('deferred for too long', async (t) => {
		const s = await deferred(t, h);

		clock.pass(3601);
		await by.roundtrip();
		assert.equal((await s.answer()).status, 504);
		await refused(TIMEOUT);
	});
	await t.test('accepted, and then an error returned', async (t) => {
		const from = h.log.length;
		const s = await asked(t, h, 'cut=fail');

		assert.equal((await s.answer()).status, 101);
		await s.echo(TEXT, 'it goes on');
		await h.logged(/HOSTD_E_INVAL.*accepted before, and goes on/,
		    from);
		assert.equal(h.log.slice(from).match(/HOSTD_E_INVAL/g).length,
		    1);
		assert.doesNotMatch(h.log.slice(from), /is cut/);
		s.destroy();
		await untilWebsockets(h, 1);
	});
	await t.test('deferred, then accepted', async (t) => {
		const s = await deferred(t, h);

		await s.send(text('early'));
		await decide(by, 'accept');
		assert.equal((await s.answer()).status, 101);
		assert.equal((await s.message()).data.toString(), 'early');
		assert.equal(times(h, 'turns: refused'), count);
	});
	await t.test('the worker ends', async (t) => {
		const [{ pid }] = await h.workers();

		await deferred(t, h);
		process.kill(pid, 'SIGTERM');
		await refused(SHUTDOWN);
	});
});
