// SPDX-License-Identifier: BSD-2-Clause
// Clients that show certificates: who is let in, and what is known of them.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import test from 'node:test';
import { atEnd, command, startHostd, tempDir, until }
	from './lib/hostd.mjs';
import { authority, certificate } from './lib/tls.mjs';
import { ask, block, hello, listen } from './lib/tls_ask.mjs';

const FORMAT = '$scheme $https $ssl_protocol $ssl_server_name ' +
	'$ssl_client_verify \\"$ssl_client_s_dn\\" \\"$ssl_client_i_dn\\" ' +
	'$ssl_client_serial $ssl_client_fingerprint';

async function serve(t, mode, ca, keys = '') {
	const c = await certificate(t);
	const h = await startHostd(t, { conf: `${listen}${hello}${block('m', c)}
		tls "main" { client_certificates = ${mode}
			client_ca = "${ca.cert}"  ${keys} }
		access_log "a" { path = "@DIR@/log"  format = "${FORMAT
			.replaceAll('$', '\\$')}" }` });
	let n = 0;

	// The log's next line.
	h.line = () => until(() => {
		const all = fs.readFileSync(`${h.dir}/log`, 'utf8').split('\n');

		return all.length > n + 1 && all[n++];
	}, 'line in the log');
	return h;
}

const shows = ({ cert, key }) => ['-cert', cert, '-key', key,
	'-servername', 'a.test'];

test('off, optional, required', async (t) => {
	const ca = await authority(t, 'Clients CA');
	const good = await certificate(t, { cn: 'good', names: ['g'], ca });
	const stranger = await certificate(t, { cn: 'stranger', names: ['s'],
		ca: await authority(t, 'Others') });
	const over = await certificate(t, { cn: 'over', names: ['o'], ca,
		days: -1 });
	const server = await certificate(t, { cn: 'server', names: ['v'], ca,
		usage: 'serverAuth' });
	const x = await command('openssl', ['x509', '-noout', '-serial',
		'-fingerprint', '-sha256', '-in', good.cert]);
	const [, serial] = /serial=(\w+)/.exec(x.stdout);
	const print = /Fingerprint=([\w:]+)/.exec(x.stdout)[1]
	    .replaceAll(':', '').toLowerCase();

	for (const mode of ['optional', 'required']) {
		const h = await serve(t, mode, ca);

		for (const v of ['-tls1_2', '-tls1_3']) {
			assert.match((await ask(h.port, [v, ...shows(good)]))
			    .answer, /200 OK/);
			assert.equal(await h.line(), 'https on ' +
			    `TLSv${v.slice(4).replace('_', '.')} a.test ` +
			    'SUCCESS "CN=good" "CN=Clients CA" ' +
			    `${serial} ${print}`);
			for (const bad of [stranger, over, server]) {
				const r = await ask(h.port, [v, ...shows(bad)]);

				if (mode === 'required') {
					assert.equal(r.answer, undefined);
					continue;
				}
				assert.match(r.answer, /400 Bad Request/);
				assert.match(r.answer, /close[^]*not accepted/);
				assert.match(await h.line(), / FAILED:\w/);
			}
			const none = await ask(h.port, [v]);

			if (mode === 'optional') {
				assert.match(none.answer, /200 OK/);
				assert.match(await h.line(),
				    /- NONE "-" "-" - -$/);
			} else {
				assert.equal(none.answer, undefined);
				// certificate_required is 1.3's.
				assert.equal(none.alert, v === '-tls1_3' ?
				    '116' : '40');
			}
			// They are told whom we trust.
			assert.match(none.text, /Clients CA/);
		}
	}
});

// The list of those that ca has taken back, as a file.
async function revoked(t, ca, certs) {
	const dir = tempDir(t), conf = `${dir}/ca.cnf`;
	const run = async (...args) => {
		const r = await command('openssl', ['ca', '-config', conf,
			...args]);

		assert.equal(r.code, 0, r.stderr);
	};

	fs.writeFileSync(`${dir}/index`, '');
	fs.writeFileSync(conf, `[ca]\ndefault_ca = c\n[c]\n
		database = ${dir}/index\ncertificate = ${ca.cert}\n
		private_key = ${ca.key}\ndefault_md = sha256\n
		default_crl_days = 1\n`);
	for (const c of certs)
		await run('-revoke', c.cert);
	await run('-gencrl', '-out', `${dir}/crl.pem`);
	return `${dir}/crl.pem`;
}

