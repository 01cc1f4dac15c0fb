// SPDX-License-Identifier: BSD-2-Clause
// hostctl upstream: servers are seen and changed at run time, until a reload.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { rewrite, startLife } from './lib/life.mjs';
import { Program, upgraded } from './lib/upgrade.mjs';
import { byName, change, groups, refused, servers, serversSatisfy, states } from
    './lib/upstream.mjs';

const A = '127.0.0.1:1';
const B = '[::1]:2';
const C = 'unix:/nowhere/c.sock';
const app = `
	upstream "app" {
		slow_start = 0
		server "${A}" { weight = 2 }
		server "${B}" { backup = on  max_conns = 7 }
		server "${C}" { down = on }
	}`;
const start = (t, more) => startLife(t,
    { confd: { 'app.conf': app }, ...more });

test('list says what is configured', async (t) => {
	const h = await start(t, { conf:
	    'upstream "other" { balancer = "least_conn"  server "10.0.0.1:1" { } }' });
	const [other, first] = await groups(h);

	assert.deepEqual([other.name, other.balancer, first.name,
		first.balancer], ['other', 'least_conn', 'app', 'round_robin']);
	assert.deepEqual(first.servers.map((s) => [s.server, s.address, s.state,
		s.weight, s.max_conns, s.backup, s.inflight, s.requests]), [
		[A, A, 'up', 2, 0, false, 0, 0],
		[B, B, 'up', 1, 7, true, 0, 0],
		[C, C, 'down', 1, 0, false, 0, 0]]);
	assert.equal(first.servers[2].reason, 'configured');
	assert.equal(new Set((await groups(h)).flatMap((u) => u.servers)
	    .map((s) => s.id)).size, 4);
	const r = await h.hostctl('upstream', 'list', 'app');

	assert.match(r.stdout, /^UPSTREAM +SERVER +STATE +FOR +WEIGHT/);
	assert.match(r.stdout, /^app +\[::1\]:2 +up backup /m);
	assert.doesNotMatch(r.stdout, /other/);
	assert.equal((await h.hostctl('upstream', 'list', '--names')).stdout,
	    'other\napp\n');
	assert.equal((await h.hostctl('upstream', 'list', '--names', 'app'))
	    .stdout, `${A}\n${B}\n${C}\n`);
});

test('status says it, too, here and on a page', async (t) => {
	const h = await start(t, { conf: `
		plugin "status" { module = "http_status.so" }
		route "/status" { plugin = "status" }` });
	const page = await (await fetch(`${h.url}/status`)).json();
	const plain = (list) => list.map((u) => [u.name,
		u.servers.map((s) => [s.server, s.id, s.state, s.weight])]);
	const want = plain(await groups(h));

	assert.deepEqual(plain((await h.status()).upstreams), want);
	assert.deepEqual(plain(page.upstreams), want);
	await change(h, 'drain', 'app', A);
	const later = await (await fetch(`${h.url}/status`)).json();

	assert.equal(later.upstreams[0].servers[0].state, 'draining');
});

test('each change, and its end', async (t) => {
	const h = await start(t);
	const { id } = (await byName(h))[A];

	assert.match(await change(h, 'drain', 'app', A),
	    /^127\.0\.0\.1:1 of app drains, until the next reload/);
	assert.deepEqual(await states(h), { [A]: 'draining', [B]: 'up',
		[C]: 'down' });
	assert.equal((await byName(h))[A].reason, 'by hand');
	await change(h, 'down', 'app', A);
	assert.equal((await states(h))[A], 'down');
	await change(h, 'enable', 'app', A);
	assert.equal((await states(h))[A], 'up');
	await change(h, 'enable', 'app', C);
	assert.equal((await states(h))[C], 'up');
	await change(h, 'weight', 'app', A, '65535');
	assert.equal((await byName(h))[A].weight, 65535);
	await change(h, 'remove', 'app', A);
	assert.equal((await states(h))[A], 'removed');
	await change(h, 'add', 'app', A);
	assert.deepEqual((({ state, weight, id: i }) => [state, weight, i])(
	    (await byName(h))[A]), ['up', 65535, id]);
	await h.logged('upstream app: 127.0.0.1:1 is added');
	const events = await h.hostctl('events');

	assert.match(events.stdout,
	    /upstream\.changed .*127\.0\.0\.1:1 drains/);
});

