// SPDX-License-Identifier: BSD-2-Clause
// Stores that fail, lie, are late, or end the worker: a request gets 503, or
// none of a session, as configured, and never waits for longer than it may.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from './lib/hostd.mjs';
import { Client, get as request } from './lib/http1.mjs';
import { ask, called, calls, cookieOf, get, order, serveSessions, set, Visitor,
    words } from './lib/session.mjs';

const codes = { E_NOMEM: -2, E_GONE: -3, E_FULL: -4, E_NOTSUP: -5,
	E_TIMEOUT: -6, E_IO: -7, E_STATE: -9, unknown: -77, nonsense: 77 };

// Somebody with a session in which a is 1.
async function visitor(h) {
	const v = new Visitor(h);

	order(h);
	await v.do(set('a', 1));
	calls(h);
	return v;
}

const statusOf = async (v, ...steps) => (await v.visit(...steps)).status;

for (const how of ['fail', 'later'])
	test(`get: ${how}`, async (t) => {
		// What is no code at all is no answer, either.
		const h = await serveSessions(t, { keys: 'timeout = 200ms' });
		const v = await visitor(h);

		for (const [name, code] of Object.entries(codes)) {
			order(h, `get 0 ${how} ${code}`);
			// The plugin is told, and may answer without.
			const [[open], [read]] = await v.do('open', get('a'));

			assert.match(open, /^E_|unknown/, name);
			assert.notEqual(read, 'OK', name);
			assert.deepEqual(new Set(words(h)), new Set(['get']));
			// Who has no cookie needs no store to read nothing.
			assert.deepEqual(await new Visitor(h).do(get('a')),
			    [['OK']]);
		}
		// It has not been taken away from anybody.
		order(h);
		assert.equal(await v.get(get('a')), 1);
	});

for (const how of ['fail', 'later'])
	test(`get: what the plugin is told: ${how}`, async (t) => {
		const h = await serveSessions(t);
		const v = await visitor(h);

		for (const [code, name] of [[-7, 'E_IO'], [-6, 'E_TIMEOUT']]) {
			order(h, `get 0 ${how} ${code}`);
			assert.deepEqual(await v.do('open'), [[name]]);
		}
	});

const garbage = ['', ' ', 'garbage', '{', '[]', '"a"', 'null', '1', '{"a":1',
	'{"a":}', '{"cookie":{}}x', '{"a":"\xff"}', '{"a":\u0001}',
	`{"a":${'['.repeat(2000)}${']'.repeat(2000)}}`];

test('get: garbage', async (t) => {
	const h = await serveSessions(t, { keys: 'max_size = 4k' });
	const v = await visitor(h);

	for (const text of garbage) {
		order(h, `get 0 value ${text}`);
		assert.deepEqual(await v.do('open', get('a')),
		    [['E_IO'], ['E_IO']], JSON.stringify(text));
		assert.deepEqual(words(h), ['get'], JSON.stringify(text));
	}
	for (const n of [5000, 100_000, 10_000_000]) {
		order(h, `get 0 size ${n}`);
		assert.deepEqual(await v.do('open'), [['E_IO']]);
	}
	await h.logged(/session "main": .*no JSON object/);
	// What is right but not ours is taken as it is.
	order(h, 'get 0 value {"x":1,"x":2, "y" : [ ]}');
	assert.deepEqual(await v.do(get('x'), get('y'), get('a')),
	    [['OK', 2], ['OK', []], ['OK']]);
	order(h);
	assert.equal(await v.get(get('a')), 1);
});

test('set: refuse', async (t) => {
	const h = await serveSessions(t, { keys: 'timeout = 200ms' });
	const v = await visitor(h);

	for (const how of ['fail', 'later'])
		for (const [name, code] of Object.entries(codes)) {
			// Of E_STATE below.
			if (name === 'E_STATE')
				continue;
			order(h, `set 0 ${how} ${code}`);
			for (const w of [v, new Visitor(h)]) {
				const r = await w.visit(set('a', 2),
				    'cookie=x%3Dy');

				assert.equal(r.status, 503, `${how} ${name}`);
				// Nothing of the plugin's answer.
				assert.deepEqual(r.setCookie, []);
				assert.doesNotMatch(r.text, /OK/);
				assert.equal(
				    await w.do('pid').then((x) => x.length), 1);
			}
		}
	order(h);
	assert.equal(await v.get(get('a')), 1);
	await h.logged(/session "main": a session could not be stored \(-7\)/);
});

