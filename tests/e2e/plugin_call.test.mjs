// SPDX-License-Identifier: BSD-2-Clause
// hostctl plugin call: what a command of a plugin is given, and what comes
// back.
import assert from 'node:assert/strict';
import test from 'node:test';
import { pidsOf, startCommands } from './lib/command.mjs';

const MiB = 1 << 20;

test('answers, at once and later', async (t) => {
	const h = await startCommands(t);
	const says = async (want, ...args) => {
		const r = await h.call(...args);

		assert.deepEqual([r.code, r.stdout, r.stderr], [0, want, '']);
	};

	await says('hello\n', 'near', 'hello');
	await says('hello\n', 'far', 'hello');
	await says('later\n', 'near', 'later', '30');
	await h.logged('completed: 0, again: -3');
	await says('', 'near', 'echo');
	await says('<a><--json><><ä b>\n', 'near', 'echo', 'a', '--json', '',
	    'ä b');
	await says('{\n  "given": "x",\n  "n": 7\n}\n', 'near', 'json', 'x');
	// What a terminal would take for a command of its own is not its.
	await says('a??\n?[0mb\n', 'near', 'bytes');
});

test('failures say what the plugin says', async (t) => {
	const h = await startCommands(t, { web: 1 });
	const fails = async (want, ...args) => {
		const r = await h.call(...args);

		assert.deepEqual([r.code, r.stdout, r.stderr], [1, '',
			`hostctl: ${want}\n`]);
	};

	await fails('web.0: no: why', 'near', 'fail', 'why');
	await fails('web.0: no: a??[7mb', 'near', 'fail', 'a\n\x1b[7mb');
	await fails('web.0: it failed: E_IO', 'near', 'fail');
	const r = await h.call('--timeout', '500ms', 'near', 'never');

	assert.deepEqual([r.code, r.stdout], [1, '']);
	assert.match(r.stderr, /^hostctl: web\.0: .* has not answered /);
	await h.logged(/never, left: [1-9]/);
	await h.hostctl('stop', 'socket');
	await fails('no worker that is ready has plugin "far"; its pool is ' +
	    'stopped, or no route leads to it', 'far', 'hello');
});

test('one that comes too late is nobody\'s', async (t) => {
	const h = await startCommands(t, { web: 1 });
	const call = h.call('--timeout', '200ms', 'near', 'later', '1000');

	// The worker says so, and is believed by a master who was late itself.
	// Bug: that one looked at its own clock first.
	await h.logged('begun');
	h.child.kill('SIGSTOP');
	await h.logged('completed: -3, again: -3').finally(() =>
	    h.child.kill('SIGCONT'));
	const r = await call;

	assert.deepEqual([r.code, r.stderr], [1, 'hostctl: web.0: the plugin ' +
	    'has not answered within 200 ms\n']);
	assert.equal((await h.call('near', 'hello')).stdout, 'hello\n');
});

test('long answers, and those that are too long', async (t) => {
	const h = await startCommands(t, { web: 2 });

	for (const n of [16000, 16368, 100_000, MiB]) {
		const r = await h.call('near', 'big', `${n}`);

		assert.equal(r.code, 0, r.stderr);
		assert.equal(r.stdout, `${'x'.repeat(n)}\n`);
	}
	const over = await h.call('near', 'big', `${MiB + 1}`);

	assert.deepEqual([over.code, over.stdout], [1, '']);
	assert.match(over.stderr, /the answer is longer than 1048576 bytes\n$/);
	// Of several workers each has a part.
	const all = await h.callJson('near', 'every_big', `${MiB / 2}`);

	assert.deepEqual(all.workers.map((w) => w.result.length),
	    [MiB / 2, MiB / 2]);
	assert.match((await h.call('near', 'every_big',
	    `${MiB / 2 + 1}`)).stderr,
	    /web\.0: the answer is longer than 524288 bytes\n.*web\.1: /);
	// What is asked for must fit a message.
	const long = await h.call('near', 'echo', 'y'.repeat(16000));

	assert.equal(long.stdout.length, 16003);
	assert.match((await h.call('near', 'echo', 'y'.repeat(16400))).stderr,
	    /names and arguments have 164\d\d bytes, and 163\d\d can be passed/);
});

test('in every worker that has it, and in no other', async (t) => {
	const h = await startCommands(t, { web: 3, socket: 2 });

	for (const [name, pool] of [['near', 'web'], ['far', 'socket']]) {
		const pids = await pidsOf(h, pool);
		const r = await h.call(name, 'every_pid');

		assert.equal(r.code, 0, r.stderr);
		assert.deepEqual(r.stdout.trim().split('\n').sort(),
		    pids.map((p, i) => `${pool}.${i}: ${p}`).sort());
		const one = await h.call(name, 'pid');

		assert.ok(pids.includes(Number(one.stdout)), one.stdout);
	}
	// What all say is said once.
	assert.equal((await h.call('near', 'every_hello')).stdout, 'hello\n');
	const { code, every, workers } = await h.callJson('far', 'every_pid');

	assert.deepEqual([code, every], [0, true]);
	assert.deepEqual(workers.map((w) => [w.worker, w.ok, w.status,
		w.result]).sort(), (await pidsOf(h, 'socket')).map((p, i) =>
	    [`socket.${i}`, true, 0, `${p}\n`]).sort());
});

