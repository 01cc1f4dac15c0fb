// SPDX-License-Identifier: BSD-2-Clause
// Names of servers are resolved again when their TTL says so, without a reload,
// and what fails changes nothing.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { freePort, startHostd } from './lib/hostd.mjs';
import { Dns, startDns } from './lib/dns.mjs';
import { allWhoAnswer, namedServers, serversOf, serversSatisfy, whoAnswers }
	from './lib/servers.mjs';

const THREE = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];

// A listener whose connections go to app.test, which dns knows.
async function start(t, dns, port, more = {}) {
	const h = await startHostd(t, { noPort: true, ...more, conf: `
		pool "web" { workers = ${more.workers ?? 2} }
		listen "tcp" {
			address = "127.0.0.1:@PORT@"
			mode = "stream"
			upstream = "app"
		}
		upstream "app" {
			server "app.test:${port}" { max_fails = 0 }
			resolvers = {"${dns.address}"}
			resolve_min = 100ms
			resolve_timeout = ${more.timeout ?? '1h'}
		}` });

	// A start does not wait for long, and dns may have been slow.
	if (more.ready !== false && dns.socket)
		await known(h);
	return h;
}

const known = (h) => serversSatisfy(h, 'app', (all) =>
    all.every((s) => s.address !== ''), 'addresses of all');

const addressesOf = async (h) => (await serversOf(h, 'app'))
    .map((s) => s.address).sort();

test('all addresses of a name are servers', async (t) => {
	const { port } = await namedServers(t, [...THREE, '::1']);
	const dns = await startDns(t, { 'app.test': { ttl: 60,
		addresses: [...THREE, '::1'] } });
	const h = await start(t, dns, port);

	// They are known when the first connection comes.
	assert.deepEqual(await allWhoAnswer(h.port, 16), [...THREE, '::1']);
	assert.deepEqual(await addressesOf(h),
	    [...THREE.map((a) => `${a}:${port}`), `[::1]:${port}`]);
	// One worker asks for all of them, once for each family.
	assert.deepEqual(dns.asked.toSorted(), ['app.test A', 'app.test AAAA']);
});

test('a change is seen when the TTL is over', async (t) => {
	const { port } = await namedServers(t, THREE);
	const dns = await startDns(t, { 'app.test': { ttl: 1,
		addresses: ['127.0.0.1'] } });
	const h = await start(t, dns, port);

	assert.deepEqual(await allWhoAnswer(h.port, 4), ['127.0.0.1']);
	const [{ id }] = await serversOf(h, 'app');

	dns.zone['app.test'] = { ttl: 1,
	    addresses: ['127.0.0.3', '127.0.0.1'] };
	await h.logged(`127.0.0.3:${port}`);
	assert.deepEqual(await allWhoAnswer(h.port, 8),
	    ['127.0.0.1', '127.0.0.3']);
	// Who stays is the same as before.
	assert.equal((await serversOf(h, 'app'))
	    .find((s) => s.address.startsWith('127.0.0.1')).id, id);

	dns.zone['app.test'] = { ttl: 1, addresses: ['127.0.0.2'] };
	await h.logged(`app.test:${port} leads to 127.0.0.2:${port}\n`);
	assert.deepEqual(await allWhoAnswer(h.port, 4), ['127.0.0.2']);
	assert.doesNotMatch(h.log, /reload|generation 2/);
});

