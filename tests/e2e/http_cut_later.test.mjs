// SPDX-License-Identifier: BSD-2-Clause
// An answer that is complete arrives whole, whatever becomes of the requests
// behind it: what the client had not taken of it used to be lost with them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { connect, get, serve } from './lib/http1.mjs';

const SIZE = 8_000_000;
const SOURCE = `/flow/source?${SIZE}`;

// A worker that holds a whole answer for a client that does not read.
const start = (t) => serve(t, 'flow_route', (so) => `
	http { output_high = 16m  lingering_timeout = 1h }
	plugin "flow" { module = "${so}" }
	route "/flow/" { plugin = "flow" }`);

async function reluctant(t, h, bytes) {
	const c = await connect(t, h.port);

	c.socket.pause();
	await c.send(bytes);
	return c;
}

async function takesAll(c) {
	c.socket.resume();
	const r = await c.next();

	assert.equal(r.status, 200);
	assert.equal(r.body.length, SIZE);
	assert.equal(await c.end(), '', 'and nothing behind it');
	assert.equal(c.error, undefined);
	c.destroy();
}

const incomplete = 'POST /flow/count HTTP/1.1\r\nHost: a\r\n' +
    'Content-Length: 10\r\n\r\nabc';
const pipelined = get('/flow/source?10');

for (const [name, behind, leaves, said] of [
	['a deferred one whose client leaves', get('/flow/defer'), true,
		'ended defer why 1'],
	['a body that does not end', incomplete, true,
		'ended count why 1 seen 3'],
	['one that the plugin gives up', get('/flow/fail'), false,
		'ended fail why 4']])
	test(`behind it ${name}`, async (t) => {
		const h = await start(t);
		const c = await reluctant(t, h, get(SOURCE) + behind);

		if (leaves)
			c.finish();
		await h.logged(said);
		assert.doesNotMatch(h.log, /ended source/,
		    'the client has not taken it yet');
		await takesAll(c);
		await h.logged('ended source why 0');
	});

test('what is behind one that was given up is not answered', async (t) => {
	const h = await start(t);
	const c = await reluctant(t, h,
	    get(SOURCE) + get('/flow/fail') + pipelined);

	await h.logged('ended fail why 4');
	await takesAll(c);
	await h.logged('ended source why 0');
});

test('several complete ones are before it', async (t) => {
	const h = await start(t);
	const c = await reluctant(t, h,
	    pipelined + get(SOURCE) + pipelined + get('/flow/fail'));

	await h.logged('ended fail why 4');
	c.socket.resume();
	for (const size of [10, SIZE, 10])
		assert.equal((await c.next()).body.length, size);
	assert.equal(await c.end(), '');
	assert.equal(c.error, undefined);
});
