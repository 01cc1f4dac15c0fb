// SPDX-License-Identifier: BSD-2-Clause
// Some workers of a new generation go first: what is worse than the old ones
// goes back, with the figures that say so.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { bin, within } from './lib/hostd.mjs';
import { lifeConf, rewrite, startLife } from './lib/life.mjs';
import { Client, Load } from './lib/load.mjs';
import { plugin } from './lib/http1.mjs';
import { Lines } from './lib/lines.mjs';
import { open, text } from './lib/websocket.mjs';

const KEYS = 'text = "new"';

function change(h, keys) {
	rewrite(h, 'conf.d/life.conf', lifeConf(keys));
}

// Connections that ask on and on, whatever they are answered.
class Crowd {
	constructor(h, n = 8) {
		this.running = true;
		h.atEnd(() => this.stop());
		this.all = Promise.all(Array.from({ length: n }, async () => {
			while (this.running) {
				const c = new Client(h.port);

				try {
					for (let i = 0; i < 20; i++)
						await c.ask();
				} catch { /* it crashed, or went */ }
				c.destroy();
			}
		}));
	}

	async stop() {
		this.running = false;
		await within(this.all, 'end of the crowd');
	}
}

// A canary of an hour, that is over when the test says so.
async function startHour(t, workers, more = {}) {
	const clock = await makeClock(t);
	const h = await startLife(t, { ...more, env: clock.env, conf: `
		drain_timeout = 1d
		pool "web" { workers = ${workers}  watchdog = 0 }
		http { idle_timeout = 1d  head_timeout = 1d }` });

	h.canary = async (...args) => {
		const go = new Lines(bin('hostctl'), ['-s', h.socket, 'reload',
			'--canary', '1', '--for', '1h', '--json', ...args]);

		await go.until((l) => l.step === 'canary');
		return go;
	};
	// Each of the workers has done so much more.
	h.enough = async (n) => {
		const before = new Map((await h.workers()).map((w) =>
		    [w.pid, w.requests]));

		await h.workersSatisfy((ws) => ws.filter((w) =>
		    w.state === 'ready').every((w) => w.requests >
		    before.get(w.pid) + n), `${n} requests of each`);
	};
	h.hour = async () => {
		clock.pass(3601);
		// The master has something to do.
		await h.status();
	};
	return h;
}

const reload = (h, ...args) => h.hostctl('reload', '--canary', '1', ...args);

// The answers' texts are those of generation 1, and it says why.
async function isBack(h, why) {
	const s = await h.status();
	const c = new Client(h.port);

	assert.equal(s.generation, 1);
	assert.equal(s.rolled_back.from, 2);
	assert.equal(s.rolled_back.to, 1);
	assert.match(s.rolled_back.why, why);
	assert.match((await c.ask('/', true)).body, / one\n$/);
	c.destroy();
	await h.workersSatisfy((ws) => ws.length === s.pools[0].target &&
	    ws.every((w) => w.generation === 1 && w.state === 'ready'),
	    'workers of generation 1');
	const r = await h.hostctl('status');

	assert.match(r.stdout, /^ROLLED BACK  from generation 2 to 1: /m);
	const [failed] = JSON.parse(
	    (await h.hostctl('generations', '--json')).stdout);

	assert.equal(failed.generation, 2);
	assert.equal(failed.state, 'failed');
	assert.match(failed.failed, why);
}