test('set: what save is told', async (t) => {
	const h = await serveSessions(t);
	const v = await visitor(h);

	for (const how of ['fail', 'later'])
		for (const name of ['E_IO', 'E_FULL', 'E_TIMEOUT']) {
			order(h, `set 1 ${how} ${codes[name]}`);
			assert.deepEqual(await v.do(set('b', name), 'save',
			    'save'), [['OK'], [name], ['OK']]);
			assert.equal(await v.get(get('b')), name);
		}
});

test('touch and del', async (t) => {
	const h = await serveSessions(t);
	const v = await visitor(h);

	for (const how of ['fail -7', 'later -7', 'never', 'later -4']) {
		order(h, `touch 0 ${how}`);
		assert.equal(await v.get(get('a')), 1);
		// The new one is stored: the old one is a pity.
		order(h, `del 0 ${how.replace('never', 'fail -7')}`);
		assert.equal(await statusOf(v, 'regenerate', set('n', 1)), 200);
		assert.equal(await v.get(get('a')), 1);
		// A logout that did not happen is none.
		assert.equal(await statusOf(v, 'destroy'), 503, how);
		order(h);
		assert.equal(await v.get(get('a')), 1);
	}
	assert.equal(await statusOf(v, 'destroy'), 200);
	assert.deepEqual(await v.do(get('a')), [['OK']]);
});

test('somebody else is always faster', async (t) => {
	const h = await serveSessions(t);
	const v = await visitor(h);

	for (const how of ['fail', 'later']) {
		// As many times as others may be at it.
		order(h, `set 60 ${how} -9`);
		assert.equal(await statusOf(v, set('a', how)), 200);
		order(h);
		assert.equal(await v.get(get('a')), how);
		calls(h);
		order(h, `set 0 ${how} -9`);
		assert.equal(await statusOf(v, set('a', 3)), 503);
		assert.ok(words(h).length < 200);
		order(h);
		assert.equal(await v.get(get('a')), how);
		// A new one, whose id somebody has.
		order(h, `set 0 ${how} -9`);
		assert.equal(await statusOf(new Visitor(h), set('a', 3)), 503);
		order(h);
	}
});

test('gone when it is to be stored', async (t) => {
	const h = await serveSessions(t);
	const v = await visitor(h);
	const w = v.twin();
	const held = v.begin(get('a'), 'body', set('a', 2));

	await called(h, 'get');
	assert.equal(await statusOf(w, 'destroy'), 200);
	held.go();
	// It stays so.
	await held.done;
	assert.deepEqual(await v.do(get('a')), [['OK']]);
	assert.deepEqual(await w.do(get('a')), [['OK']]);
});

test('a store that never answers', async (t) => {
	const h = await serveSessions(t, { keys: 'timeout = 200ms' });
	const v = await visitor(h);

	order(h, 'any 0 never');
	assert.deepEqual(await v.do('opens=3', 'open'),
	    [['E_TIMEOUT'], ['E_TIMEOUT']]);
	assert.equal(await statusOf(new Visitor(h), set('a', 1)), 503);
	order(h, 'set 0 never', 'del 0 never');
	assert.equal(await statusOf(v, set('a', 2)), 503);
	assert.equal(await statusOf(v, 'destroy'), 503);
	assert.equal(await statusOf(v, set('b', 1), 'save'), 503);
	order(h);
	assert.equal(await v.get(get('a')), 1);
});

test('one that answers late', async (t) => {
	const h = await serveSessions(t, { keys: 'timeout = 100ms' });
	const v = await visitor(h);

	// After its time is over, nobody is told any more.
	for (const op of ['get', 'set', 'touch', 'del']) {
		order(h, `${op} 0 hold`);
		const r = await v.visit(set('b', 1), ...(op === 'del' ?
		    ['destroy'] : op === 'touch' ? ['del=b'] : []));

		assert.equal(r.status, op === 'touch' || op === 'get' ? 200 :
		    503, op);
		order(h);
		assert.equal(await statusOf(v, 'pid'), 200);
	}
	// Answers twice.
	order(h, 'any 0 twice');
	assert.equal(await statusOf(v, set('a', 3)), 200);
	await v.do(get('a'), 'regenerate');
	order(h, 'any 0 sleep 20');
	await v.do(set('a', 4));
	order(h);
	assert.equal(await v.get(get('a')), 4);
});

