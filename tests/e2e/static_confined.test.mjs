// SPDX-License-Identifier: BSD-2-Clause
// Nothing outside of the root is served, however it is asked for.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { raw, statusOf } from './lib/hostd.mjs';
import { ask, at, startStatic } from './lib/static.mjs';

const SECRET = 'the secret outside';

async function start(t, options = {}) {
	const h = await startStatic(t, { keys: 'listing = on', ...options,
	    files: {
		'index.html': 'root', 'sub/a.txt': 'inside', 'b.txt': 'b',
		'..a/x': 'dots', 'a../x': 'dots',
	} });

	fs.writeFileSync(path.join(h.dir, 'secret'), SECRET);
	fs.mkdirSync(path.join(h.dir, 'outside'));
	fs.writeFileSync(path.join(h.dir, 'outside/secret'), SECRET);
	fs.writeFileSync(`${h.www}-secret`, SECRET);
	return h;
}

const up = ['..', '%2e%2e', '%2E.', '.%2e', '%252e%252e', '..%2f', '..%5c',
	'..\\', '...', '..;', '..%20', '%c0%ae%c0%ae', '%uff0e%uff0e', '..%00',
	'..%c0%af', '.%0d.', '..%09', '%2e%2e%2f', '..%ef%bc%8f', '..%u2215'];

test('dots and escapes', async (t) => {
	for (const route of ['/', '/files/']) {
		const h = await start(t, { route });

		for (const dots of up)
			for (const p of [`${dots}/secret`,
			    `${dots}/${dots}/secret`,
				`sub/${dots}/${dots}/secret`,
				`sub/${dots}${dots}/secret`, `${dots}secret`,
				`/${dots}/secret`, `./${dots}/secret`,
				`sub/./${dots}//${dots}/secret`,
				`${dots}/www-secret`, `${dots}-secret`,
				`${dots}/outside/`, `sub/${dots}/${dots}/`]) {
				const r = await raw(h.port,
				    `GET ${route}${p} ` +
				    'HTTP/1.1\r\nHost: a\r\n' +
				    'Connection: close\r\n\r\n');

				assert.ok([400, 403, 404].includes(
				    statusOf(r.text)) ||
				    // Resolved within the root.
				    /\r\n\r\n(root|<!doctype html>)/
				    .test(r.text), `${p}: ${r.text}`);
				assert.doesNotMatch(r.text, /secret/, p);
			}
	}
});

test('dots that stay within', async (t) => {
	const h = await start(t);

	for (const p of ['/sub/../b.txt', '/sub/%2e%2e/b.txt', '/./b.txt',
		'//b.txt', '/sub/..//b.txt', '/sub%2f..%2fb.txt'])
		assert.equal((await ask(h, p)).text, 'b', p);
	assert.equal((await ask(h, '/a../x')).text, 'dots');
});

test('an absolute path', async (t) => {
	const h = await start(t);

	for (const p of [`/${h.dir}/secret`, `//${h.dir}/secret`,
		`/%2f${encodeURIComponent(h.dir)}/secret`, '/%2fetc%2fpasswd',
		`http://a/${h.dir}/secret`]) {
		const r = await ask(h, p);

		assert.equal(r.status, 404, p);
		assert.doesNotMatch(r.text, /secret|root:/);
	}
});

test('symbolic links', async (t) => {
	const h = await start(t);
	const link = (name, to) => fs.symlinkSync(to, at(h, name));

	link('abs', path.join(h.dir, 'secret'));
	link('abs-within', at(h, 'b.txt'));
	link('rel', '../secret');
	link('sub/rel', '../../secret');
	link('deep', 'sub/../../secret');
	link('dir', '../outside');
	link('absdir', path.join(h.dir, 'outside'));
	link('chain', 'rel');
	link('loop', 'loop');
	link('ping', 'pong');
	link('pong', 'ping');
	link('proc', '/proc/self/environ');
	link('magic', '/proc/self/root/etc/passwd');
	link('dangling', 'nothing');
	link('fine', 'sub/a.txt');
	link('sub/fine', '../b.txt');
	link('finedir', 'sub');
	link('sub/self', '.');

	for (const p of ['abs', 'abs-within', 'rel', 'sub/rel', 'deep',
		'dir/secret', 'absdir/secret', 'chain', 'loop', 'ping', 'proc',
		'magic', 'dir', 'dir/', 'absdir/', 'proc/', 'finedir/rel',
		'sub/self/rel']) {
		const r = await ask(h, `/${p}`);

		assert.equal(r.status, 403, p);
		assert.doesNotMatch(r.text, /secret/);
	}
	assert.equal((await ask(h, '/dangling')).status, 404);
	for (const [p, text] of Object.entries({ fine: 'inside',
		'sub/fine': 'b', 'finedir/a.txt': 'inside',
		'sub/self/self/a.txt': 'inside', 'finedir/fine': 'b' }))
		assert.equal((await ask(h, `/${p}`)).text, text, p);
	assert.equal((await ask(h, '/finedir')).headers.location, '/finedir/');
});

test('links instead of index and compressed files', async (t) => {
	const h = await start(t, { keys: '' });

	fs.unlinkSync(at(h, 'index.html'));
	fs.symlinkSync('../secret', at(h, 'index.html'));
	fs.symlinkSync('../secret', at(h, 'b.txt.gz'));
	fs.symlinkSync('../secret', at(h, 'b.txt.br'));
	assert.equal((await ask(h, '/')).status, 403);
	const r = await ask(h, '/b.txt', { 'Accept-Encoding': 'gzip, br' });

	assert.equal(r.headers['content-encoding'], undefined);
	assert.equal(r.text, 'b');
});

test('a root that is a link itself', async (t) => {
	const h = await startStatic(t, { files: { 'a.txt': 'a' } });

	fs.symlinkSync('www', path.join(h.dir, 'current'));
	const text = fs.readFileSync(h.confFile, 'utf8');

	fs.writeFileSync(h.confFile, text.replace('/www"', '/current"'));
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
	assert.equal((await ask(h, '/a.txt')).text, 'a');
});
