// SPDX-License-Identifier: BSD-2-Clause
// hostctl upstream while requests come: each change holds from the moment it is
// made, in all workers, and nobody notices but by who answers.
import assert from 'node:assert/strict';
import http from 'node:http';
import test from 'node:test';
import { startHostd, within } from './lib/hostd.mjs';
import { httpServer } from './lib/servers.mjs';
import { byName, change, serversSatisfy } from './lib/upstream.mjs';

// Servers that say who they are; /hold waits for release().
async function named(t, name) {
	const held = [];
	const s = await httpServer(t, (req, res) => {
		if (req.url === '/hold')
			held.push(() => res.end(name));
		else
			res.end(name);
	});

	s.name = `127.0.0.1:${s.port}`;
	s.release = () => held.splice(0).forEach((f) => f());
	return s;
}

async function start(t, servers) {
	return startHostd(t, { conf: `
		pool "web" { workers = 2 }
		listen "main" { address = "127.0.0.1:@PORT@" }
		upstream "app" {
			${servers.map((s) => `server "${s.name}" { }`).join('\n')}
		}
		plugin "proxy" { module = "http_proxy.so" }
		route "/" { plugin = "proxy"  upstream = "app" }` });
}

function get(h, path = '/', agent = false) {
	return within(new Promise((resolve, reject) => {
		http.get(`${h.url}${path}`, { agent }, (res) => {
			let body = '';

			res.setEncoding('utf8');
			res.on('data', (d) => { body += d; });
			res.on('end',
			    () => resolve({ status: res.statusCode, body }));
		}).on('error', reject);
	}), `answer to ${path}`);
}

// Who answers n requests, each on a connection of its own: { name: times }.
async function spread(h, n) {
	const count = {};

	for (let i = 0; i < n; i++) {
		const { status, body } = await get(h);

		assert.equal(status, 200, body);
		count[body] = (count[body] ?? 0) + 1;
	}
	return count;
}

const sum = (count) => Object.values(count).reduce((a, b) => a + b, 0);

test('servers come and go', async (t) => {
	const a = await named(t, 'a'), b = await named(t, 'b');
	const c = await named(t, 'c');
	const h = await start(t, [a, b]);

	assert.deepEqual(Object.keys(await spread(h, 20)).sort(), ['a', 'b']);
	await change(h, 'add', 'app', c.name);
	assert.deepEqual(Object.keys(await spread(h, 30)).sort(),
	    ['a', 'b', 'c']);
	await change(h, 'remove', 'app', a.name);
	assert.deepEqual(Object.keys(await spread(h, 20)).sort(), ['b', 'c']);
	await change(h, 'down', 'app', b.name);
	assert.deepEqual(await spread(h, 10), { c: 10 });
	await change(h, 'add', 'app', a.name);
	await change(h, 'enable', 'app', b.name);
	await change(h, 'drain', 'app', c.name);
	assert.deepEqual(Object.keys(await spread(h, 20)).sort(), ['a', 'b']);
	const all = await byName(h);

	assert.equal(sum({ a: all[a.name].requests, b: all[b.name].requests,
		c: all[c.name].requests }), 100);
	assert.deepEqual(Object.values(all).map((s) => s.failures), [0, 0, 0]);
	await change(h, 'down', 'app', a.name);
	await change(h, 'down', 'app', b.name);
	await change(h, 'down', 'app', c.name);
	assert.equal((await get(h)).status, 503);
});

test('weights are taken at once', async (t) => {
	const a = await named(t, 'a'), b = await named(t, 'b');
	const h = await start(t, [a, b]);

	await change(h, 'weight', 'app', a.name, '9');
	// Each of two workers counts for itself: off by less than one round.
	const { a: n } = await spread(h, 200);

	assert.ok(n >= 170 && n <= 190, `${n}`);
});

test('what is under way is finished, and then it is forgotten', async (t) => {
	const a = await named(t, 'a'), b = await named(t, 'b');
	const h = await start(t, [b]);

	await change(h, 'add', 'app', a.name);
	await change(h, 'down', 'app', b.name);
	const held = get(h, '/hold');

	await serversSatisfy(h, (l) => l.some((s) => s.server === a.name &&
	    s.inflight === 1), 'a request under way');
	await change(h, 'enable', 'app', b.name);
	await change(h, 'drain', 'app', a.name);
	assert.equal((await byName(h))[a.name].reason,
	    'by hand; 1 request or connection left');
	await change(h, 'remove', 'app', a.name);
	const leaving = (await byName(h))[a.name];

	assert.deepEqual([leaving.state, leaving.reason], ['leaving',
		'finishing what is under way; 1 request or connection left']);
	assert.deepEqual(await spread(h, 5), { b: 5 });
	a.release();
	assert.deepEqual(await held, { status: 200, body: 'a' });
	await serversSatisfy(h, (l) => l.length === 1, 'only b');
});

test('a reload in the middle cuts nobody off', async (t) => {
	const a = await named(t, 'a'), b = await named(t, 'b');
	const h = await start(t, [a, b]);
	const { id } = (await byName(h))[a.name];

	await change(h, 'down', 'app', b.name);
	const held = get(h, '/hold');

	await serversSatisfy(h, (l) => l[0].inflight === 1,
	    'a request under way');
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
	const now = (await byName(h))[a.name];

	assert.deepEqual([now.id, now.inflight], [id, 1]);
	assert.deepEqual(Object.keys(await spread(h, 20)).sort(), ['a', 'b']);
	a.release();
	assert.deepEqual(await held, { status: 200, body: 'a' });
	await serversSatisfy(h, (l) => l[0].inflight === 0, 'its end');
	assert.ok((await byName(h))[a.name].requests >= 11);
});

test('load that was a dead worker\'s is gone with it', async (t) => {
	const a = await named(t, 'a');
	const h = await start(t, [a]);
	const held = get(h, '/hold').catch(() => 'cut');

	await serversSatisfy(h, (l) => l[0].inflight === 1,
	    'a request under way');
	for (const w of await h.workers())
		process.kill(w.pid, 'SIGKILL');
	assert.equal(await held, 'cut');
	await serversSatisfy(h, (l) => l[0].inflight === 0, 'nobody there');
	assert.deepEqual(await spread(h, 3), { a: 3 });
	assert.equal((await byName(h))[a.name].requests, 4);
});
