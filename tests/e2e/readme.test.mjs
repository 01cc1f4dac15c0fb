// SPDX-License-Identifier: BSD-2-Clause
// What README.md shows works as it stands there.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import test from 'node:test';
import { atEnd, command, freePort, prepareHostd, sbin, startHostd, tempDir, top,
	within } from './lib/hostd.mjs';
import { Client, post } from './lib/http1.mjs';
import { npm } from './lib/npm.mjs';
import { buildPlugin } from './lib/plugin.mjs';
import { certificate } from './lib/tls.mjs';

const { WebSocket } = npm('ws');
const readme = fs.readFileSync(path.join(top, 'README.md'), 'utf8');

// Number i of how many there are.
function block(language, i = 0, n = 1) {
	const found = [...readme.matchAll(
	    new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))];

	assert.equal(found.length, n, `blocks of ${language}`);
	return found[i][1];
}

test('the first plugin answers', async (t) => {
	const dir = tempDir(t);
	const so = await buildPlugin(dir, 'hello', block('c', 0, 3));
	const h = await startHostd(t, {
		confd: { 'hello.so': fs.readFileSync(so) } });
	const r = await fetch(`${h.url}/hello`);

	assert.equal(r.status, 200);
	assert.equal(await r.text(), 'hello, world\n');
});

test('the room is one for all workers', async (t) => {
	const dir = tempDir(t);
	const so = await buildPlugin(dir, 'lobby', block('c', 1, 3));
	const h = await startHostd(t, { conf: 'pool "web" { workers = 2 }',
		confd: { 'lobby.so': fs.readFileSync(so) } });
	const url = `ws://127.0.0.1:${h.port}/lobby`;
	const sockets = [];

	atEnd(t, () => sockets.forEach((s) => s.terminate()));
	// As many as it takes until both workers have some.
	await h.workersSatisfy(async (ws) => {
		if (ws.every((w) => w.websockets > 0))
			return true;
		sockets.push(new WebSocket(url));
		await once(sockets.at(-1), 'open');
		return false;
	}, 'both');
	const heard = sockets.map((s) => once(s, 'message'));

	sockets.forEach((s, i) => s.send(`hello from ${i}`));
	for (const [data] of await within(Promise.all(heard), 'messages'))
		assert.match(data.toString(), /^hello from \d+$/);
});

test('the configuration passes the test', async (t) => {
	const h = await prepareHostd(t, {});
	const text = block('conf', 0, 5).replaceAll('/var/log/hostd', h.dir)
	    .replaceAll('/srv/www', h.dir);

	fs.writeFileSync(h.confFile, text);
	const r = await command(sbin('hostd'), ['-t', '-c', h.confFile]);

	assert.equal(r.code, 0, r.stdout + r.stderr);
	assert.match(r.stdout + r.stderr, /configuration ok/);
});

test('HTTPS', async (t) => {
	const { cert, key } = await certificate(t);
	const secure = await freePort();
	const h = await startHostd(t, { conf: block('conf', 2, 5)
	    .replace('/etc/ssl/example.pem', cert)
	    .replace('/etc/ssl/example.key', key)
	    .replace('0.0.0.0:443', `127.0.0.1:${secure}`)
	    .replace('0.0.0.0:80', '127.0.0.1:@PORT@')
	    .replace('redirect_https = on', `redirect_https = "${secure}"`) });
	const r = await command('curl', ['-sS', '-L', '-D', '-', '--cacert',
	    cert,
		`http://localhost:${h.port}/`]);

	assert.match(r.stdout, /^HTTP\/1\.1 301 [^]*\nHTTP\/2 [^]*strict-tra/);
});

