// SPDX-License-Identifier: BSD-2-Clause
// Answers of all kinds behind one another on one connection, in order.
import assert from 'node:assert/strict';
import test from 'node:test';
import { raw } from './lib/hostd.mjs';
import { pattern, startStatic } from './lib/static.mjs';

const files = {
	'small.txt': 'small', 'medium.bin': pattern(40_000),
	'disk.bin': pattern(300_000, 2), 'empty': '', 'dir/x': '',
};

// Answers in bytes: [{ status, headers, body }].
function answers(bytes, methods) {
	const all = [];
	let at = 0;

	for (const method of methods) {
		const end = bytes.indexOf('\r\n\r\n', at);
		const head = bytes.slice(at, end);
		const status = Number(/^HTTP\/1\.1 (\d+)/.exec(head)[1]);
		const n = method === 'HEAD' || status === 304 ||
		    status === 204 ?
		    0 : Number(/^Content-Length: (\d+)/mi.exec(head)[1]);

		at = end + 4 + n;
		assert.ok(at <= bytes.length, 'the answer is whole');
		all.push({ status, head, body: bytes.slice(end + 4, at) });
	}
	assert.equal(at, bytes.length);
	return all;
}

const kinds = [
	['GET', '/small.txt', '', 200, files['small.txt']],
	['GET', '/disk.bin', '', 200, files['disk.bin']],
	['HEAD', '/disk.bin', '', 200, ''],
	['GET', '/none', '', 404],
	['GET', '/medium.bin', '', 200, files['medium.bin']],
	['GET', '/disk.bin', 'Range: bytes=5-70004\r\n', 206,
		files['disk.bin'].subarray(5, 70005)],
	['GET', '/empty', '', 200, ''],
	['GET', '/disk.bin', 'Range: bytes=0-99999,100000-200000\r\n', 206],
	['OPTIONS', '/small.txt', '', 204, ''],
	['GET', '/small.txt', 'If-None-Match: *\r\n', 304, ''],
	['GET', '/dir', '', 301],
	['POST', '/small.txt', 'Content-Length: 3\r\n', 405],
	['GET', '/disk.bin', 'Range: bytes=999999-\r\n', 416],
	['HEAD', '/none', '', 404, ''],
];

for (const [how, pieces] of [['at once', undefined], ['in pieces', 7]])
	test(`pipelined, ${how}`, async (t) => {
		const h = await startStatic(t, { files,
			keys: 'cache_file_max = 64k' });
		const list = Array.from({ length: 4 }, () => kinds).flat();
		const bytes = list.map(([method, p, headers], i) =>
		    `${method} ${p} HTTP/1.1\r\nHost: a\r\n${headers}` +
		    `${i === list.length - 1 ? 'Connection: close\r\n' : ''}\r\n` +
		    `${method === 'POST' ? 'abc' : ''}`).join('');
		const r = await raw(h.port, bytes, { pieces });
		const got = answers(r.text, list.map(([method]) => method));

		for (const [i, [method, p, , status, body]] of list.entries()) {
			assert.equal(got[i].status, status,
			    `${i} ${method} ${p}`);
			if (body !== undefined)
				assert.ok(Buffer.from(got[i].body, 'latin1')
				    .equals(Buffer.from(body)),
				    `${i} ${method} ${p}`);
		}
	});
