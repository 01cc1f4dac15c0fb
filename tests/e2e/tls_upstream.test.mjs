// SPDX-License-Identifier: BSD-2-Clause
// TLS to servers: who they have to be, who we are, and what is told when it
// does not fit.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import test from 'node:test';
import { atEnd, command, prepareHostd, sbin, startHostd, until }
	from './lib/hostd.mjs';
import { authority, certificate } from './lib/tls.mjs';

const body = Buffer.alloc(1_000_000, 'server ');

// A server of node's: { port, requests, sockets }.
async function server(t, files, options = {}) {
	const s = https.createServer({ cert: fs.readFileSync(files.cert),
		key: fs.readFileSync(files.key), keepAliveTimeout: 3600_000,
		...options }, (req, res) => {
		let n = 0;

		seen.requests++;
		seen.client = req.socket.getPeerCertificate?.()?.subject?.CN;
		seen.name = req.socket.servername;
		req.on('data', (d) => { n += d.length; });
		req.on('end', () => res.end(req.method === 'POST' ?
		    `got ${n}` : body));
	});
	const seen = { requests: 0, sockets: 0, reused: [] };

	s.on('secureConnection', (socket) => {
		seen.sockets++;
		seen.reused.push(socket.isSessionReused());
	});
	s.on('tlsClientError', () => {});
	atEnd(t, () => {
		s.closeAllConnections();
		s.close();
	});
	await new Promise((resolve) => s.listen(0, '127.0.0.1', resolve));
	seen.port = s.address().port;
	seen.tls = s;
	return seen;
}

const conf = (port, keys, more = '') => `
	pool "web" { workers = 1 }
	plugin "proxy" { module = "http_proxy.so"  upstream = "app" }
	route "/" { plugin = "proxy"  match = prefix }
	upstream "app" {
		server "localhost:${port}" { }
		tls = on
		${keys}
		${more}
	}`;

const get = (h, ...args) => command('curl', ['-sS', '-w', '\n%{http_code}',
	...args, `http://127.0.0.1:${h.port}/x`]);

test('requests, kept connections, checks', async (t) => {
	const ca = await authority(t);
	const s = await server(t, await certificate(t, { ca }));
	const h = await startHostd(t,
	    { conf: conf(s.port, `tls_ca = "${ca.cert}"
		health { interval = 50ms  jitter = 0 }`) });

	for (let i = 0; i < 5; i++) {
		const r = await get(h);

		assert.equal(r.stdout.length, body.length + 4);
		assert.ok(r.stdout.endsWith('\n200'));
	}
	const file = path.join(h.dir, 'up');

	fs.writeFileSync(file, body);
	const r = await get(h, '--data-binary', `@${file}`, '-H', 'Expect:');

	assert.equal(r.stdout, `got ${body.length}\n200`);
	// Six requests of ours came over one connection; one of a check may be
	// there before its request is.
	await until(() => s.requests >= 9 && s.sockets <= s.requests - 5,
	    'checks');
	assert.equal(s.name, 'localhost');
	assert.match((await h.hostctl('upstream', 'list')).stdout, /passed/);
});

test('a server that it is not', async (t) => {
	const ca = await authority(t);
	const good = await certificate(t, { ca });
	const cases = [
		// By nobody whom the system knows.
		[good, '', /unable to get local issuer certificate/],
		[await certificate(t, { ca, names: ['other.example'] }),
			`tls_ca = "${ca.cert}"`, /hostname mismatch/],
		[good, `tls_ca = "${ca.cert}"  tls_name = "other.example"`,
			/no TLS with "other\.example": hostname mismatch/],
		[await certificate(t, { ca, days: -1 }),
			`tls_ca = "${ca.cert}"`, /certificate has expired/],
		[await certificate(t), `tls_ca = "${ca.cert}"`, /self-signed/],
	];

	for (const [files, keys, why] of cases) {
		const s = await server(t, files);
		const h = await startHostd(t, { conf: conf(s.port, keys) });

		assert.match((await get(h)).stdout, /\n502$/);
		await h.logged(why);
		await h.logged(/answered 502: connecting to 127\.0\.0\.1:/);
		assert.equal(s.requests, 0);
		await h.stop();
	}
	const s = await server(t, await certificate(t,
	    { names: ['x.example'] }));
	const h = await startHostd(t, { conf: conf(s.port,
	    'tls_verify = off') });

	assert.match((await get(h)).stdout, /\n200$/);
});

