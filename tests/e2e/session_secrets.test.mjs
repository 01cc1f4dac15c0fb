// SPDX-License-Identifier: BSD-2-Clause
// Where the secrets of cookies come from, how they change, and where they are
// not to be seen.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { bin, command, prepareHostd, raw, sbin, startHostd, until } from
    './lib/hostd.mjs';
import { plugin } from './lib/http1.mjs';
import { cookieOf, get, parseCookie, serveSessions, set, Visitor } from
    './lib/session.mjs';

const root = process.getuid() === 0;

// Which of them has signed the cookie of a new session.
async function signer(h, secrets) {
	const { setCookie: [line] } = await new Visitor(h).visit(set('a', 1));

	return parseCookie(line, secrets).signed;
}

// Is a session found by a cookie that this one has signed?
async function verifies(h, v, secret) {
	const w = new Visitor(h, { headers: { cookie: cookieOf(v.id,
	    secret) } });

	return (await w.do(get('a')))[0].length === 2;
}

async function reload(h, want = 0) {
	const r = await h.hostctl('reload');

	assert.equal(r.code, want, r.stderr + r.stdout);
	return r.stderr + r.stdout;
}

// In one step, as of a mode.
function write(h, name, text, mode = 0o600) {
	const file = path.join(h.dir, name);

	fs.writeFileSync(`${file}.new`, text, { mode });
	fs.chmodSync(`${file}.new`, mode);
	fs.renameSync(`${file}.new`, file);
}

const files = (text) => ({ files: { secrets: text } });

// -- where they come from --

for (const [what, options, all] of [
	['a list', { secret: 'secret = {"one", "two", "z\u00e9ro \\"3\\""}' },
		['one', 'two', 'z\u00e9ro "3"']],
	['one', { secret: 'secret = "only"' }, ['only']],
	['a file', { secret: 'secret_file = "secrets"',
		...files('one\ntwo\nthree\n') }, ['one', 'two', 'three']],
	['a file without an end', { secret: 'secret_file = "@DIR@/secrets"',
		...files('one\n\ntwo') }, ['one', 'two']],
	['a file of another system', { secret: 'secret_file = "secrets"',
		...files('one\r\n\r\n two \r\n') }, ['one', ' two ']],
	['a variable', { secret: 'secret_env = "HOSTD_TEST_SECRETS"',
		env: { HOSTD_TEST_SECRETS: 'one\ntwo' } }, ['one', 'two']],
	['many', { secret: 'secret_file = "secrets"',
		...files(Array.from({ length: 32 }, (_, i) => `s${i}\n`)
		    .join('')) }, Array.from({ length: 32 },
		    (_, i) => `s${i}`)],
	['a long one', { secret: 'secret_file = "secrets"',
		...files('x'.repeat(60000)) }, ['x'.repeat(60000)]],
])
	test(what, async (t) => {
		const h = await serveSessions(t, { lmdb: true, ...options });
		const v = new Visitor(h);

		if (options.files)
			fs.chmodSync(path.join(h.dir, 'secrets'), 0o600);
		// The first signs, all verify.
		for (let i = 0; i < 5; i++)
			assert.equal(await signer(h, all), all[0]);
		await v.do(set('a', 1));
		for (const secret of all)
			assert.equal(await verifies(h, v, secret), true,
			    secret);
		for (const secret of ['', 'on', 'One', 'one\n', 'two\r',
		    'one\ntwo',
			' one', 'other', 'x'.repeat(59999)])
			if (!all.includes(secret))
				assert.equal(await verifies(h, v, secret),
				    false, secret);
		// Used, it stays as it is.
		const w = new Visitor(h, { headers:
			{ cookie: cookieOf(v.id, all.at(-1)) } });

		assert.deepEqual((await w.visit(set('a', 2))).setCookie, []);
	});

test('one that is made', async (t) => {
	const h = await serveSessions(t, { lmdb: true, secret: '', conf: `
		session "shop" { store = "kept"  name = "shop" }
		route "/shop" { plugin = "s"  sessions = "shop" }` });
	const file = (name) => path.join(h.dir, `state/session-${name}.secret`);
	const text = fs.readFileSync(file('main'), 'utf8');
	const secret = text.trim();
	const v = new Visitor(h);

	assert.match(text, /^[0-9a-f]{64}\n$/);
	assert.equal(fs.statSync(file('main')).mode & 0o7777, 0o600);
	// Each block has its own.
	assert.notEqual(fs.readFileSync(file('shop'), 'utf8'), text);
	assert.match(h.log, /session-main\.secret: made a secret for sessions/);
	for (let i = 0; i < 5; i++)
		assert.equal(await signer(h, [secret]), secret);
	await v.do(set('a', 1));
	await reload(h);
	assert.equal(await v.get(get('a')), 1);
	assert.equal(await signer(h, [secret]), secret);
	// It is there at the next start.
	await h.stop();
	h.exited = false;
	const from = h.log.length;

	h.spawn();
	await h.logged(/serving generation/, from);
	await h.listening();
	assert.equal(await v.get(get('a')), 1);
	assert.equal(fs.readFileSync(file('main'), 'utf8'), text);
	assert.doesNotMatch(h.log.slice(from), /made a secret/);
	// Removed, there is another with the next reload; all sessions end.
	fs.rmSync(file('main'));
	assert.equal(await v.get(get('a')), 1);
	await reload(h);
	assert.notEqual(fs.readFileSync(file('main'), 'utf8'), text);
	assert.deepEqual(await v.do(get('a')), [['OK']]);
});

