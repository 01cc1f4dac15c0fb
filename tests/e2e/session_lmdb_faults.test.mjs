// SPDX-License-Identifier: BSD-2-Clause
// Files that session_lmdb can't use: whoever starts or reloads is told which,
// why and what to do; who serves goes on.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { atEnd, command, until, within } from './lib/hostd.mjs';
import { prepareKept, reconfigure, startAgain, startKept }
    from './lib/kept.mjs';
import { get, set, Visitor } from './lib/session.mjs';

const AT = 'path = "@DIR@/at/s.mdb"';

// It ends, and has said why, with the path.
async function refused(h, file, why) {
	const from = h.log.length;

	h.exited = false;
	h.spawn();
	const { code } = await within(h.ended, 'end of hostd');
	const said = h.log.slice(from);

	assert.equal(code, 1, said);
	assert.ok(said.includes(`${file}: `), said);
	assert.match(said, why);
}

const cases = {
	'garbage': [(f) => fs.writeFileSync(f, 'x'.repeat(9000)),
		/hostd\.conf:\d+: .*it is no LMDB file, or its start is damaged; move it away/],
	'a few bytes': [(f) => fs.writeFileSync(f, 'x'), /it is no LMDB file/],
	'a directory': [(f) => fs.mkdirSync(f), /it is a directory/],
	'a pipe': [(f) => fs.symlinkSync('/dev/null', f), /no regular file/],
	'no directory': [(f) => fs.rmdirSync(path.dirname(f)),
		/its directory: No such file or directory; make it/],
	'nobody may read': [(f) => { fs.writeFileSync(f, '');
		fs.chmodSync(f, 0); },
		/the file: Permission denied; workers, which run as uid \d+, must be able to/],
	'nobody may write there': [(f) => fs.chmodSync(path.dirname(f), 0o555),
		/its directory: Permission denied; workers, which run as uid \d+/],
	'lock of LMDB unusable': [(f) => fs.mkdirSync(`${f}-lock`),
		/ends in -lock: Is a directory/],
	'lock of ours unusable': [(f) => fs.mkdirSync(`${f}-sweep`),
		/-sweep: Is a directory/],
};

for (const [name, [make, why]] of Object.entries(cases))
	test(`a start with ${name}`, async (t) => {
		const h = await prepareKept(t, { store: AT, own: true,
			files: { 'at/.keep': '' } });
		const file = path.join(h.dir, 'at', 's.mdb');

		atEnd(t, () => h.stop('SIGKILL'));
		fs.rmSync(path.join(h.dir, 'at', '.keep'));
		make(file);
		for (const f of fs.existsSync(file) &&
		    !fs.lstatSync(file).isSymbolicLink() ? [file] : [])
			fs.chownSync(f, h.uid, h.uid);
		await refused(h, file, why);
		h.checkSanitizers();
	});

test('a file that was cut, and one that is empty', async (t) => {
	const h = await startKept(t, { store: AT, files: { 'at/.keep': '' } });
	const file = path.join(h.dir, 'at', 's.mdb');
	const sound = async () => {
		const v = new Visitor(h);

		await v.get(set('a', 1));
		assert.equal(await v.get(get('a')), 1);
	};

	for (let i = 0; i < 100; i++)
		await sound();
	await h.stop();
	const { size } = fs.statSync(file);

	for (const part of [1 / 2, 1 / 4]) {
		fs.truncateSync(file, Math.floor(size * part));
		await refused(h, file,
		    /it is damaged; stop hostd and move it away/);
	}
	fs.truncateSync(file, 0);
	const from = h.log.length;

	await startAgain(h);
	await h.logged(/s\.mdb: it was there, but empty; there are no sessions/,
	    from);
	await sound();
});

test('a reload to a file that will not do', async (t) => {
	const h = await startKept(t, { store: 'path = "@DIR@/good.mdb"',
		files: { 'bad.mdb': 'garbage'.repeat(2000) } });
	const v = new Visitor(h);

	await v.get(set('a', 1));
	reconfigure(h, 'good.mdb', 'bad.mdb');
	const r = await h.hostctl('reload');

	assert.equal(r.code, 1);
	assert.match(r.stderr, /hostd\.conf:\d+: plugin "kept" \(session_lmdb\.so\): .*bad\.mdb: it is no LMDB file/);
	assert.equal(await v.get(get('a')), 1);
	assert.equal(await v.get(set('a', 2), get('a')), 2);
});

test('two blocks with one path', async (t) => {
	const h = await prepareKept(t, { store: 'path = "@DIR@/one.mdb"',
		conf: `plugin "two" { module = "session_lmdb.so"
			path = "@DIR@/one.mdb" }` });

	atEnd(t, () => h.stop('SIGKILL'));
	await refused(h, path.join(h.dir, 'one.mdb'),
	    /plugin "two".*another plugin block has the same path/);
});

const may = async (...args) => (await command(args[0], args.slice(1))
    .catch(() => ({ code: 1 }))).code === 0;

test('a full disk, and a read-only one', async (t) => {
	if (!await may('unshare', '-m', 'true')) {
		t.skip('nothing may be mounted here');
		return;
	}
	const h = await prepareKept(t,
	    { store: AT, files: { 'at/.keep': '' } });
	const at = path.join(h.dir, 'at');

	h.through = ['unshare', '-m', 'sh', '-c',
		`mount -t tmpfs -o mode=0755,size=4m none ${at} && exec "$@"`,
		'sh'];
	atEnd(t, async () => {
		await h.stop('SIGQUIT');
		h.checkSanitizers();
	});
	await startAgain(h);
	const there = path.join(`/proc/${h.child.pid}/root`, at);
	const filler = path.join(there, 'filler');
	const v = new Visitor(h);
	const come = async () => (await new Visitor(h).visit('big=b:50000'))
	    .status;

	await v.get(set('a', 1));
	const fd = fs.openSync(filler, 'w');

	assert.throws(() => {
		for (;;)
			fs.writeSync(fd, Buffer.alloc(65536));
	}, { code: 'ENOSPC' });
	fs.closeSync(fd);
	await until(async () => await come() === 503, 'a refusal');
	await h.logged(/s\.mdb: can't be written: no space is left on its device/);
	assert.equal(await v.get(get('a')), 1);
	fs.unlinkSync(filler);
	assert.equal(await come(), 200);
	assert.equal(await v.get(set('a', 2), get('a')), 2);

	await h.stop('SIGQUIT');
	h.through[4] = `mount -t tmpfs -o ro none ${at} && exec "$@"`;
	await refused(h, path.join(at, 's.mdb'),
	    /its directory: Read-only file system/);
});
