// SPDX-License-Identifier: BSD-2-Clause
// Acknowledgements that are due when a reload comes: what a handler has taken
// an event for, and what clients were asked.
import assert from 'node:assert/strict';
import { until } from './lib/hostd.mjs';
import { call, callAll, connect, next, onHostd } from './lib/sio.mjs';

const LATER_MS = 1500;
const kinds = ['websocket', 'polling'];

// Until another worker has it.
async function reload(h, ...sockets) {
	const before = await Promise.all(sockets.map((s) => call(s, 'pid')));
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
	await until(async () => (await Promise.all(sockets.map(
	    (s) => call(s, 'pid')))).every((pid, i) => pid !== before[i]),
	    'another worker');
}

// It is asked, and answers when it is told to.
async function asked(s) {
	const [...args] = await next(s, 'question');

	return (...answer) => args.pop()(...answer);
}

const connectAll = (t, h) => Promise.all(kinds.map((k) => connect(t, h, k)));

onHostd('what a handler acknowledges later', async (t, h) => {
	const sockets = await connectAll(t, h);
	const before = await Promise.all(sockets.map((s) => call(s, 'pid')));
	const later = sockets.map((s) => call(s, 'later', LATER_MS));

	await reload(h, ...sockets);
	assert.deepEqual(await Promise.all(later), before);
});

onHostd('what clients are asked, over one reload and two', async (t, h) => {
	const sockets = await connectAll(t, h);

	for (let reloads = 1; reloads <= 2; reloads++) {
		const answers = sockets.map(asked);
		const said = sockets.map((s, i) => callAll(s, 'asklong', i));
		const answer = await Promise.all(answers);

		for (let i = 0; i < reloads; i++)
			await reload(h, ...sockets);
		answer.forEach((f, i) => f('yes', i, Buffer.from([i])));
		assert.deepEqual(await Promise.all(said), sockets.map(
		    (_, i) => [null, 'yes', i, Buffer.from([i])]));
	}
});

onHostd('what all are asked', async (t, h) => {
	const sockets = [...await connectAll(t, h), ...await connectAll(t, h)];
	const answers = sockets.map(asked);
	const said = callAll(sockets[0], 'askall', []);
	const answer = await Promise.all(answers);

	answer[1]('before');
	await reload(h, ...sockets);
	for (const i of [0, 2, 3])
		answer[i](`after ${i}`);
	const [e, list] = await said;

	assert.equal(e, null);
	assert.deepEqual(list.sort(), ['after 0', 'after 2', 'after 3',
		'before']);
});
