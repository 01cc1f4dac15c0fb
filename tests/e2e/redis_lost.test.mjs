// SPDX-License-Identifier: BSD-2-Clause
// Redis that is not there, goes away, hangs, or talks nonsense: the node goes
// on alone, says so once, and is back when Redis is.
import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';
import { atEnd, freePort } from './lib/hostd.mjs';
import { backendOf, startRedis, Redis } from './lib/redis.mjs';
import { Member, startRooms } from './lib/rooms.mjs';
import { patient } from './lib/session.mjs';

const start = (t, url, keys = '', more = {}) => startRooms(t, 1, { conf: `
	plugin "redis" { module = "pubsub_redis.so" url = "${url}"
		retry_max = 200ms ${patient(keys, 'ping_timeout')} }`, ...more });

const count = (h, what) => h.log.split(what).length - 1;

// So many lines of each, and none beside them.
function saidOnce(h, up, down) {
	assert.equal(count(h, 'redis is up'), up, h.log);
	assert.equal(count(h, 'redis is down'), down, h.log);
	assert.equal(h.log.match(/\] (redis|pubsub): /g).length, up + down,
	    h.log);
}

async function speaks(m) {
	await m.do('pub red alone');
	assert.deepEqual((await m.hears(1)).at(-1), 'alone');
}

test('it is not there at first', async (t) => {
	const port = await freePort();
	const h = await start(t, `redis://127.0.0.1:${port}`);
	const a = await Member.open(t, h);

	await h.logged(`pubsub: redis is down: connecting to 127.0.0.1:${port
	    }: Connection refused; this node goes on alone`);
	await a.do('join red');
	await speaks(a);
	// Some attempts later it is still said once.
	const refusals = await new Promise((resolve) => {
		const server = net.createServer((s) => {
			s.destroy();
			if (++server.n === 10)
				server.close(() => resolve(server.n));
		});

		server.n = 0;
		server.listen(port, '127.0.0.1');
	});

	assert.equal(refusals, 10);
	saidOnce(h, 0, 1);
	const redis = await startRedis(t, { port });

	await h.logged('pubsub: redis is up');
	await redis.subscribers('red', 1);
	saidOnce(h, 1, 1);
});

test('it goes away and comes back', async (t) => {
	const redis = await startRedis(t);
	const one = await start(t, redis.url), two = await start(t, redis.url);
	const a = await Member.open(t, one), b = await Member.open(t, two);

	await a.do('join red');
	await b.do('join red');
	await b.do('follow red');
	await redis.subscribers('red', 2);
	for (let i = 1; i <= 3; i++) {
		const froms = [one, two].map((h) => h.log.length);
		const logged = (what) => Promise.all([one, two].map((h, k) =>
		    h.logged(what, froms[k])));

		await redis.kill();
		await logged(/redis is down: \S+redis.sock: the server has closed/);
		await speaks(a);
		await redis.start();
		await redis.subscribers('red', 2);
		await b.until(() => b.heard.includes('~ red gap'), 'gap');
		await logged('redis is up');
		await a.do(`pub red back-${i}`);
		await b.until(() => b.heard.includes(`back-${i}`), 'message');
		// Its own is there with the next answer.
		await a.ask('who x');
		b.heard.length = a.heard.length = 0;
		saidOnce(one, i + 1, i);
		saidOnce(two, i + 1, i);
	}
});

for (const type of ['normal', 'pubsub'])
	test(`one of its connections is lost: ${type}`, async (t) => {
		const redis = await startRedis(t);
		const h = await start(t, redis.url);
		const a = await Member.open(t, h);

		await a.do('join red');
		await redis.subscribers('red', 1);
		assert.equal(await redis.command('CLIENT', 'KILL', 'TYPE', type,
		    'SKIPME', 'yes'), 1);
		await h.logged(/redis is down[^]*redis is up/);
		await redis.subscribers('red', 1);
		saidOnce(h, 2, 1);
		await speaks(a);
	});

test('what nobody wants any more is not subscribed again', async (t) => {
	const redis = await startRedis(t);
	const h = await start(t, redis.url);
	const a = await Member.open(t, h), b = await Member.open(t, h);

	await a.do('join red');
	await b.do('join blue');
	await redis.subscribers('red', 1);
	await redis.subscribers('blue', 1);
	await redis.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME',
	    'yes');
	await h.logged('redis is down');
	await b.do('leave blue');
	await h.logged(/redis is down[^]*redis is up/);
	await redis.subscribers('red', 1);
	await redis.subscribers('blue', 0);
});

test('it hangs', async (t) => {
	const redis = await startRedis(t);
	const h = await start(t, redis.url,
	    'ping_interval = 200ms ping_timeout = 200ms');
	const a = await Member.open(t, h);

	await a.do('join red');
	await h.logged('redis is up');
	redis.pause();
	await h.logged(/redis is down: \S+redis.sock: no answer within 200 ms/);
	await speaks(a);
	redis.resume();
	await h.logged(/redis is down[^]*redis is up/);
	await redis.subscribers('red', 1);
	assert.ok(count(h, 'redis is down') >= 1);
});

test('it is slow: publishers are told, and what is too much is dropped',
    async (t) => {
	const redis = await startRedis(t);
	const h = await start(t, redis.url, 'max_pending = 1m');
	const a = await Member.open(t, h);

	await h.logged('redis is up');
	redis.pause();
	const codes = new Set();

	// Until it has been said, while all is still taken.
	while (!codes.has('1'))
		codes.add((await a.ask('flood red 1 100000'))[0]);
	assert.equal((await backendOf(h)).dropped, 0);
	while ((await backendOf(h)).dropped === 0)
		await a.ask('flood red 1 100000');
	redis.resume();
	while ((await a.ask('pub red x'))[0] !== '0')
		;
	saidOnce(h, 1, 0);
});

