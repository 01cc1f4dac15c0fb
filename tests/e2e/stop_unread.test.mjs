// SPDX-License-Identifier: BSD-2-Clause
// A stop answers what clients had sent before; a worker that had not got round
// to reading it used to reset their connections.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { until, within } from './lib/hostd.mjs';
import { connect, get, serveShow } from './lib/http1.mjs';

const state = (pid) => /^State:\s+(\w)/m.exec(
    fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1];

// The worker reads nothing until go() is called; it finds the order to stop
// first, and what was sent after this second.
async function suspend(t, h) {
	const [{ pid }] = await h.workers();
	const go = () => process.kill(pid, 'SIGCONT');

	process.kill(pid, 'SIGSTOP');
	// When the test fails the harness has to be able to stop it.
	t.after(() => {
		if (fs.existsSync(`/proc/${pid}`))
			go();
	});
	await until(() => state(pid) === 'T', 'stopped worker');
	const stopped = h.hostctl('stop');

	await h.workersSatisfy((all) => all[0].state === 'draining',
	    'order to stop');
	return { go, stopped };
}

async function answered(c, path) {
	const r = await c.next();

	assert.equal(r.status, 200);
	assert.equal(JSON.parse(r.body).path, path);
	assert.deepEqual(r.headers.connection, ['close']);
	assert.equal(await c.end(), '');
	assert.equal(c.error, undefined);
	c.destroy();
}

// More than the worker hears of in one turn.
test('on connections that were idle', async (t) => {
	const h = await serveShow(t);
	const all = [];

	for (let i = 0; i < 300; i++) {
		all.push(await connect(t, h.port));
		await all[i].send(get('/before'));
		assert.equal((await all[i].next()).status, 200);
	}
	const { go, stopped } = await suspend(t, h);

	for (const [i, c] of all.entries())
		await c.send(get(`/${i}`));
	go();
	for (const [i, c] of all.entries())
		await answered(c, `/${i}`);
	assert.equal((await stopped).code, 0);
	await within(h.ended, 'end of hostd');
});

test('on new ones, accepted or not', async (t) => {
	const h = await serveShow(t);
	const all = [];

	// These have been accepted when something is asked after them.
	for (let i = 0; i < 3; i++)
		all.push(await connect(t, h.port));
	const other = await connect(t, h.port);

	await other.send(get('/before', 'Connection: close'));
	assert.equal((await other.next()).status, 200);
	other.destroy();
	const { go, stopped } = await suspend(t, h);

	for (let i = 3; i < 6; i++)
		all.push(await connect(t, h.port));
	for (const [i, c] of all.entries())
		await c.send(get(`/${i}`));
	go();
	for (const [i, c] of all.entries())
		await answered(c, `/${i}`);
	assert.equal((await stopped).code, 0);
	await within(h.ended, 'end of hostd');
});

test('several at once, one behind the other', async (t) => {
	const h = await serveShow(t);
	const c = await connect(t, h.port);

	await c.send(get('/before'));
	assert.equal((await c.next()).status, 200);
	const { go, stopped } = await suspend(t, h);

	await c.send(get('/1'));
	await c.send(get('/2'));
	go();
	// The first is the last: it says so.
	await answered(c, '/1');
	assert.equal((await stopped).code, 0);
	await within(h.ended, 'end of hostd');
});

test('and who asks nothing is let go', async (t) => {
	const h = await serveShow(t);
	const silent = await connect(t, h.port);
	const idle = await connect(t, h.port);

	await idle.send(get('/before'));
	assert.equal((await idle.next()).status, 200);
	const stopped = await h.hostctl('stop');

	assert.equal(await idle.end(), '');
	assert.equal(await silent.end(), '');
	assert.equal(stopped.code, 0);
	await within(h.ended, 'end of hostd');
	assert.doesNotMatch(h.log, /drain deadline/);
});
