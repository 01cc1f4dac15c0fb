// SPDX-License-Identifier: BSD-2-Clause
// Engine.IO over polling: payloads, what may overlap, and how it ends.
import assert from 'node:assert/strict';
import { ask, Polling, unknownSession } from './lib/eio.mjs';
import { until } from './lib/hostd.mjs';
import { Client } from './lib/http1.mjs';
import { onServers, watch } from './lib/sio.mjs';

const gone = async (w, p) => (await w.gone(p.id)).reason;

onServers('payloads', async (t, where) => {
	const p = await Polling.connect(t, where);

	await p.post('42["echo","a"]', '42["echo","ä€😀"]', '42["echo","c"]');
	assert.deepEqual(await p.take(3),
	    ['42["echo","a"]', '42["echo","ä€😀"]', '42["echo","c"]']);
	// Binary: in one body, and in one after the other.
	const event = '451-["echo",{"_placeholder":true,"num":0}]';

	await p.post(event, 'bAP9/+w==', '42["echo",1]');
	assert.deepEqual(await p.take(3), [event, 'bAP9/+w==', '42["echo",1]']);
	await p.post(event);
	await p.post('b');
	assert.deepEqual(await p.take(2), [event, 'b']);

	const r = await p.send('42["echo"]', { 'Content-Type': 'x/y' });

	assert.deepEqual([r.status, r.text, r.headers['content-type'],
		r.headers['cache-control']],
	    [200, 'ok', ['text/html'], ['no-store']]);
	const got = await p.ask();

	assert.deepEqual([got.text, got.headers['content-type'],
		got.headers['content-length'], got.headers['cache-control']],
	    ['42["echo"]', ['text/plain; charset=UTF-8'], ['10'],
		['no-store']]);
	// What nobody asked for, and what a client has no business with.
	await p.post('3', '0', '5', '6');
	await p.works();
});

onServers('a poll waits, and is answered by what comes', async (t, where) => {
	const p = await Polling.connect(t, where);
	const [answer] = await Promise.all([p.get(), p.post('42["echo",1]')]);

	assert.deepEqual(answer, ['42["echo",1]']);
});

onServers('a body that comes in pieces', async (t, where) => {
	const p = await Polling.connect(t, where);
	const body = Buffer.from('42["echo","ä€😀"]\x1e42["echo",2]');
	const c = await Client.connect(where.port);
	const head = (how) => `POST /socket.io/?EIO=4&transport=polling&sid=${
	    p.sid} HTTP/1.1\r\nHost: a\r\n${how}\r\n\r\n`;
	const want = ['42["echo","ä€😀"]', '42["echo",2]'];

	t.after(() => c.destroy());
	await c.send(head(`Content-Length: ${body.length}`));
	for (const byte of body) {
		await c.send(Buffer.from([byte]));
		await new Promise(setImmediate);
	}
	assert.equal((await c.next()).body, 'ok');
	assert.deepEqual(await p.take(2), want);
	// And in chunks, over the same connection.
	await c.send(head('Transfer-Encoding: chunked'));
	for (const byte of body)
		await c.send(Buffer.from([0x31, 13, 10, byte, 13, 10]));
	await c.send('0\r\n\r\n');
	assert.equal((await c.next()).body, 'ok');
	assert.deepEqual(await p.take(2), want);
});

onServers('two polls', async (t, where) => {
	const w = await watch(t, where);
	const p = await Polling.connect(t, where);
	const answers = await Promise.all([p.ask(), p.ask()]);

	// Whichever came first.
	answers.sort((a, b) => a.status - b.status);
	assert.deepEqual(answers.map((r) => [r.status, r.text]),
	    [[200, '1'], [400, '']]);
	assert.equal(await gone(w, p), 'transport error');
	await p.isOver();
});

onServers('two posts', async (t, where) => {
	const w = await watch(t, where);
	const p = await Polling.connect(t, where);
	const half = await p.request({ method: 'POST', body: '42["ec',
		headers: { 'Content-Length': 100 } });

	await until(async () => {
		const r = await p.send('42["echo",1]');

		assert.ok(r.status === 400 || r.status === 200);
		return r.status === 400;
	}, 'the first one noticed');
	assert.equal(await gone(w, p), 'transport error');
	await half.client.end();
	await p.isOver();
});

onServers('a poll is given up', async (t, where) => {
	const w = await watch(t, where);
	const p = await Polling.connect(t, where);
	const poll = await p.request();

	poll.abort();
	assert.equal(await gone(w, p), 'transport error');
	await p.isOver();
});

onServers('a post is given up', async (t, where) => {
	const w = await watch(t, where);
	const p = await Polling.connect(t, where);
	const half = await p.request({ method: 'POST', body: '42["ec',
		headers: { 'Content-Length': 100 } });

	half.abort();
	assert.equal(await gone(w, p), 'transport error');
	await p.isOver();
});

onServers('a connection that is closed behind its answer', async (t, where) => {
	const p = await Polling.connect(t, where);

	for (let i = 0; i < 5; i++) {
		await p.post(`42["echo",${i}]`);
		const poll = await p.request({ headers:
			{ Connection: 'keep-alive' } });

		assert.equal((await poll.answer).text, `42["echo",${i}]`);
		poll.abort();
	}
	await p.works();
});

