// SPDX-License-Identifier: BSD-2-Clause
// watch = on: a change of a file of the generation is a reload.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { until } from './lib/hostd.mjs';
import { lifeConf, startLife } from './lib/life.mjs';
import { Load } from './lib/load.mjs';

const textOf = async (h) =>
	(await (await fetch(h.url)).text()).trim().split(' ')[1];

const descriptorsOf = (pid) => fs.readdirSync(`/proc/${pid}/fd`)
    .map((fd) => {
	try {
		return fs.readlinkSync(`/proc/${pid}/fd/${fd}`);
	} catch {
		return '';	// closed meanwhile
	}
});

// Run change(); then another generation serves, or was refused with that.
async function after(h, what, change) {
	const from = h.log.length;

	// Half of a change is none.
	h.child.kill('SIGSTOP');
	try {
		change();
	} finally {
		h.child.kill('SIGCONT');
	}
	return h.logged(what, from);
}
const served = /serving generation \d+$/m;
const reloads = (h) => h.log.split('reloading, as generation').length - 1;

test('watching', async (t) => {
	const h = await startLife(t, { conf: 'watch = on' });
	const main = fs.readFileSync(h.confFile, 'utf8');
	const file = path.join(h.dir, 'conf.d/life.conf');
	const conf = (keys) => lifeConf(keys).replaceAll('@DIR@', h.dir);
	const load = new Load(h);

	await t.test('a file that is written', async () => {
		await after(h, served,
		    () => fs.writeFileSync(file, conf('text = two')));
		assert.equal(await textOf(h), 'two');
	});

	await t.test('one that is replaced by another, as editors do',
	    async () => {
		await after(h, served, () => {
			fs.renameSync(file, `${file}~`);
			fs.writeFileSync(`${file}.tmp`, conf('text = three'));
			fs.renameSync(`${file}.tmp`, file);
			fs.rmSync(`${file}~`);
		});
		assert.equal(await textOf(h), 'three');
	});

	await t.test('the plugin', async () => {
		const so = path.join(h.dir, 'life.so');

		await after(h, served, () => {
			const bytes = fs.readFileSync(so);

			fs.rmSync(so);
			fs.writeFileSync(so, bytes);
		});
	});

	await t.test('a file that is new in conf_dir', async () => {
		await after(h, served, () => fs.writeFileSync(
		    path.join(h.dir, 'conf.d/more.conf'),
		    'route "/more" { plugin = "life" }\n'));
		await after(h, served,
		    () => fs.rmSync(path.join(h.dir, 'conf.d/more.conf')));
	});

	await t.test('many changes at once are one reload', async () => {
		const before = reloads(h);

		for (let i = 0; i < 20; i++)
			fs.writeFileSync(`${file}.${i}`, conf(`text = n${i}`));
		await after(h, served, () => {
			for (let i = 0; i < 20; i++)
				fs.renameSync(`${file}.${i}`, file);
		});
		assert.equal(await textOf(h), 'n19');
		// The next one shows that none has come between.
		await after(h, served,
		    () => fs.writeFileSync(file, conf('text = last')));
		assert.equal(await textOf(h), 'last');
		assert.equal(reloads(h), before + 2);
	});

	await t.test('a mistake is told, and the next change is seen',
	    async () => {
		await after(h, 'watch: waiting for the next change',
		    () => fs.writeFileSync(file, conf('txet = no')));
		assert.match(h.log, /life\.conf:1: unknown key "txet"/);
		assert.equal(await textOf(h), 'last');
		// Also of a file that only the mistaken one names.
		await after(h, 'watch: waiting for the next change',
		    () => fs.writeFileSync(file, conf('text = back')
			.replace('life.so', 'build/later.so')));
		await after(h, served, () => {
			fs.mkdirSync(path.join(h.dir, 'build'));
			fs.copyFileSync(path.join(h.dir, 'life.so'),
			    path.join(h.dir, 'build/later.so'));
		});
		assert.equal(await textOf(h), 'back');
	});

	await t.test('what a link leads to', async () => {
		const dir = path.join(h.dir, 'elsewhere');

		fs.mkdirSync(dir);
		fs.writeFileSync(path.join(dir, 'x.conf'), '');
		await after(h, served, () => fs.symlinkSync(
		    path.join(dir, 'x.conf'),
		    path.join(h.dir, 'conf.d/x.conf')));
		await after(h, served, () => fs.writeFileSync(
		    path.join(dir, 'x.conf'),
		    'route "/x" { plugin = "life" }'));
	});

	await t.test('nobody was disturbed', async () => {
		await load.more(20);
		await load.stop();
		assert.deepEqual(load.failures, []);
	});

	await t.test('until it is switched off', async () => {
		await after(h, served, () => fs.writeFileSync(h.confFile,
		    main.replace('watch = on', 'watch = off')));
		await until(() => !descriptorsOf(h.child.pid).includes(
		    'anon_inode:inotify'), 'end of the watch');
	});
});
