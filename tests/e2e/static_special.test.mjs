// SPDX-License-Identifier: BSD-2-Clause
// What is there but is no file: FIFOs, sockets, devices, directories; and
// files that may not be read.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import test from 'node:test';
import { atEnd, command } from './lib/hostd.mjs';
import { ask, at, openFiles, startStatic } from './lib/static.mjs';

const isRoot = process.getuid() === 0;

test('a FIFO, a socket and a directory', async (t) => {
	const h = await startStatic(t, { files: { 'a.txt': 'a',
		'dir/index.html/x': '', 'odd.txt': 'odd',
		    'odd.txt.gz/x': '' } });

	assert.equal((await command('mkfifo',
	    [at(h, 'fifo'), at(h, 'f.txt.gz')]))
	    .code, 0);
	fs.writeFileSync(at(h, 'f.txt'), 'f');
	const server = net.createServer();

	await new Promise((r) => server.listen(at(h, 'sock'), r));
	atEnd(t, () => server.close());
	for (const p of ['/fifo', '/sock', '/dir/']) {
		const r = await ask(h, p);

		assert.equal(r.status, 403, p);
	}
	assert.equal((await ask(h, '/fifo/')).status, 404);
	// Nor do they get in the way as siblings.
	for (const p of ['/f.txt', '/odd.txt']) {
		const r = await ask(h, p, { 'Accept-Encoding': 'gzip' });

		assert.equal(r.status, 200, p);
		assert.equal(r.headers['content-encoding'], undefined);
	}
	assert.equal((await ask(h, '/a.txt')).text, 'a');
	assert.deepEqual(await openFiles(h), []);
});

test('a device', { skip: !isRoot && 'mknod needs root' }, async (t) => {
	const h = await startStatic(t, { files: { 'a.txt': 'a' } });
	const made = await command('mknod', [at(h, 'zero'), 'c', '1', '5']);

	if (made.code !== 0) {
		t.skip('mknod is not permitted here');
		return;
	}
	assert.equal((await ask(h, '/zero')).status, 403);
	assert.equal((await ask(h, '/zero', { Range: 'bytes=0-9' })).status,
	    403);
});

test('what may not be read', { skip: !isRoot && 'the files need an owner ' +
    'that hostd\'s user is not' }, async (t) => {
	const h = await startStatic(t, {
		user: 'nobody', keys: 'listing = on  cache_valid = 0ms',
		files: { 'shut.txt': 's', 'shutdir/a.txt': 'a',
		    'list/a.txt': 'a',
			'open.txt': 'o', 'open.txt.gz': 'g',
			'idx/index.html': 'i' },
	});

	fs.chmodSync(at(h, 'shut.txt'), 0o600);
	fs.chmodSync(at(h, 'open.txt.gz'), 0o600);
	fs.chmodSync(at(h, 'idx/index.html'), 0o600);
	fs.chmodSync(at(h, 'shutdir'), 0o700);
	fs.chmodSync(at(h, 'list'), 0o711);
	for (const [p, status] of Object.entries({
		'/shut.txt': 403, '/shutdir/a.txt': 403, '/shutdir/none': 403,
		'/shutdir/': 403, '/list/': 403, '/list/a.txt': 200,
		'/none': 404,
	}))
		assert.equal((await ask(h, p)).status, status, p);
	const r = await ask(h, '/open.txt', { 'Accept-Encoding': 'gzip' });

	assert.equal(r.text, 'o');
	// The page is not listed instead of shown.
	assert.equal((await ask(h, '/idx/')).status, 403);
	// Taken away while it is cached.
	assert.equal((await ask(h, '/open.txt')).status, 200);
	fs.chmodSync(at(h, 'open.txt'), 0o600);
	assert.equal((await ask(h, '/open.txt')).status, 403);
});