test('a node that faces the internet', async (t) => {
	const h = await startHostd(t, { conf: block('conf', 3, 5) });

	assert.equal((await fetch(`${h.url}/metrics`)).status, 200);
	// Of all that come at once, from connections that are there and with
	// nothing to do for them.
	const clients = await Promise.all(Array.from({ length: 180 }, () =>
	    Client.connect(h.port)));

	atEnd(t, () => clients.forEach((c) => c.destroy()));
	const all = await Promise.all(clients.map(async (c) => {
		await c.send(post('/metrics', ''));
		return c.next();
	}));
	const refused = all.filter((r) => r.status === 429);

	// The burst passes, whatever the time they take.
	assert.ok(refused.length > 0 && refused.length <= 180 - 40,
	    `${refused.length} refused`);
	assert.match(refused[0].headers['retry-after'][0], /^\d+$/);
	for (const c of clients)
		c.destroy();
	for (let i = 0; i < 60; i++)
		assert.equal((await fetch(`${h.url}/health/readiness`)).status,
		    200);
});

test('servers behind it answer', async (t) => {
	const servers = await Promise.all(['a', 'b', 'c'].map(async (name) => {
		const s = http.createServer((q, r) => r.end(name + q.url));

		atEnd(t, () => s.close());
		s.listen(0, '127.0.0.1');
		await once(s, 'listening');
		return `127.0.0.1:${s.address().port}`;
	}));
	const other = await freePort();
	const h = await startHostd(t, { conf: block('conf', 1, 5)
	    .replace('10.0.0.1:3000', servers[0])
	    .replace('10.0.0.2:3000', servers[1])
	    .replace('10.0.0.3:5432', servers[2])
	    .replace('0.0.0.0:80', '127.0.0.1:@PORT@')
	    .replace('127.0.0.1:5432', `127.0.0.1:${other}`) });
	const seen = new Set();

	while (seen.size < 2)
		seen.add(await (await fetch(`${h.url}/api/x`)).text());
	assert.deepEqual([...seen].sort(), ['a/api/x', 'b/api/x']);
	const r = await fetch(`http://127.0.0.1:${other}/`);

	assert.equal(await r.text(), 'c/');
});

test('the manual page\'s example passes the test', async (t) => {
	const h = await prepareHostd(t, {});
	const page = fs.readFileSync(
	    path.join(top, 'man/hostd.conf.5.in'), 'utf8');
	const text = /^\.Sh EXAMPLES\n\.Bd -literal\n(.*?)^\.Ed$/ms.exec(
	    page)[1]
	    .replaceAll('/var/log/hostd', h.dir).replaceAll('/srv/www', h.dir);

	fs.mkdirSync(path.join(h.dir, 'pages'));
	fs.writeFileSync(path.join(h.dir, 'pages/404.html'), 'no');
	fs.writeFileSync(h.confFile, text);
	const r = await command(sbin('hostd'), ['-t', '-c', h.confFile]);

	assert.equal(r.code, 0, r.stdout + r.stderr);
});

test('the quickstart serves its pages', async (t) => {
	const dir = tempDir(t);
	const r = await command(path.join(top, 'examples/quickstart/run'),
	    ['--check'], { env: { ...process.env, BUILD: dir } });

	assert.equal(r.code, 0, r.stdout + r.stderr);
	for (const page of ['/', '/hello', '/status'])
		assert.match(r.stdout, new RegExp(`^${page}: [1-9]\\d* bytes$`,
		    'm'));
});

test('visits are counted by all workers', async (t) => {
	const dir = tempDir(t);
	const so = await buildPlugin(dir, 'visits', block('c', 2, 3));
	const h = await startHostd(t, { conf: `state_dir = "@DIR@/state"
	    pool "web" { workers = 2 }
	    ${block('conf', 4, 5)}`,
		confd: { 'visits.so': fs.readFileSync(so) } });
	let cookie;

	for (let n = 1; n <= 24; n++) {
		const r = await fetch(`${h.url}/visits`, { headers: {
			connection: 'close', ...cookie && { cookie } } });

		assert.equal(r.status, 200);
		assert.deepEqual(await r.json(), { visits: n });
		cookie ??= r.headers.get('set-cookie').split(';')[0];
	}
});
