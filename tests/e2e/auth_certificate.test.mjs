// SPDX-License-Identifier: BSD-2-Clause
// Routes for clients with certificates: who may come, and who that is.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { command, prepareHostd, sbin, startHostd, until }
	from './lib/hostd.mjs';
import { authority, certificate } from './lib/tls.mjs';
import { block, listen } from './lib/tls_ask.mjs';

const routes = `
	plugin "hi" { module = "http_respond.so"  body = "hi" }
	route "/" { plugin = "hi"  match = prefix }
	route "/any" { plugin = "hi"  auth = "any" }
	route "/admin" { plugin = "hi"  auth = "admin" }
	route "/print" { plugin = "hi"  auth = "print" }`;

test('by name and by fingerprint', async (t) => {
	const ca = await authority(t, 'Clients CA');
	const client = (cn) => certificate(t, { cn, names: ['c'], ca });
	const [anna, root] = [await client('anna'), await client('root')];
	const stranger = await certificate(t, { cn: 'root', names: ['s'] });
	const x = await command('openssl', ['x509', '-noout', '-fingerprint',
		'-sha256', '-in', anna.cert]);
	const print = /Fingerprint=([\w:]+)/.exec(x.stdout)[1]
	    .replaceAll(':', '');
	const h = await startHostd(t, { conf: `${listen}${routes}
		${block('m', await certificate(t))}
		tls "main" { client_certificates = optional_no_ca
			client_ca = "${ca.cert}" }
		auth "any" { type = certificate  user_from = dn }
		auth "admin" { type = certificate  users = { "root" } }
		auth "print" { type = certificate  user_from = fingerprint
			users = { "${print}" } }
		access_log "a" { path = "@DIR@/log"
			format = "\\$uri \\$remote_user" }` });
	const ask = async (where, c, ...args) => (await command('curl', ['-sk',
		'-o', '/dev/null', '-w', '%{http_code}', ...args,
		...(c ? ['--cert', c.cert, '--key', c.key] : []),
		`https://127.0.0.1:${h.port}${where}`])).stdout;

	for (const version of ['--http1.1', '--http2']) {
		for (const [who, ...statuses] of [
			[anna, '200', '200', '403', '200'],
			[root, '200', '200', '200', '403'],
			[stranger, '200', '403', '403', '403'],
			[undefined, '200', '403', '403', '403']])
			assert.deepEqual(await Promise.all(['/', '/any',
				'/admin', '/print'].map((where) =>
				ask(where, who, version))), statuses);
	}
	const log = await until(() => {
		const all = fs.readFileSync(`${h.dir}/log`, 'utf8').split('\n');

		return all.length > 32 && all;
	}, 'the log');

	for (const line of ['/admin root', '/any CN=anna', '/any CN=root',
		`/print ${print.toLowerCase()}`, '/any -'])
		assert.ok(log.includes(line), `${line} in ${log.join('\n')}`);
	assert.ok(!log.includes('/print root'));
});

test('mistakes', async (t) => {
	const h = await prepareHostd(t, { conf: `${routes.replace('"print"',
	    '"any"')}
		auth "any" { type = certificate  users_file = "x" }
		auth "admin" { type = basic  users_file = "x"  users = { "y" } }` });
	const r = await command(sbin('hostd'), ['-t', '-c', h.confFile]);

	assert.equal(r.code, 1);
	assert.match(r.stderr, /hostd\.conf:\d+: auth "any": no tls block asks/);
	assert.match(r.stderr, /"users_file" is for type = basic/);
	assert.match(r.stderr, /"users" is for type = certificate/);
});
