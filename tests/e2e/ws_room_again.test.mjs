// SPDX-License-Identifier: BSD-2-Clause
// What is refused for lack of room: who is told of room again, and who is
// closed.  Bugs: a volatile message that was not taken while nothing but pongs
// waited was never followed by on_writable; one that could never fit closed the
// socket.
import assert from 'node:assert/strict';
import test from 'node:test';
import { serveTurns } from './lib/turns.mjs';
import { BINARY, frame, open, PING, TEXT, text, untilWebsockets }
    from './lib/websocket.mjs';

const AGAIN = '1', E_FULL = '-4';
const keys = 'high_water = 4k  max_output = 24k  ping_interval = 0  ' +
    'close_timeout = 1h';

// What came of sending to the marked one.
async function does(by, line) {
	await by.send(text(line));
	return (await by.message()).data.toString();
}

async function marked(t, h, query = '') {
	const s = await open(t, h, `/turns${query}`);

	await s.echo(TEXT, 'mark');
	return s;
}

// Ping until no more is read: the pongs wait above high water.
async function fillWithPongs(s, pace) {
	const pings = Buffer.concat(Array.from({ length: 500 },
	    () => frame(PING, Buffer.alloc(125))));
	let n = 0;

	for (let still = 0; still < 50; still++) {
		while (s.socket.writableLength === 0) {
			assert.ok(n < 2000, 'there is an end to what is taken');
			s.socket.write(pings);
			n++;
			still = 0;
		}
		await pace.roundtrip();
	}
}

test('a volatile message that is refused because of pongs', async (t) => {
	const h = await serveTurns(t, keys);
	const by = await open(t, h, '/turns');
	const s = await marked(t, h, '?close=writable');

	s.socket.pause();
	await fillWithPongs(s, by);
	assert.equal(await does(by, 'urge 10'), E_FULL);
	assert.doesNotMatch(h.log, /turns: writable/);
	s.socket.resume();
	await h.logged('turns: writable: close 0');
	s.destroy();
});

test('a message that could never fit', async (t) => {
	const h = await serveTurns(t, keys);
	const by = await open(t, h, '/turns');

	await t.test('is refused, and no room is told of', async (t) => {
		const s = await marked(t, h, '?close=writable');

		for (let i = 0; i < 3; i++) {
			assert.equal(await does(by, 'put 24577'), E_FULL);
			await s.echo(TEXT, 'here');
		}
		assert.doesNotMatch(h.log, /turns: writable/);
	});
	await t.test('closes nobody, whatever is pending', async (t) => {
		const s = await marked(t, h);
		const sizes = [];
		const take = async (how, size) => {
			const rc = await does(by, `${how} ${size}`);

			assert.ok(sizes.length < 5000, 'there is an end to it');
			if (rc !== E_FULL)
				sizes.push(size);
			return rc;
		};

		s.socket.pause();
		// Above high water, and the kernel takes no more of it.
		for (let still = 0; still < 50; still++)
			if (await take('urge', 10) !== E_FULL) {
				await take('put', 12000);
				still = 0;
			}
		assert.equal(await does(by, 'put 24577'), E_FULL);
		// It is as open as before.
		assert.equal(await take('put', 10), AGAIN);
		s.socket.resume();
		for (const size of sizes) {
			const m = await s.message();

			assert.equal(m.opcode, BINARY);
			assert.equal(m.data.length, size);
		}
		await s.echo(TEXT, 'and on it goes');
	});
	await t.test('but one that could have fitted does', async (t) => {
		const s = await marked(t, h);
		let n = 0, rc;

		s.socket.pause();
		while ((rc = await does(by, 'put 24576')) !== E_FULL) {
			assert.ok(++n < 5000, 'there is an end to it');
			assert.ok(rc === '0' || rc === AGAIN, rc);
		}
		s.socket.resume();
		for (let i = 0; i < n; i++)
			assert.equal((await s.message()).data.length, 24576);
		assert.equal((await s.closing()).code, 1013);
	});
	by.destroy();
	await untilWebsockets(h, 0);
});
