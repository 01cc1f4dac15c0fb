// SPDX-License-Identifier: BSD-2-Clause
// When a worker does not keep up, who publishes is told to wait, and what is
// refused has not been published.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Person } from './lib/chat.mjs';
import { atEnd, freePort, startHostd } from './lib/hostd.mjs';
import { publish, publishConf } from './lib/publish.mjs';

test('503 while a worker does not keep up', async (t) => {
	const port = await freePort();
	const h = await startHostd(t, { conf: `
		pubsub { queue = 256k }
		pool "web" { workers = 1 }
		pool "chat" { workers = 1  watchdog = 0 }
		listen "web" { address = "127.0.0.1:@PORT@" }
		listen "chat" { address = "127.0.0.1:${port}"  pool = "chat" }
		plugin "chat" { module = "ws_chat.so" }
		route "/chat" { plugin = "chat" }
		${publishConf('back_off = 2s')}` });
	const p = await Person.open(t, { port });
	const to = (n, text = '') => ({ channel: 'chat/lobby',
		message: `${n} ${text}` });
	const taken = [];
	let refused, n = 0;

	await p.join('lobby', 'Ada');
	atEnd(t, () => {
		try { process.kill(p.pid, 'SIGCONT'); } catch { /* gone */ }
	});
	process.kill(p.pid, 'SIGSTOP');
	while (refused === undefined) {
		const r = await publish(h, to(n, '.'.repeat(10_000)));

		if (r.status === 202)
			taken.push(n++);
		else
			refused = r;
	}
	assert.equal(refused.status, 503);
	assert.equal(refused.headers['retry-after'], '2');
	process.kill(p.pid, 'SIGCONT');
	let r;

	do {
		r = await publish(h, to(n));
	} while (r.status === 503);
	assert.equal(r.status, 202);
	taken.push(n);
	// Nothing twice, nothing that was refused, and the queue lost none.
	for (const i of taken) {
		const m = await p.until(() => p.unread.shift(), 'a message');

		assert.equal(parseInt(m.data.toString(), 10), i);
	}
});
