// SPDX-License-Identifier: BSD-2-Clause
// Whatever a client sends that is no request is answered so, and the connection
// goes on.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Person, startChat } from './lib/chat.mjs';

const join = (room, name) => ({ type: 'join', room, name });
const say = (text) => ({ type: 'message', room: 'lobby', text });
const FACE = '\u{1f600}';		// four bytes, two UTF-16 units

// Each is refused with that code, and then things are as they were.
async function allRefused(t, requests, options) {
	const h = await startChat(t, options);
	const p = await Person.open(t, h), other = await Person.open(t, h);

	await p.join('lobby', 'Ada');
	await other.join('lobby', 'Other');
	await p.next('joined');
	for (const [request, code] of requests) {
		const what = JSON.stringify(request).slice(0, 100);

		assert.equal(await p.refused(request), code, what);
		assert.deepEqual([p.unread, other.unread], [[], []], what);
	}
	await p.say('lobby', 'still here');
	await other.hears('still here');
	assert.deepEqual(await other.list('lobby'), ['Ada', 'Other']);
}

test('what is no JSON object', (t) => allRefused(t, [
	['', 'bad_json'],
	['{', 'bad_json'],
	['{}}', 'bad_json'],
	['null', 'bad_json'],
	['"join"', 'bad_json'],
	['[{"type":"join"}]', 'bad_json'],
	['{"type":"list","type":"list","room":"lobby"}', 'bad_json'],
	['{"type":"message","room":"lobby","text":"\\ud800"}', 'bad_json'],
	['{"type":"message","room":"lobby","text":"a\\u0000b"}', 'bad_json'],
	['{"type":"message","room":"lobby","text":"a\nb"}', 'bad_json'],
	[`{"type":"message","room":"lobby","n":1e999}`, 'bad_json'],
	['['.repeat(500_000), 'bad_json'],
	['{"a":'.repeat(100_000), 'bad_json'],
	[Buffer.from('{"type":"list","room":"lobby"}'), 'not_text'],
	[Buffer.from([0, 0xff, 0xfe]), 'not_text'],
]));

test('what is no request', (t) => allRefused(t, [
	[{}, 'bad_type'],
	[{ type: null }, 'bad_type'],
	[{ type: 1 }, 'bad_type'],
	[{ type: ['join'] }, 'bad_type'],
	[{ type: 'Join' }, 'bad_type'],
	[{ type: 'joined', room: 'lobby' }, 'bad_type'],
	[{ type: '' }, 'bad_type'],
	[{ type: 'x'.repeat(100_000) }, 'bad_type'],
]));

test('names of rooms', (t) => allRefused(t, [
	undefined, null, 1, {}, [], '', ' den', 'den ', ' ', '/den', '/',
	'a\nb', 'a\u0001', 'a\u007fb', 'a\u0085b', 'a\u009fb', 'a\u202eb',
	'a\u2066b', 'a\u2028b', '\ufeffa', 'a\u200bb', 'a'.repeat(33),
	FACE.repeat(33), 'x'.repeat(1000),
].map((room) => [join(room, 'Ada'), 'bad_room'])));

test('a room whose channel would have too long a name', async (t) => {
	const keys = `max_name = 63  prefix = "${'p'.repeat(100)}"`;
	const h = await startChat(t, { keys });
	const p = await Person.open(t, h);

	// 100 bytes, a slash, and 4 each.
	await p.join(FACE.repeat(38), FACE.repeat(63));
	assert.equal(await p.refused(join(FACE.repeat(39))), 'bad_room');
	assert.deepEqual(await p.list(FACE.repeat(38)), [FACE.repeat(63)]);
});

test('names of people', async (t) => {
	const h = await startChat(t);
	const p = await Person.open(t, h);

	for (const name of [undefined, null, 1, {}, '', ' Ada', 'Ada ', 'A\tda',
		'A\u001fda', 'Ad\u009fa', 'Ad\u202ea',
		'a'.repeat(33), FACE.repeat(33)])
		assert.equal(await p.refused(join('lobby', name)), 'bad_name',
		    JSON.stringify(name));
	// Counted in characters; what looks odd but is a name is one.
	for (const name of [FACE.repeat(32), 'é'.repeat(32), '/', 'A  B', '<b>',
		'نور', 'a\u200db', '"\\'])
		await p.join('lobby', name).then(() => {
			p.send('leave', { room: 'lobby' });
		});
	assert.equal(await p.refused(join('lobby', null)), 'bad_name');
	await p.join('lobby');
	assert.deepEqual(await p.list('lobby'), ['"\\']);
});

test('texts', (t) => allRefused(t, [
	...[undefined, null, 1, {}, ['x'], '', 'a'.repeat(11), FACE.repeat(11),
	    'x'.repeat(500_000)].map((text) => [say(text), 'bad_text']),
	...['nowhere', '', 'Lobby', null, undefined, 1].map((room) =>
	    [{ type: 'message', room, text: 'x' }, 'not_joined']),
	...['nowhere', '', null, undefined, {}].flatMap((room) =>
	    [[{ type: 'leave', room }, 'not_joined'],
		[{ type: 'list', room }, 'not_joined']]),
], { keys: 'max_text = 10' }));

test('a text of as many characters as may be', async (t) => {
	const h = await startChat(t, { keys: 'max_text = 10' });
	const p = await Person.open(t, h);

	await p.join('lobby', 'Ada');
	await p.say('lobby', FACE.repeat(10));
	await p.say('lobby', '\u0001'.repeat(10));
});

test('as many rooms as one may be in, and not one more', async (t) => {
	const h = await startChat(t, { keys: 'max_rooms = 3' });
	const p = await Person.open(t, h);

	for (const room of ['1', '2', '3'])
		await p.join(room, 'Ada');
	assert.equal(await p.refused(join('4')), 'too_many_rooms');
	await p.join('3');
	p.send('leave', { room: '2' });
	await p.join('4');
});

test('the route\'s limit of channels counts, too, and half a room is none',
    async (t) => {
	const h = await startChat(t,
	    { route: 'websocket { max_channels = 3 }' });
	const p = await Person.open(t, h), other = await Person.open(t, h);

	await other.join('2', 'Other');
	await p.join('1', 'Ada');
	assert.equal(await p.refused(join('2')), 'too_many_rooms');
	await other.say('2', 'not for Ada');
	await p.say('1', 'for Ada');
	assert.deepEqual(p.unread, []);
	assert.deepEqual(await other.list('2'), ['Other']);
});

test('who asks for much at once is told to wait', async (t) => {
	const h = await startChat(t);
	const p = await Person.open(t, h);

	await p.join('lobby', 'Ada');
	// All of them before any is answered.
	const { _socket: tcp } = p.socket;

	tcp.cork();
	for (let i = 0; i < 1000; i++)
		p.send('list', { room: 'lobby' });
	tcp.uncork();
	const list = p.list('lobby').catch((e) => e);
	const busy = await p.next('error');

	assert.equal(busy.code, 'busy');
	assert.deepEqual(await list, ['Ada']);
	await p.until(() => p.unread.length >= 999 ? true : undefined, 'all');
	// One at a time, there is no end to it.
	for (let i = 0; i < 50; i++)
		assert.deepEqual(await p.list('lobby'), ['Ada']);
});
