// SPDX-License-Identifier: BSD-2-Clause
// Redis through a stream listener, by its own clients.
import assert from 'node:assert/strict';
import test from 'node:test';
import { command, freePort } from './lib/hostd.mjs';
import { startRedis } from './lib/redis.mjs';
import { startGroup } from './lib/tcp.mjs';

const cli = (port, ...args) => command('redis-cli', ['-p', String(port),
	...args]);

test('redis-cli', async (t) => {
	const redis = await startRedis(t, { port: await freePort() });
	const h = await startGroup(t, [redis.port], { group:
	    'health { type = tcp interval = 1s }' });

	assert.equal((await cli(h.port, 'set', 'key', 'value')).stdout, 'OK\n');
	assert.equal((await cli(h.port, 'get', 'key')).stdout, 'value\n');
	// A command each, and its answer, many times.
	const r = await cli(h.port, '-r', '500', 'incr', 'n');

	assert.equal(r.code, 0, r.stderr);
	assert.equal(r.stdout.trim().split('\n').at(-1), '500');
});

test('redis-benchmark, with large values and pipelines', async (t) => {
	const redis = await startRedis(t);
	const h = await startGroup(t, [`server "unix:${redis.socket}" { }`]);

	for (const args of [['-n', '2000', '-c', '20'],
		['-n', '200', '-c', '4', '-d', '300000'],
		['-n', '4000', '-c', '10', '-P', '16']]) {
		const r = await command('redis-benchmark', ['-p',
			String(h.port), '-t', 'set,get', '-q', ...args]);

		assert.equal(r.code, 0, r.stderr);
		assert.match(r.stdout, /GET: .* requests per second/);
		assert.doesNotMatch(r.stdout + r.stderr, /[Ee]rror/);
	}
	assert.equal((await cli(h.port, 'strlen',
	    'key:__rand_int__')).stdout, '3\n');
});