// Bug: its commands piled up without end.
test('it hangs while rooms come and go', async (t) => {
	const redis = await startRedis(t);
	const h = await start(t, redis.url, 'max_pending = 64k');
	const a = await Member.open(t, h);
	const lost = /redis is down: \S+redis.sock: \d+ subscriptions wait/;

	await a.do('join red');
	await redis.subscribers('red', 1);
	redis.pause();
	for (let i = 0; !lost.test(h.log); i++) {
		assert.ok(i < 1000, 'it piles up');
		await a.do(`join blue-${i}`);
		await a.do(`leave blue-${i}`);
	}
	await speaks(a);
	redis.resume();
	await h.logged(/redis is down[^]*redis is up/);
	await redis.subscribers('red', 1);
	saidOnce(h, 2, 1);
});

// A server that answers what it likes; its URL.
async function fake(t, answer) {
	const sockets = new Set();
	const server = net.createServer((s) => {
		sockets.add(s);
		s.on('error', () => {});
		s.on('close', () => sockets.delete(s));
		s.on('data', (d) => answer(s, d.toString('latin1')));
	});

	await new Promise((r) => server.listen(0, '127.0.0.1', r));
	atEnd(t, () => {
		for (const s of sockets)
			s.destroy();
		server.close();
	});
	return `redis://127.0.0.1:${server.address().port}`;
}

const nonsense = {
	'is no Redis': ['HTTP/1.1 400 Bad Request\r\n\r\n', /malformed answer/],
	'sends a list of two thousand million': ['*2147483647\r\n',
		/its list is too long/],
	'says too much': ['+PONG\r\n+PONG\r\n+PONG\r\n+PONG\r\n+PONG\r\n',
		/the cluster's state is not ok/],
	'is full': ['-ERR max number of clients reached\r\n',
		/the answer to PING is: ERR max number of clients reached/],
	'wants a password': ['-NOAUTH Authentication required.\r\n',
		/the answer to PING is: NOAUTH/],
};

for (const [what, [bytes, why]] of Object.entries(nonsense))
	test(`it ${what}`, async (t) => {
		let n = 0;
		const url = await fake(t, (s) => {
			n++;
			s.write(bytes, 'latin1');
		});
		const h = await start(t, url);
		const a = await Member.open(t, h);

		await h.logged(new RegExp(`redis is down: .*${why.source}`));
		await a.do('join red');
		await speaks(a);
		while (n < 5)
			await speaks(a);
		saidOnce(h, 0, 1);
	});

// Plain, up, and then it brings messages that are none.
test('it brings what is no message', async (t) => {
	const url = await fake(t, (s, d) => {
		for (const word of d.matchAll(
		    /(PING|CLUSTER|COMMAND|SUBSCRIBE|PUBLISH)\r\n/g))
			s.write({ PING: '+PONG\r\n', CLUSTER: '-ERR no\r\n',
				COMMAND: '*1\r\n*-1\r\n', PUBLISH: ':0\r\n',
				SUBSCRIBE:
				    '*3\r\n$7\r\nmessage\r\n:1\r\n:2\r\n' +
				    '*2\r\n$7\r\nmessage\r\n$1\r\nx\r\n' +
				    '*2\r\n$12\r\nsunsubscribe\r\n:1\r\n' +
				    '*2\r\n*0\r\n*0\r\n*0\r\n',
			}[word[1]]);
	});
	const h = await start(t, url);

	await h.logged('redis is up');
	await h.logged(/redis is down: .*nothing was asked for|redis is down: /);
	const a = await Member.open(t, h);

	await a.do('join red');
	await speaks(a);
});

test('a reload takes its connections along', async (t) => {
	const redis = await startRedis(t);
	const h = await start(t, redis.url);
	const a = await Member.open(t, h);

	await a.do('join red');
	await redis.subscribers('red', 1);
	a.close();
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
	await h.logged(/gen 2 .*redis is up/);
	await h.workersSatisfy((w) => w.length === 1, 'end of the old worker');
	await redis.until((s) => s.split('\n').filter((l) =>
	    l.includes('redis.sock') || l.includes('addr')).length === 3,
	'CLIENT', 'LIST');
	const b = await Member.open(t, h);

	await b.do('join red');
	await redis.subscribers('red', 1);
	assert.equal(count(h, 'redis is down'), 0, h.log);
});

test('the configuration is wrong', async (t) => {
	const h = new Redis(t, {});	// not started

	for (const [keys, why] of [
		['url = "http://u:s3cret@h"', 'url: it starts with neither'],
		['url = "redis://:s3cret@h:x"', 'url: the port is not'],
		['url = "redis://h/2" cluster = yes',
		    'a cluster has no database'],
		[`url = "${h.url}" prefix = "${'x'.repeat(65)}"`, 'prefix'],
	]) {
		const hostd = await startRooms(t, 1, { ready: false, conf: `
			plugin "redis" { module = "pubsub_redis.so" ${keys} }` });

		await hostd.logged(why);
		const { code } = await hostd.ended;

		assert.notEqual(code, 0);
		assert.doesNotMatch(hostd.log, /s3cret/);
	}
});
