// SPDX-License-Identifier: BSD-2-Clause
// What hostd makes of cookies and documents of sessions is what Node's
// express-session makes of them, of thousands that are right, nearly right and
// wrong.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { command, top } from './lib/hostd.mjs';
import { npm } from './lib/npm.mjs';

const session = npm('express-session');
const its = createRequire(npm.resolve('express-session'));
const cookie = its('cookie');
const signature = its('cookie-signature');

const NOW = 1795219717891;
const sources = ['session/content', 'session/cookie', 'session/id',
	'session/secrets', 'base/buf', 'base/log', 'base/mem',
	'base/sink', 'base/syslog', 'base/utf8'];

let dir, program;

test.before(async () => {
	dir = fs.mkdtempSync(path.join(os.tmpdir(), 'hostd-e2e-'));
	program = path.join(dir, 'session_lines');
	const r = await command(process.env.CC ?? 'gcc', ['-std=gnu11', '-O1',
		'-g', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror',
		'-fsanitize=address,undefined', '-fno-sanitize-recover=all',
		`-I${top}/host`, `-I${top}/sdk`, '-o', program,
		path.join(top, 'tests/programs/session_lines/session_lines.c'),
		...sources.map((s) => path.join(top, 'host', `${s}.c`)),
		'-lcrypto']);

	assert.equal(r.code, 0, r.stderr);
});

test.after(() => fs.rmSync(dir, { recursive: true }));

// The same at each run.
let seed = 0x2545f491;

function below(n) {
	seed ^= seed << 13;
	seed ^= seed >>> 17;
	seed ^= seed << 5;
	return (seed >>> 0) % n;
}

const pick = (list) => list[below(list.length)];
const some = (max, make) => Array.from({ length: below(max + 1) }, make);
const latin1 = (s) => Buffer.from(s, 'latin1');
const hex = (b) => Buffer.from(b).toString('hex') || '-';

// Questions as lists, a word first; answers as Buffers, or the word.
function ask(questions) {
	const lines = questions.map(([word, ...fields]) =>
		[word, ...fields.map((f) => hex(typeof f === 'number' ?
		    String(f) : f))].join(' '));
	const r = spawnSync(program, { input: `${lines.join('\n')}\n`,
		maxBuffer: 1 << 30, timeout: 120_000 });

	assert.equal(r.status, 0, r.stderr.toString());
	const answers = r.stdout.toString().trimEnd().split('\n');

	assert.equal(answers.length, questions.length);
	return answers.map((a) => /^(-|([0-9a-f]{2})+)$/.test(a) ?
		Buffer.from(a === '-' ? '' : a, 'hex') : a);
}

// -- reading cookies --

const NAME = 'connect.sid';
const secrets = ['new', 'keyboard cat', 'z\u00e9ro'];

// The id that express-session asks its store for.
function idOfNode(headers) {
	let asked;
	const store = new session.MemoryStore();
	const req = { headers: { cookie: headers.join('; ') }, url: '/' };

	store.get = (sid) => {
		asked = sid;
	};
	session({ secret: secrets, store, resave: false,
		saveUninitialized: false })(req, { writeHead() {}, end() {} },
	    () => {});
	return asked;
}

const isKey = (id) => id !== undefined && /^[!-~]{1,4096}$/.test(id);

function makeId() {
	return below(2) === 0 ? 'MlB0xJYnqvndF9XxQuEvqtVzyKJ-xoeH' : pick([
		() => 'a', () => 'user.42.x', () => '...', () => 's:a.b',
		() => '', () => 'a b', () => 'a%20b', () => '"a"', () => 'a;b',
		() => 'z\u00e9', () => '\u20ac\ud83d\ude00', () => 'a\0b',
		() => some(40, () => String.fromCharCode(33 + below(94)))
			.join(''),
	])();
}

