// SPDX-License-Identifier: BSD-2-Clause
// Engine.IO: what pages of other origins may do, said on every answer.
import assert from 'node:assert/strict';
import { ask, Polling } from './lib/eio.mjs';
import { onServers } from './lib/sio.mjs';

const NEW = { EIO: 4, transport: 'polling' };
const A = 'http://a.example', B = 'http://b.example';

const corsOf = (r) => [r.headers['access-control-allow-origin']?.[0],
	r.headers.vary?.join(', ') ?? ''];
const varies = (r) => /\borigin\b/i.test(corsOf(r)[1]);
const allowed = (r) => corsOf(r)[0];

async function everywhere(t, where, headers, check) {
	const p = await Polling.open(t, where, { headers });

	check(await ask(t, where, { headers, query: NEW }));
	check(await ask(t, where, { headers, method: 'POST', body: '40',
		query: p.query }));
	check(await ask(t, where, { headers, query: p.query }));
	// Errors too, or a browser does not tell what they are.
	check(await ask(t, where, { headers, query: { ...NEW, sid: 'x' } }));
	check(await ask(t, where, { headers, query: {} }));
}

const preflight = (t, where, origin, query = NEW) => ask(t, where, { method:
    'OPTIONS', query, headers: { Origin: origin,
	'Access-Control-Request-Method': 'POST',
	'Access-Control-Request-Headers': 'content-type,x-z' } });

onServers('a list', async (t, where) => {
	await everywhere(t, where, { Origin: A }, (r) => {
		assert.equal(allowed(r), A);
		assert.ok(varies(r));
		assert.deepEqual(r.headers['access-control-allow-credentials'],
		    ['true']);
	});
	await everywhere(t, where, { Origin: 'http://c.example' }, (r) => {
		assert.equal(allowed(r), undefined);
		assert.ok(varies(r));
	});
	const r = await preflight(t, where, B);

	assert.equal(r.status, 204);
	assert.equal(allowed(r), B);
	assert.deepEqual(r.headers['access-control-allow-headers'],
	    ['content-type,x-z']);
	assert.match(r.headers['access-control-allow-methods'][0], /\bPOST\b/);
	assert.match(corsOf(r)[1], /Access-Control-Request-Headers/);
	// It has nothing to do with a session.
	const p = await Polling.connect(t, where);

	assert.equal((await preflight(t, where, A, p.query)).status, 204);
	await p.works();
}, { cors: { origin: [A, B], credentials: true } });

onServers('anybody', async (t, where) => {
	for (const headers of [{ Origin: A }, {}])
		await everywhere(t, where, headers, (r) => {
			assert.equal(allowed(r), '*');
			assert.ok(!varies(r));
		});
	assert.equal(allowed(await preflight(t, where, A)), '*');
}, { cors: { origin: '*' } });

onServers('whoever asks', async (t, where) => {
	await everywhere(t, where, { Origin: A }, (r) => {
		assert.equal(allowed(r), A);
		assert.ok(varies(r));
	});
}, { cors: { origin: true } });

onServers('off', async (t, where) => {
	await everywhere(t, where, { Origin: A }, (r) =>
	    assert.equal(allowed(r), undefined));
	assert.equal((await preflight(t, where, A)).status, 400);
});
