// SPDX-License-Identifier: BSD-2-Clause
// Bug: a gap was told while SUBSCRIBE was on its way to Redis; what was published
// behind it was lost, too, and nobody said so.
import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';
import { atEnd } from './lib/hostd.mjs';
import { startRedis } from './lib/redis.mjs';
import { Member, startRooms } from './lib/rooms.mjs';

// A way to Redis that can keep back what begins to subscribe.
class Way {
	#all = new Set();
	#held = [];
	holds = false;

	static async open(t, redis) {
		const w = new Way();
		const server = net.createServer((s) => w.#take(s, redis));

		await new Promise((r) => server.listen(0, '127.0.0.1', r));
		atEnd(t, () => {
			w.cut();
			server.close();
		});
		w.url = `redis://127.0.0.1:${server.address().port}`;
		return w;
	}

	#take(s, redis) {
		const r = net.connect(redis.socket);
		let held = false;

		for (const x of [s, r]) {
			this.#all.add(x);
			x.on('error', () => {});
			x.on('close', () => {
				this.#all.delete(x);
				s.destroy();
				r.destroy();
			});
		}
		s.on('data', (d) => {
			held ||= this.holds &&
			    d.includes('\r\nSUBSCRIBE\r\n');
			if (held && this.holds)
				this.#held.push([r, d]);
			else
				r.write(d);
			this.seen?.();
		});
		r.on('data', (d) => s.write(d));
	}

	// Until it keeps back something.
	holding() {
		return new Promise((resolve) => {
			this.seen = () => this.#held.length > 0 && resolve();
			this.seen();
		});
	}

	release() {
		this.holds = false;
		for (const [r, d] of this.#held.splice(0))
			r.write(d);
	}

	cut() {
		for (const s of this.#all)
			s.destroy();
	}
}

test('a gap is told when nothing is lost any more', async (t) => {
	const redis = await startRedis(t), way = await Way.open(t, redis);
	const start = (url) => startRooms(t, 1, { conf: `
		plugin "redis" { module = "pubsub_redis.so" url = "${url}"
			retry_max = 200ms }` });
	const a = await Member.open(t, await start(way.url));
	const b = await Member.open(t, await start(redis.url));

	await a.do('follow red');
	await redis.subscribers('red', 1);
	way.holds = true;
	way.cut();
	await way.holding();
	await b.do('pub red lost');
	// Whatever may be told has been told.
	for (let i = 0; i < 3; i++)
		await a.ask('who x');
	assert.deepEqual(a.heard, []);
	way.release();
	assert.deepEqual(await a.hears(1), ['~ red gap']);
	await b.do('pub red after');
	await a.until(() => a.heard.includes('~ red after'), 'message');
	assert.ok(!a.heard.includes('~ red lost'));
});
