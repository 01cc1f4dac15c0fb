// SPDX-License-Identifier: BSD-2-Clause
// The example of a backend: nodes of one machine share a ring in memory, and
// whoever is killed, stopped or slow takes no other along.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { oneOnEach, Person, startChat, texts } from './lib/chat.mjs';
import { atEnd, command, sbin, tempDir, top, within } from
    './lib/hostd.mjs';
import { buildPlugin } from './lib/plugin.mjs';
import { publish, publishConf } from './lib/publish.mjs';

const SOURCE = path.join(top,
    'examples/plugins/memory_pubsub/memory_pubsub.c');

// Nobody is left out of an answer for being slow.
const PATIENT = 'query_timeout = 1h';

// A directory with the plugin, where the ring will be: { dir, ring, conf }.
async function place(t, keys = '', pubsub = '') {
	const dir = tempDir(t), ring = path.join(dir, 'ring');
	const so = await buildPlugin(dir, 'memory_pubsub', SOURCE);

	return { dir, ring, conf: `
		plugin "memory" {
			module = "${so}"
			path = "${ring}"
			${keys}
		}
		pubsub { backend = "memory"  ${pubsub} }
		${publishConf('back_off = 0')}` };
}

const node = (t, at, options = {}) =>
	startChat(t, { ...options, conf: `${at.conf} ${options.conf ?? ''}` });

// Somebody who has the lock, until what this returns is called.
async function hold(t, at) {
	const holder = spawn('flock', [at.ring, '-c', 'echo held; cat'],
	    { stdio: ['pipe', 'pipe', 'inherit'] });
	const ended = new Promise((resolve) => holder.once('close', resolve));

	atEnd(t, () => holder.kill('SIGKILL'));
	await within(new Promise((resolve) =>
	    holder.stdout.once('data', resolve)), 'the lock');
	return () => {
		holder.stdin.end();
		return within(ended, 'the end of the holder');
	};
}

// Until each is listed at the other's.
async function meet(room, ...people) {
	await within((async () => {
		for (const p of people)
			while ((await p.list(room)).length < people.length)
				;
	})(), 'everybody listed');
	for (const p of people)
		p.unread.length = 0;
}

test('two nodes chat', async (t) => {
	const at = await place(t, '', PATIENT);
	const one = await node(t, at, { workers: 2 }), two = await node(t, at);
	const [ada, abe] = await oneOnEach(t, one, 2);
	const bob = await Person.open(t, two);

	await ada.join('lobby', 'Ada');
	await abe.join('lobby', 'Abe');
	await bob.join('lobby', 'Bob');
	await meet('lobby', ada, abe, bob);
	for (let i = 0; i < 100; i++) {
		const said = await ada.say('lobby', `a${i}`);

		for (const p of [abe, bob])
			assert.deepEqual(await p.next('message'), said);
		await bob.say('lobby', `b${i}`);
		for (const p of [ada, abe])
			assert.equal((await p.next('message')).text, `b${i}`);
	}
	assert.deepEqual(await bob.list('lobby'), ['Abe', 'Ada', 'Bob']);
	const eve = await Person.open(t, two);

	assert.equal((await eve.join('lobby', 'Eve')).length, 100);
	await ada.next('joined', (m) => m.name === 'Eve');
	await eve.close();
	await ada.next('left', (m) => m.name === 'Eve');
	for (const p of [ada, abe, bob])
		assert.deepEqual(p.unread.filter((m) => m.type === 'message'),
		    []);
});

test('large messages, and one that is too large for the ring', async (t) => {
	const at = await place(t, 'size = 1m');
	// The answer to a question would be too large, too.
	const keys = 'history = 0';
	const one = await node(t, at, { keys }),
	    two = await node(t, at, { keys });
	const ada = await Person.open(t, one), bob = await Person.open(t, two);

	await ada.join('lobby', 'Ada');
	await bob.join('lobby', 'Bob');
	await meet('lobby', ada, bob);
	const say = (message) => publish(one,
	    { channel: 'chat/lobby', message });
	const sizes = [0, 1, 7, 8, 9, 1000, 100_000, 200_000, 262_000];

	// Round and round the ring.
	for (let k = 0; k < 20; k++)
		for (const n of sizes) {
			await say('x'.repeat(n));
			const m = await bob.next('other');

			assert.equal(m.data.length, n);
		}
	await say('x'.repeat(263_000));
	await ada.until(() => ada.unread.length === 20 * sizes.length + 1 ?
	    true : undefined, 'all of them');
	await ada.say('lobby', 'after');
	await bob.hears('after');
	assert.equal((await one.status()).backend.dropped, 1);
});

test('a node that is killed while it writes', async (t) => {
	// A reader that is slow for a moment is not to be lapped.
	const at = await place(t, 'size = 16m');
	const one = await node(t, at), two = await node(t, at);
	const ada = await Person.open(t, one), bob = await Person.open(t, two);

	await ada.join('lobby', 'Ada');
	await bob.join('lobby', 'Bob');
	await meet('lobby', ada, bob);
	for (let round = 0; round < 5; round++) {
		const doomed = await node(t, at);
		const text = 'x'.repeat(10_000);
		const flood = Array.from({ length: 90 }, () =>
		    ({ channel: 'flood', message: text }));
		const [, pid] = doomed.pids();
		let n = 0;
		const killed = within((async () => {
			for (;;) {
				const r = await publish(doomed, flood)
				    .catch(() => undefined);

				if (r === undefined)
					return;
				// Another one is under way when it is killed.
				if (++n === 3 + round)
					publish(doomed, flood).catch(() => {});
				if (n === 3 + round)
					for (const p of [doomed.child.pid, pid])
						process.kill(p, 'SIGKILL');
			}
		})(), 'its end');

		for (let i = 0; i < 20; i++) {
			const said = await ada.say('lobby', `${round}.${i}`);
			const heard = await bob.next('message');

			assert.deepEqual(heard, said);
		}
		await killed;
		await doomed.ended;
	}
	const three = await node(t, at);
	const eve = await Person.open(t, three);

	await eve.join('lobby', 'Eve');
	await meet('lobby', ada, bob, eve);
	await eve.say('lobby', 'hello');
	await ada.hears('hello');
	await bob.hears('hello');
});

