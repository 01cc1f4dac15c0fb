// SPDX-License-Identifier: BSD-2-Clause
// Messages that programs push by HTTP reach who listens, whichever worker took
// them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { oneOnEach, Person, startChat } from './lib/chat.mjs';
import { publish, publishConf, TOKEN } from './lib/publish.mjs';

const startBoth = (t, keys, options = {}) =>
	startChat(t, { ...options, conf: publishConf(keys) });

// What comes to the room lobby, as bytes; the last is what was published last.
async function heard(p, n) {
	const all = [];

	for (let i = 0; i < n; i++) {
		const m = await p.until(() => p.unread.shift(), 'a message');

		all.push(m.data ? m.data.toString('latin1') : m);
	}
	return all;
}

async function listener(t, h) {
	const p = await Person.open(t, h);

	await p.join('lobby', 'Ada');
	return p;
}

const to = (message) => ({ channel: 'chat/lobby', message });

test('a message reaches the people of every worker', async (t) => {
	const h = await startBoth(t, '', { workers: 2 });
	const all = await oneOnEach(t, h, 2);
	const said = { type: 'message', room: 'lobby', name: 'Bot', id: 'b-1',
		text: 'gr\u00fc\u00dfe \u{1f600}', time: 1 };

	for (const p of all)
		await p.join('lobby', 'Ada');
	const r = await publish(h, { channel: 'chat/lobby', message: said });

	assert.deepEqual([r.status, r.json], [202, { published: 1 }]);
	for (const p of all)
		assert.deepEqual(await p.hears(said.text), said);
	assert.deepEqual(await all[0].join('lobby'), [said]);
});

test('a channel that nobody listens to', async (t) => {
	const h = await startBoth(t);
	const r = await publish(h, { channel: 'nobody/here', message: '' });

	assert.deepEqual([r.status, r.json], [202, { published: 1 }]);
});

test('texts as they are, other values as JSON, bytes from base64',
    async (t) => {
	const h = await startBoth(t);
	const p = await listener(t, h);
	const values = ['', 'a text', '"', 'a\0b', 'line\nline', '\u{10ffff}',
		null, true, 0, -1, 0.1, 1 / 3, 1e300, 9007199254740993n, 1.5e-7,
		[], {}, [1, [0.1, { a: 2 / 3 }]], 'x'.repeat(500_000)];
	const json = (v) => typeof v === 'bigint' ? String(v) :
	    JSON.stringify(v);
	const body = `[${values.map((v) =>
	    `{"channel":"chat/lobby","message":${json(v)}}`)}]`;
	const r = await publish(h, body, { });

	assert.deepEqual([r.status, r.json], [202,
		{ published: values.length }]);
	for (const v of values) {
		const m = await p.until(() => p.unread.shift(), 'a message');
		const got = m.data.toString();

		if (typeof v === 'string')
			assert.equal(got, v);
		else if (typeof v === 'bigint')
			assert.equal(got, String(v));
		else
			assert.deepEqual(JSON.parse(got), v, got);
		// Numbers do not grow digits.
		assert.doesNotMatch(got, /^0\.1\d/);
	}
	const bytes = [...Array(256).keys()].map((i) => Buffer.from(
	    [...Array(i % 7).keys()].map((k) => (i * 37 + k * 101) & 255)));

	assert.equal((await publish(h, bytes.map((b) => ({
		channel: 'chat/lobby',
		    binary: b.toString('base64') })))).status,
	    202);
	for (const b of bytes) {
		const m = await p.until(() => p.unread.shift(), 'bytes');

		assert.deepEqual([m.binary, m.data], [true, b]);
	}
});

test('a batch comes in its order', async (t) => {
	const h = await startBoth(t);
	const p = await listener(t, h);
	const n = 1000;
	const r = await publish(h, [...Array(n).keys()].map((i) =>
	    to(`#${i}`)));

	assert.deepEqual(r.json, { published: n });
	assert.deepEqual(await heard(p, n),
	    [...Array(n).keys()].map((i) => `#${i}`));
	assert.deepEqual((await publish(h, [])).json, { published: 0 });
});