test('--json', async (t) => {
	const h = await startCommands(t, { web: 1 });
	const [pid] = await pidsOf(h, 'web');
	const good = await h.callJson('near', 'json', 'x');

	assert.deepEqual(good, { code: 0, stderr: '', ok: true, every: false,
		json: true, workers: [{ worker: 'web.0', pid, ok: true,
			status: 0, result: { given: 'x', n: 7 } }] });
	// What says that it is JSON, and is not, is a text.
	const bad = await h.callJson('near', 'json', '"');

	assert.equal(bad.workers[0].result, '{"given":""","n":7}');
	const failed = await h.callJson('near', 'fail', 'why');

	assert.deepEqual([failed.code, failed.ok, failed.workers], [1, false,
		[{ worker: 'web.0', pid, ok: false, status: -7,
			error: 'no: why' }]]);
});

test('--json, of what is refused', async (t) => {
	const h = await startCommands(t, { web: 1 });
	const { code, outcome, error } = await h.callJson('nera', 'hello');

	assert.deepEqual([code, outcome, error], [1, 'refused',
		'there is no plugin "nera"; did you mean "near"?']);
	assert.equal((await h.callJson('near', 'later')).outcome, 'usage');
});

test('what is not there, and what is too much or too little', async (t) => {
	const h = await startCommands(t);
	const refused = async (code, what, ...args) => {
		const r = await h.call(...args);

		assert.deepEqual([r.code, r.stdout], [code, ''], `${args}`);
		assert.match(r.stderr, what);
	};

	await refused(1, /no plugin "nera"; did you mean "near"\?/, 'nera',
	    'x');
	await refused(1, /no plugin "zzzzzz"; see hostctl plugin commands/,
	    'zzzzzz', 'hello');
	await refused(1, /"near" has no command "helo"; did you mean "hello"\?/,
	    'near', 'helo');
	await refused(1, /"far" has no command "xyzzyx"; it has: hello, echo/,
	    'far', 'xyzzyx');
	await refused(2, /too many .*plugin call near hello\n$/, 'near',
	    'hello', 'x');
	await refused(2, /too few .*plugin call far later MS \[BYTES\]\n$/,
	    'far', 'later');
	await refused(2, /^usage: hostctl plugin call /, 'near');
	await refused(2, /--timeout is a time/, '--timeout', '2h', 'near', 'x');
	await refused(2, /--timeout is a time/, '--timeout', 'x', 'near', 'x');
	await refused(1, /needs an instance/, 'n'.repeat(200), 'x');
});

test('what changes something is an event', async (t) => {
	const h = await startCommands(t, { web: 1 });

	await h.call('near', 'hello');
	await h.call('near', 'json', 'of this');
	const r = await h.hostctl('events', '--json');
	const all = r.stdout.trim().split('\n').map((l) => JSON.parse(l))
		.filter((e) => e.event === 'plugin.command');

	assert.deepEqual(all.map((e) => e.text), ['plugin near: command json ' +
	    'of this: done by 1 of 1 worker']);
});

test('which commands there are', async (t) => {
	const h = await startCommands(t);
	const names = async (...args) => (await h.hostctl('plugin', 'commands',
	    '--names', ...args)).stdout.trim().split('\n');

	assert.deepEqual((await names()).sort(), ['far', 'near']);
	assert.ok((await names('far')).includes('every_pid'));
	const table = await h.hostctl('plugin', 'commands', 'near');

	assert.match(table.stdout, /^INSTANCE +COMMAND +RUNS IN +WHAT\n/);
	assert.match(table.stdout,
	    /^near +echo \[WORD\.\.\.\] +one worker +What echo does\.$/m);
	assert.match(table.stdout, /^near +every_pid +all workers/m);
	assert.doesNotMatch(table.stdout, /^far/m);
	const r = await h.hostctl('plugin', 'commands', '--json');
	const far = JSON.parse(r.stdout).find((o) => o.instance === 'far');

	assert.equal(far.plugin, 'command_route');
	assert.deepEqual(far.commands[1], { name: 'echo', usage: '[WORD...]',
		help: 'What echo does.', admin: false, every: false,
		json: false, min_args: 0, max_args: 4294967295 });
	const wrong = await h.hostctl('plugin', 'commands', 'fra');

	assert.equal(wrong.code, 1);
	assert.match(wrong.stderr, /did you mean "far"\?/);
});