function makeSigned() {
	let value = `s:${signature.sign(makeId(),
		pick([...secrets, ...secrets, 'other']))}`;

	if (below(4) === 0)
		value = pick([
			(v) => v.slice(2), (v) => `S${v.slice(1)}`,
			(v) => `${v}=`, (v) => v.slice(0, -1), (v) => `${v} `,
			(v) => v.replace(/\+/g, '-').replace(/\//g, '_'),
			(v) => v.replace(/\.([^.]*)$/, '..$1'),
			(v) => v.replace(/\./g, ''), (v) => `${v}.`,
			(v) => `j:${v}`, (v) => v.slice(0, below(v.length)),
			(v) => v.toUpperCase(),
			(v) => `${v.slice(0, -1)}${String.fromCharCode(
			    v.charCodeAt(v.length - 1) ^ 1)}`,
		])(value);
	return value;
}

// As bytes, one character for each.
function makeSent() {
	const value = makeSigned();
	const utf8 = Buffer.from(value).toString('latin1');
	const sent = pick([
		...Array(8).fill(() => encodeURIComponent(value)),
		() => encodeURIComponent(value).toLowerCase(),
		() => encodeURIComponent(value).replace(/%([0-9A-F]{2})/g,
		    (all) => below(2) ? all.toLowerCase() : all),
		() => utf8, () => utf8.replace(/\./g, '%2E'),
		() => `${utf8}%`, () => `${encodeURIComponent(value)}%zz`,
		() => `${encodeURIComponent(value)}%C3`,
		() => value.replace(/[^\0-\xff]/g, '?'),
		() => some(30, () => pick(['%', 's:', '.', '%C3%A9', '%E2%82',
			'\xc3\xa9', '"', '=', ' ', 'a', '%00', '%2', '%ff']))
			.join(''),
	])().replace(/[\0-\x08\n-\x1f\x7f]/g, '');

	return pick([(s) => s, (s) => s, (s) => `"${s}"`, (s) => ` ${s}\t`,
		(s) => `"${s}`, (s) => `${s}"`, (s) => `""${s}""`])(sent);
}

function makeHeader() {
	const others = () => below(2) === 0 ? 'd=1' : pick(['a=1', 'b', '',
		' ', '=x', 'connect.sid', 'Connect.sid=x', 'connect.sid2=y',
		'xconnect.sid=z', 'c=d=e',
		'connect.sid=', 'connect.sid="', '"connect.sid=q"', ';=']);
	const parts = [...some(1, others),
	    `${pick(['', '', ' ', '\t'])}${NAME}${
		pick(['', '', '', ' '])}=${makeSent()}`, ...some(2, others)];

	if (below(4) === 0)
		parts.push(`${NAME}=${makeSent()}`);
	return parts.join(pick(['; ', ';', ' ; ']));
}

test('cookies are read as by Node', () => {
	const all = Array.from({ length: 6000 }, () => [makeHeader(),
		...some(1, makeHeader)]);
	const answers = ask(all.map((headers) => ['open',
		secrets.join('\n'), NAME, ...headers.map(latin1)]));
	let taken = 0;

	all.forEach((headers, i) => {
		const id = idOfNode(headers);
		const want = isKey(id) ? id : 'none';

		taken += isKey(id);
		assert.equal(answers[i].toString(), want,
		    JSON.stringify(headers));
	});
	assert.ok(taken > 800 && taken < 4500, `${taken} taken`);
});

// -- writing them --

const words = [undefined, 'lax', 'strict', 'none'];
const priorities = [undefined, 'low', 'medium', 'high'];

// [ours, express-session's options]
function makeAttributes() {
	const path = pick(['/', '/', '/app', '/a:b/~c', '']);
	const domain = pick(['', '', 'x.example', '.X.example']);
	const [secure, httponly, partitioned, samesite, priority] = [below(3),
		below(2), below(2), below(4), below(4)];
	const options = { path, httpOnly: httponly === 1,
		secure: secure !== 0 };

	if (domain !== '')
		options.domain = domain;
	if (partitioned === 1)
		options.partitioned = true;
	if (samesite !== 0)
		options.sameSite = words[samesite];
	if (priority !== 0)
		options.priority = priorities[priority];
	return [[path, domain, `${secure}${httponly}${partitioned}${samesite}${
		priority}`], options];
}

test('cookies are written as by Node', () => {
	const all = Array.from({ length: 4000 }, () => {
		const [ours, options] = makeAttributes();
		const key = makeId();
		const expires = pick([-1, 0, 999, NOW, below(1 << 30) * 8000,
			253402300799999]);

		return { ours, key, expires, want: cookie.serialize(NAME,
		    `s:${signature.sign(key, secrets[0])}`, { ...options,
			expires: expires < 0 ? null : new Date(expires) }) };
	});
	const answers = ask(all.map((c) => ['write', secrets.join('\n'), NAME,
		...c.ours, c.expires, c.key]));

	all.forEach((c, i) => {
		assert.equal(answers[i].toString(), c.want);
	});
});

// -- JSON --

function makeValue(depth = 0) {
	return pick([() => null, () => true, () => false, () => below(1000),
		() => -below(100) / 8, () => below(1 << 30) * 1e10, () => '',
		() => 'a\u00e9\u20ac"\\\n\u0001', () => '\ud83d\ude00',
		() => '\ud800', ...depth > 4 ? [] : [
			() => some(3, () => makeValue(depth + 1)),
			() => makeObject(depth + 1),
		]])();
}

const keys = ['a', 'b', 'user', 'z\u00e9', 'a"b', '', '\n', 'cookies',
	'\ud83d\ude00'];

function makeObject(depth = 0) {
	return Object.fromEntries(some(4, () => [pick(keys),
		makeValue(depth + 1)]));
}

// As others may write it: blanks, escapes, numbers in other forms.
function written(value) {
	const blank = pick(['', '', ' ', '\n\t']);

	if (Array.isArray(value))
		return `[${blank}${value.map(written).join(`${blank},`)}${
			blank}]`;
	if (value !== null && typeof value === 'object')
		return `{${blank}${Object.entries(value).map(([k, v]) =>
			`${written(k)}${blank}:${blank}${written(v)}`)
			.join(`,${blank}`)}${blank}}`;
	if (typeof value === 'string' && below(3) === 0)
		return `"${[...Array(value.length).keys()].map((i) => `\\u${
			value.charCodeAt(i).toString(16).padStart(4, '0')}`)
			.join('')}"`;
	if (typeof value === 'number' && below(3) === 0)
		return pick([value.toExponential(), `${value.toExponential()
			.replace('e', 'E')}`]);
	return JSON.stringify(value);
}

function spoiled(text) {
	let s = text;

	for (let n = below(3); n > 0; n--) {
		const at = below(s.length + 1);

		s = `${s.slice(0, at)}${pick(['', '{', '}', '[', ']', '"', ',',
			':', '\\', ' ', '0', '-', 'e', '.', 'n', '\x01'])}${
			s.slice(at + below(2))}`;
	}
	return s;
}

function isJSON(text) {
	try {
		JSON.parse(text);
		return 'yes';
	} catch {
		return 'no';
	}
}

test('what is JSON for one is for the other', () => {
	/* As UTF-8, which has no halves of pairs. */
	const all = Array.from({ length: 20_000 }, () =>
		Buffer.from(spoiled(written(makeValue()))).toString());
	const answers = ask(all.map((text) => ['json', text]));
	const yes = answers.filter((a) => a === 'yes').length;

	all.forEach((text, i) => {
		assert.equal(answers[i], isJSON(text), text);
	});
	assert.ok(yes > 4000 && yes < 19_000, `${yes} are`);
});

// -- documents --

// A document's text, and what Node reads in it.  Members may be there twice.
function makeDocument(also = []) {
	const members = [...Object.entries(makeObject()),
		...Object.entries(makeObject()),
		['cookie', { originalMaxAge: null, expires: null,
			httpOnly: true, path: '/' }], ...also];
	const text = `{${members.sort(() => below(3) - 1).map(([k, v]) =>
		`${written(k)}:${written(v)}`).join(',')}}`;

	return text;
}

test('a key has the value that JSON.parse finds', () => {
	const all = Array.from({ length: 5000 }, () => ({ key: pick(keys),
		text: makeDocument() }));
	const answers = ask(all.map((c) => ['get', c.text, c.key]));

	all.forEach((c, i) => {
		const document = JSON.parse(c.text);

		if (!Object.hasOwn(document, c.key))
			assert.equal(answers[i], 'none', c.text);
		else
			assert.deepEqual(JSON.parse(answers[i].toString()),
			    document[c.key], c.text);
	});
});

test('a document that was changed is what Node would have', () => {
	const own = keys.filter((k) => k !== '');
	const all = Array.from({ length: 5000 }, () => ({ key: pick(own),
		text: makeDocument(), value: written(makeValue()),
		word: pick(['set', 'set', 'del']) }));
	const answers = ask(all.map((c) => c.word === 'set' ?
		['set', c.text, c.key, c.value] : ['del', c.text, c.key]));

	all.forEach((c, i) => {
		const want = JSON.parse(c.text);

		if (c.word === 'set')
			want[c.key] = JSON.parse(c.value);
		else
			delete want[c.key];
		assert.deepEqual(JSON.parse(answers[i].toString()), want,
		    JSON.stringify(c));
	});
});

test('the same counts as changed', () => {
	const all = Array.from({ length: 4000 }, () => {
		const document = { cookie: { originalMaxAge: null },
			...makeObject() };
		const key = pick(keys.filter((k) => k !== ''));

		return { document, key, value: below(2) === 0 &&
			Object.hasOwn(document, key) ? document[key] :
			makeValue() };
	});
	const answers = ask(all.map((c) => ['changed',
		JSON.stringify(c.document), c.key, JSON.stringify(c.value)]));

	all.forEach((c, i) => {
		const after = { ...c.document, [c.key]: c.value };

		assert.equal(answers[i], JSON.stringify(after) ===
			JSON.stringify(c.document) ? 'no' : 'yes',
		    JSON.stringify(c));
	});
});

// -- how long they live --

test('a new session has the cookie that Node writes', (t) => {
	t.mock.timers.enable({ apis: ['Date'], now: NOW });
	const all = Array.from({ length: 1000 }, () => {
		const [ours, options] = makeAttributes();
		const age = pick([0, 1, 60000, 86400000,
		    below(1 << 30) * 1000]);

		if (age > 0)
			options.maxAge = age;
		return { ours, age, want: JSON.stringify({ cookie:
			new session.Cookie(options) }) };
	});
	const answers = ask(all.map((c) => ['new', ...c.ours, c.age, NOW]));

	all.forEach((c, i) => {
		assert.equal(answers[i].toString(), c.want);
	});
});

const without = (value, object) => Object.fromEntries(
    Object.entries(object).filter(([, v]) => v !== value));

test('its end moves on as with Node', (t) => {
	t.mock.timers.enable({ apis: ['Date'], now: NOW });
	const ages = [undefined, null, 0, 1, 60000, 60000.75, 1e15, 8.64e15,
		9e15, -5, 253402300800000];
	const ends = [undefined, null, '2020-01-01T00:00:00.000Z',
		'2026-11-21T00:09:37Z', 'Sat, 21 Nov 2026 00:09:37 GMT', 'x'];
	const all = Array.from({ length: 1500 }, () => written({ a: makeValue(),
		cookie: without(undefined, { path: '/',
			originalMaxAge: pick(ages), expires: pick(ends),
			x: [1] }) }));
	const answers = ask(all.map((text) => ['extend', text, NOW]));

	all.forEach((text, i) => {
		const was = JSON.parse(text);
		const req = { sessionID: 'x' };
		const node = new session.MemoryStore().createSession(req,
		    JSON.parse(text));
		const got = JSON.parse(answers[i].toString());

		node.touch();
		assert.equal(got.cookie.expires ?? null,
		    JSON.parse(JSON.stringify(node)).cookie.expires ?? null,
		    text);
		delete got.cookie.expires;
		delete was.cookie.expires;
		assert.deepEqual(got, was);
	});
});
