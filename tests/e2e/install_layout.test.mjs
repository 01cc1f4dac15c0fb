// SPDX-License-Identifier: BSD-2-Clause
// What is installed, and where.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { bin, command, prefix, sbin, tempDir, top } from './lib/hostd.mjs';

const at = (...p) => path.join(prefix, ...p);
const list = (...p) => fs.readdirSync(at(...p)).sort();
const names = (dir, end) => fs.readdirSync(path.join(top, dir))
    .filter((f) => f.endsWith(end)).sort();

test('programs', () => {
	assert.deepEqual(list('sbin'), ['hostd']);
	assert.deepEqual(list('bin'), ['hostctl']);
	for (const file of [sbin('hostd'), bin('hostctl')]) {
		const st = fs.statSync(file);

		assert.ok(st.isFile());
		assert.equal(st.mode & 0o7777, 0o755, file);
	}
});

// A folder without a source of its name is shared by several of them.
// Not what plugins share.
function isPlugin(name) {
	const file = path.join(top, 'plugins', name, `${name}.c`);

	return fs.existsSync(file) && /^HOSTD_(PLUGIN_ENTRY|EASY_)/m.test(
	    fs.readFileSync(file, 'utf8'));
}

test('plugins', () => {
	const plugins = fs.readdirSync(path.join(top, 'plugins'))
	    .filter(isPlugin).map((name) => `${name}.so`).sort();

	assert.ok(plugins.length >= 3, `${plugins}`);
	assert.deepEqual(list('lib/hostd/plugins'), plugins);
	for (const p of plugins)
		assert.equal(fs.statSync(at('lib/hostd/plugins',
		    p)).mode & 0o022, 0, p);
});

test('headers, as they are in the tree', () => {
	const headers = names('sdk/hostd', '.h');

	assert.ok(headers.length > 0);
	assert.deepEqual(list('include/hostd'), headers);
	for (const f of headers)
		assert.ok(fs.readFileSync(at('include/hostd', f))
		    .equals(fs.readFileSync(path.join(top, 'sdk/hostd', f))),
		    f);
});

test('what authors of plugins build with', async () => {
	const env = { ...process.env,
		PKG_CONFIG_PATH: at('lib/pkgconfig') };
	const config = async (...args) => {
		const r = await command('pkg-config', [...args, 'hostd-sdk'],
		    { env });

		assert.equal(r.code, 0, r.stderr);
		return r.stdout.trim();
	};

	const version = await config('--modversion');

	assert.equal((await command(sbin('hostd'), ['-V'])).stdout,
	    `hostd ${version}\n`);
	assert.equal((await command(bin('hostctl'), ['-V'])).stdout,
	    `hostctl ${version}\n`);
	assert.ok((await config('--cflags')).includes(at('include')));
	assert.equal(await config('--variable=plugindir'),
	    at('lib/hostd/plugins'));
	assert.equal(await config('--variable=checker'), bin('hostctl'));
	assert.ok(fs.existsSync(at('share/hostd/hostd-plugin.map')));
	assert.ok(fs.existsSync(at('share/aclocal/hostd.m4')));
});

test('configuration, with a sample of each file', async (t) => {
	const files = names('conf.d',
	    '.conf').filter((f) => f !== 'hostd.conf');

	assert.ok(files.length >= 3);
	for (const f of ['hostd.conf', ...files.map((n) => `conf.d/${n}`)]) {
		assert.ok(fs.existsSync(at('etc/hostd', f)), f);
		assert.ok(fs.existsSync(at('etc/hostd', `${f}.sample`)), f);
		assert.equal(fs.statSync(at('etc/hostd', f)).mode & 0o022, 0,
		    f);
	}
	const text = fs.readFileSync(at('etc/hostd/hostd.conf.sample'), 'utf8');

	// Nothing is left to fill in, and what is said is where it is.
	assert.doesNotMatch(text, /@\w+@/);
	assert.ok(text.includes(`plugin_dir = "${at('lib/hostd/plugins')}"`));
	t.diagnostic(files.join(' '));
});

test('a systemd unit', (t) => {
	const unit = at('systemd/hostd.service');

	if (!fs.existsSync(unit)) {
		t.skip('installed elsewhere');
		return;
	}
	const text = fs.readFileSync(unit, 'utf8');

	assert.doesNotMatch(text, /@\w+@/);
	assert.match(text, new RegExp(`^ExecStart=${sbin('hostd')}`, 'm'));
	assert.match(text, /^Type=notify/m);
});

test('it need not stay where it was built', async (t) => {
	// Nothing of the build directory is in what is installed.
	const dir = tempDir(t);
	const file = path.join(dir, 'hostd');

	fs.copyFileSync(sbin('hostd'), file);
	fs.chmodSync(file, 0o755);
	const r = await command('readelf', ['-d', file]);

	assert.equal(r.code, 0, r.stderr);
	assert.doesNotMatch(r.stdout, /R(UN)?PATH/);
	assert.equal((await command(file, ['-V'])).code, 0);
});
