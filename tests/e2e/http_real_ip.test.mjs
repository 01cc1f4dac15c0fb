// SPDX-License-Identifier: BSD-2-Clause
// The client's address behind a trusted proxy: what plugins and the access log
// see.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { until } from './lib/hostd.mjs';
import { connect, get, serveShow } from './lib/http1.mjs';

const log = `access_log "a" {
	path = "access.log"
	format = "<$remote_addr> $upstream_addr $upstream_status"
}`;

function lines(h, n) {
	const file = path.join(h.dir, 'access.log');

	return until(() => {
		const text = fs.existsSync(file) ?
		    fs.readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];

		return text.length >= n && text;
	}, `${n} lines in the access log`);
}

// The peer that the plugin sees of each request of one connection.
async function peers(t, h, ...requests) {
	const c = await connect(t, h.port);
	const seen = [];

	for (const headers of requests) {
		await c.send(get('/', ...headers));
		seen.push(JSON.parse((await c.next()).body).peer);
	}
	c.destroy();
	return seen;
}

test('a trusted proxy is believed, request by request', async (t) => {
	const h = await serveShow(t, 'real_ip_from = {"127.0.0.0/8"}', log);

	assert.deepEqual(await peers(t, h,
	    ['X-Forwarded-For: 198.51.100.1, 192.0.2.1'],
	    [],
	    ['X-Forwarded-For: 2001:DB8::1'],
	    ['X-Forwarded-For: not an address']),
	['192.0.2.1', '127.0.0.1', '2001:db8::1', '127.0.0.1']);
	assert.deepEqual((await lines(h, 4)).slice(0, 3), ['<192.0.2.1> - -',
		'<127.0.0.1> - -', '<2001:db8::1> - -']);
});

test('nobody else is', async (t) => {
	const h = await serveShow(t, 'real_ip_from = {"10.0.0.0/8", "::1"}');

	assert.deepEqual(await peers(t, h, ['X-Forwarded-For: 192.0.2.1']),
	    ['127.0.0.1']);
	const none = await serveShow(t);

	assert.deepEqual(await peers(t, none, ['X-Forwarded-For: 192.0.2.1']),
	    ['127.0.0.1']);
});

test('through several of them', async (t) => {
	const h = await serveShow(t, `
		real_ip_from = {"127.0.0.1", "10.0.0.0/8"}
		real_ip_header = "Forwarded"
		real_ip_recursive = on`);

	assert.deepEqual(await peers(t, h,
	    ['Forwarded: for=198.51.100.1, for=192.0.2.1, for=10.1.2.3;proto=http'],
	    ['X-Forwarded-For: 192.0.2.1']),
	['192.0.2.1', '127.0.0.1']);
});

test('the handle outlives the read buffer', async (t) => {
	const h = await serveShow(t, 'real_ip_from = {"127.0.0.0/8"}');
	const c = await connect(t, h.port);

	await c.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n' +
	    'X-Real-IP: 192.0.2.2\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n1');
	await c.send('2');
	assert.equal(JSON.parse((await c.next()).body).peer, '192.0.2.1');
});

test('mistakes are told', async (t) => {
	for (const [keys, what] of [
		['real_ip_from = {"10.0.0.1/8"}', 'bits behind'],
		['real_ip_from = {"localhost"}', 'is not a network'],
		['real_ip_header = "X Y"', 'is not a header']]) {
		await assert.rejects(serveShow(t, keys), (e) =>
			e.message.includes(what) || assert.fail(e.message));
	}
});