test('a server that nobody has configured comes and goes', async (t) => {
	const h = await start(t);

	await change(h, 'add', 'app', '10.0.0.9:80', 'weight=3', 'max_conns=5',
	    'backup');
	const added = (await byName(h))['10.0.0.9:80'];

	assert.deepEqual([added.state, added.weight, added.max_conns,
		added.backup, added.added], ['up', 3, 5, true, true]);
	assert.equal((await servers(h)).at(-1).server, '10.0.0.9:80');
	await change(h, 'drain', 'app', '10.0.0.9:80');
	await change(h, 'remove', 'app', '10.0.0.9:80');
	assert.deepEqual((await servers(h)).map((s) => s.server), [A, B, C]);
	await change(h, 'add', 'app', '10.0.0.9:80');
	const again = (await byName(h))['10.0.0.9:80'];

	assert.deepEqual([again.state, again.weight], ['up', 1]);
});

test('a reload brings back what is configured, and says so', async (t) => {
	const h = await start(t);
	const before = await byName(h);

	await change(h, 'down', 'app', A);
	await change(h, 'weight', 'app', B, '9');
	await change(h, 'add', 'app', '10.0.0.9:80');
	let r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
	assert.match(r.stdout, /^3 servers of upstreams were changed by hand/m);
	assert.deepEqual(Object.entries(await byName(h)).map(([name, s]) =>
	    [name, s.id, s.state, s.weight]),
	    [[A, before[A].id, 'up', 2], [B, before[B].id, 'up', 1],
	    [C, before[C].id, 'down', 1]]);
	r = await h.hostctl('reload');
	assert.doesNotMatch(r.stdout, /by hand/);

	// A reload that is refused, and workers that are replaced, change
	// nothing.
	await change(h, 'down', 'app', A);
	assert.equal((await h.hostctl('restart')).code, 0);
	rewrite(h, 'conf.d/bad.conf', 'upstream "x" { }\n');
	r = await h.hostctl('reload');
	assert.equal(r.code, 1);
	assert.match(r.stderr, /bad\.conf:1: upstream "x" has no server/);
	assert.equal((await states(h))[A], 'down');
	assert.equal((await groups(h)).length, 1);
});

test('what a configuration has no more is forgotten', async (t) => {
	const h = await start(t);
	const { id } = (await byName(h))[A];

	rewrite(h, 'conf.d/app.conf', `upstream "app" { server "${A}" { }
	    server "10.0.0.1:1" { drain = on } }`);
	assert.equal((await h.hostctl('reload')).code, 0);
	const now = await servers(h);

	assert.deepEqual(now.map((s) => [s.server, s.state, s.weight]),
	    [[A, 'up', 1], ['10.0.0.1:1', 'draining', 1]]);
	assert.equal(now[0].id, id);
	assert.equal((await h.hostctl('rollback')).code, 0);
	assert.deepEqual((await servers(h)).map((s) => s.server), [A, B, C]);
	assert.equal((await byName(h))[A].id, id);
	assert.equal((await byName(h))[A].weight, 2);
});

test('names lead to addresses, which are changed one by one', async (t) => {
	const h = await start(t, { confd: { 'app.conf':
	    'upstream "app" { server "localhost:81" { } server "10.0.0.1:1" { } }' } });
	const one = (all) => all.filter((s) => s.server === 'localhost:81');
	const all = one(await serversSatisfy(h, (l) =>
	    one(l).every((s) => s.state === 'up'), 'addresses of localhost'));
	const [{ address }] = all;

	assert.match(address, /^(127\.0\.0\.1|\[::1\]):81$/);
	await change(h, 'drain', 'app', address);
	assert.deepEqual(one(await servers(h)).map((s) => s.state),
	    all.map((s) => s.address === address ? 'draining' : 'up'));
	await change(h, 'down', 'app', 'LOCALHOST:81');
	assert.ok(one(await servers(h)).every((s) => s.state === 'down'));
	await change(h, 'enable', 'app', 'localhost:81');
	await refused(h, /is one of the addresses of localhost:81, which may be/,
	    'drain', 'app', address, '--persist');
	await refused(h, /upstream app has localhost:81 already/, 'add', 'app',
	    address);
	await change(h, 'add', 'app', 'localhost:82', 'weight=4');
	await serversSatisfy(h, (l) => l.some((s) => s.weight === 4 &&
	    s.state === 'up' && s.address.endsWith(':82')), 'its address');
});