onServers('one connection for all', async (t, where) => {
	const c = await Client.connect(where.port);
	const go = async (method, query, body = '') => {
		await c.send(`${method} /socket.io/?EIO=4&transport=polling${query
		} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length
		}\r\n\r\n${body}`);
		return (await c.next()).body;
	};

	t.after(() => c.destroy());
	const sid = `&sid=${JSON.parse((await go('GET', '')).slice(1)).sid}`;

	assert.equal(await go('POST', sid, '40'), 'ok');
	assert.match(await go('GET', sid), /^40\{"sid"/);
	for (let i = 0; i < 20; i++) {
		assert.equal(await go('POST', sid, `42["echo",${i}]`), 'ok');
		assert.equal(await go('GET', sid), `42["echo",${i}]`);
	}
});

onServers('other methods', async (t, where) => {
	const p = await Polling.connect(t, where);

	for (const method of ['PUT', 'DELETE', 'PATCH']) {
		const r = await p.ask({ method });

		// Node has a 500 for it.
		assert.ok([400, 405, 500].includes(r.status), `${r.status}`);
	}
	await p.works();
});

onServers('bodies of another kind', async (t, where) => {
	const w = await watch(t, where);
	const p = await Polling.connect(t, where);
	const r = await p.send('42["echo",1]',
	    { 'Content-Type': 'application/octet-stream' });

	assert.deepEqual([r.status, r.text], [400, '']);
	assert.equal(await gone(w, p), 'transport error');
	await p.isOver();
});

onServers('payloads that are none', async (t, where) => {
	const w = await watch(t, where);

	for (const body of ['abc', '', '\x1e', '42["echo",1]\x1ezz', '7',
	    '\x00', '42["echo",1]\x1e']) {
		const p = await Polling.connect(t, where);
		const r = await p.send(body);

		assert.ok(r.status === 200 || r.status === 400);
		assert.equal(await gone(w, p), 'parse error',
		    JSON.stringify(body));
		// What came before it was told.
		const last = await p.ask();

		if (last.status === 200)
			assert.match(last.text,
			    /^(42\["echo",1\])?\x1e?6?\x1e?1?$/);
		else
			unknownSession(last);
	}
});

onServers('a ping of the client', async (t, where) => {
	const w = await watch(t, where);
	const p = await Polling.connect(t, where);

	await p.send('2');
	assert.equal(await gone(w, p), 'transport error');
});

onServers('a body as long as is allowed, and a longer one',
    async (t, where) => {
	const p = await Polling.open(t, where);
	const event = (n) => `42["echo","${'x'.repeat(n - 13)}"]`;

	assert.equal(p.opened.maxPayload, 2000);
	await p.join();
	assert.equal(event(2000).length, 2000);
	await p.post(event(2000));
	assert.deepEqual(await p.get(), [event(2000)]);

	const r = await p.send(event(3000));

	assert.deepEqual([r.status, r.text], [413, '']);
	// Before all of it has come; and what has no length.
	const q = await Polling.connect(t, where);
	const long = await q.request({ method: 'POST', body: 'x'.repeat(2500),
		headers: { 'Content-Length': 1_000_000 } });

	assert.equal((await long.answer).status, 413);
	const u = await Polling.connect(t, where);
	const chunked = await u.request({ method: 'POST', headers: {
		'Content-Length': undefined, 'Transfer-Encoding': 'chunked' },
		body: `7d0\r\n${'x'.repeat(2000)}\r\n7d0\r\n${'x'.repeat(2000)
		}\r\n` });

	assert.equal((await chunked.answer).status, 413);
}, { maxHttpBufferSize: 2000 });

onServers('the client closes', async (t, where) => {
	const w = await watch(t, where);
	const p = await Polling.connect(t, where);
	const poll = await p.request();

	await p.post('42["say",[],1]', '1');
	const r = await poll.answer;

	// What it had said before is told, or its poll just ends; or it came
	// too late.
	if (r.status === 200)
		assert.match(r.text, /^(6|42\["said",1\])(\x1e6)?$/);
	else
		unknownSession(r);
	assert.equal(await gone(w, p), 'transport close');
	await p.isOver();
});

onServers('the server closes', async (t, where) => {
	const p = await Polling.connect(t, where);
	const poll = await p.request();

	await p.post('42["bye",true]');
	// The end comes by itself: behind others in a payload, the client takes
	// it before them.
	assert.equal((await poll.answer).text, '41');
	assert.equal((await p.get()).at(-1), '1');

	// With nobody there to be told, it waits for the next poll.
	const q = await Polling.connect(t, where);

	await q.post('42["many",3]', '42["bye",true]');
	const all = [];

	for (let r; (r = await q.ask()).status === 200;)
		all.push(...r.text.split('\x1e'));
	assert.deepEqual(all.filter((v) => v !== '6'), ['42["item",0]',
		'42["item",1]', '42["item",2]', '41', '1']);
	await q.isOver();
});

onServers('the server stops', async (t, where) => {
	const p = await Polling.connect(t, where);
	const poll = await p.request();

	// What comes behind it is answered: it waits.
	await Polling.connect(t, where);
	const stopped = where.stop();

	assert.equal((await poll.answer).text, '1');
	poll.abort();
	await stopped;
}, {}, { workers: 1, alone: true });

onServers('sessions do not mix', async (t, where) => {
	const all = await Promise.all(Array.from({ length: 12 }, () =>
	    Polling.connect(t, where)));

	await Promise.all(all.map(async (p, n) => {
		for (let i = 0; i < 10; i++)
			await p.works(`${n} ${i}`);
	}));
	const r = await ask(t, where, { query: { ...all[0].query,
		sid: all[0].id } });

	unknownSession(r);
});
