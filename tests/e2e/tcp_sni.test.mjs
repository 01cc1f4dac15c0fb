// SPDX-License-Identifier: BSD-2-Clause
// TLS connections go to the upstream of the name that they ask for, unread.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import tls from 'node:tls';
import { atEnd, command, tempDir, within } from './lib/hostd.mjs';
import { connect, recorder, startStream } from './lib/tcp.mjs';

// A certificate of one's own.
async function certificate(dir, name) {
	const key = path.join(dir, `${name}.key`);
	const cert = path.join(dir, `${name}.crt`);
	const r = await command('openssl', ['req', '-x509', '-newkey',
		'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
		'-keyout', key, '-out', cert, '-days', '2', '-subj',
		`/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`]);

	assert.equal(r.code, 0, r.stderr);
	return { key: fs.readFileSync(key), cert: fs.readFileSync(cert),
		file: cert };
}

// A TLS server that answers HTTP with its own name and the one asked for.
async function secure(t, dir, name) {
	const own = await certificate(dir, name);
	const server = tls.createServer(own, (s) => {
		s.on('error', () => {});
		s.on('data', () =>
		    s.end('HTTP/1.1 200 OK\r\nConnection: close' +
		    `\r\n\r\n${name} ${s.servername}`));
	});

	server.on('tlsClientError', () => {});
	server.listen(0, '127.0.0.1');
	await within(once(server, 'listening'), 'listener');
	atEnd(t, () => server.close());
	return { port: server.address().port, cert: own.file };
}

async function start(t, keys = '') {
	const dir = tempDir(t);
	const one = await secure(t, dir, 'one.example.com');
	const wild = await secure(t, dir, 'wild.example.com');
	const deep = await secure(t, dir, 'x.deep.example.com');
	const other = await recorder(t);
	const group = (name, s) =>
		`upstream "${name}" { server "127.0.0.1:${s.port}" { } }`;
	const h = await startStream(t, `${keys}
		sni "One.Example.COM" { upstream = "one" }
		sni "*.example.com" { upstream = "wild" }
		sni "*.deep.example.com" { upstream = "deep" }`, `
		${group('one', one)} ${group('wild', wild)}
		${group('deep', deep)} ${group('other', other)}`);

	return { h, one, wild, deep, other };
}

const curl = (port, name, ...args) => command('curl', ['-s', '--max-time',
	'20', '--resolve', `${name}:${port}:127.0.0.1`, ...args,
	`https://${name}:${port}/`]);

test('curl gets to the server of the name, with its certificate', async (t) => {
	const { h, one, wild, deep } = await start(t);

	for (const [name, cert, ...args] of [
		['one.example.com', one.cert],
		['one.example.com', one.cert, '--tls-max', '1.2'],
		['wild.example.com', wild.cert],
		['x.deep.example.com', deep.cert]]) {
		const r = await curl(h.port, name, '--cacert', cert, ...args);

		assert.equal(r.code, 0, r.stderr);
		assert.equal(r.stdout, `${name} ${name}`);
	}
	// Any name below, and the longest pattern.
	for (const [name, by] of [['a.b.example.com', 'wild.example.com'],
		['a.b.deep.example.com', 'x.deep.example.com'],
		['deep.example.com', 'wild.example.com']])
		assert.equal((await curl(h.port, name, '-k')).stdout,
		    `${by} ${name}`);
});

// The first message of a client, cut into pieces.
async function hello(t, servername) {
	const server = net.createServer();

	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	atEnd(t, () => server.close());
	const s = tls.connect({ port: server.address().port,
		host: '127.0.0.1', servername });

	s.on('error', () => {});
	const [peer] = await once(server, 'connection');
	const [bytes] = await once(peer, 'data');

	peer.destroy();
	s.destroy();
	return bytes;
}

test('byte by byte, and in records of a few bytes', async (t) => {
	const { h } = await start(t, 'hello_timeout = 1h');
	const whole = await hello(t, 'one.example.com');
	const records = [];

	for (let at = 5; at < whole.length; at += 50) {
		const part = whole.subarray(at, at + 50);

		records.push(Buffer.from([22, 3, 1, 0, part.length]), part);
	}
	for (const bytes of [whole, Buffer.concat(records)]) {
		const c = await connect(t, h.port);

		for (const b of bytes)
			await c.send(Buffer.from([b]));
		// A ServerHello, or what comes of such records.
		assert.match(await c.bytes(1), /^[\x15\x16]/);
		c.destroy();
	}
});

test('who names none goes to the upstream of the listener', async (t) => {
	const { h, other } = await start(t, 'upstream = "other"');
	const bytes = await hello(t, '');
	const nobody = await hello(t, 'nobody.example.org');
	let i = 0;

	for (const say of [bytes, nobody, Buffer.from('SSH-2.0-x\r\n')]) {
		const c = await connect(t, h.port);

		await c.send(say);
		assert.equal((await other.heard((s) =>
			s.text.length >= say.length, i++)).text,
		say.toString('latin1'));
		c.destroy();
	}
});

test('without one they are closed, and that is logged', async (t) => {
	const closes = async (h, say) => {
		const c = await connect(t, h.port);

		await c.send(say);
		assert.equal(await c.end(), '');
	};
	const { h } = await start(t, 'hello_timeout = 1h');

	await closes(h, await hello(t, 'nobody.example.org'));
	await closes(h, 'GET / HTTP');
	await h.logged('is turned away: no sni block is for ' +
	    '"nobody.example.org"');
	// Those that do not say enough.
	const { h: short } = await start(t, 'hello_timeout = 300ms');

	await closes(short, '\x16\x03');
	await closes(short, '');
});

test("curl's PROXY header before its TLS", async (t) => {
	const { h, one } = await start(t, 'proxy_protocol = on');
	const r = await curl(h.port, 'one.example.com', '--cacert', one.cert,
	    '--haproxy-protocol');

	assert.equal(r.code, 0, r.stderr);
	assert.equal(r.stdout, 'one.example.com one.example.com');
	assert.notEqual((await curl(h.port, 'one.example.com', '-k')).code, 0);
	await h.logged('its PROXY header is bad: no header');
});