test('a server that is called so is meant, not one that leads there',
    async (t) => {
	const h = await start(t, { confd: { 'app.conf': `upstream "app" {
	    server "localhost:81" { } server "127.0.0.1:81" { } }` } });
	const named = (all, name) => all.filter((s) => s.server === name);

	await serversSatisfy(h, (l) => named(l, 'localhost:81').every(
	    (s) => s.state === 'up'), 'addresses of localhost');
	await change(h, 'drain', 'app', '127.0.0.1:81', '--persist');
	const all = await servers(h);

	assert.deepEqual(named(all, '127.0.0.1:81').map((s) => s.state),
	    ['draining']);
	assert.ok(named(all, 'localhost:81').every((s) => s.state === 'up'));
});

test('an upgrade changes nothing', async (t) => {
	const h = await start(t, { program: new Program(t).path });
	const shown = async () => (await servers(h)).map((s) =>
	    [s.server, s.id, s.state, s.weight]);

	await change(h, 'down', 'app', A);
	await change(h, 'remove', 'app', B);
	await change(h, 'add', 'app', '10.0.0.9:80', 'weight=3');
	const before = await shown();

	await upgraded(h, '--keep-workers');
	assert.deepEqual(await shown(), before);
	await change(h, 'enable', 'app', A);
	assert.equal((await states(h))[A], 'up');
});

test('an upgrade to one with another table makes it anew', async (t) => {
	const program = new Program(t);
	const h = await start(t, { program: program.path });

	await change(h, 'down', 'app', A);
	program.version(9, 'hsdother');
	await upgraded(h);
	assert.deepEqual(await states(h),
	    { [A]: 'up', [B]: 'up', [C]: 'down' });
	await change(h, 'down', 'app', A);
	assert.equal((await states(h))[A], 'down');
});

test('what is not possible is refused', async (t) => {
	const h = await start(t);

	await refused(h, /there is no upstream "ap"; did you mean "app"\?/,
	    'drain', 'ap', A);
	await refused(h, /there is no upstream "x"; see hostctl upstream list/,
	    'add', 'x', A);
	await refused(h, /upstream app has no server 10\.0\.0\.1:1; see hostctl/,
	    'remove', 'app', '10.0.0.1:1');
	await refused(h, /upstream app has 127\.0\.0\.1:1 already/, 'add',
	    'app', A);
	await refused(h, /server "10\.0\.0\.1": the port is missing/, 'add',
	    'app', '10.0.0.1');
	await refused(h, /weight is from 1 to 65535/, 'weight', 'app', A,
	    '65536');
	await refused(h, /there is no upstream "nix"/, 'list', 'nix');
	await change(h, 'remove', 'app', A);
	await refused(h, /has been removed; hostctl upstream add brings it back/,
	    'drain', 'app', A);
	for (const bad of [['add', 'app', A, 'wieght=3'], ['weight', 'app', A],
		['weight', 'app', A, 'x'], ['drain', 'app'],
		['darin', 'app', A],
		['drain', 'app', A, 'now'], [], ['list', 'a', 'b']])
		assert.equal((await h.hostctl('upstream', ...bad)).code, 2,
		    bad.join(' '));
});

test('there is no room for more than 1024', async (t) => {
	const many = (n) => `upstream "many" {\n${[...Array(n)].map((_, i) =>
	    `server "10.0.${i >> 8}.${i & 255}:1" { }`).join('\n')}\n}\n`;
	const h = await start(t, { confd: { 'app.conf': app,
		'many.conf': many(1021) } });

	assert.equal((await servers(h, 'many')).length, 1021);
	await refused(h, /there is room for 1024 servers in all/, 'add', 'app',
	    '10.9.9.9:1');
	rewrite(h, 'conf.d/many.conf', many(1022));
	const r = await h.hostctl('reload');

	assert.equal(r.code, 1);
	assert.match(r.stderr, /many\.conf:1: upstream "many": there is room for/);
	assert.ok(path.isAbsolute(r.stderr.split(' ')[1]));
	assert.equal((await servers(h, 'many')).length, 1021);
});