test('one bad element, and nothing is published', async (t) => {
	const h = await startBoth(t, 'channels = {"chat/*", "a*c"}');
	const p = await listener(t, h);
	const good = to('good');
	const bad = [null, 1, 'x', [], [good], {}, { channel: 'chat/x' },
		{ message: 'x' }, { ...good, binary: '' }, { ...good, x: 1 },
		{ channel: null, message: 'x' }, { channel: 1, message: 'x' },
		{ channel: '', message: 'x' },
		{ channel: 'a\0c', message: 'x' },
		{ channel: 'a\nc', message: 'x' },
		{ channel: 'a\u007fc', message: 'x' },
		{ channel: `a${'b'.repeat(254)}c`, message: 'x' },
		{ channel: 'other', message: 'x' },
		{ channel: 'xchat/x', message: 'x' },
		{ channel: 'ab', message: 'x' },
		{ channel: 'hostd/nodes', message: 'x' },
		...['A', 'AA', 'AAA', 'AA=A', '====', 'A===', 'AA==AAAA',
		    'AB==',
		    'AAB=', 'AA==\n', ' AAAA', 'A-_A', 'AAAA=', null, 1,
		    ['AAAA'],
		    'A\0AA'].map((binary) => ({ channel: 'chat/lobby',
		    binary }))];

	for (const b of bad)
		for (const [body, element] of [[[b, good], 0], [[good, b], 1],
			[[good, good, b, b], 2]]) {
			const r = await publish(h, body),
			    what = JSON.stringify(b);

			assert.equal(r.status, 400, what);
			assert.equal(r.json.element, element, what);
			assert.match(r.json.error,
			    /^(channel|message|binary|it)\b/);
		}
	for (const channel of ['ac', 'abc', 'a/b/c', 'chat/'])
		assert.equal((await publish(h, { channel, message: 'x' }))
		    .status, 202, channel);
	await publish(h, to('the end'));
	assert.deepEqual(await heard(p, 1), ['the end']);
});

test('what is no JSON, and what is none that is meant', async (t) => {
	const h = await startBoth(t);

	for (const body of ['', ' ', '{', 'null', '"x"', '1', '{}}', '[1,]',
		'{"channel":"a","channel":"b","message":"x"}',
		'{"channel":"a","message":"\\ud800"}',
		Buffer.from('{"channel":"a","message":"\xff"}', 'latin1'),
		'{"channel":"a","message":1e999}', '['.repeat(100_000),
		`{"channel":"a","message":${'['.repeat(3000)}${']'.repeat(3000)}}`,
	]) {
		const r = await publish(h, body);

		assert.equal(r.status, 400, body.toString().slice(0, 50));
		assert.match(r.json.error, /^line \d+, column \d+: ./);
		assert.equal(r.json.element, undefined);
	}
	assert.equal((await publish(h, '{}')).json.element, 0);
});

test('only who knows the token', async (t) => {
	const h = await startBoth(t);
	const p = await listener(t, h);

	for (const [Authorization, challenge] of [
		[undefined, /^Bearer realm="publish"$/],
		['', /^Bearer realm="publish"$/],
		['Bearer', /^Bearer realm="publish"$/],
		[`Basic ${TOKEN}`, /^Bearer realm="publish"$/],
		['Bearer x', /error="invalid_token"$/],
		[`Bearer ${TOKEN}x`, /error="invalid_token"$/],
		[`Bearer ${TOKEN.slice(0, -1)}`, /error="invalid_token"$/],
		[`Bearer ${TOKEN}${TOKEN}`, /error="invalid_token"$/],
		[`Bearer ${TOKEN.toUpperCase()}`, /error="invalid_token"$/],
		[`Bearer ${TOKEN}, Bearer x`, /error="invalid_token"$/],
	]) {
		const r = await publish(h, to('no'),
		    { headers: { Authorization } });

		assert.equal(r.status, 401, Authorization);
		assert.match(r.headers['www-authenticate'], challenge);
	}
	for (const scheme of ['Bearer', 'bearer', 'BEARER', 'Bearer  '])
		assert.equal((await publish(h, to(scheme), { headers: {
			Authorization: `${scheme} ${TOKEN}` } })).status, 202);
	assert.equal((await heard(p, 1))[0], 'Bearer');
	// It is in no log, and no status.
	assert.ok(!h.log.includes(TOKEN));
});

test('methods', async (t) => {
	const h = await startBoth(t);

	for (const [method, status] of [['GET', 405], ['PUT', 405],
		['DELETE', 405], ['OPTIONS', 204]]) {
		const r = await publish(h, '', { method });

		assert.equal(r.status, status, method);
		assert.equal(r.headers.allow, 'POST, OPTIONS');
	}
});

test('limits', async (t) => {
	const h = await startChat(t, { conf: `http { max_body = 4k }
		${publishConf('max_batch = 3')}` });

	assert.equal((await publish(h, [1, 2, 3].map(to))).status, 202);
	const r = await publish(h, [1, 2, 3, 4].map(to));

	assert.equal(r.status, 413);
	assert.match(r.json.error, /4 elements, 3 may/);
	assert.equal((await publish(h, to('x'.repeat(4096)))).status, 413);
});

test('a token that no client could send is refused', async (t) => {
	const h = await startBoth(t);
	const { command, sbin, writeFiles } = await import('./lib/hostd.mjs');

	for (const [token, error] of [['short', /token.*length/s],
		['sixteen characters with spaces', /can't have/]]) {
		writeFiles(h.dir, { 'bad.conf': `run_dir = "${h.dir}/bad"
			listen "x" { address = "unix:${h.dir}/s" }
			plugin "p" { module = "http_publish.so"
				token = "${token}" }
			route "/p" { plugin = "p" }` });
		const r = await command(sbin('hostd'),
		    ['-t', '-c', `${h.dir}/bad.conf`]);

		assert.notEqual(r.code, 0);
		assert.match(r.stderr, error);
		assert.ok(!r.stderr.includes(token), 'it is not shown');
	}
});
