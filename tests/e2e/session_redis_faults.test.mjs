// SPDX-License-Identifier: BSD-2-Clause
// A Redis that answers what it should not: sessions fail, and nobody ever has
// another's.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { atEnd, until } from './lib/hostd.mjs';
import { outcome, serveRedisSessions, untilServed }
    from './lib/redis_sessions.mjs';
import { cookieOf, get, set, Visitor } from './lib/session.mjs';

const count = (h, what) => h.log.split(what).length - 1;
const ID = 'a'.repeat(32);
const SESSION = '{"cookie":{"originalMaxAge":null,"expires":null},"a":1}';

// The commands in buf: { commands, rest }.
function parse(buf) {
	const commands = [];
	let at = 0;

	for (;;) {
		const head = /^\*(\d+)\r\n/.exec(buf.slice(at));
		let end = at + (head?.[0].length ?? 0);
		const words = [];

		for (let i = 0; head && i < Number(head[1]); i++) {
			const n = /^\$(\d+)\r\n/.exec(buf.slice(end));

			if (!n || buf.length < end + n[0].length +
			    Number(n[1]) + 2)
				return { commands, rest: buf.slice(at) };
			end += n[0].length + Number(n[1]) + 2;
			words.push(buf.slice(end - Number(n[1]) - 2, end - 2));
		}
		if (!head)
			return { commands, rest: buf.slice(at) };
		commands.push(words);
		at = end;
	}
}

/*
 * Looks like a plain Redis that has one session; says[NAME], a text or a
 * function of the words and the socket, is answered instead.
 */
class Fake {
	says = {};
	asked = [];
	connections = 0;
	sockets = new Set();

	static async start(t) {
		const f = new Fake();
		const usual = { PING: '+PONG\r\n', DEL: ':1\r\n',
		    PEXPIRE: ':1\r\n',
			GET: `$${SESSION.length}\r\n${SESSION}\r\n`,
			SET: '+OK\r\n', EVALSHA: ':1\r\n',
			CLUSTER: '-ERR This instance has cluster support ' +
			    'disabled\r\n' };
		const server = net.createServer((s) => {
			let buf = '';

			f.connections++;
			f.sockets.add(s);
			s.on('close', () => f.sockets.delete(s));
			s.on('error', () => {});
			s.on('data', (d) => {
				const { commands, rest } =
				    parse(buf + d.toString(
				    'latin1'));

				buf = rest;
				for (const words of commands) {
					const a = f.says[words[0]] ??
					    usual[words[0]] ??
					    '-ERR unknown command\r\n';
					const text = typeof a === 'function' ?
					    a(words, s) : a;

					f.asked.push(words);
					if (text)
						s.write(text, 'latin1');
				}
			});
		}).listen(0, '127.0.0.1');

		await once(server, 'listening');
		atEnd(t, () => {
			f.sockets.forEach((s) => s.destroy());
			server.close();
		});
		f.url = `redis://127.0.0.1:${server.address().port}`;
		f.port = server.address().port;
		return f;
	}
}

// With a visitor who has that session, and one connection unless keys say more.
async function begin(t, store = '', keys = '', options = { workers: 1 }) {
	const fake = await Fake.start(t);
	const h = await serveRedisSessions(t, fake, { ...options, keys,
		store: /connections/.test(store) ? store :
		    `connections = 1 ${store}` });
	const v = new Visitor(h, { headers: { cookie: cookieOf(ID) } });

	assert.equal(await v.get(get('a')), 1);
	return { fake, h, v };
}

// Until so many connections have been made.
const connected = (fake, n) => until(() => fake.connections >= n,
    `${n} connections`);