for (const [what, zone] of Object.entries({
	'a name that is not there any more': undefined,
	'a resolver that can not tell': 'servfail',
	'a resolver that says nothing': 'silence',
	'a name without addresses': { ttl: 1, addresses: [] },
}))
	test(`${what} changes nothing`, async (t) => {
		const { port } = await namedServers(t, THREE);
		const dns = await startDns(t, { 'app.test': { ttl: 1,
			addresses: ['127.0.0.1', '127.0.0.2'] } });
		const h = await start(t, dns, port, zone === 'silence' ?
		    { timeout: '1s' } : {});

		// The server of names may have been too slow at the start.
		await serversSatisfy(h, 'app', (all) => all.length === 2 &&
		    all.every((s) => s.state === 'up'), 'both addresses');
		const from = h.log.length;

		dns.zone['app.test'] = zone;
		await h.logged(`app.test:${port} can't be resolved`, from);
		await dns.askedFor('app.test', 4);
		assert.deepEqual(await allWhoAnswer(h.port, 8),
		    ['127.0.0.1', '127.0.0.2']);
		// It is said once.
		assert.equal(h.log.slice(from).match(/can't be resolved/g)
		    .length, 1);

		dns.zone['app.test'] = { ttl: 1, addresses: ['127.0.0.2'] };
		await h.logged('resolves again', from);
		await h.logged(`leads to 127.0.0.2:${port}\n`, from);
		assert.deepEqual(await allWhoAnswer(h.port, 4), ['127.0.0.2']);
	});

test('a family that fails keeps its addresses', async (t) => {
	const { port } = await namedServers(t,
	    ['127.0.0.1', '127.0.0.2', '::1']);
	const dns = await startDns(t, { 'app.test': { ttl: 1,
		addresses: ['127.0.0.1', '::1'] } });
	const h = await start(t, dns, port);

	dns.fails.add('app.test AAAA');
	dns.zone['app.test'] = { ttl: 1, addresses: ['127.0.0.2'] };
	await h.logged(`127.0.0.2:${port}`);
	assert.deepEqual(await allWhoAnswer(h.port, 8), ['127.0.0.2', '::1']);
	// That there is none is another thing.
	dns.fails.clear();
	await h.logged(`leads to 127.0.0.2:${port}\n`);
	assert.deepEqual(await allWhoAnswer(h.port, 4), ['127.0.0.2']);
});

// Bug: who took over knew of no addresses that it could keep.
test('so it is for a worker that takes over', async (t) => {
	const { port } = await namedServers(t,
	    ['127.0.0.1', '127.0.0.2', '::1']);
	const dns = await startDns(t, { 'app.test': { ttl: 1,
		addresses: ['127.0.0.1', '::1'] } });
	const h = await start(t, dns, port);
	const leads = /pid (\d+)\] looks after upstream servers/;
	const [, pid] = await h.logged(leads);
	const from = h.log.length;

	dns.fails.add('app.test AAAA');
	process.kill(Number(pid), 'SIGKILL');
	await h.logged(leads, from);
	dns.zone['app.test'] = { ttl: 1, addresses: ['127.0.0.2'] };
	await h.logged(`127.0.0.2:${port}`);
	assert.deepEqual(await allWhoAnswer(h.port, 8), ['127.0.0.2', '::1']);
	assert.deepEqual(await addressesOf(h),
	    [`127.0.0.2:${port}`, `[::1]:${port}`]);
});

test('a name of very many addresses', async (t) => {
	const all = Array.from({ length: 70 }, (_, i) => `127.0.1.${i + 1}`);
	const { port } = await namedServers(t, all);
	const dns = await startDns(t, { 'app.test': { ttl: 1,
		addresses: all } });
	const h = await start(t, dns, port);

	assert.equal((await serversOf(h, 'app')).length, 64);
	assert.equal((await allWhoAnswer(h.port, 128)).length, 64);
	assert.match(h.log, /has more than 64 addresses/);
	// In another order they are the same ones.
	const before = await addressesOf(h);

	dns.zone['app.test'].addresses = all.toReversed();
	await dns.askedFor('app.test', 4);
	assert.deepEqual(await addressesOf(h), before);
});