test('one that is as good goes on', async (t) => {
	const h = await startHour(t, 4);
	const first = new Load(h, { clients: 8 });

	change(h, KEYS);
	const go = await h.canary();

	await h.enough(100);
	// An hour in the middle of a request would be the request's.
	await first.stop();
	assert.deepEqual(first.failures, []);
	await h.hour();
	const load = new Load(h, { clients: 8 });
	const code = await go.ended;
	const lines = go.all;
	const at = (step) => lines.findIndex((l) => l.step === step);
	const last = lines.filter((l) => l.step === 'canary').at(-1);

	assert.equal(code, 0, JSON.stringify(lines));
	assert.deepEqual(lines.at(-1), { ok: true, generation: 2,
		outcome: 'done' });
	// One, then the judgement, then the others.
	assert.ok(at('slot') < at('canary'));
	assert.deepEqual(lines.filter((l) => l.step === 'slot')
	    .map((l) => [l.worker, l.done, l.total]),
	    [0, 1, 2, 3].map((i) => [`web.${i}`, i + 1, 4]));
	assert.deepEqual(lines.slice(lines.indexOf(last) + 1)
	    .filter((l) => l.step === 'slot').length, 3);
	assert.equal(last.pool, 'web');
	assert.ok(last.canary.requests >= 50, JSON.stringify(last));
	assert.ok(last.others.requests >= 50, JSON.stringify(last));
	assert.equal(last.canary.errors, 0);
	await load.more(10);
	await load.stop();
	assert.deepEqual(load.failures, []);
	assert.equal((await h.status()).rolled_back, undefined);
});

test('one with more errors goes back', async (t) => {
	const h = await startLife(t, { conf: 'pool "web" { workers = 3 }' });
	const crowd = new Crowd(h);

	change(h, 'text = "new" status = 503');
	// It does not take that long to see.
	const r = await reload(h, '--for', '1d');

	assert.equal(r.code, 4, r.stdout);
	assert.match(r.stderr, /^hostctl: the canary is worse: pool web: more errors: \d+ of \d+ requests answered with 5xx \(\d+\.\d\d%\) .*, the others 0 of \d+ \(0\.00%\)/m);
	assert.match(r.stderr, /^hostctl: rolled back; generation 1 goes on serving$/m);
	assert.match(r.stdout, /: going back to generation 1 in 1 worker$/m);
	await isBack(h, /^the canary is worse: pool web: more errors/);
	await crowd.stop();
	await h.logged(/reload of generation 2 is rolled back: the canary is worse/);
});

test('one with slower callbacks goes back', async (t) => {
	const h = await startHour(t, 2);
	const crowd = new Crowd(h, 24);

	change(h, 'text = "new" spin = 8ms');
	const go = await h.canary('--factor', '3');

	await h.enough(60);
	await crowd.stop();
	await h.hour();
	assert.equal(await go.ended, 4, JSON.stringify(go.all));
	assert.match(go.all.find((l) => 'error' in l).error,
	    /^the canary is worse: pool web: slower: /);
	await isBack(h, /slower/);
});

test('one that is not that much worse goes on', async (t) => {
	const h = await startHour(t, 2, { keys: 'spin = 4ms' });
	const crowd = new Crowd(h);

	change(h, 'text = "new" spin = 8ms');
	const go = await h.canary('--factor', '20');

	await h.enough(60);
	await crowd.stop();
	await h.hour();
	assert.equal(await go.ended, 0, JSON.stringify(go.all));
	assert.doesNotMatch(JSON.stringify(go.all), /too few/);
});

test('one that crashes goes back at once', async (t) => {
	const h = await startLife(t, { conf: 'pool "web" { workers = 2 }' });
	const lines = new Lines(bin('hostctl'), ['-s', h.socket, 'reload',
		'--canary', '1', '--for', '1d', '--json']);

	await lines.until((l) => l.step === 'canary');
	const { pid } = (await lines.until((l) => l.step === 'slot'));

	for (let crashed = false; !crashed;) {
		const c = new Client(h.port);

		await c.ask();
		crashed = c.pid === pid;
		if (crashed) {
			c.send('/crash');
			await c.ended;
		}
		c.destroy();
	}
	assert.equal(await lines.ended, 4);
	assert.match((await lines.until((l) => 'error' in l)).error,
	    /^worker web\.0 of generation 2 died: SIGABRT in plugin life, on_headers$/);
	await isBack(h, /SIGABRT in plugin life/);
});

