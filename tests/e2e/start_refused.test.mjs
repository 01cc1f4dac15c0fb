// SPDX-License-Identifier: BSD-2-Clause
// A start that the configuration forbids: the master once freed the rollout
// twice.  It says why on stderr, ends with 1, and serves nobody.
import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';
import { atEnd, prepareHostd, within } from './lib/hostd.mjs';

for (const [name, conf, why] of [
	['found by the probe', 'access_log "x" { path = "a.log" ' +
		'format = "$nonsense" }', /hostd\.conf:\d+: .*\$nonsense/],
	['found by the master', 'pool "web" { workers = 0 }',
		/hostd\.conf:\d+: .*workers/],
	['in the text', 'http { max_head = [', /hostd\.conf:\d+: /],
	['pid file', 'pid_file = "/nonexistent/hostd.pid"',
		/\/nonexistent\/hostd\.pid/],
])
	test(`a mistake ${name}`, async (t) => {
		const h = await prepareHostd(t, { conf });

		h.spawn();
		atEnd(t, () => h.stop('SIGKILL'));
		const { code, signal } = await within(h.ended, 'end of hostd');

		assert.equal(signal, null, h.log);
		assert.equal(code, 1, h.log);
		assert.match(h.log, why);
		h.checkSanitizers();
		await assert.rejects(new Promise((resolve, reject) => {
			const s = net.connect(h.port, '127.0.0.1');

			s.on('error', reject);
			s.on('connect', () => { s.destroy(); resolve(); });
		}), { code: 'ECONNREFUSED' });
	});