test('a test makes none', async (t) => {
	const h = await prepareHostd(t, { conf: `state_dir = "@DIR@/state"
		plugin "m" { module = "session_memory.so" }
		session "main" { store = "m" }` });

	for (const [program, ...args] of [
		[sbin('hostd'), '-t', '-c', h.confFile],
		[bin('hostctl'), 'test', '-c', h.confFile]]) {
		const r = await command(program, args);

		assert.equal(r.code, 0, r.stderr);
		assert.equal(fs.existsSync(path.join(h.dir, 'state')), false);
	}
});

test('workers of another user', { skip: !root }, async (t) => {
	const so = await plugin('session_route');
	const h = await startHostd(t, { user: 'nobody', conf: `
		state_dir = "@DIR@/state"
		pool "web" { workers = 1 }
		plugin "m" { module = "session_memory.so" }
		plugin "s" { module = "${so}" }
		session "main" { store = "m" }
		session "file" { store = "m"  name = "f"
			secret_file = "secrets" }
		route "/s" { plugin = "s" }
		route "/f" { plugin = "s"  sessions = "file" }`,
	files: { secrets: 'one\n' } });

	fs.chmodSync(path.join(h.dir, 'secrets'), 0o600);
	for (const where of ['/s', '/f']) {
		const v = new Visitor(h, { path: where });

		await v.do(set('a', 1));
		assert.equal(await v.get(get('a')), 1);
	}
	// It is not theirs.
	const st = fs.statSync(path.join(h.dir, 'state/session-main.secret'));

	assert.deepEqual([st.uid, st.mode & 0o777], [0, 0o600]);
	await reload(h);
	assert.equal((await new Visitor(h, { path: '/f' }).visit(set('a', 1)))
	    .status, 200);
});

// -- how they change --

test('a rotation', async (t) => {
	const h = await serveSessions(t, { lmdb: true,
		secret: 'secret_file = "secrets"', ...files('old\n') });
	const all = ['newest', 'new', 'old'];
	const v = new Visitor(h);

	write(h, 'secrets', 'old\n');
	await v.do(set('a', 1));
	assert.equal(await signer(h, all), 'old');
	// Not before it is said.
	write(h, 'secrets', 'new\nold\n');
	assert.equal(await signer(h, all), 'old');
	const [w] = await h.workers();

	process.kill(w.pid, 'SIGKILL');
	await h.workersSatisfy((ws) => ws.length === 4 && ws.every((x) =>
	    x.state === 'ready' && x.pid !== w.pid), 'another worker');
	// Whoever starts later signs as the others do.
	for (let i = 0; i < 12; i++)
		assert.equal(await signer(h, all), 'old');
	assert.equal(await verifies(h, v, 'new'), false);
	await reload(h);
	for (let i = 0; i < 12; i++)
		assert.equal(await signer(h, all), 'new');
	assert.equal(await v.get(get('a')), 1);
	assert.equal(await verifies(h, v, 'new'), true);
	write(h, 'secrets', 'newest\nnew\n');
	await reload(h);
	for (let i = 0; i < 12; i++)
		assert.equal(await signer(h, all), 'newest');
	// Whose cookie is as old as that has to log in again.
	assert.deepEqual(await v.do(get('a')), [['OK']]);
	assert.equal(await verifies(h, v, 'new'), true);
	// Back to the generation before: with its secrets.
	const r = await h.hostctl('rollback');

	assert.equal(r.code, 0, r.stderr);
	assert.equal(await signer(h, all), 'new');
	assert.equal(await v.get(get('a')), 1);
});

