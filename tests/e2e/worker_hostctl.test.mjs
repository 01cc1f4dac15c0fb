// SPDX-License-Identifier: BSD-2-Clause
// hostctl's exit status, and its answers as JSON.
import assert from 'node:assert/strict';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { bin, command, tempDir, within } from './lib/hostd.mjs';
import { startLife } from './lib/life.mjs';

test('0: done', async (t) => {
	const h = await startLife(t);

	for (const args of [['status'], ['list'], ['version'], ['reload'],
		['scale', 'web', '2'], ['test', '-c', h.confFile], ['-h'],
		['-V'], ['plugin', 'schema', path.join(h.dir, 'life.so')]]) {
		const r = await h.hostctl(...args);

		assert.equal(r.code, 0, `${args}: ${r.stderr}`);
		assert.notEqual(r.stdout, '', `${args}`);
	}
	assert.equal((await h.hostctl('logs', 'reopen')).code, 0);
});

test('1: refused or failed', async (t) => {
	const h = await startLife(t, { confd: { 'x.conf': '' } });

	for (const args of [['scale', 'x', '2'],
		['test', '-c', path.join(h.dir, 'absent.conf')],
		['plugin', 'inspect', path.join(h.dir, 'absent.so')]]) {
		const r = await h.hostctl(...args);

		assert.equal(r.code, 1, `${args}: ${r.stdout}`);
		assert.notEqual(r.stderr + r.stdout, '');
	}
});

test('2: wrong usage', async () => {
	for (const args of [[], ['statsu'], ['status', 'x'], ['list', 'x'],
		['reload', 'x'], ['scale'], ['scale', 'web'],
		['scale', 'web', 'two'], ['stop', '--later'],
		['logs', '-x'], ['test', '-c'], ['version', 'x'],
		['plugin'], ['plugin', 'x'], ['--wrong'], ['-s']]) {
		const r = await command(bin('hostctl'), args);

		assert.equal(r.code, 2, `${args}: ${r.stderr}`);
		assert.equal(r.stdout, '', `${args}`);
		assert.notEqual(r.stderr, '', `${args}`);
	}
	const r = await command(bin('hostctl'), ['statsu']);

	assert.match(r.stderr, /did you mean "status"\?/);
});

test('3: nobody there', async (t) => {
	const socket = path.join(tempDir(t), 'absent.sock');

	for (const args of [['status'], ['list'], ['reload'], ['stop'],
		['scale', 'web', '2'], ['logs', 'reopen'], ['version']]) {
		const r = await command(bin('hostctl'),
		    ['-s', socket, ...args]);

		assert.equal(r.code, 3, `${args}: ${r.stderr}`);
		assert.ok(r.stderr.includes(socket), r.stderr);
	}
});

test('answers as JSON', async (t) => {
	const h = await startLife(t);
	const json = async (...args) => {
		const r = await h.hostctl(...args);

		assert.equal(r.stderr, '', `${args}`);
		return r.stdout.trimEnd().split('\n').map((l) => JSON.parse(l));
	};

	for (const where of [['--json', 'status'], ['status', '--json']]) {
		const s = JSON.parse((await h.hostctl(...where)).stdout);

		assert.equal(s.pid, h.child.pid);
		assert.equal(s.generation, 1);
		assert.equal(s.state, 'serving');
		assert.equal(s.conf_file, h.confFile);
		assert.deepEqual(s.plugins, ['life']);
		assert.deepEqual(s.pools.map((p) => [p.name, p.configured,
			p.target, p.workers.length]), [['web', 2, 2, 2]]);
	}
	const lines = await json('reload', '--json');

	assert.ok(lines.slice(0, -1).every((l) => 'progress' in l));
	assert.deepEqual(lines.at(-1), { ok: true, generation: 2,
	    outcome: 'done' });
	assert.deepEqual((await json('scale', 'web', '1', '--json')).at(-1),
	    { ok: true, generation: 2,
	    outcome: 'done' });
	const [version] = await json('version', '--json');

	assert.equal(version.hostctl, version.hostd);
	const r = await h.hostctl('scale', 'x', '1', '--json');

	assert.equal(r.code, 1);
	assert.deepEqual(r.stdout.trimEnd().split('\n').map(JSON.parse),
	    [{ error: 'there is no pool "x"' }, { ok: false }]);
});

test('what comes over the control socket is checked', async (t) => {
	const h = await startLife(t);
	const say = (bytes) => {
		const s = net.connect(h.socket);
		let text = '';

		s.setEncoding('utf8');
		s.on('data', (d) => { text += d;
		    if (text.includes('"ok"')) s.end(); });
		s.on('error', () => {});
		s.write(bytes);
		return within(new Promise((resolve) =>
		    s.on('close', () => resolve(text))), 'close');
	};
	const no = /^\{"error": ?".*\}\n\{"ok": ?false\}\n$/;

	for (const bytes of ['x\n', '[]\n', '{}\n', '1\n', '{"cmd":1}\n',
		'{"cmd":"x"}\n', '{"cmd":"scale"}\n', '\n', '\0\n', '{"cmd":\n',
		'{"cmd":"scale","pool":"web","workers":"2"}\n',
		'{"cmd":"scale","pool":"web","workers":99999999999}\n'])
		assert.match(await say(bytes), no, JSON.stringify(bytes));
	assert.equal(await say('x'.repeat(200_000)), '');
	assert.equal((await h.status()).generation, 1);
});
