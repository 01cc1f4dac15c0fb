// SPDX-License-Identifier: BSD-2-Clause
// Redis by rediss://: sessions over TLS, and who is not believed.
import assert from 'node:assert/strict';
import test from 'node:test';
import { freePort } from './lib/hostd.mjs';
import { startRedis } from './lib/redis.mjs';
import { outcome, serveRedisSessions, stored } from './lib/redis_sessions.mjs';
import { get, set, Visitor } from './lib/session.mjs';
import { authority, certificate } from './lib/tls.mjs';

async function start(t, more = []) {
	const ca = await authority(t);
	const { cert, key } = await certificate(t, { ca });
	const port = await freePort();
	const redis = await startRedis(t, { args: ['--tls-port', port,
		'--tls-cert-file', cert, '--tls-key-file', key,
		'--tls-ca-cert-file', ca.cert, '--tls-auth-clients', 'no',
		...more] });

	return { redis, ca, url: `rediss://localhost:${port}` };
}

test('sessions', async (t) => {
	const { redis, ca, url } = await start(t);
	const h = await serveRedisSessions(t, redis,
	    { url, store: `tls_ca = "${ca.cert}"` });
	const v = new Visitor(h);

	assert.equal(await outcome(v, set('name', 'Ada')), 'OK');
	assert.equal((await stored(redis, v.id)).value.name, 'Ada');
	assert.equal(await v.get(get('name')), 'Ada');
});

test('one that is not trusted', async (t) => {
	const { redis, url } = await start(t);
	const h = await serveRedisSessions(t, redis, { url, ready: false });

	await h.logged(/no TLS with "localhost": (self-signed|unable to get)/);
});

test('one that is believed whoever it is', async (t) => {
	const { redis, url } = await start(t);
	const h = await serveRedisSessions(t, redis,
	    { url, store: 'tls_verify = off' });

	assert.equal(await outcome(new Visitor(h), set('a', 1)), 'OK');
});

test('files that can not be read', async (t) => {
	const { redis, url } = await start(t);
	const h = await serveRedisSessions(t, redis,
	    { url, ready: false, store: 'tls_ca = "/nowhere.pem"' });

	await h.logged(/TLS with the certificates of \/nowhere\.pem: /);
});
