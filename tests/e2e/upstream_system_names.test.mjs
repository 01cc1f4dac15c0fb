// SPDX-License-Identifier: BSD-2-Clause
// Names of servers by the system's own files, which may change meanwhile.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { atEnd, prepareHostd } from './lib/hostd.mjs';
import { startDns } from './lib/dns.mjs';
import { namedServers, whoAnswers } from './lib/servers.mjs';

const DNS = '127.86.3.53';

// The files are others in a mount namespace.
function whyNot() {
	if (process.getuid() !== 0)
		return 'needs root, for port 53 and mounts';
	if (spawnSync('unshare', ['-m', 'true']).status !== 0)
		return 'needs a mount namespace';
	return false;
}

async function start(t, server, files) {
	const h = await prepareHostd(t, { files, conf: `
		listen "tcp" {
			address = "127.0.0.1:@PORT@"
			mode = "stream"
			upstream = "app"
		}
		upstream "app" {
			server "${server}" { max_fails = 0 }
			resolve_min = 100ms
		}` });

	h.through = ['unshare', '-m', 'sh', '-c',
		'mount --bind "$0/hosts" /etc/hosts && ' +
		'mount --bind "$0/resolv.conf" /etc/resolv.conf && exec "$@"',
		h.dir];
	h.spawn();
	atEnd(t, async () => {
		await h.stop('SIGQUIT');
		h.checkSanitizers();
	});
	await h.logged(/serving generation/);
	h.write = (name, text) => fs.writeFileSync(path.join(h.dir, name),
	    text);
	return h;
}

test('/etc/hosts comes first', { skip: whyNot() }, async (t) => {
	const { port } = await namedServers(t, ['127.0.0.2', '127.0.0.3']);
	const dns = await startDns(t, { 'app.test': { ttl: 60,
		addresses: ['127.0.0.1', '::1'] } }, 53, DNS);
	const h = await start(t, `app.test:${port}`, {
		'hosts': '127.0.0.1 localhost\n127.0.0.2 app.test\n',
		'resolv.conf': `nameserver ${DNS}\n` });

	assert.equal(await whoAnswers(h.port), '127.0.0.2');
	assert.deepEqual(dns.asked, []);
	h.write('hosts', '127.0.0.1 localhost\n127.0.0.3 app.test\n');
	await h.logged(`leads to 127.0.0.3:${port}\n`);
	assert.equal(await whoAnswers(h.port), '127.0.0.3');
});

test('the search list, and another one', { skip: whyNot() }, async (t) => {
	const { port } = await namedServers(t, ['127.0.0.2', '127.0.0.3']);

	await startDns(t, {
		'app.one.test': { ttl: 1, addresses: ['127.0.0.2'] },
		'app.two.test': { ttl: 1, addresses: ['127.0.0.3'] },
	}, 53, DNS);
	const conf = (domain) => `nameserver ${DNS}\nsearch no.test ${domain}\n`;
	const h = await start(t, `app:${port}`,
	    { 'hosts': '127.0.0.1 localhost\n',
		'resolv.conf': conf('one.test') });

	assert.equal(await whoAnswers(h.port), '127.0.0.2');
	h.write('resolv.conf', conf('two.test'));
	await h.logged(`leads to 127.0.0.3:${port}\n`);
	assert.equal(await whoAnswers(h.port), '127.0.0.3');
});
