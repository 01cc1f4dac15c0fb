// SPDX-License-Identifier: BSD-2-Clause
// http_login: how often one may be wrong, by user and by address, in all
// workers together; and many at once.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from './lib/hostd.mjs';
import { Client, serveLogin } from './lib/login.mjs';

const trusted = 'http { real_ip_from = "127.0.0.1" }';
const from = (address) => ({ 'X-Forwarded-For': address });

// The status of a login, of somebody new.
async function attempt(h, user, password, address = '192.0.2.1') {
	const c = new Client(h, from(address));
	const r = await c.login(user, password);

	if (r.status === 429) {
		assert.match(r.body_text, /too many tries/);
		assert.match(r.headers.get('retry-after'), /^[1-9]\d*$/);
		c.retry = Number(r.headers.get('retry-after'));
	}
	return { status: r.status, retry: c.retry };
}

const status = async (...args) => (await attempt(...args)).status;

test('of one user', async (t) => {
	const h = await serveLogin(t, { conf: trusted, keys:
	    'tries_user = 3  tries_address = 0  tries_time = 1h' });

	for (let i = 0; i < 3; i++)
		assert.equal(await status(h, 'ada', 'no', `192.0.2.${i}`), 401);
	// Wherever it comes from, and even if it is right.
	for (const password of ['no', 'secret']) {
		const r = await attempt(h, 'ada', password, '198.51.100.7');

		assert.equal(r.status, 429);
		// A third of the hour, less what has gone by.
		assert.ok(r.retry > 1000 && r.retry <= 1200, r.retry);
	}
	// The same for names that there are not.
	for (let i = 0; i < 3; i++)
		assert.equal(await status(h, 'eve', 'no'), 401);
	assert.equal(await status(h, 'eve', 'no'), 429);
	assert.equal(await status(h, 'zo\u00e9', 'Hello world!'), 303);
});

test('from one address', async (t) => {
	const h = await serveLogin(t, { conf: trusted, keys:
	    'tries_user = 0  tries_address = 3  tries_time = 1h' });

	for (const address of ['192.0.2.1', '2001:db8:1:2::1']) {
		for (let i = 0; i < 3; i++)
			assert.equal(await status(h, `user${i}`, 'no', address),
			    401);
		assert.equal(await status(h, 'ada', 'secret', address), 429);
	}
	// One network of IPv6 is one client.
	assert.equal(await status(h, 'ada', 'secret', '2001:db8:1:2:3::4'),
	    429);
	assert.equal(await status(h, 'ada', 'secret', '2001:db8:1:3::1'), 303);
	assert.equal(await status(h, 'ada', 'secret', '192.0.2.2'), 303);
	// As JSON.
	const c = new Client(h, from('192.0.2.1'));
	const { csrf } = (await c.json('/login')).json_value;
	const r = await c.json('/login', { method: 'POST', body:
	    new URLSearchParams({ user: 'ada', password: 'secret', csrf }) });

	assert.equal(r.status, 429);
	assert.match(r.json_value.error, /too many tries/);
});

test('who is right is not counted', async (t) => {
	const h = await serveLogin(t, { conf: trusted, keys:
	    'tries_user = 2  tries_address = 2  tries_time = 1h',
	    auth: 'remember = 0' });

	for (let i = 0; i < 6; i++)
		assert.equal(await status(h, 'ada', 'secret'), 303);
	assert.equal(await status(h, 'ada', 'no'), 401);
	for (let i = 0; i < 3; i++)
		assert.equal(await status(h, 'ada', 'secret'), 303);
	assert.equal(await status(h, 'ada', 'no'), 401);
	assert.equal(await status(h, 'ada', 'secret'), 429);
});

test('it is forgotten', async (t) => {
	const h = await serveLogin(t, { conf: trusted, keys:
	    'tries_user = 1  tries_time = 1s' });

	assert.equal(await status(h, 'ada', 'no'), 401);
	await until(async () => await status(h, 'ada', 'secret') === 303,
	    'another try');
});

test('all workers count together', async (t) => {
	const h = await serveLogin(t, { conf: trusted, workers: 2, lmdb: true,
		keys: 'tries_user = 4  tries_address = 0  tries_time = 1h' });
	let wrong = 0;

	while (await status(h, 'ada', 'no') === 401)
		wrong++;
	assert.ok(wrong >= 4, wrong);
	// The other worker has heard of it.
	await until(async () => {
		const s = await Promise.all(Array.from({ length: 8 }, () =>
		    status(h, 'ada', 'no')));

		wrong += s.filter((x) => x === 401).length;
		return s.every((x) => x === 429);
	}, 'that no worker lets anybody try');
	// Each of the two by itself would have let four pass.
	assert.ok(wrong < 8, wrong);
});

// Whoever tries more than one at a time gets no more tries.
test('many at once', async (t) => {
	const h = await serveLogin(t, { conf: trusted, keys:
	    'tries_user = 5  tries_address = 0  tries_time = 1h' });
	const clients = await Promise.all(Array.from({ length: 40 },
	    async () => {
		const c = new Client(h);

		c.csrf = await c.token();
		return c;
	}));
	const all = await Promise.all(clients.map(async (c, i) =>
	    (await c.post('/login', { user: 'ada', password: `no ${i}`,
		csrf: c.csrf })).status));

	assert.equal(all.filter((s) => s === 401).length, 5);
	assert.equal(all.filter((s) => s === 429).length, 35);
	// As many as there are hashes to compute; others are told to wait.
	const more = await Promise.all(clients.map(async (c, i) =>
	    (await c.post('/login', { user: `eve ${i}`, password: 'no',
		csrf: c.csrf })).status));

	assert.ok(more.includes(401));
	assert.deepEqual([...new Set(more)].filter((s) => s !== 401 &&
	    s !== 503), []);
});

test('clients that leave while their password is checked', async (t) => {
	const h = await serveLogin(t,
	    { keys: 'tries_user = 0  tries_address = 0' });
	const c = new Client(h);
	const csrf = await c.token();

	for (let round = 0; round < 10; round++)
		await Promise.all(Array.from({ length: 10 }, (_, i) => {
			const abort = new AbortController();
			const asked = fetch(`${h.url}/login`, { method: 'POST',
				signal: abort.signal, redirect: 'manual',
				headers: { Cookie: `hostd_login=${csrf}` },
				body: new URLSearchParams({ user: `u${i}`,
					password: `${round}`, csrf }) });

			setImmediate(() => abort.abort());
			return asked.then((r) => r.text()).catch(() => {});
		}));
	await until(async () => (await c.login()).status === 303, 'a login');
});
