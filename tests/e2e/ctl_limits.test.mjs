// SPDX-License-Identifier: BSD-2-Clause
// hostctl limits: what they are and have done, and clients that are let in
// again.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { command, startHostd } from './lib/hostd.mjs';

const start = (t, conf = '') => startHostd(t, { conf: `
	pool "web" { workers = 2 }
	http { real_ip_from = "127.0.0.1"  real_ip_header = "X-Real-IP"
	    max_connections_per_address = 9 }
	plugin "ok" { module = "http_respond.so"  body = "hello" }
	limit_req "api" { rate = "1/m"  burst = 1  nodelay = on }
	limit_req "two" { rate = "1/m"  key = "$arg_a/$arg_b"  status = 503 }
	limit_req "dry" { rate = "30/m"  burst = 3  delay = 1  dry_run = on }
	limit_conn "few" { max = 3 }
	route "/" { plugin = "ok"  limit_req = "api"  limit_conn = "few" }
	route "/two" { plugin = "ok"  limit_req = { "two", "dry" } }
	${conf}` });

async function ask(h, uri, ip = '192.0.2.1') {
	const r = await command('curl', ['-s', '-o', '/dev/null', '-w',
		'%{http_code}', '-H', `X-Real-IP: ${ip}`, h.url + uri]);

	return Number(r.stdout);
}

async function drive(h, n, ...args) {
	const all = [];

	for (let i = 0; i < n; i++)
		all.push(await ask(h, ...args));
	return all;
}

async function limits(h, ...args) {
	const r = await h.hostctl('limits', '--json', ...args);

	assert.equal(r.code, 0, r.stderr);
	return JSON.parse(r.stdout);
}

test('what they are and have done', async (t) => {
	const h = await start(t);

	assert.deepEqual(await drive(h, 3, '/'), [200, 200, 429]);
	assert.deepEqual(await drive(h, 1, '/', '2001:db8::1'), [200]);
	assert.deepEqual(await drive(h, 2, '/two?a=1&b=2'), [200, 503]);
	const { zones, shed } = await limits(h);
	const by = Object.fromEntries(zones.map((z) => [z.name, z]));

	assert.deepEqual(Object.keys(by).sort(),
	    ['api', 'connections', 'dry', 'few', 'two']);
	assert.deepEqual(by.api, { kind: 'limit_req', name: 'api',
		configured: true, rate: '1/m', burst: 1, delay: 1,
		key: '$remote_addr', ipv6_prefix: 64, status: 429,
		dry_run: false, keys: 2, passed: 3, delayed: 0, refused: 1,
		dry_delayed: 0, dry_refused: 0, evicted: 0, uncounted: 0 });
	assert.deepEqual([by.few.kind, by.few.max, by.few.status, by.few.passed,
		by.few.keys, by.few.taken], ['limit_conn', 3, 503, 3, 0, 0]);
	assert.deepEqual([by.connections.max, by.connections.refused], [9, 0]);
	assert.deepEqual([shed.connections, shed.memory, shed.turned_away],
	    [false, false, 0]);
	const text = (await h.hostctl('limits')).stdout;

	assert.match(text, /^LIMIT +KIND +RULE +KEY +STATUS +KEYS +TAKEN/);
	assert.match(text, /^api +limit_req +1\/m burst=1 nodelay +\$remote_addr +429 +2 +- +3 +0 +1 /m);
	assert.match(text, /^dry +limit_req +30\/m burst=3 delay=1 dry_run /m);
	assert.match(text, /^few +limit_conn +max=3 /m);
	assert.doesNotMatch(text, /budget/);
	assert.equal((await h.hostctl('limits', '--names')).stdout,
	    'api\ntwo\ndry\n');
	assert.deepEqual((await limits(h, 'few')).zones.map((z) => z.name),
	    ['few']);
});

test('clients that are let in again', async (t) => {
	const h = await start(t);
	const reset = async (...args) => {
		const r = await h.hostctl('limits', 'reset', ...args);

		assert.equal(r.code, 0, r.stderr);
		return r.stdout;
	};
	const all = ['192.0.2.1', '192.0.2.2', '2001:db8::1'];

	for (const ip of all)
		assert.deepEqual(await drive(h, 3, '/', ip), [200, 200, 429]);
	assert.equal(await reset('api', '192.0.2.2'),
	    '1 keys of limit_req api begin anew\n');
	assert.deepEqual([await ask(h, '/', all[0]), await ask(h, '/', all[1]),
		await ask(h, '/', all[2])], [429, 200, 429]);
	// Its network is the key.
	assert.match(await reset('api', '2001:DB8::ffff'), /^1 keys/);
	assert.equal(await ask(h, '/', all[2]), 200);
	assert.match(await reset('api', '198.51.100.1'), /^0 keys/);
	await h.logged('limit_req api: 1 of its keys begin anew');

	assert.deepEqual(await drive(h, 2, '/two?a=1&b=2'), [200, 503]);
	assert.match(await reset('two', '1', '2'), /^1 keys/);
	assert.deepEqual(await drive(h, 2, '/two?a=1&b=2'), [200, 503]);

	assert.match(await reset('api'), /^3 keys/);
	for (const ip of all)
		assert.equal(await ask(h, '/', ip), 200);
	assert.equal(await ask(h, '/two?a=1&b=2'), 503);
	// What was counted stays: metrics never go backwards.
	const [api] = (await limits(h, 'api')).zones;

	assert.equal(api.refused, 5);
	assert.equal(api.keys, 3);
});

test('what is refused', async (t) => {
	const h = await start(t);
	const refused = async (want, code, ...args) => {
		const r = await h.hostctl('limits', ...args);

		assert.match(r.stderr, want);
		assert.equal(r.code, code);
	};

	await refused(/there is no limit "nix"/, 1, 'nix');
	await refused(/there is no limit_req "nix"/, 1, 'reset', 'nix');
	await refused(/"few" is a limit_conn: its places/, 1, 'reset', 'few');
	await refused(/the key of limit_req "two" is "\$arg_a\/\$arg_b": it has 2 variables, and 1 values are given/,
	    1, 'reset', 'two', '1');
	await refused(/usage: hostctl limits/, 2, 'reset');
	await refused(/usage: hostctl limits/, 2, 'a', 'b');
	await refused(/unrecognized option/, 2, '--nix');
});

test('a limit that is configured no more', async (t) => {
	const h = await start(t);

	await drive(h, 1, '/');
	fs.writeFileSync(h.confFile, fs.readFileSync(h.confFile, 'utf8')
	    .replace('limit_conn "few" { max = 3 }', '')
	    .replace('limit_conn = "few"', ''));
	assert.equal((await h.hostctl('reload')).code, 0);
	const [few] = (await limits(h, 'few')).zones;

	assert.deepEqual([few.configured, few.max, few.passed],
	    [false, undefined, 1]);
	assert.match((await h.hostctl('limits', 'few')).stdout,
	    /^few +limit_conn +- +- +- /m);
});