test('a rotation while people come', async (t) => {
	const h = await serveSessions(t, { lmdb: true,
		secret: 'secret_file = "secrets"', ...files('s0\n') });
	const visitors = [];
	let stop = false;

	for (let i = 0; i < 4; i++) {
		const v = new Visitor(h);

		await v.do(set('a', i));
		visitors.push(v);
	}
	// They get a new cookie now and then, as at a login.
	const traffic = visitors.map(async (v, i) => {
		for (let n = 1; !stop; n++) {
			assert.equal(await v.get(get('a')), i);
			if (n % 5 === 0)
				await v.do('regenerate');
		}
		return v.get(get('a'));
	});

	for (let n = 1; n < 5; n++) {
		// First all learn it, then all use it.
		write(h, 'secrets', `s${n - 1}\ns${n}\n`);
		await reload(h);
		write(h, 'secrets', `s${n}\ns${n - 1}\n`);
		await reload(h);
		for (const v of visitors) {
			const before = v.id;

			await until(() => v.id !== before, 'a new cookie');
		}
	}
	stop = true;
	assert.deepEqual(await Promise.all(traffic), [0, 1, 2, 3]);
});

// -- what is wrong with them --

const check = (h) => command(sbin('hostd'), ['-t', '-c', h.confFile]);
const confOf = (keys) => ({ conf: `state_dir = "@DIR@/state"
	plugin "m" { module = "session_memory.so" }
	session "main" { store = "m"  ${keys} }` });

for (const [what, keys, text, why] of [
	['an empty file', 'secret_file = "secrets"', '',
		/hostd\.conf:\d+: .*secrets: there is no secret in it/],
	['one of blank lines', 'secret_file = "secrets"', '\n\r\n\n',
		/there is no secret in it/],
	['a byte 0', 'secret_file = "secrets"', 'a\0b\n', /byte 0/],
	['too many', 'secret_file = "secrets"', 's3cret\n'.repeat(33),
		/more than 32 secrets/],
	['too much', 'secret_file = "secrets"', 's3cret'.repeat(20000),
		/secrets: File too large/],
	['no file', 'secret_file = "none"', '',
		/none: No such file or directory/],
	['a directory', 'secret_file = "conf.d"', '',
		/conf\.d is not a regular file/],
	['a device', 'secret_file = "/dev/zero"', '',
		/\/dev\/zero is not a regular file/],
	['no variable', 'secret_env = "HOSTD_TEST_NO"', '',
		/no variable "HOSTD_TEST_NO"/],
	['two places', 'secret = "s3cret"  secret_file = "secrets"', 's3cret\n',
		/of one place/],
	['an empty list', 'secret = {}', '', /"secret" is empty/],
	['an empty one', 'secret = {"s3cret", ""}', '', /a secret is empty/],
	['two lines', 'secret = "s3cret\\ns3cret"', '', /more than one line/],
])
	test(`refused: ${what}`, async (t) => {
		const h = await prepareHostd(t, { ...confOf(keys),
			...files(text) });
		const r = await check(h);

		fs.chmodSync(path.join(h.dir, 'secrets'), 0o600);
		assert.equal(r.code, 1, r.stderr);
		assert.match(r.stderr, why);
		assert.match(r.stderr, /hostd\.conf:\d+/);
		assert.doesNotMatch(r.stderr, /s3cret/);
	});

test('files that others may have had', async (t) => {
	const h = await prepareHostd(t, { ...confOf('secret_file = "secrets"'),
		...files('s3cret\n') });
	const file = path.join(h.dir, 'secrets');

	for (const [mode, code, why] of [[0o666, 1, /chmod go-w/],
		[0o620, 1, /chmod go-w/], [0o644, 0, /read by everybody/],
		[0o604, 0, /read by everybody/], [0o640, 0], [0o600, 0],
		[0o400, 0]]) {
		fs.chmodSync(file, mode);
		const r = await check(h);

		assert.equal(r.code, code, `${mode.toString(8)} ${r.stderr}`);
		if (why)
			assert.match(r.stderr, why);
		else
			assert.doesNotMatch(r.stderr, /secrets/);
	}
});

test('a made one that others have had in hands', async (t) => {
	const h = await serveSessions(t, { secret: '' });
	const file = path.join(h.dir, 'state/session-main.secret');
	const v = new Visitor(h);

	await v.do(set('a', 1));
	fs.chmodSync(file, 0o644);
	assert.match(await reload(h, 1),
	    /mode 0644, so others could have read it/);
	fs.chmodSync(file, 0o600);
	fs.writeFileSync(file, '');
	assert.match(await reload(h, 1), /there is no secret in it/);
	fs.rmSync(file);
	fs.mkdirSync(file);
	assert.match(await reload(h, 1), /is not a (regular )?file|directory/);
	fs.rmdirSync(file);
	fs.symlinkSync('/dev/null', file);
	assert.match(await reload(h, 1), /is not a (regular )?file/);
	// It serves as before.
	assert.equal(await v.get(get('a')), 1);
	fs.rmSync(file);
	await reload(h);
	assert.equal((await new Visitor(h).visit(set('a', 1))).status, 200);
});