test('who we are, versions, and a name', async (t) => {
	const ca = await authority(t);
	const us = await certificate(t, { ca, names: ['us.example'] });
	const s = await server(t, await certificate(t,
	    { ca, names: ['inner.example'] }), { requestCert: true,
		ca: fs.readFileSync(ca.cert), maxVersion: 'TLSv1.2' });
	const h = await startHostd(t, { conf: conf(s.port, `
		tls_ca = "${ca.cert}"  tls_name = "inner.example"
		tls_certificate = "${us.cert}"  tls_key = "${us.key}"`) });

	assert.match((await get(h)).stdout, /\n200$/);
	assert.equal(s.client, 'us.example');
	assert.equal(s.name, 'inner.example');
	fs.writeFileSync(h.confFile, fs.readFileSync(h.confFile, 'utf8')
	    .replace('tls = on', 'tls = on  tls_versions = "1.3"'));
	assert.equal((await h.hostctl('reload')).code, 0);
	assert.match((await get(h)).stdout, /\n502$/);
	await h.logged(/no TLS with "inner\.example": .*version/);
});

test('sessions go on with the same server only', async (t) => {
	const ca = await authority(t);
	const files = await certificate(t, { ca });

	for (const version of ['TLSv1.2', 'TLSv1.3']) {
		const only = { minVersion: version, maxVersion: version };
		const [a, b] = [await server(t, files, only),
			await server(t, files, only)];
		const h = await startHostd(t, { conf: conf(a.port, `
			keepalive = 0  tls_ca = "${ca.cert}"
			server "localhost:${b.port}" { }`) });
		const ask = async (n) => {
			for (let i = 0; i < n; i++)
				assert.match((await get(h)).stdout, /\n200$/);
		};

		await ask(6);
		// Each has its own.
		for (const s of [a, b])
			assert.deepEqual(s.reused, [false, true, true],
			    version);
		fs.writeFileSync(h.confFile, fs.readFileSync(h.confFile, 'utf8')
		    .replace('tls = on', 'tls = on  tls_session_reuse = off'));
		assert.equal((await h.hostctl('reload')).code, 0);
		await ask(4);
		for (const s of [a, b])
			assert.deepEqual(s.reused.slice(3), [false, false]);
	}
});

test('a server that has forgotten, or is somebody else now', async (t) => {
	const ca = await authority(t);
	const s = await server(t, await certificate(t, { ca }));
	const h = await startHostd(t, { conf: conf(s.port,
	    `keepalive = 0  tls_ca = "${ca.cert}"`) });
	const other = await certificate(t);

	assert.match((await get(h)).stdout, /\n200$/);
	assert.match((await get(h)).stdout, /\n200$/);
	s.tls.setTicketKeys(Buffer.alloc(48, 'new'));
	assert.match((await get(h)).stdout, /\n200$/);
	assert.match((await get(h)).stdout, /\n200$/);
	assert.deepEqual(s.reused, [false, true, false, true]);
	s.tls.setSecureContext({ cert: fs.readFileSync(other.cert),
		key: fs.readFileSync(other.key) });
	s.tls.setTicketKeys(Buffer.alloc(48, 'other'));
	assert.match((await get(h)).stdout, /\n502$/);
	await h.logged(/self-signed/);
});

test('a server that says nothing, or no TLS', async (t) => {
	const silent = await startHostd(t, { conf: `
		plugin "hello" { module = "http_respond.so"  body = "hello" }
		route "/" { plugin = "hello"  match = prefix }` });
	const h = await startHostd(t, { conf: conf(silent.port, '',
	    'connect_timeout = 5s') });

	assert.match((await get(h)).stdout, /\n502$/);
	await h.logged(/no TLS with "localhost": /);
});

test('mistakes', async (t) => {
	const a = await certificate(t), b = await certificate(t);
	const cases = [
		['tls_ca = "/nowhere.pem"',
		    /tls_ca \/nowhere\.pem: No such file/],
		[`tls_ca = "${a.key}"`, /has no certificate in PEM/],
		[`tls_certificate = "${a.cert}"`, /belong together/],
		[`tls_certificate = "${a.cert}"  tls_key = "${b.key}"`,
			/is not the key of the certificate/],
		['tls_name = "a b"', /tls_name "a b" is not a host's name/],
		['tls_versions = { "1.1" }', /neither "1\.2" nor "1\.3"/],
		['proxy_protocol = v1', /can't go before TLS/],
		['tls_verify = off  tls_ca = "@DIR@/hostd.conf"',
			/says nothing with tls_verify = off/],
	];

	for (const [keys, why] of cases) {
		const h = await prepareHostd(t, { conf: conf(1, keys) });
		const r = await command(sbin('hostd'),
		    ['-t', '-c', h.confFile]);

		assert.equal(r.code, 1, keys);
		assert.match(r.stderr, why);
		assert.match(r.stderr, /hostd\.conf:\d+/);
	}
});