test('what somebody left who died in the middle of a record', async (t) => {
	const at = await place(t, 'size = 1m');
	const one = await node(t, at), two = await node(t, at);
	const ada = await Person.open(t, one), bob = await Person.open(t, two);

	await ada.join('lobby', 'Ada');
	await bob.join('lobby', 'Bob');
	await meet('lobby', ada, bob);
	for (let i = 0; i < 30; i++) {
		// As who writes has the lock, it is nobody else's record.
		const release = await hold(t, at);
		const fd = fs.openSync(at.ring, 'r+');
		const head = Buffer.alloc(24);

		// What it would have taken, and half of what it would have
		// written.
		fs.readSync(fd, head, 0, 24, 0);
		const n = 1000 * (i + 1), from = head.readBigUInt64LE(16);
		const junk = Buffer.alloc(n / 2, i % 2 ? 0xff : 0x41);

		head.writeBigUInt64LE(from + BigInt(n), 8);
		fs.writeSync(fd, head, 8, 8, 8);
		for (const [k, b] of junk.entries())
			if (k % 100 === 0)
				fs.writeSync(fd, junk, k, 1, 65536 +
				    Number((from + BigInt(k)) % 1048576n), b);
		fs.closeSync(fd);
		await release();
		await ada.say('lobby', `a${i}`);
		await bob.hears(`a${i}`);
		await bob.say('lobby', `b${i}`);
		await ada.hears(`b${i}`);
	}
});

test('somebody who holds the lock stops nobody for long', async (t) => {
	const at = await place(t);
	const one = await node(t, at), two = await node(t, at);
	const ada = await Person.open(t, one), abe = await Person.open(t, one);
	const bob = await Person.open(t, two);

	for (const p of [ada, abe, bob])
		await p.join('lobby', `P${p.pid}`);
	await meet('lobby', ada, abe, bob);
	const release = await hold(t, at);

	for (let i = 0; i < 10; i++) {
		await ada.say('lobby', `alone ${i}`);
		await abe.hears(`alone ${i}`);
	}
	await within((async () => {
		while ((await one.status()).backend.dropped < 10)
			;
	})(), 'ten that were dropped');
	await release();
	await ada.say('lobby', 'together');
	await bob.hears('together');
});

test('a reader whom the ring has lapped is told of a gap', async (t) => {
	const at = await place(t, 'size = 1m', PATIENT);
	const keys = 'history = 20  max_text = 6000';
	const one = await node(t, at, { keys });
	const two = await node(t, at, { keys });
	const ada = await Person.open(t, one), bob = await Person.open(t, two);

	await ada.join('lobby', 'Ada');
	await bob.join('lobby', 'Bob');
	await meet('lobby', ada, bob);
	atEnd(t, () => {
		try { process.kill(bob.pid, 'SIGCONT'); } catch { /* gone */ }
	});
	process.kill(bob.pid, 'SIGSTOP');
	const filler = '.'.repeat(5900), said = [];

	for (let i = 0; i < 400; i++)
		said.push((await ada.say('lobby', `${i} ${filler}`)).text);
	process.kill(bob.pid, 'SIGCONT');
	assert.deepEqual(texts((await bob.next('history')).messages),
	    said.slice(-20));
	await ada.say('lobby', 'after');
	await bob.hears('after');
});

test('the file is ours alone, or it is refused', async (t) => {
	const at = await place(t);
	const h = await node(t, at);

	assert.equal(fs.statSync(at.ring).mode & 0o777, 0o600);
	const refused = async (prepare, why) => {
		const file = path.join(at.dir, `bad${Math.random()}`);

		prepare(file);
		fs.writeFileSync(`${h.dir}/bad.conf`, `
			user = "${os.userInfo().username}"
			run_dir = "${h.dir}/bad"
			listen "x" { address = "unix:${h.dir}/s" }
			${at.conf.replace(at.ring, file)}`);
		const r = await command(sbin('hostd'),
		    ['-t', '-c', `${h.dir}/bad.conf`]);

		assert.notEqual(r.code, 0);
		assert.match(r.stderr, why);
	};

	await refused((f) => fs.writeFileSync(f, '', { mode: 0o644 }),
	    /not a file of ours alone/);
	await refused((f) => fs.symlinkSync(at.ring, f), /symbolic links/);
	await refused((f) => fs.mkdirSync(f), /directory/);
	await refused((f) => fs.writeFileSync(f, 'x', { mode: 0o600 }),
	    /another size/);
	await refused((f) => fs.writeFileSync(f,
	    Buffer.alloc(65536 + (8 << 20), 1), { mode: 0o600 }),
	    /no ring of ours/);
});
