// SPDX-License-Identifier: BSD-2-Clause
// What bash and zsh complete behind hostctl: commands, and the pools and
// workers that there are.
import assert from 'node:assert/strict';
import test from 'node:test';
import { startCommands } from './lib/command.mjs';
import * as shells from './lib/complete.mjs';
import { bin, command } from './lib/hostd.mjs';
import { startLife } from './lib/life.mjs';

// Of each shell: what it offers for several lines.
const each = {
	bash: (...lines) => Promise.all(lines.map((l) => shells.bash(...l))),
	zsh: shells.zsh,
};

async function commands() {
	const { stdout } = await command(bin('hostctl'), ['-h']);

	return [...stdout.matchAll(/^  ([a-z]+)/gm)].map((m) => m[1]);
}

for (const [shell, complete] of Object.entries(each)) {
	test(`${shell}: all commands, and no others`, async () => {
		const all = (await commands()).sort();

		assert.ok(all.length > 20, `${all}`);
		assert.deepEqual(await complete([''], ['sta'],
		    ['-s', '/x', 'und'], ['nonsense'], ['--so']),
		[all, ['start', 'status'], ['undrain'], [], ['--socket']]);
	});

	test(`${shell}: options`, async () => {
		assert.deepEqual(await complete(['reload', '--pa'],
		    ['logs', '-'],
		    ['plugin', ''], ['plugin', 'check', '--me']), [
			['--parallel'], ['--json', '-e', '-f', '-n'],
			['call', 'check', 'commands', 'inspect', 'new',
				'schema'], ['--message']]);
	});

	test(`${shell}: pools and workers that are running`, async (t) => {
		const h = await startLife(t, { conf: `
			pool "web" { workers = 2 }
			pool "other" { workers = 1 }
			listen "main" { address = "127.0.0.1:@PORT@" }` });
		const at = (...lines) =>
			complete(...lines.map((l) => ['-s', h.socket, ...l]));
		const workers = ['other.0', 'web.0', 'web.1'];

		assert.deepEqual(await at(['scale', ''], ['scale', 'web', ''],
		    ['describe', ''], ['restart', 'w'],
		    ['logs', '-n', '5', 'o'], ['logs', 're'],
		    ['signal', 'KI'],
		    ['signal', 'KILL', 'web.']), [
			['other', 'web'], [],
			workers, ['web', 'web.0', 'web.1'],
			['other', 'other.0'], ['reopen'],
			['KILL'],
			['web.0', 'web.1']]);
		assert.ok((await at(['signal', 'RTMI']))[0].includes('RTMIN'));
		await h.hostctl('scale', 'web', '+1');
		await h.hostctl('stop', 'other');
		assert.deepEqual(await at(['describe', 'web.2'],
		    ['start', 'o']), [['web.2'], ['other']]);
	});

	test(`${shell}: upstreams and their servers`, async (t) => {
		const h = await startLife(t, { conf: `
			upstream "app" { server "10.0.0.1:80" { }
			    server "10.0.0.2:81" { } }
			upstream "other" { server "a.test:82" { } }` });
		const at = (...lines) => complete(...lines.map((l) =>
		    ['-s', h.socket, 'upstream', ...l]));

		assert.deepEqual(await at(['d'], ['list', ''], ['weight', 'o'],
		    ['drain', 'app', ''], ['drain', 'other', 'a.'],
		    ['add', 'app', ''], ['add', 'app', 'x', 'w'],
		    ['add', 'app', '--p'], ['list', '--n']), [
			['down', 'drain'], ['app', 'other'], ['other'],
			['10.0.0.1:80', '10.0.0.2:81'], ['a.test:82'],
			[], ['weight='], ['--persist'], ['--names']]);
	});

	test(`${shell}: plugins and their commands`, async (t) => {
		const h = await startCommands(t);
		const at = (...lines) => complete(...lines.map((l) =>
		    ['-s', h.socket, 'plugin', ...l]));

		assert.deepEqual(await at(['co'], ['call', ''],
		    ['commands', 'f'], ['call', 'near', 'he'],
		    ['call', '--timeout', '3s', 'far', 'every_n'],
		    ['call', 'absent', ''], ['call', '--t']), [
			['commands'], ['far', 'near'],
			['far'], ['hello'],
			['every_never'],
			[], ['--timeout']]);
	});

	test(`${shell}: nobody to ask is no noise`, async () => {
		assert.deepEqual(await complete(['-s', '/absent', 'scale', '']),
		    [[]]);
	});
}

test('bash: an address, which it takes apart at its colons', async (t) => {
	const h = await startLife(t, { conf: `
		upstream "app" { server "10.0.0.1:80" { }
		    server "10.0.0.1:81" { } server "10.0.0.1:801" { } }` });
	const at = (...words) => shells.bash('-s', h.socket, 'upstream',
	    'drain', 'app', ...words);

	assert.deepEqual(await at('10.0.0.1', ':'), ['80', '801', '81']);
	assert.deepEqual(await at('10.0.0.1', ':', '80'), ['80', '801']);
	assert.deepEqual(await at('10.0.0.1', ':', '80', '--p'), ['--persist']);
});