for (const [what, text] of [
	['is no protocol', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
	['is a number', ':1\r\n'],
	['is a list', '*1\r\n$1\r\na\r\n'],
	['is a word', '+OK\r\n'],
	['is a length without end', '$99999999999999999999\r\n'],
	['is longer than it may be', `$1000000000\r\n`],
	['is a list without end', '*2147483647\r\n'],
])
	test(`an answer that ${what}`, async (t) => {
		const clock = await makeClock(t);
		const { fake, h, v } = await begin(t, 'answer_timeout = 1h',
		    'timeout = 2h', { env: clock.env,
			workers: '1  watchdog = 0',
			conf: 'http { idle_timeout = 1d  defer_timeout = 1d }' });
		const before = fake.connections, from = fake.asked.length;

		fake.says.GET = text;
		let said;
		const came = outcome(v, get('a')).then((o) => { said = o; });

		await until(() => fake.asked.slice(from)
		    .some(([what]) => what === 'GET'), 'GET');
		// Where the answer has no end, it is asked once more.
		await until(async () => {
			if (said === undefined)
				await clock.passFor(h, 3601);
			return said;
		}, 'outcome');
		await came;
		assert.match(said, /^E_(IO|TIMEOUT)$/);
		// Nothing that it has said is believed any more.
		await connected(fake, before + 1);
		delete fake.says.GET;
		await untilServed(v, get('a'));
		assert.equal(await v.get(get('a')), 1);
		assert.equal(count(h, ID), 0);
	});

// What comes unasked would be the answer to the next one's question.
test('an answer too many', async (t) => {
	const { fake, v } = await begin(t);
	const before = fake.connections;
	const other = SESSION.replace('"a":1', '"a":2');

	fake.says.PEXPIRE = `:1\r\n$${other.length}\r\n${other}\r\n`;
	await v.visit(get('a'));
	await connected(fake, before + 1);
	fake.says = {};
	await untilServed(v, get('a'));
	assert.equal(await v.get(get('a')), 1);
});

test('values that are no sessions', async (t) => {
	const { fake, v } = await begin(t);

	for (const value of ['', 'x', '[]', '{"cookie":', 'null',
		'{"a":1}\0', '\xff\xfe']) {
		fake.says.GET = `$${value.length}\r\n${value}\r\n`;
		const r = await v.visit(get('a'));

		assert.ok(r.status === 503 || r.status === 200, r.text);
		assert.notEqual(r.text, '[["OK",1]]');
	}
	delete fake.says.GET;
	assert.equal(await v.get(get('a')), 1);
});

for (const error of ['LOADING Redis is loading the dataset in memory',
	'MASTERDOWN Link with MASTER is down',
	'NOAUTH Authentication required.',
	'READONLY You can\'t write against a read only replica.'])
	test(`it says ${error.split(' ')[0]}`, async (t) => {
		const { fake, h, v } = await begin(t);
		const before = fake.connections;

		fake.says.GET = `-${error}\r\n`;
		assert.equal(await outcome(v, get('a')), 'E_IO');
		await h.logged(`Redis refuses GET: ${error}`);
		await connected(fake, before + 1);
		delete fake.says.GET;
		await untilServed(v, get('a'));
	});

for (const [error, said = error] of [
	['BUSY Redis is busy running a script.'],
	['WRONGTYPE Operation against a key holding the wrong kind of value'],
	['MISCONF Redis is configured to save RDB snapshots'],
	['MOVED 3999 127.0.0.1:1'], ['ASK 3999 127.0.0.1:1'],
	['MOVED nonsense'], ['NOSCRIPT No matching script.'],
	// It quotes what it was told.
	[`ERR unknown command 'GET', with args beginning with: 'sess:${ID}' `,
		'ERR unknown command \'GET\''],
	[`ERR what is sess:${ID}?`, 'ERR'] ])
	test(`it says ${error.split(' ').slice(0, 3).join(' ')}`, async (t) => {
		const { fake, h, v } = await begin(t);
		const before = fake.connections;

		fake.says.GET = `-${error}\r\n`;
		for (let i = 0; i < 10; i++)
			assert.equal(await outcome(v, get('a')), 'E_IO');
		await h.logged(`Redis refuses GET: ${said}\n`);
		assert.equal(count(h, `Redis refuses GET: ${said}\n`), 1,
		    h.log);
		assert.equal(count(h, 'Redis refuses'), 1);
		assert.equal(count(h, ID), 0);
		assert.equal(fake.connections, before);
		delete fake.says.GET;
		assert.equal(await v.get(get('a')), 1);
	});

test('it wants to be asked again', async (t) => {
	const { fake, v } = await begin(t);
	let times = 0;

	fake.says.GET = () => ++times < 4 ? '-TRYAGAIN Multiple keys\r\n' :
	    '$-1\r\n';
	assert.deepEqual(await v.do(get('a')), [['OK']]);
	assert.equal(times, 4);
	await t.test('for ever', async () => {
		fake.says.GET = '-TRYAGAIN Multiple keys\r\n';
		assert.equal(await outcome(v, get('a')), 'E_IO');
	});
});

test('it knows no scripts', async (t) => {
	const { fake, v } = await begin(t);

	fake.says.EVALSHA = '-NOSCRIPT No matching script.\r\n';
	fake.says.EVAL = (words) => {
		assert.deepEqual([words[2], words[3]], ['1', `sess:${ID}`]);
		assert.equal(words[4], SESSION);
		assert.equal(JSON.parse(words[5]).a, 2);
		return ':1\r\n';
	};
	assert.equal(await outcome(v, set('a', 2)), 'OK');
	fake.says.EVAL = fake.says.EVALSHA;
	assert.equal(await outcome(v, set('a', 2)), 'refused');
});

test('it closes after each answer', async (t) => {
	const { fake, v } = await begin(t);

	fake.says.GET = (words, s) => {
		s.end(`$${SESSION.length}\r\n${SESSION}\r\n`);
		return '';
	};
	for (let i = 0; i < 20; i++)
		await untilServed(v, get('a'));
	delete fake.says.GET;
	await untilServed(v, get('a'));
});

// It accepts, and that is all.
test('it never says anything', async (t) => {
	const fake = await Fake.start(t);

	fake.says.PING = '';
	const h = await serveRedisSessions(t, fake, { workers: 1,
		store: 'answer_timeout = 100ms ping_timeout = 300ms' });
	const v = new Visitor(h, { headers: { cookie: cookieOf(ID) } });

	for (let i = 0; i < 10; i++)
		assert.equal(await outcome(v, get('a')), 'E_IO');
	await h.logged('Redis is down');
	await connected(fake, 2);
	assert.equal(await outcome(v, get('a')), 'E_IO');
	assert.equal(fake.asked.filter(([what]) => what === 'GET').length, 0);
	delete fake.says.PING;
	await untilServed(v, get('a'));
});

// One connection of two is lost: what only reads is asked over the other.
test('a connection is lost before the answer', async (t) => {
	const { fake, h, v } = await begin(t, 'connections = 2');
	let lost = 0;

	await until(async () => (await h.status()).metrics[
	    'hostd_session_redis_connections{plugin="redis"}'] === 2,
	    '2 connections');
	fake.says.GET = (words, s) => {
		if (lost++ === 0) {
			s.destroy();
			return '';
		}
		return `$${SESSION.length}\r\n${SESSION}\r\n`;
	};
	assert.equal(await v.get(get('a')), 1);
	assert.equal(lost, 2);
});

test('a cluster that leads in circles', async (t) => {
	const fake = await Fake.start(t);
	const node = `*2\r\n$9\r\n127.0.0.1\r\n:${fake.port}\r\n`;

	fake.says.CLUSTER = ([, what]) => what === 'INFO' ?
	    '$18\r\ncluster_state:ok\r\n\r\n' :
	    `*1\r\n*3\r\n:0\r\n:16383\r\n${node}`;
	const h = await serveRedisSessions(t, fake, { workers: 1 });
	const v = new Visitor(h, { headers: { cookie: cookieOf(ID) } });

	await untilServed(v, get('a'));
	fake.says.GET = `-MOVED 1 127.0.0.1:${fake.port}\r\n`;
	assert.equal(await outcome(v, get('a')), 'E_IO');
	fake.says.GET = `-ASK 1 127.0.0.1:${fake.port}\r\n`;
	assert.equal(await outcome(v, get('a')), 'E_IO');
	// Where nobody is.
	fake.says.GET = '-MOVED 1 127.0.0.1:1\r\n';
	assert.equal(await outcome(v, get('a')), 'E_IO');
	// To somebody new each time: not more than so many at once.
	let port = 2;

	fake.says.GET = () => `-MOVED 1 127.0.0.1:${port++}\r\n`;
	for (let i = 0; i < 50; i++)
		assert.equal(await outcome(v, get('a')), 'E_IO');
	delete fake.says.GET;
	await untilServed(v, get('a'));
});
