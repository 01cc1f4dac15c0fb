// SPDX-License-Identifier: BSD-2-Clause
// hostctl top: a live screen on a terminal, a snapshot elsewhere.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import test from 'node:test';
import { atEnd, bin, until, within } from './lib/hostd.mjs';
import { startLife } from './lib/life.mjs';
import { Load } from './lib/load.mjs';

// hostctl top on a terminal of 24 lines; script(1) makes it.
function screen(t, h, ...args) {
	const command = ['stty rows 24 cols 80;', 'exec', bin('hostctl'), '-s',
		h.socket, 'top', ...args].join(' ');
	const child = spawn('script', ['-qfec', command, '/dev/null'],
	    { env: { ...process.env, TERM: 'xterm' } });
	const s = { child, text: '' };
	let look = () => {};

	child.stdout.setEncoding('utf8').on('data', (d) => {
		s.text += d;
		look();
	});
	s.ended = new Promise((resolve) => child.on('close', (code) => {
		s.code = code;
		look();
		resolve(code);
	}));
	s.until = (what, from = 0) => within(new Promise((resolve, reject) => {
		look = () => {
			if (what.test(s.text.slice(from)))
				resolve(s.text.length);
			else if (s.code !== undefined)
				reject(new Error(`it ended: ${s.text}`));
		};
		look();
	}), `${what}`).catch((e) => {
		e.message += `\n${JSON.stringify(s.text)}`;
		throw e;
	});
	s.press = (key) => {
		const from = s.text.length;

		child.stdin.write(key);
		return from;
	};
	atEnd(t, () => child.kill());
	return s;
}

test('live, sorted by what is asked for', async (t) => {
	const h = await startLife(t);
	const load = new Load(h);
	const s = screen(t, h, '-d', '200ms');

	atEnd(t, () => load.stop());
	await s.until(/hostd \S+ on \S+, serving, generation 1/);
	await s.until(/2 workers, cpu/);
	await s.until(/q quit; sort by w:WORKER/);
	await s.until(/web\.0[^]*web\.1/);
	// It changes by itself, with what the load brings.
	await s.until(/[1-9]\d*\.\d requests\/s, p99 <\d+ms/);
	for (const key of ['c', 'm', 'n', 'r', 'p', 'x', 'i', 's', 'w',
		'\x1bOC', '\x1bOD', ' ']) {
		const from = s.press(key);

		// The screen is drawn anew, at the latest with the next look.
		await s.until(/\x1b\[/, from);
	}
	await h.hostctl('scale', 'web', '3');
	await s.until(/web\.2/);
	s.press('q');
	assert.equal(await within(s.ended, 'end'), 0);
	// The terminal is as it was.
	assert.match(s.text, /\x1b\[\?1049l/);
	await load.stop();
});

test('hostd ends meanwhile', async (t) => {
	const h = await startLife(t);
	const s = screen(t, h, '-d', '100ms');

	await s.until(/q quit/);
	await h.stop();
	assert.notEqual(await within(s.ended, 'end'), 0);
	assert.match(s.text, /hostctl: hostd has gone/);
});

test('once, when it is no terminal', async (t) => {
	const h = await startLife(t);
	const load = new Load(h);

	atEnd(t, () => load.stop());
	await load.more(10);
	const r = await h.hostctl('top', '-d', '300ms');

	assert.equal(r.code, 0, r.stderr);
	const lines = r.stdout.trimEnd().split('\n');

	assert.match(lines[0],
	    /^WORKER +PID +STATE +CPU% +MEM +CONNS +REQ\/S +P99 +RESTARTS$/);
	assert.equal(lines.length, 3);
	assert.match(lines[1], /^web\.0 +\d+ +ready +[\d.]+ +[\d.]+m +\d+ +[\d.]+ +(<\d+ms|-) +0$/);
	assert.ok(lines.every((l) => l.length < 80));
	// The load may stand still for that long.
	const j = await until(async () => {
		const one = JSON.parse((await h.hostctl('top', '--json', '-d',
		    '300ms')).stdout);

		return one.workers.some((w) => w.requests_per_s > 0) && one;
	}, 'requests while it looks');
	const pids = (await h.workers()).map((w) => w.pid);

	assert.ok(j.interval_ms >= 300);
	assert.deepEqual(j.workers.map((w) => w.pid), pids);
	assert.ok(j.workers.reduce((n, w) => n + w.requests_per_s, 0) > 1);
	assert.ok(j.workers.some((w) => w.p99_ms >= 1));
	await load.stop();
});

test('wrong usage', async (t) => {
	const h = await startLife(t);

	for (const args of [['-x'], ['-d'], ['-d', 'x'], ['-d', '1ms'],
	    ['web']])
		assert.equal((await h.hostctl('top', ...args)).code, 2,
		    `${args}`);
});
