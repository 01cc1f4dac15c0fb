// SPDX-License-Identifier: BSD-2-Clause
// session_token: all of a session is in its cookie, which every worker with the
// keys can open, and nobody else; what was changed in it, or has ended, is
// none.
import assert from 'node:assert/strict';
import { createCipheriv, createHmac, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { command, prepareHostd, sbin, startHostd, until }
    from './lib/hostd.mjs';
import { plugin } from './lib/http1.mjs';
import { ask, cookieOf, get, SECRET, set, Visitor } from './lib/session.mjs';

const DAY = 86_400_000;
const FORMS = { 1: 'aes-256-gcm', 2: 'chacha20-poly1305' };
const newKey = () => randomBytes(32);

// As plugins/session_token/token.h has it.
function token(key, text, end, { form = 1, salt = randomBytes(24) } = {}) {
	const expand = (...info) => createHmac('sha256', key)
	    .update(Buffer.concat([...info.map((i) => Buffer.from(i)),
		Buffer.from([1])])).digest();
	const id = expand('hostd session_token: id of a key').subarray(0, 4);
	const time = Buffer.alloc(6);

	time.writeUIntBE(end, 0, 6);
	const head = Buffer.concat([Buffer.from([form]), id, salt, time]);
	const c = createCipheriv(FORMS[form], expand(
	    'hostd session_token: key of form ', [form], salt),
	    Buffer.alloc(12), { authTagLength: 16 });

	c.setAAD(head);
	return Buffer.concat([head, c.update(text), c.final(), c.getAuthTag()])
	    .toString('base64url');
}

const conf = async (keys = '', session = '') => `
	pool "web" { workers = 4 }
	state_dir = "@DIR@/state"
	plugin "tokens" { module = "session_token.so"  ${keys} }
	plugin "s" { module = "${await plugin('session_route')}" }
	session "main" { store = "tokens"  secret = "${SECRET}"  ${session} }
	route "/s" { plugin = "s" }`;

const serve = async (t, keys, session, options = {}) =>
	startHostd(t, { ...options, conf: await conf(keys, session) });

function writeKeys(h, ...keys) {
	const file = path.join(h.dir, 'keys');

	fs.writeFileSync(`${file}.new`, keys.map((k) =>
	    `${k.toString('base64')}\n`).join(''), { mode: 0o600 });
	fs.renameSync(`${file}.new`, file);
}

const withKeys = async (t, keys, session, ...list) => {
	const text = await conf(`key_file = "keys"  ${keys}`, session);
	const h = await prepareHostd(t, { conf: text });

	writeKeys(h, ...list);
	h.spawn();
	h.atEnd(async () => {
		await h.stop('SIGQUIT');
		h.checkSanitizers();
	});
	await h.logged(/serving generation/);
	await h.listening();
	return h;
};

// What somebody with that token has; whatever it is, it is no error.
async function read(h, id) {
	const r = await ask(h, `/s?${get('a')}`,
	    { headers: { cookie: cookieOf(id) } });

	assert.equal(r.status, 200, r.text);
	assert.deepEqual(r.setCookie, []);
	return JSON.parse(r.text)[0][1];
}

const none = async (h, id, what) =>
	assert.equal(await read(h, id), undefined, what);

test('with nothing configured, all workers have the same key', async (t) => {
	const h = await serve(t);
	const v = new Visitor(h), seen = new Set();

	await v.do(set('a', 1));
	await until(async () => {
		const [[, a], [, pid]] = await v.do(get('a'), 'pid',
		    { agent: false });

		assert.equal(a, 1);
		return seen.add(pid).size === 4;
	}, 'an answer of each worker');
	const state = path.join(h.dir, 'state');
	const files = fs.readdirSync(state, { recursive: true });
	const [key, ...others] = files.filter((f) => /(^|\/)key/.test(f));
	const st = fs.statSync(path.join(state, key));

	assert.equal(st.mode & 0o7777, 0o600);
	assert.equal(st.nlink, 1);
	assert.deepEqual(others, []);

	// It is kept.
	await h.stop();
	h.log = '';
	h.exited = false;
	h.spawn();
	await h.logged(/serving generation/);
	await h.listening();
	assert.equal(await v.get(get('a')), 1);
});

test('with workers of another user', { skip: process.getuid() !== 0 },
    async (t) => {
	const h = await serve(t, '', '', { user: 'nobody' });
	const v = new Visitor(h);

	for (let i = 0; i < 20; i++) {
		await v.do(set('a', i));
		assert.equal(await v.get(get('a')), i);
	}
});

test('what Node makes by the same rules', async (t) => {
	const key = newKey(), now = Date.now();
	const text = '{"cookie":{},"a":"\u00e9"}';
	const h = await withKeys(t, '', '', key);

	for (const form of [1, 2]) {
		assert.equal(await read(h, token(key, text, now + DAY,
		    { form })), '\u00e9');
		await none(h, token(key, text, now - 1, { form }), 'ended');
		await none(h, token(key, text, 0, { form }), 'ended');
		await none(h, token(newKey(), text, now + DAY, { form }),
		    'foreign');
	}
	// Those who would have the keys, and not the secret.
	const r = await ask(h, `/s?${get('a')}`, { headers: { cookie:
	    cookieOf(token(key, text, now + DAY), 'other secret') } });

	assert.equal(r.text, '[["OK"]]');
});

test('forged, cut and mixed', async (t) => {
	const key = newKey();
	const h = await withKeys(t, '', '', key);
	const v = new Visitor(h), w = new Visitor(h);

	await v.do(set('a', 'secret'));
	await w.do(set('a', 'secret'));
	const id = v.id, raw = Buffer.from(id, 'base64url');
	const others = Buffer.from(w.id, 'base64url');

	assert.equal(await read(h, id), 'secret');
	assert.equal(raw.indexOf('secret'), -1);
	assert.notEqual(id, w.id);
	for (let i = 0; i < raw.length; i += 3) {
		const other = Buffer.from(raw);

		other[i] ^= 1 << i % 8;
		await none(h, other.toString('base64url'), `bit of byte ${i}`);
		await none(h, raw.subarray(0, i).toString('base64url') || 'x',
		    `cut at ${i}`);
		const mixed = Buffer.concat([raw.subarray(0, i),
			others.subarray(i)]);

		// Before the salt they are alike, and a byte of it may be.
		if (!mixed.equals(raw) && !mixed.equals(others))
			await none(h, mixed.toString('base64url'),
			    `mixed at ${i}`);
	}
	for (const odd of ['x', `${id}A`, `${id}=`, `${id}${id}`, `.${id}`,
		raw.toString('base64'), `${id.slice(1)}${id[0]}`, '%00',
		'A'.repeat(4096), 'A'.repeat(8000)])
		if (odd !== id)
			await none(h, odd, odd.slice(0, 80));
	// A later form of tokens.
	for (const form of [0, 3, 255])
		await none(h, Buffer.concat([Buffer.from([form]),
			raw.subarray(1)]).toString('base64url'),
			    `form ${form}`);
	assert.equal(await v.get(get('a')), 'secret');
});

test('too large', async (t) => {
	const h = await serve(t, 'max_token = 1k');
	const v = new Visitor(h);

	await v.do(set('a', 1), 'big=b:500');
	assert.ok(v.id.length <= 1024, `${v.id.length}`);
	const r = await v.visit('big=b:2000');

	assert.equal(r.status, 503);
	assert.deepEqual(r.setCookie, []);
	await h.logged(/a session of \d+ bytes needs a token of \d+, and max_token is 1024/);
	// Nothing was lost.
	assert.equal((await v.get(get('b'))).length, 500);
	assert.equal(await v.get(get('a')), 1);
});

test('as much as browsers keep', async (t) => {
	const h = await serve(t, '', `max_age = 1h  domain = "chat.example.org"
		samesite = strict  priority = medium`);
	const v = new Visitor(h);
	let n = 0;

	for (let step = 2048; step >= 1; step /= 2)
		if ((await v.visit(`big=b:${n + step}`)).status === 200)
			n += step;
	const { setCookie: [line] } = await v.visit(`big=c:1`, 'del=c',
	    `big=b:${n - 1}`);

	assert.ok(n > 2500, `${n}`);
	assert.ok(Buffer.byteLength(line) <= 4096, `${line.length}`);
	assert.equal((await v.get(get('b'))).length, n - 1);
});

test('keys change over reloads', async (t) => {
	const [old, young] = [newKey(), newKey()];
	const h = await withKeys(t, '', '', old);
	const reload = async () => {
		const r = await h.hostctl('reload');

		assert.equal(r.code, 0, r.stderr);
	};
	const stays = new Visitor(h), goes = new Visitor(h);
	const keyOf = (v) => Buffer.from(v.id, 'base64url').subarray(1, 5)
	    .toString('hex');

	await stays.do(set('a', 1));
	await goes.do(set('a', 2));
	assert.equal(keyOf(stays), keyOf(goes));
	writeKeys(h, young, old);
	await reload();
	assert.equal(await goes.get(get('a')), 2);
	assert.equal(await stays.get(get('a')), 1);
	await stays.do(set('b', 3));
	assert.notEqual(keyOf(stays), keyOf(goes));
	writeKeys(h, young);
	await reload();
	assert.deepEqual(await stays.do(get('a'), get('b')),
	    [['OK', 1], ['OK', 3]]);
	assert.deepEqual(await goes.do(get('a')), [['OK']]);

	// A file that will not do leaves all as it was.
	fs.writeFileSync(path.join(h.dir, 'keys'), 'hunter2\n');
	const r = await h.hostctl('reload');

	assert.notEqual(r.code, 0);
	assert.match(r.stdout + r.stderr,
	    /keys: line 1: a key is 32 random bytes/);
	assert.doesNotMatch(r.stdout + r.stderr + h.log, /hunter2/);
	assert.equal(await stays.get(get('a')), 1);
});

test('the cipher changes over a reload', async (t) => {
	const h = await serve(t, 'cipher = chacha20-poly1305');
	const v = new Visitor(h);
	const form = () => Buffer.from(v.id, 'base64url')[0];

	await v.do(set('a', 1));
	assert.equal(form(), 2);
	fs.writeFileSync(h.confFile, fs.readFileSync(h.confFile, 'utf8')
	    .replace('cipher = chacha20-poly1305', ''));
	assert.equal((await h.hostctl('reload')).code, 0);
	assert.equal(await v.get(get('a')), 1);
	await v.do(set('a', 2));
	assert.equal(form(), 1);
	assert.equal(await v.get(get('a')), 2);
});

test('it ends, whoever reads it', async (t) => {
	const h = await serve(t, '', 'max_age = 2s');
	const v = new Visitor(h);

	await v.do(set('a', 1));
	const { id } = v;

	// Read all the time, which does not extend it.
	await until(async () => await read(h, id) === undefined, 'its end');
});

test('rolling makes a new one each time', async (t) => {
	const clock = await makeClock(t);
	const h = await serve(t, '', 'max_age = 1h  rolling = on',
	    { env: clock.env });
	const v = new Visitor(h);
	const read = async (id) => JSON.parse((await ask(h, `/s?${get('a')}`,
	    { headers: { cookie: cookieOf(id) } })).text)[0][1];

	await v.do(set('a', 1));
	const { id } = v;

	clock.set(2400);
	assert.equal(await v.get(get('a')), 1);
	assert.notEqual(v.id, id);
	assert.equal(await read(id), 1);
	clock.set(4800);
	assert.equal(await v.get(get('a')), 1);
	assert.equal(await read(id), undefined);
});

test('a logout has the browser forget it', async (t) => {
	const h = await serve(t);
	const v = new Visitor(h);

	await v.do(set('a', 1));
	const copy = v.twin();
	const { setCookie: [line] } = await v.visit('destroy');

	assert.match(line, /^connect\.sid=; .*Expires=Thu, 01 Jan 1970 00:00:00 GMT/);
	assert.deepEqual(await v.do(get('a')), [['OK']]);
	// What the manual warns of.
	assert.equal(await copy.get(get('a')), 1);
	// A new one, of the same content.
	const before = copy.id;

	await copy.do('regenerate');
	assert.notEqual(copy.id, before);
	assert.equal(await copy.get(get('a')), 1);
	// There is nobody to store it without an answer, and no id.
	assert.deepEqual(await copy.do('save', 'id'), [['E_NOTSUP'], ['OK']]);
});

test('keys of the environment', async (t) => {
	const key = newKey(), text = '{"cookie":{},"a":1}';
	const h = await serve(t, 'key_env = "TOKEN_KEYS"', '', { env: {
		TOKEN_KEYS: `${newKey().toString('hex')}\n${
			key.toString('hex')}` } });

	assert.equal(await read(h, token(key, text, Date.now() + DAY)), 1);
	assert.ok(!fs.existsSync(path.join(h.dir, 'state', 'key')));
});

for (const [name, keys, mode, want] of [
	['others may read it', newKey().toString('hex'), 0o644,
		/keys has mode 0644, so others may have it/],
	['others may write it', newKey().toString('hex'), 0o620,
		/keys has mode 0620/],
	['it is short', 'abcdef', 0o600, /keys: line 1: a key is 32 random/],
	['it is empty', '# none yet\n', 0o600, /keys: there is no key in it/],
	['it is not there', undefined, 0, /keys: No such file or directory/],
	['both', newKey().toString('hex'), 0o600,
		/set key_file or key_env/, 'key_env = "HOME"'],
])
	test(`a file of keys: ${name}`, async (t) => {
		const more = name === 'both' ? 'key_env = "HOME"' : '';
		const h = await prepareHostd(t, { conf:
		    await conf(`key_file = "keys"  ${more}`) });
		const file = path.join(h.dir, 'keys');

		if (keys !== undefined) {
			fs.writeFileSync(file, keys);
			fs.chmodSync(file, mode);
		}
		const r = await command(sbin('hostd'),
		    ['-t', '-c', h.confFile]);

		assert.notEqual(r.code, 0);
		assert.match(r.stderr + r.stdout, want);
		assert.match(r.stderr + r.stdout, /plugin "tokens"/);
		if (keys !== undefined)
			assert.ok(!(r.stderr + r.stdout).includes(keys.trim()));
	});
