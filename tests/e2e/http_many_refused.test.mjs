// SPDX-License-Identifier: BSD-2-Clause
// Refused clients take a connection, too, until they have read it: a crowd of
// them used to be as many connections as there were clients.
import assert from 'node:assert/strict';
import test from 'node:test';
import { within } from './lib/hostd.mjs';
import { Client, connect, get, serveShow, track } from './lib/http1.mjs';

const LIMIT = 4, REFUSED_MAX = 64, CROWD = 300;

// What it gets, whether or not it asks: 503, or nothing but a close.
async function refused(t, h, asks) {
	let c;

	try {
		c = track(t, await Client.connect(h.port));
	} catch (e) {
		assert.equal(e.code, 'ECONNRESET');
		return 0;
	}
	if (asks)
		c.socket.write(get('/late'));
	const text = await c.end();

	assert.match(text, /^$|^HTTP\/1\.1 503 [^]*\r\nConnection: close\r\n/);
	return text === '' ? 0 : 503;
}

for (const asks of [false, true])
	test(`a crowd that ${asks ? 'asks' : 'is silent'}`, async (t) => {
		// They stay as long as they are allowed to.
		const h = await serveShow(t, `max_connections = ${LIMIT}
			over_limit = "503"  lingering_timeout = 1h
			idle_timeout = 1h`, '', { noPort: true });
		const served = [];

		for (let i = 0; i < LIMIT; i++) {
			served.push(await connect(t, h.port));
			await served[i].send(get('/'));
			assert.equal((await served[i].next()).status, 200);
		}
		const got = await within(Promise.all(Array.from(
		    { length: CROWD }, () => refused(t, h, asks))), 'refusals');
		const { active, refused: counted } =
		    (await h.status()).connections;

		assert.ok(active >= LIMIT && active <= LIMIT + REFUSED_MAX,
		    `${active} connections`);
		assert.equal(counted, CROWD);
		assert.ok(got.filter((s) => s === 503).length >= REFUSED_MAX);
		// Those that are served are not disturbed.
		for (const c of served) {
			await c.send(get('/'));
			assert.equal((await c.next()).status, 200);
		}
	});