test('a reload with bad ones changes nothing', async (t) => {
	const h = await serveSessions(t, { lmdb: true,
		secret: 'secret_file = "secrets"', ...files('one\n') });
	const v = new Visitor(h);

	await v.do(set('a', 1));
	write(h, 'secrets', '\n');
	assert.match(await reload(h, 1), /there is no secret in it/);
	fs.rmSync(path.join(h.dir, 'secrets'));
	assert.match(await reload(h, 1), /No such file/);
	for (let i = 0; i < 5; i++) {
		assert.equal(await v.get(get('a')), 1);
		assert.equal(await signer(h, ['one', 'two']), 'one');
	}
	const [w] = await h.workers();

	process.kill(w.pid, 'SIGKILL');
	await h.workersSatisfy((ws) => ws.length === 4 && ws.every((x) =>
	    x.state === 'ready' && x.pid !== w.pid), 'another worker');
	assert.equal(await signer(h, ['one', 'two']), 'one');
	write(h, 'secrets', 'two\none\n');
	await reload(h);
	assert.equal(await signer(h, ['one', 'two']), 'two');
	assert.equal(await v.get(get('a')), 1);
});

// -- where they are not to be seen --

test('nobody is told', async (t) => {
	const mark = 'Xs3cretX';
	const h = await serveSessions(t, { secret: 'secret_file = "secrets"',
		...files(`${mark}1\n${mark}2\n`), env: { T_SECRET: `${mark}3` },
		conf: `session "b" { store = "kept"  name = "b"
			secret = {"${mark}4", "${mark}5"} }
		session "c" { store = "kept"  name = "c"
			secret_env = "T_SECRET" }
		session "d" { store = "kept"  name = "d" }
		access_log "a" { path = "access.log" }` });
	const made = fs.readFileSync(path.join(h.dir,
	    'state/session-d.secret'), 'utf8').trim();
	const isTold = (text) => text.includes(mark) || text.includes(made);
	const v = new Visitor(h);

	fs.chmodSync(path.join(h.dir, 'secrets'), 0o600);
	await v.do(set('a', 1));
	await v.do(get('a'));
	await new Visitor(h, { headers: { cookie: 'connect.sid=s%3Ax.y' } })
	    .do(get('a'));
	// Secrets among what is refused.
	for (const text of [`secret = "${mark}6" secret = "${mark}7"`,
		`secret = "${mark}8" bad = 1`, `secret = {"${mark}9", ""}`,
		`sercet = "${mark}10"`]) {
		const other = await prepareHostd(t, { conf:
			`session "main" { ${text} }` });
		const r = await check(other);

		assert.equal(r.code, 1);
		assert.ok(!isTold(r.stderr + r.stdout), r.stderr);
	}
	await reload(h);
	for (const args of [['status'], ['status', '--json'], ['list'],
		['describe', 'web.0'], ['describe', 'web.0', '--json'],
		['events'], ['logs'], ['top'], ['generations'],
		['generations', '--json'], ['upstream', 'list'],
		['plugin', 'commands'], ['test', '-c', h.confFile]]) {
		const r = await h.hostctl(...args);

		assert.ok(!isTold(r.stdout + r.stderr), args.join(' '));
	}
	const { id } = v;

	assert.ok(!isTold(h.log), h.log);
	// Nor an id: whoever knows it and the secret has the session.
	assert.ok(!h.log.includes(id), h.log);
	assert.ok(!fs.readFileSync(path.join(h.dir, 'access.log'), 'utf8')
	    .includes(id));
	// Files with them are nobody else's, and no argument has them.
	for (const name of fs.readdirSync(h.dir, { recursive: true })) {
		const file = path.join(h.dir, name);
		const st = fs.lstatSync(file);

		if (!st.isFile() || name === 'hostd.conf' ||
		    !isTold(fs.readFileSync(file, 'latin1')))
			continue;
		let hidden = (st.mode & 0o077) === 0;

		for (let dir = path.dirname(file); dir !== h.dir;
		    dir = path.dirname(dir))
			hidden ||= (fs.statSync(dir).mode & 0o077) === 0;
		assert.ok(hidden, `${name} has mode ${st.mode.toString(8)}`);
	}
	for (const pid of h.pids())
		assert.ok(!isTold(fs.readFileSync(`/proc/${pid}/cmdline`,
		    'latin1')));
	const { text } = await raw(h.port, 'GET /s?misuse HTTP/1.0\r\n\r\n');

	assert.ok(!isTold(text));
});