test('nothing of an answer comes before the store has the session',
    async (t) => {
	const h = await serveSessions(t);
	const v = await visitor(h);

	for (const [op, steps] of [['set', [set('a', 2)]], ['del', ['destroy']],
		['set', ['status=404', set('c', 1)]],
		['set', ['regenerate', set('d', 1)]],
		['set', [set('e', 1), 'begin']]]) {
		const w = new Visitor(h);

		await w.do(set('a', 1));
		const s = await Client.connect(h.port);
		const cookie = `Cookie: connect.sid=${
			w.cookies.get('connect.sid')}`;

		calls(h);
		order(h, `${op} 0 hold`);
		await s.send(request(`/s?${steps.join('&')}`, cookie) +
		    request('/s?pid', cookie));
		await called(h, op);
		// The worker goes on with others.
		assert.equal((await ask(h, '/s?pid')).status, 200);
		assert.equal((await ask(h, '/s?pid')).status, 200);
		assert.equal(s.unread, '', steps.join());
		order(h);
		const r = await s.next();

		assert.equal(r.status, steps[0] === 'status=404' ? 404 : 200);
		// And the next one of that connection.
		assert.equal((await s.next()).status, 200);
		s.destroy();
	}
	assert.equal(await v.get(get('a')), 1);
});

test('clients that leave while the store thinks', async (t) => {
	const h = await serveSessions(t);
	for (const op of ['get', 'set', 'del', 'touch'])
		for (let i = 0; i < 5; i++) {
			const v = await visitor(h);
			const s = await Client.connect(h.port);

			order(h, `${op} 0 hold`);
			await s.send(request(`/s?${op === 'del' ? 'destroy' :
			    op === 'set' ? set('a', 2) : 'get=a'}`,
			`Cookie: connect.sid=${v.cookies.get('connect.sid')}`));
			await called(h, op);
			s.socket.resetAndDestroy();
			assert.equal((await ask(h, '/s?pid')).status, 200);
			order(h);
			// What it wanted is done all the same.
			await until(async () => {
				const [[, a]] = await v.do(get('a'));

				return a === { get: 1, set: 2, touch: 1 }[op];
			}, `the end of ${op}`);
		}
});

// -- on_error = anonymous --

test('anonymous', async (t) => {
	const h = await serveSessions(t, { keys: `on_error = anonymous
		timeout = 200ms rolling = on save_uninitialized = on` });
	const v = await visitor(h);

	for (const fault of ['fail -7', 'later -7', 'fail -6', 'never',
		'value garbage', 'fail -4']) {
		order(h, `get 0 ${fault}`);
		const r = await v.visit(get('a'), 'new', set('a', 2), get('a'),
		    'keys');

		assert.equal(r.text, '[["OK"],["OK",1],["OK"],["OK",2],' +
		    '["OK",["a"]]]', fault);
		// Nothing of it is stored, and nobody loses the cookie.
		assert.deepEqual([r.status, r.setCookie, words(h)],
		    [200, [], ['get']], fault);
		assert.equal((await v.visit('regenerate', set('a', 5)))
		    .setCookie.length, 0);
		assert.deepEqual(await v.do('destroy', get('a')),
		    [['OK'], ['E_STATE']]);
		assert.deepEqual(words(h), ['get', 'get'], fault);
		assert.deepEqual((await v.do(set('b', 1), 'save')).at(-1),
		    ['E_IO']);
		calls(h);
	}
	// One that can be read and not written: nobody is told that it was.
	order(h, 'set 0 fail -7');
	assert.equal(await statusOf(v, set('a', 2)), 503);
	order(h);
	assert.equal(await v.get(get('a')), 1);
});

// -- routes that need one --

test('required', async (t) => {
	for (const [keys, status] of [['', 503], ['on_error = anonymous', 401],
		['on_error = anonymous login = "/login"', 303]]) {
		const h = await serveSessions(t, { keys: `${keys}
			timeout = 200ms`, route: 'session = required' });
		const headers = { accept: 'text/html' };

		for (const fault of ['fail -7', 'later -7', 'never',
			'value garbage']) {
			order(h, `get 0 ${fault}`);
			const r = await ask(h, '/s?pid',
			    { headers: { ...headers,
				cookie: cookieOf('A'.repeat(32)) } });

			assert.equal(r.status, status, `${keys} ${fault}`);
			assert.doesNotMatch(r.text, /OK/);
		}
	}
});

// -- the worker ends --

test('one that crashes', async (t) => {
	const h = await serveSessions(t,
	    { conf: 'pool "web" { workers = 2 }' });

	for (const op of ['get', 'set', 'touch', 'del']) {
		order(h);
		const v = await visitor(h);

		order(h, `${op} 0 crash`);
		await assert.rejects(v.visit(...(op === 'del' ? ['destroy'] :
		    op === 'set' ? [set('a', 2)] : [get('a')])), op);
		order(h);
		await h.workersSatisfy((ws) => ws.length === 2 &&
		    ws.every((w) => w.state === 'ready'), 'two workers');
		assert.equal(await statusOf(new Visitor(h), set('a', 1)), 200);
	}
});
