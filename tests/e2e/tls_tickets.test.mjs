// SPDX-License-Identifier: BSD-2-Clause
// Sessions: they go on with any worker, over a reload, an upgrade and a
// change of keys, and not with others than those they began with.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import test from 'node:test';
import { startHostd, tempDir, until } from './lib/hostd.mjs';
import { authority, certificate } from './lib/tls.mjs';
import { ask, block, hello, listen } from './lib/tls_ask.mjs';

const VERSIONS = ['-tls1_2', '-tls1_3'];

const conf = (c, tls = '', more = '') =>
	`${more}${listen}${hello}${block('main', c)}tls "main" { ${tls} }\n`;

// A new session in a file.
async function session(t, h, version, args = []) {
	const file = `${tempDir(t)}/session`;
	const r = await ask(h.port, [version, '-sess_out', file, ...args]);

	assert.match(r.answer, /hi/);
	assert.equal(r.resumed, false);
	return file;
}

const isResumed = async (h, version, file, args = []) => {
	const r = await ask(h.port, [version, '-sess_in', file, ...args]);

	assert.match(r.answer, /hi/, r.text);
	return r.resumed;
};

// Which key it was made with.
async function keyName(t, h) {
	const r = await ask(h.port, ['-tls1_2']);

	return /TLS session ticket:\s+0000 - ([0-9a-f -]{47})/.exec(r.text)[1];
}

test('with any worker, over reloads, and over an upgrade', async (t) => {
	const c = await certificate(t);
	const h = await startHostd(t, { conf: conf(c, '',
		'pool "web" { workers = 3 }\n' +
		'access_log "a" { path = "@DIR@/log"  format = ' +
		'"$worker $ssl_session_reused" }\n') });
	const files = {};

	for (const v of VERSIONS)
		files[v] = await session(t, h, v);
	const all = async (what) => {
		for (const v of VERSIONS)
			assert.ok(await isResumed(h, v, files[v]),
			    `${v} ${what}`);
	};
	const others = () => new Set(fs.readFileSync(`${h.dir}/log`, 'utf8')
	    .split('\n').filter((l) => l.endsWith(' r'))
	    .map((l) => l.split(' ')[0])).size;

	await until(async () => {
		await all('at another worker');
		return others() === 3;
	}, 'each worker to go on with them');
	assert.equal((await h.hostctl('reload')).code, 0);
	await all('over a reload');
	const up = await h.hostctl('upgrade');

	assert.equal(up.code, 0, up.stderr);
	await all('over an upgrade');
});

test('keys change, and those before are good for a while', async (t) => {
	const c = await certificate(t);
	const start = (times) => startHostd(t, { conf: conf(c, times) });
	const h = await start('ticket_rotation = 2s  session_timeout = 50s');
	const file = await session(t, h, '-tls1_2');
	const first = await keyName(t, h);

	await until(async () => await keyName(t, h) !== first, 'another key');
	assert.equal(await isResumed(h, '-tls1_2', file), true);

	const short = await start('ticket_rotation = 1s  session_timeout = 1s');
	const ends = await session(t, short, '-tls1_2');

	await until(async () => !await isResumed(short, '-tls1_2', ends),
	    'an end of the session');
});

test('files of keys, which machines share', async (t) => {
	const c = await certificate(t);
	const dir = tempDir(t);
	const key = (name, n) => {
		fs.writeFileSync(`${dir}/${name}`, crypto.randomBytes(n),
		    { mode: 0o600 });
		return `"${dir}/${name}"`;
	};
	const [a, b, small] = [key('a', 80), key('b', 80), key('c', 48)];
	const start = (keys) => startHostd(t, { conf: conf(c,
		`ticket_keys = { ${keys} }`) });
	const one = await start(a), two = await start(`${b}, ${a}`);
	const three = await start(small);

	for (const v of VERSIONS) {
		const file = await session(t, one, v);

		assert.equal(await isResumed(one, v, file), true);
		assert.equal(await isResumed(two, v, file), true);
		assert.equal(await isResumed(three, v, file), false);
		assert.equal(await isResumed(three, v,
		    await session(t, three, v)), true);
		assert.equal(await isResumed(one, v,
		    await session(t, two, v)), false);
	}
	// A reload that knows the key no more.
	const file = await session(t, one, '-tls1_3');

	fs.writeFileSync(one.confFile, fs.readFileSync(one.confFile, 'utf8')
	    .replace(a, b));
	assert.equal((await one.hostctl('reload')).code, 0);
	assert.equal(await isResumed(one, '-tls1_3', file), false);
});

test('off', async (t) => {
	const c = await certificate(t);
	const h = await startHostd(t, { conf: conf(c, 'tickets = off') });

	for (const v of VERSIONS) {
		const r = await ask(h.port, [v]);

		assert.match(r.answer, /hi/);
		assert.doesNotMatch(r.text, /session ticket/i);
	}
});

test('not from where others may connect', async (t) => {
	const ca = await authority(t);
	const c = await certificate(t), client = await certificate(t, { ca });
	const rules = (tls) => conf(c, tls);
	const h = await startHostd(t, { conf: rules(
	    `client_certificates = optional  client_ca = "${ca.cert}"`) });
	const files = {};

	for (const v of VERSIONS)
		files[v] = await session(t, h, v, ['-cert', client.cert,
			'-key', client.key]);
	for (const v of VERSIONS)
		assert.equal(await isResumed(h, v, files[v]), true);
	// With other rules, they are looked at anew.
	fs.writeFileSync(h.confFile, fs.readFileSync(h.confFile, 'utf8')
	    .replace('optional', 'required'));
	assert.equal((await h.hostctl('reload')).code, 0);
	for (const v of VERSIONS) {
		const r = await ask(h.port, [v, '-sess_in', files[v]]);

		assert.equal(r.answer, undefined);
	}
});
