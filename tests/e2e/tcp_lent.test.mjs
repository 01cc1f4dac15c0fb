// SPDX-License-Identifier: BSD-2-Clause
// The sockets of a worker that is stopped, or was scaled away, are another
// one's.  What came there was taken for HTTP without a PROXY header, whatever
// it was.
import assert from 'node:assert/strict';
import test from 'node:test';
import { atEnd, freePort } from './lib/hostd.mjs';
import { proxyV1, startGroup, track } from './lib/tcp.mjs';
import { namedServers, whoAnswers } from './lib/servers.mjs';
import { get } from './lib/http1.mjs';

const MANY = 24;	// both workers' sockets have some of them

async function start(t) {
	const { port } = await namedServers(t, ['127.0.0.1']);
	const proxied = await freePort();
	const h = await startGroup(t, [port], { conf: `
		pool "web" { workers = 2 }
		listen "proxied" { address = "127.0.0.1:${proxied}"
			proxy_protocol = on }
		plugin "hello" { module = "http_respond.so" }
		route "/" { plugin = "hello" }` });

	return { h, proxied };
}

async function allAreAnswered(t, { h, proxied }) {
	for (let i = 0; i < MANY; i++) {
		assert.equal(await whoAnswers(h.port), '127.0.0.1');
		const c = await track(t, proxied);

		await c.send(proxyV1('192.0.2.1', 1, '192.0.2.2', 2) +
		    get('/'));
		assert.equal((await c.next()).status, 200);
		c.destroy();
	}
}

test('a worker that is stopped', async (t) => {
	const s = await start(t);
	const [{ pid }] = await s.h.workers();

	process.kill(pid, 'SIGSTOP');
	atEnd(t, () => process.kill(pid, 'SIGCONT'));
	await s.h.logged(/has been stopped by a signal/);
	await allAreAnswered(t, s);
});

test('a worker that was scaled away', async (t) => {
	const s = await start(t);

	assert.equal((await s.h.hostctl('scale', 'web', '1')).code, 0);
	await s.h.workersSatisfy((all) => all.length === 1, 'one worker');
	await allAreAnswered(t, s);
});
