// SPDX-License-Identifier: BSD-2-Clause
// A plugin that does all it can from every callback of a socket.
import assert from 'node:assert/strict';
import test from 'node:test';
import { done, serveTurns, times } from './lib/turns.mjs';
import { BINARY, CLOSE, closePayload, closing, open, text, untilWebsockets }
    from './lib/websocket.mjs';

const GONE = -3, STATE = -9;
const MUCH = 'fill 8000000';	// more than the kernel keeps

const keys = 'max_output = 16m  ping_interval = 0  close_timeout = 1h';

const line = (socket, channel, accept) => `join ${socket[0]} send ${socket[1]
    } publish 0 label ${socket[2]} pause ${socket[3]} ${socket[3]
    } members 0 ${channel} here 0 ${channel} leave ${socket[4]} accept ${
    accept} info ${+(socket[3] === 0)} data ${+(socket[3] === 0)}`;
const OPEN = line([0, 0, 0, 0, 0], 1, GONE);
const CLOSED = line([STATE, STATE, 0, 0, STATE], 0, GONE);
const STALE = line([GONE, GONE, GONE, GONE, GONE], 0, GONE);

// And read none of it before the worker has tried to send all.
async function askMuch(s, by) {
	s.socket.pause();
	await s.send(text(MUCH));
	await by.roundtrip();
	await by.roundtrip();
	s.socket.resume();
}

async function hears(s, ...all) {
	for (const want of all)
		assert.equal((await s.message()).data.toString(), want);
}

test('all from every callback', async (t) => {
	const h = await serveTurns(t, keys);
	const s = await open(t, h, '/turns?all');
	const other = await open(t, h, '/turns');

	// Accepted there, so not again behind it.
	assert.equal(await done(h, 'upgrade'),
	    line([GONE, GONE, GONE, GONE, GONE], 0, 0));
	assert.equal(await done(h, 'open'), OPEN);
	await hears(s, 'sent', 'published');
	await s.send(text('said'));
	await hears(s, 'sent', 'published', 'said');
	assert.equal(await done(h, 'message'), OPEN);
	await askMuch(s, other);
	await hears(s, 'sent', 'published');
	assert.equal((await s.message()).opcode, BINARY);
	await hears(s, 'sent', 'published');
	assert.equal(await done(h, 'writable'), OPEN);
	await s.send(closing(1000, 'bye'));
	await s.closedWith(1000);
	await h.logged('turns: closed 1000 bye, the same');
	assert.equal(await done(h, 'close'), CLOSED);

	await other.send(text('stale'));
	await hears(other, 'stale');
	assert.equal(await done(h, 'stale'), STALE);
	assert.equal(times(h, 'turns: closed'), 1);
});

test('a client that is just gone', async (t) => {
	const h = await serveTurns(t);
	const s = await open(t, h, '/turns?all');

	s.socket.resetAndDestroy();
	await h.logged('turns: closed 1006 , the same');
	assert.equal(await done(h, 'close'), CLOSED);
});

test('closing', async (t) => {
	const h = await serveTurns(t, keys);
	const other = await open(t, h, '/turns');

	for (const [i, where] of ['open', 'message', 'writable'].entries())
		await t.test(`from on_${where}`, async (t) => {
			const s = await open(t, h, `/turns?close=${where}`);

			if (where === 'message')
				await s.send(text('one'), text('two'));
			if (where === 'writable') {
				await askMuch(s, other);
				assert.equal((await s.message()).opcode,
				    BINARY);
			}
			assert.deepEqual(await s.expect(CLOSE),
			    closePayload(4001, 'enough'));
			assert.equal(await done(h, where),
			    `close 0 again ${STATE}`);
			await s.send(closing(4001));
			await s.end();
			s.finish();
			await h.logged(new RegExp('(turns: closed 4001 , ' +
			    `the same[^]*){${i + 1}}`));
			await untilWebsockets(h, 1);
		});
	await t.test('is told once each', () =>
		assert.equal(times(h, 'turns: closed 4001'), 3));
});

test('the worker ends', async (t) => {
	const h = await serveTurns(t);
	const [{ pid }] = await h.workers();
	const s = await open(t, h, '/turns?all');

	await hears(s, 'sent', 'published');
	process.kill(pid, 'SIGTERM');
	await h.logged('turns: closed 1006 , the same');
	assert.equal(await done(h, 'close'), CLOSED);
});
