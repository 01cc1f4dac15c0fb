// SPDX-License-Identifier: BSD-2-Clause
// Generations are kept, and one can go back to them.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { lifeConf, rewrite, startLife } from './lib/life.mjs';
import { Client, Load } from './lib/load.mjs';

async function answer(h) {
	const c = new Client(h.port);
	const { body } = await c.ask('/', true);

	c.destroy();
	return body.trimEnd().split(' ')[1];
}

async function ctl(h, ...args) {
	const r = await h.hostctl(...args);

	assert.equal(r.code, 0, `${args}: ${r.stderr}`);
	return r.stdout;
}

const release = async (h, text) => {
	rewrite(h, 'conf.d/life.conf', lifeConf(`text = "${text}"`));
	await ctl(h, 'reload');
};

const generations = async (h) =>
	JSON.parse(await ctl(h, 'generations', '--json'));

// [[number, state], ...]; all old workers have ended.
async function states(h) {
	await h.workersSatisfy((ws) => ws.every((w) => w.state === 'ready'),
	    'end of the old workers');
	return (await generations(h)).map((g) => [g.generation, g.state]);
}

test('back and further back, and forth', async (t) => {
	const h = await startLife(t);
	const load = new Load(h);

	for (const text of ['two', 'three', 'four'])
		await release(h, text);
	assert.deepEqual(await states(h), [[4, 'serving'], [3, 'previous'],
		[2, 'kept'], [1, 'kept']]);

	assert.match(await ctl(h, 'rollback'),
	    /^rolled back, generation 3 is served$/m);
	assert.equal(await answer(h), 'three');
	assert.equal((await h.status()).generation, 3);
	assert.deepEqual(await states(h), [[4, 'kept'], [3, 'serving'],
		[2, 'previous'], [1, 'kept']]);
	await ctl(h, 'rollback');
	assert.equal(await answer(h), 'two');
	await ctl(h, 'rollback', '4');
	assert.equal(await answer(h), 'four');
	await ctl(h, 'rollback', '1', '--parallel', '2');
	assert.equal(await answer(h), 'one');

	await t.test('what can\'t be', async () => {
		for (const [args, why] of [
			[[], 'there is no generation before 1 to go back to'],
			[['1'], 'generation 1 is what is served'],
			[['7'], /there is no generation 7 any more/],
			[['4294967297'],
				/there is no generation 4294967297 any more/],
		]) {
			const r = await h.hostctl('rollback', ...args);

			assert.equal(r.code, 1, r.stdout);
			assert.match(r.stderr, new RegExp(why));
		}
		for (const args of [['x'], ['0'], ['1', '2'],
		    ['--canary', '1']])
			assert.equal(
			    (await h.hostctl('rollback', ...args)).code, 2);
		assert.equal(await answer(h), 'one');
	});

	// What was left for a reason is not where going back leads.
	await release(h, 'five');
	assert.deepEqual(await states(h), [[5, 'serving'], [4, 'kept'],
		[3, 'kept'], [1, 'previous']]);
	await ctl(h, 'rollback');
	assert.equal(await answer(h), 'one');
	await load.more(10);
	await load.stop();
	assert.deepEqual(load.failures, []);
	assert.equal((await h.status()).rolled_back, undefined);
});

test('to one that has served without a worker', async (t) => {
	const h = await startLife(t);

	await ctl(h, 'stop', 'web');
	await release(h, 'two');
	await release(h, 'three');
	await h.workersSatisfy((ws) => ws.length === 0, 'no worker');
	assert.deepEqual(await states(h), [[3, 'serving'], [2, 'previous'],
		[1, 'kept']]);
	assert.match(await ctl(h, 'rollback'),
	    /^rolled back, generation 2 is served$/m);
	await ctl(h, 'rollback', '3');
	await ctl(h, 'start', 'web');
	assert.equal(await answer(h), 'three');
	await ctl(h, 'rollback');
	assert.equal(await answer(h), 'two');
	assert.deepEqual(await states(h), [[3, 'kept'], [2, 'serving'],
		[1, 'previous']]);
});

