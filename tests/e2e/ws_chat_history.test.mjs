// SPDX-License-Identifier: BSD-2-Clause
// What was said before one came: kept by every worker that had people there.
import assert from 'node:assert/strict';
import test from 'node:test';
import { oneOnEach, Person, startChat, texts } from './lib/chat.mjs';
import { tempDir, until } from './lib/hostd.mjs';
import { buildPlugin } from './lib/plugin.mjs';

const sayAll = async (p, room, all) => {
	for (const s of all)
		await p.say(room, s);
};

const numbers = (from, to) =>
	Array.from({ length: to - from + 1 }, (_, i) => String(from + i));

test('who comes later reads what was said, as it was heard', async (t) => {
	const h = await startChat(t);
	const ada = await Person.open(t, h), bob = await Person.open(t, h);

	await ada.join('lobby', 'Ada');
	const heard = [];

	for (const s of ['one', 'two\n\u{1f600}', 'three "quoted" \\'])
		heard.push(await ada.say('lobby', s));
	assert.deepEqual(await bob.join('lobby', 'Bob'), heard);
	assert.deepEqual(await bob.join('den'), []);
});

test('the newest are kept', async (t) => {
	const h = await startChat(t, { keys: 'history = 5' });
	const ada = await Person.open(t, h);

	await ada.join('lobby', 'Ada');
	await sayAll(ada, 'lobby', numbers(1, 12));
	assert.deepEqual(texts(await ada.join('lobby')), numbers(8, 12));
	// Who comes and goes takes no place.
	for (let i = 0; i < 10; i++) {
		const p = await Person.open(t, h);

		await p.join('lobby', `P${i}`);
		await p.close();
	}
	assert.deepEqual(texts(await ada.join('lobby')), numbers(8, 12));
});

test('all workers\' are put together, each once', async (t) => {
	const h = await startChat(t, { workers: 3, keys: 'history = 4' });
	const [ada, bob, eve] = await oneOnEach(t, h, 3);

	// Known to Ada's worker only, then to Bob's as well.
	await ada.join('lobby', 'Ada');
	await sayAll(ada, 'lobby', ['1', '2']);
	await bob.join('lobby', 'Bob');
	await sayAll(ada, 'lobby', ['3']);
	await sayAll(bob, 'lobby', ['4']);
	await ada.hears('4');
	assert.deepEqual(texts(await eve.join('lobby', 'Eve')), numbers(1, 4));
	await sayAll(eve, 'lobby', ['5']);
	await ada.hears('5');
	await bob.hears('5');
	for (const p of [ada, bob, eve])
		assert.deepEqual(texts(await p.join('lobby')), numbers(2, 5));
});

test('a worker that is killed takes with it what no other had', async (t) => {
	const h = await startChat(t, { workers: 2 });
	const [ada, bob] = await oneOnEach(t, h, 2);

	await ada.join('lobby', 'Ada');
	await bob.join('lobby', 'Bob');
	await sayAll(ada, 'lobby', ['1', '2']);
	await bob.hears('2');
	process.kill(ada.pid, 'SIGKILL');
	await ada.end();
	assert.deepEqual(texts(await bob.join('lobby')), ['1', '2']);
	assert.deepEqual(await bob.list('lobby'), ['Bob']);
	await h.workersSatisfy((ws) => ws.length === 2 &&
	    ws.every((w) => w.pid !== ada.pid && w.state === 'ready'),
	    'another worker');
	const [p, q] = await oneOnEach(t, h, 2);

	for (const one of [p, q])
		assert.deepEqual(texts(await one.join('lobby', 'Ada')),
		    ['1', '2']);
});

test('an empty room keeps its messages; only so many do', async (t) => {
	const h = await startChat(t, { keys: 'idle_rooms = 2' });
	const p = await Person.open(t, h);

	for (const room of ['a', 'b', 'c']) {
		await p.join(room, 'Ada');
		await p.say(room, `in ${room}`);
		p.send('leave', { room });
		await p.next('left');
	}
	// The one that has been empty longest has made room.
	assert.deepEqual(texts(await p.join('b')), ['in b']);
	assert.deepEqual(texts(await p.join('c')), ['in c']);
	assert.deepEqual(texts(await p.join('a')), []);
});

test('none is kept if so configured', async (t) => {
	const h = await startChat(t, { keys: 'history = 0' });
	const p = await Person.open(t, h);

	await p.join('lobby', 'Ada');
	await p.say('lobby', 'x');
	assert.deepEqual(await p.join('lobby'), []);
});

test('what is old is forgotten', async (t) => {
	const h = await startChat(t, { keys: 'history_age = 1s' });
	const p = await Person.open(t, h);

	await p.join('lobby', 'Ada');
	const said = await p.say('lobby', 'x');

	await until(async () => texts(await p.join('lobby')).length === 0,
	    'a room without a past');
	assert.ok(Date.now() - said.time >= 990, 'not before its time');
});

// Publishes what a client sends to the channel that its path names.
const SPEAKER = `
	#include <hostd/easy.h>

	static int32_t
	on_message(struct hostd_inst *in, hostd_ws ws, void *d, hostd_buf msg,
	    uint32_t flags)
	{
		const struct hostd_easy *e = hostd_easy_of(in);
		hostd_buf path = e->ws->info(e->host, ws)->path;
		hostd_ws nobody = { 0 };

		(void)d;
		path.p = (const char *)path.p + sizeof("/speak/") - 1;
		path.n -= sizeof("/speak/") - 1;
		(void)e->channel->publish(e->host, path, msg, flags &
		    (HOSTD_WS_TEXT | HOSTD_WS_BINARY), nobody);
		return e->ws->send(e->host, ws, path, HOSTD_WS_TEXT);
	}

	static void
	on_open(struct hostd_inst *in, hostd_ws ws, void *d)
	{
		(void)d;
		(void)hostd_ws_text(in, ws,
		    "{\\"type\\":\\"welcome\\",\\"worker\\":\\"x.0 pid 0\\"}");
	}

	HOSTD_EASY_WS("speaker", "1.0", "/speak/", on_open, on_message, NULL)
`;

test('others may publish; what is no message is in no history', async (t) => {
	const so = await buildPlugin(tempDir(t), 'speaker', SPEAKER);
	const h = await startChat(t, { conf: `
		plugin "speaker" { module = "${so}" }
		route "/speak/" { plugin = "speaker" }` });
	const ada = await Person.open(t, h);
	const bot = await Person.open(t, h, '/speak/chat/lobby');
	const good = { type: 'message', room: 'lobby', name: 'Bot', id: 'b-1',
		text: 'beep', time: 1 };

	await ada.join('lobby', 'Ada');
	const tell = (m) => bot.socket.send(m);

	tell(JSON.stringify({ type: 'message', text: 'no id' }));
	tell(JSON.stringify({ type: 'weather', id: 'w-1' }));
	tell('[1]');
	tell('"]}');
	tell(Buffer.from('\0bytes'));
	tell(JSON.stringify(good));
	// All of it is heard as it is.
	await ada.hears('no id');
	await ada.next('weather');
	for (const s of ['[1]', '"]}', '\0bytes'])
		assert.equal((await ada.next('other')).data.toString(), s);
	assert.deepEqual(await ada.hears('beep'), good);
	assert.deepEqual(await ada.join('lobby'), [good]);
});