test('a resolver that is not there at the start', async (t) => {
	const { port } = await namedServers(t, THREE);
	const dns = new Dns();

	dns.zone = { 'app.test': { ttl: 60, addresses: ['127.0.0.2'] } };
	dns.address = `127.0.0.1:${await freePort()}`;
	const h = await start(t, dns, port, { timeout: '1s' });

	assert.equal(await whoAnswers(h.port), '');
	await serversSatisfy(h, 'app', ([s]) => s.state === 'unresolved' &&
	    /can't be resolved: no resolver/.test(s.reason), 'reason');
	await dns.start(t, Number(dns.address.split(':')[1]));
	await h.logged(`leads to 127.0.0.2:${port}\n`);
	assert.equal(await whoAnswers(h.port), '127.0.0.2');
});

test('a start waits for names', async (t) => {
	const { port } = await namedServers(t, THREE);
	const dns = await startDns(t, { 'app.test': { ttl: 60,
		addresses: ['127.0.0.2'] } });

	dns.hold();
	const asked = dns.askedFor('app.test', 2);
	const h = await start(t, dns, port, { ready: false });

	await asked;
	// Unless we were slow, and it has given up after 2 s.
	const stamp = (line) => Date.parse(line.exec(h.log)?.[1]);

	assert.ok(!(stamp(/^(\S+) .* is ready$/m) -
	    stamp(/^(\S+) .* looks after/m) < 1900), h.log);
	dns.release();
	await h.logged('serving generation');
	await known(h);
	assert.equal(await whoAnswers(h.port), '127.0.0.2');
});

test('a name that is added by hand, taken out, and added again', async (t) => {
	const { port } = await namedServers(t, THREE);
	const dns = await startDns(t, {
		'app.test': { ttl: 60, addresses: ['127.0.0.1'] },
		'more.test': { ttl: 60, addresses: ['127.0.0.2', '127.0.0.3'] },
	});
	const h = await start(t, dns, port);
	const more = `more.test:${port}`;
	const change = async (what) => assert.equal(
	    (await h.hostctl('upstream', what, 'app', more)).code, 0);
	const are = (n) => serversSatisfy(h, 'app', (all) => all.length === n &&
	    all.every((s) => s.address !== ''), `${n} servers`);

	for (let i = 0; i < 2; i++) {
		await change('add');
		await are(3);
		assert.deepEqual(await allWhoAnswer(h.port, 12), THREE);
		await change('remove');
		await are(1);
		assert.deepEqual(await allWhoAnswer(h.port, 4), ['127.0.0.1']);
	}
});

// Bug: what it had led to before was among what it leads to, for good.
test('a name that comes back leads where it leads now', async (t) => {
	const { port } = await namedServers(t, THREE);
	const dns = await startDns(t, { 'app.test': { ttl: 1,
		addresses: ['127.0.0.1'] }, 'new.test': { ttl: 1,
		addresses: ['127.0.0.1', '127.0.0.2'] } });
	const h = await start(t, dns, port);
	const hand = (what) => h.hostctl('upstream', what, 'app',
	    `new.test:${port}`);
	const led = (addresses) => serversSatisfy(h, 'app', (all) =>
		all.filter((s) => s.server.startsWith('new') &&
		    s.state !== 'leaving').map(
		    (s) => s.address).sort().join() ===
		addresses.map((a) => `${a}:${port}`).join(),
	`${addresses}`);

	await hand('add');
	await led(['127.0.0.1', '127.0.0.2']);
	// One of them is going, and both are when it is taken out.
	dns.zone['new.test'] = { ttl: 3600, addresses: ['127.0.0.2'] };
	await h.logged(`new.test:${port} leads to 127.0.0.2:${port}\n`);
	assert.equal((await hand('remove')).code, 0);
	assert.equal((await hand('add')).code, 0);
	await led(['127.0.0.2']);
});

test('a reload with another name, and with the same', async (t) => {
	const { port } = await namedServers(t, THREE);
	const dns = await startDns(t, {
		'app.test': { ttl: 60, addresses: ['127.0.0.1'] },
		'other.test': { ttl: 60, addresses: ['127.0.0.3'] },
	});
	const h = await start(t, dns, port);
	const [{ id }] = await serversOf(h, 'app');

	assert.equal((await h.hostctl('reload')).code, 0);
	assert.equal((await serversOf(h, 'app'))[0].id, id);
	assert.equal(await whoAnswers(h.port), '127.0.0.1');
	fs.writeFileSync(h.confFile, fs.readFileSync(h.confFile, 'utf8')
	    .replace('app.test', 'other.test'));
	assert.equal((await h.hostctl('reload')).code, 0);
	assert.equal(await whoAnswers(h.port), '127.0.0.3');
	await serversSatisfy(h, 'app', (all) => all.length === 1 &&
	    all[0].server.startsWith('other'), 'end of the old server');
	// It is a former generation that has to find out now.
	assert.equal((await h.hostctl('rollback')).code, 0);
	assert.equal(await whoAnswers(h.port), '127.0.0.1');
});