test('a crashed worker comes back as the generation that is served',
    async (t) => {
	const h = await startLife(t);

	await release(h, 'two');
	await ctl(h, 'rollback');
	for (const { pid } of await h.workersSatisfy((ws) => ws.length === 2 &&
	    ws.every((w) => w.generation === 1), 'generation 1'))
		process.kill(pid, 'SIGKILL');
	await h.workersSatisfy((ws) => ws.length === 2 &&
	    ws.every((w) => w.restarts === 1 && w.state === 'ready'),
	    'workers that are back');
	assert.equal(await answer(h), 'one');
});

test('generations_kept, and the files of the others', async (t) => {
	const h = await startLife(t, { conf: 'generations_kept = 1' });

	for (const text of ['two', 'three', 'four'])
		await release(h, text);
	assert.deepEqual(await states(h), [[4, 'serving'], [3, 'previous']]);
	assert.deepEqual(fs.readdirSync(path.join(h.dir, 'run/gen')).sort(),
	    ['3', '4']);
	const r = await h.hostctl('rollback', '2');

	assert.equal(r.code, 1, r.stdout);
});

test('what is told of them', async (t) => {
	const h = await startLife(t, { confd: { 'gone.conf': '' } });
	const [first] = await generations(h);

	assert.equal(first.changes, null);
	assert.equal(first.workers, 2);
	assert.equal(first.before, undefined);
	assert.ok(first.made_ms > 0 && first.served_ms >= first.made_ms);
	fs.rmSync(path.join(h.dir, 'conf.d/gone.conf'));
	rewrite(h, 'conf.d/new.conf', '\n');
	rewrite(h, 'conf.d/life.conf', lifeConf('text = "x"'));
	// Another plugin in the same place.
	fs.appendFileSync(path.join(h.dir, 'life.so'), '\n');
	await ctl(h, 'reload');
	const [second, before] = await generations(h);

	assert.deepEqual(second.changes, [
		{ file: `${h.dir}/conf.d/gone.conf`, change: 'removed' },
		{ file: `${h.dir}/conf.d/life.conf`, change: 'changed' },
		{ file: `${h.dir}/conf.d/new.conf`, change: 'added' },
		{ file: `${h.dir}/life.so`, change: 'changed' },
	]);
	assert.equal(second.before, 1);
	assert.equal(before.state, 'previous');
	assert.equal(second.plugins.length, 1);
	assert.equal(second.plugins[0].name, 'life');
	assert.match(second.plugins[0].hash, /^[0-9a-f]{64}$/);
	assert.notEqual(second.plugins[0].hash, before.plugins[0].hash);
	await ctl(h, 'reload');
	assert.deepEqual((await generations(h))[0].changes, []);
	await states(h);
	const text = await ctl(h, 'generations');

	assert.match(text, /^GEN +STATE +MADE +SERVED +WORKERS +CHANGED +PLUGINS$/m);
	assert.match(text, new RegExp('^2 +previous .* 0 +-gone\\.conf, ' +
	    'life\\.conf, \\+new\\.conf, life\\.so +life ' +
	    `${second.plugins[0].hash.slice(0, 8)}$`, 'm'));
	assert.match(text, /^3 +serving .* 2 +nothing +life [0-9a-f]{8}$/m);
	assert.equal((await h.hostctl('generations', 'x')).code, 2);
});

test('the access log is opened anew', async (t) => {
	const log = 'access_log "a" { path = "@DIR@/access.log" }';
	const h = await startLife(t, { conf: log });
	const file = path.join(h.dir, 'access.log');

	await release(h, 'two');
	await h.workersSatisfy((ws) => ws.length === 2 &&
	    ws.every((w) => w.generation === 2), 'generation 2');
	fs.renameSync(file, `${file}.1`);
	await ctl(h, 'logs', 'reopen');
	await ctl(h, 'rollback');
	const c = new Client(h.port);

	await c.ask('/seen');
	c.destroy();
	await h.workersSatisfy(() => /GET \/seen /.test(
	    fs.readFileSync(file, 'utf8')), 'the line in the new file');
	fs.rmSync(`${file}.1`);
});
