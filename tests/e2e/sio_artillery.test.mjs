// SPDX-License-Identifier: BSD-2-Clause
// The scenario that load tests of Socket.IO are made of, run by Artillery's own
// core: people come, join a room, say something and leave.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { atEnd, startHostd, tempDir, top, WAIT_MS, within } from
    './lib/hostd.mjs';
import { npm } from './lib/npm.mjs';
import { buildPlugin } from './lib/plugin.mjs';

const core = npm('@artilleryio/int-core');
const plugin = path.join(top, 'examples/plugins/sio_chat/sio_chat.c');
const PEOPLE = 40;

const scenario = (h, transports) => ({
	config: {
		target: h.url,
		timeout: WAIT_MS / 1000,
		socketio: { transports },
		phases: [{ duration: 2, arrivalCount: PEOPLE }],
	},
	scenarios: [{
		engine: 'socketio',
		flow: [
			{ emit: ['joinRoom', 'lobby'],
				acknowledge: { match: { json: '$.0',
				    value: null } } },
			{ loop: [
				{ emit: ['sendMessage', 'lobby', 'hello'],
					acknowledge: {} },
			], count: 3 },
			{ emit: ['leaveRoom', 'lobby'], acknowledge: {} },
		],
	}],
});

// What happened, by name, when all have left.
async function play(t, script) {
	await core.updateGlobalObject();
	const ee = await core.runner.runner(script, null, {});
	const done = new Promise((resolve) => ee.on('done', resolve));

	atEnd(t, () => ee.stop());
	ee.run();
	return (await within(done, 'the end of the scenario')).counters;
}

test('Artillery', async (t) => {
	const chat = await buildPlugin(tempDir(t), 'sio_chat', plugin);
	const h = await startHostd(t, { conf: `
		pool "web" { workers = 2 }
		plugin "io" { module = "socketio.so" }
		plugin "chat" { module = "${chat}" }
		route "/socket.io/" { plugin = "io" }` });

	for (const transports of [['websocket'], ['polling', 'websocket']])
		await t.test(transports.join(' then '), async (u) => {
			const n = await play(u, scenario(h, transports));

			assert.deepEqual(Object.keys(n)
			    .filter((k) => /error|failed/.test(k) && n[k] > 0),
			    []);
			assert.equal(n['vusers.created'], PEOPLE);
			assert.equal(n['vusers.completed'], PEOPLE);
			assert.equal(n['socketio.emit'], PEOPLE * 5);
		});
});
