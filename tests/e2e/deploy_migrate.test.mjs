// SPDX-License-Identifier: BSD-2-Clause
// The samples of examples/migrate are configurations that hostd takes.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { command, sbin, tempDir, top, writeFiles } from './lib/hostd.mjs';
import { certificate } from './lib/tls.mjs';

const samples = (file) => [...fs.readFileSync(path.join(top,
    'examples/migrate', file), 'utf8').matchAll(/^```conf\n(.*?)^```$/gms)]
    .map((m) => m[1]);

for (const [file, n] of [['nginx.md', 1], ['pm2.md', 2], ['socketio.md', 1]])
	test(file, async (t) => {
		const all = samples(file);

		assert.equal(all.length, n);
		for (const text of all) {
			const dir = tempDir(t);
			const { cert, key } = await certificate(t, { names:
				['example.org', '*.example.org'] });

			fs.chmodSync(dir, 0o755);
			writeFiles(dir, {
				'www/index.html': 'x',
				'conf.d/.keep': '',
				'hostd.conf': text
				    .replaceAll('/etc/ssl/example.pem', cert)
				    .replaceAll('/etc/ssl/example.key', key)
				    .replaceAll('/srv/www', `${dir}/www`)
				    .replaceAll('"www-data"', '"nobody"')
				    .concat(`\nrun_dir = "${dir}/run"\n`),
			});
			const r = await command(sbin('hostd'), ['-t', '-c',
				path.join(dir, 'hostd.conf')]);

			assert.equal(r.code, 0, r.stdout + r.stderr);
		}
	});