test('with too few requests it says so and goes on', async (t) => {
	const h = await startLife(t);
	const r = await reload(h, '--for', '300ms');

	assert.equal(r.code, 0, r.stderr);
	assert.match(r.stdout, /^canary of pool web: too few requests to judge: 0 of 0 requests/m);
});

test('a pool of one is compared with its past', async (t) => {
	const h = await startLife(t, { conf: 'pool "web" { workers = 1 }' });
	const load = new Load(h);

	await load.more(200);
	await load.stop();
	const crowd = new Crowd(h);

	change(h, 'text = "new" status = 500');
	const r = await reload(h, '--for', '1d');

	assert.equal(r.code, 4, r.stdout);
	await isBack(h, /more errors/);
	await crowd.stop();
});

test('two pools have one each', async (t) => {
	const h = await startLife(t, { conf: `
		pool "web" { workers = 2 }
		pool "other" { workers = 3 }
		listen "main" { address = "127.0.0.1:@PORT@" }
		listen "other" { address = "unix:@DIR@/other.sock" pool = "other" }
	` });
	const r = await reload(h, '--for', '300ms', '--json');
	const slots = r.stdout.trimEnd().split('\n').map((l) => JSON.parse(l))
	    .filter((l) => l.step === 'slot').map((l) => l.worker);

	assert.equal(r.code, 0, r.stdout);
	assert.deepEqual(slots, ['web.0', 'other.0', 'web.1', 'other.1',
		'other.2']);
	assert.ok(fs.existsSync(path.join(h.dir, 'other.sock')));
});

test('wrong options', async (t) => {
	const h = await startLife(t);

	for (const args of [['--canary'], ['--canary', '0'], ['--canary', 'x'],
		['--for', '1s'], ['--factor', '2'],
		['--canary', '1', '--for', 'x'],
		['--canary', '1', '--factor', '0.5'],
		['--canary', '1', '--for', '0'],
		['--parallel', '0'], ['--parallel'], ['--unknown'], ['x']]) {
		const r = await h.hostctl('reload', ...args);

		assert.equal(r.code, 2, `${args}: ${r.stderr}`);
		assert.match(r.stderr, /usage: hostctl reload /);
	}
	for (const args of [['--canary', '1', '--factor', '1001'],
		['--parallel', '257']]) {
		const r = await h.hostctl('reload', ...args);

		assert.equal(r.code, 1, `${args}: ${r.stderr}`);
	}
	assert.equal((await h.status()).generation, 1);
});

test('what has gone to a canary that goes back comes back with it',
    async (t) => {
	const h = await startLife(t, { keys: 'text = "one"', conf: `
		pool "web" { workers = 2 }
		plugin "moving" { module = "${await plugin('moving_ws')}" }
		route "/moving" { plugin = "moving" }` });
	const say = async (s, command) => {
		await s.send(text(command));
		return (await s.message()).data.toString();
	};
	const all = await Promise.all(Array.from({ length: 20 },
	    () => open(t, h, '/moving')));
	const idle = Array.from({ length: 20 }, () => new Client(h.port));

	for (const s of all) {
		assert.equal(await say(s, 'join red'), '0');
		assert.equal(await say(s, 'count'), '1');
	}
	for (const c of idle)
		assert.equal((await c.ask()).status, 200);
	change(h, 'text = "new"  status = 500');
	const crowd = new Crowd(h);
	const r = await reload(h, '--for', '1d');

	await crowd.stop();
	assert.equal(r.code, 4, r.stdout);
	await isBack(h, /5xx/);
	const pids = (await h.workers()).map((w) => w.pid);

	for (const s of all) {
		assert.ok(pids.includes(Number(await say(s, 'who'))));
		assert.equal(await say(s, 'count'), '2');
	}
	for (const c of idle) {
		assert.equal((await c.ask()).status, 200);
		assert.equal(c.answered, 2);
		c.destroy();
	}
});
