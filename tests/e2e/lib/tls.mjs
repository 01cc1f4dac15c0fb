// SPDX-License-Identifier: BSD-2-Clause
// Certificates made by openssl, hostd that speaks TLS, and openssl as a client.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import tls from 'node:tls';
import { atEnd, command, startHostd, tempDir, within } from './hostd.mjs';

async function openssl(...args) {
	const r = await command('openssl', args);

	assert.equal(r.code, 0, r.stderr);
	return r;
}

const KINDS = {
	ec: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
	ed25519: ['ed25519'],
	rsa: ['rsa:2048'],
	weak: ['rsa:1024'],
};

/*
 * A certificate and its key, as files of a directory of the test's.
 *
 *	names	whose it is: DNS names and addresses
 *	kind	of KINDS
 *	days	until it ends; less than 0: it has ended
 *	ca	{ cert, key } of who signs it; else it signs itself
 *	isCa	it may sign others
 */
export async function certificate(t, { names = ['localhost', '127.0.0.1'],
	kind = 'ec', days = 30, ca, isCa = false, cn = names[0],
	usage } = {}) {
	const dir = tempDir(t);
	const [cert, key, csr, ext] = ['cert.pem', 'key.pem', 'csr.pem',
	    'ext.cnf'].map((f) => path.join(dir, f));
	const alt = names.map((n) => /^[\d.]+$|:/.test(n) ? `IP:${n}` :
	    `DNS:${n}`).join(',');

	fs.writeFileSync(ext, [
		alt && !isCa ? `subjectAltName=${alt}` : '',
		`basicConstraints=critical,CA:${isCa ? 'TRUE' : 'FALSE'}`,
		usage ? `extendedKeyUsage=${usage}` : '',
	].join('\n'));
	await openssl('req', '-new', '-newkey', ...KINDS[kind], '-nodes',
	    '-keyout', key, '-out', csr, '-subj', `/CN=${cn}`);
	fs.chmodSync(key, 0o600);
	await openssl('x509', '-req', '-in', csr, '-out', cert,
	    '-days', String(days), '-extfile', ext, ...(ca ? ['-CA', ca.cert,
	    '-CAkey', ca.key, '-set_serial', `0x01${randomBytes(8)
		.toString('hex')}`] : ['-signkey', key]));
	return { cert, key };
}

export const authority = (t, cn = 'Test CA') =>
	certificate(t, { names: [cn], isCa: true });

/*
 * As startHostd, and TLS is spoken at its port; tls: more keys of the block,
 * listen: of the listen block.  h.ca is what its clients have to trust.
 */
export async function startTls(t, { tls: keys = '', listen = '', conf = '',
	...options } = {}) {
	const { cert, key } = options.certificate ?? await certificate(t);
	const h = await startHostd(t, { ...options, conf: `
		certificate "main" { file = "${cert}"  key = "${key}" }
		tls "main" { certificates = { "main" }  ${keys} }
		listen "main" { address = "127.0.0.1:@PORT@"  tls = "main"
			${listen} }
		${conf}` });

	h.ca = cert;
	h.url = `https://localhost:${h.port}`;
	return h;
}

// curl, that believes h.
export const curl = (h, ...args) => command('curl', ['-sS', '--cacert', h.ca,
	...args]);

// A connection of node's: { socket, text(), closed }.
export async function secure(t, h, options = {}) {
	const socket = tls.connect({ port: h.port, host: '127.0.0.1',
		servername: 'localhost', ca: fs.readFileSync(h.ca),
		    ...options });
	const c = { socket, got: '', closed: false };

	atEnd(t, () => socket.destroy());
	c.ended = new Promise((resolve) => socket.on('close', () => {
		c.closed = true;
		resolve(c.got);
	}));
	socket.on('error', (e) => { c.error = e.code; });
	socket.on('data', (d) => { c.got += d.toString('latin1'); });
	// Until what is looked for has come; it is taken.
	c.next = (pattern) => within(new Promise((resolve, reject) => {
		const look = () => {
			const m = pattern.exec(c.got);

			if (!m && !c.closed)
				return;
			socket.off('data', look);
			socket.off('close', look);
			if (!m) {
				reject(new Error(`closed before ${pattern}`));
				return;
			}
			c.got = c.got.slice(m.index + m[0].length);
			resolve(m);
		};

		socket.on('data', look);
		socket.on('close', look);
		look();
	}), `${pattern}`);
	await within(new Promise((resolve, reject) => {
		socket.once('secureConnect', resolve);
		socket.once('error', reject);
	}), 'handshake');
	return c;
}

// openssl s_client; input is what it is told, and then it waits for an end.
export function sClient(t, h, args = [], input = '') {
	const child = spawn('openssl', ['s_client', '-connect',
		`127.0.0.1:${h.port}`, '-servername', 'localhost',
		'-CAfile', h.ca, ...args]);
	const c = { child, text: '' };

	atEnd(t, () => child.kill('SIGKILL'));
	for (const s of [child.stdout, child.stderr])
		s.on('data', (d) => { c.text += d.toString('latin1'); });
	c.ended = within(new Promise((resolve) => child.on('close',
	    (code) => resolve({ code, text: c.text }))), 'end of s_client');
	child.stdin.on('error', () => {});
	child.stdin.write(input);
	return c;
}