test('a certificate that was taken back', async (t) => {
	const ca = await authority(t, 'Clients CA');
	const client = (cn) => certificate(t, { cn, names: ['c'], ca });
	const [good, bad] = [await client('good'), await client('bad')];
	const crl = `${tempDir(t)}/crl.pem`;

	fs.copyFileSync(await revoked(t, ca, []), crl);
	const h = await serve(t, 'optional', ca, `client_crl = "${crl}"`);
	const sess = `${tempDir(t)}/session`;

	assert.match((await ask(h.port, [...shows(bad), '-sess_out', sess]))
	    .answer, /200 OK/);
	fs.copyFileSync(await revoked(t, ca, [bad]), crl);
	assert.equal((await h.hostctl('reload')).code, 0);
	assert.match((await ask(h.port, shows(good))).answer, /200 OK/);
	// With or without the session of before.
	for (const args of [[], ['-sess_in', sess]])
		assert.match((await ask(h.port, [...shows(bad), ...args]))
		    .answer, /400 Bad Request/);
	await h.logged(/CN=bad.* was not accepted: FAILED:certificate revoked/);
	// Nor is a session that began so any better.
	assert.match((await ask(h.port, [...shows(bad), '-sess_out', sess]))
	    .answer, /400 Bad Request/);
	const again = await ask(h.port, ['-sess_in', sess, '-servername',
		'a.test']);

	assert.equal(again.resumed, true);
	assert.match(again.answer, /400 Bad Request/);
	fs.writeFileSync(crl, 'nothing');
	const r = await h.hostctl('reload');

	assert.notEqual(r.code, 0);
	assert.match(r.stderr, /client_crl .*no revocation list/);
});

test('optional_no_ca: what came of the check is told', async (t) => {
	const ca = await authority(t, 'Clients CA');
	const stranger = await certificate(t, { cn: 'stranger', names: ['s'] });
	const h = await serve(t, 'optional_no_ca', ca);

	assert.match((await ask(h.port, shows(stranger))).answer, /200 OK/);
	assert.match(await h.line(),
	    /FAILED:self-signed certificate "CN=stranger"/);
	assert.match((await ask(h.port)).answer, /200 OK/);
	assert.match(await h.line(), / NONE /);
});

test('servers behind are told by headers, and nobody else can', async (t) => {
	const ca = await authority(t, 'Clients CA');
	const client = await certificate(t, { cn: 'somebody', names: ['c'],
		ca });
	const behind = http.createServer((q, r) => r.end(JSON.stringify([
		q.headers['x-forwarded-proto'], q.headers['x-verify'],
		q.headers['x-subject'], q.headers['x-protocol']])));

	atEnd(t, () => behind.close());
	await new Promise((resolve) => behind.listen(0, '127.0.0.1', resolve));
	const h = await startHostd(t, { conf: `${listen}
		${block('m', await certificate(t))}
		tls "main" { client_certificates = optional
			client_ca = "${ca.cert}" }
		upstream "u" { server "127.0.0.1:${behind.address().port}" { } }
		plugin "proxy" { module = "http_proxy.so"
			set_header = { "X-Verify: $ssl_client_verify",
				"X-Subject: $ssl_client_s_dn",
				"X-Protocol: $ssl_protocol" } }
		route "/" { plugin = "proxy"  upstream = "u" }` });
	const told = async (...args) => {
		const r = await command('curl', ['-sk', ...args,
			`https://127.0.0.1:${h.port}/`]);

		return JSON.parse(r.stdout);
	};

	assert.deepEqual(await told('--cert', client.cert, '--key', client.key,
	    '-H', 'X-Subject: CN=else'),
	    ['https', 'SUCCESS', 'CN=somebody', 'TLSv1.3']);
	const none = await told('-H', 'X-Subject: CN=somebody');

	assert.deepEqual(none.slice(0, 2), ['https', 'NONE']);
	assert.ok(!none[2]);
});
