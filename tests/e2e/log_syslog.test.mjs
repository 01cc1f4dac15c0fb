// SPDX-License-Identifier: BSD-2-Clause
// Logs that go to syslog, as rsyslog understands them, and to standard output.
import assert from 'node:assert/strict';
import os from 'node:os';
import test from 'node:test';
import { command, prepareHostd, sbin, tempDir, until } from './lib/hostd.mjs';
import { ask, serveShow } from './lib/http1.mjs';
import { startSyslogd } from './lib/syslogd.mjs';

const access = (name, to, format = '$request_method $uri $status') =>
	`access_log "${name}" { path = "syslog:${to}"  format = "${format}" }\n`;
const uri = (s) => (l) => l.msg.includes(` ${s} `);

test('RFC 3164 over a unix socket', async (t) => {
	const d = await startSyslogd(t, tempDir(t));
	const h = await serveShow(t, '',
	    access('a', `server=unix:${d.socket}`) +
	    access('b', `server=unix:${d.socket}` +
		',facility=daemon,severity=notice,tag=edge_1', 'other $uri'),
	{ noPort: true });
	const from = Date.now() - 2000;

	await ask(t, h.port, '/a?b');
	const [l, o] = (await d.lines(2)).sort((x, y) => x.msg < y.msg ? -1 :
	    1);

	assert.equal(l.msg.trim(), 'GET /a 200');
	assert.deepEqual([l['syslogfacility-text'], l['syslogseverity-text'],
		l.hostname, l['app-name'], l['protocol-version']],
	['local7', 'info', os.hostname(), 'hostd', '0']);
	const when = Date.parse(l.timereported);

	assert.ok(when >= from && when <= Date.now() + 1000, l.timereported);
	assert.equal(o.msg.trim(), 'other /a');
	assert.deepEqual([o['syslogfacility-text'], o['syslogseverity-text'],
		o['app-name']], ['daemon', 'notice', 'edge_1']);
});

test('RFC 5424 over UDP', async (t) => {
	const d = await startSyslogd(t, tempDir(t));
	const to = `server=127.0.0.1:${d.port}`;
	const h = await serveShow(t, '',
	    access('new', `${to},rfc=5424,facility=local0`) +
	    access('old', to, 'old'), { noPort: true });
	const from = Date.now() - 1;

	await ask(t, h.port, '/x');
	const all = await d.lines(2);
	const l = all.find((m) => m['protocol-version'] === '1');
	const old = all.find((m) => m['protocol-version'] === '0');
	const [w] = await h.workers();

	assert.deepEqual([old.msg.trim(), old.hostname, old['app-name']],
	    ['old', os.hostname(), 'hostd']);

	assert.equal(l.msg.trim(), 'GET /x 200');
	assert.deepEqual([l['syslogfacility-text'], l['syslogseverity-text'],
		l.hostname, l['app-name'], l.procid, l['protocol-version']],
	['local0', 'info', os.hostname(), 'hostd', String(w.pid), '1']);
	const when = Date.parse(l.timereported);

	assert.ok(when >= from && when <= Date.now(), l.timereported);
});

test('the error log: severities are its levels; a daemon comes back',
    async (t) => {
	const dir = tempDir(t);
	const d = await startSyslogd(t, dir);
	const h = await serveShow(t, '',
	    `error_log = "syslog:server=unix:${d.socket},tag=errors"\n` +
	    access('a', `server=unix:${d.socket}`), { ready: false });

	await h.listening();
	const [ready] = await d.lines(1,
	    (m) => /serving generation 1/.test(m.msg));

	assert.deepEqual([ready['syslogseverity-text'], ready['app-name']],
	    ['info', 'errors']);
	assert.match(ready.msg, /^ ?info \[master.*\] /);
	await d.stop();
	await ask(t, h.port, '/lost');
	await until(async () => (await h.status()).log_dropped > 0,
	    'loss of that line');
	await d.start();
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
	const [warned] = await d.lines(1, (m) => /lines are lost/.test(m.msg));

	assert.equal(warned['syslogseverity-text'], 'warning');
	assert.match(warned.msg, /warn \[web\.0 gen 1 pid \d+\] access_log syslog:/);
	await ask(t, h.port, '/again');
	await d.lines(1, uri('/again'));
	assert.equal((await d.lines(0, uri('/lost'))).length, 0);
});

test('a long line is cut, not lost', async (t) => {
	const d = await startSyslogd(t, tempDir(t));
	const h = await serveShow(t, 'max_head = 32k  max_request_line = 16k',
	    access('a', `server=unix:${d.socket}`, '$uri'), { noPort: true });

	await ask(t, h.port, `/${'x'.repeat(10_000)}`);
	const [l] = await d.lines(1);

	assert.equal(l.msg.trim() === `/${'x'.repeat(8191)}`, true,
	    `${l.msg.length} bytes`);
});

test('standard output', async (t) => {
	const h = await serveShow(t, '', 'error_log = "stdout"\n' +
	    'access_log "s" { path = "stdout"  format = "said $uri" }');

	await ask(t, h.port, '/a');
	await h.logged(/^said \/a$/m);
	const r = await h.hostctl('logs');

	assert.match(r.stderr, /error_log is .*, a (pipe|socket)/);
});

test('mistakes', async (t) => {
	const errors = async (value) => {
		const h = await prepareHostd(t, { conf: `access_log "s" {
	path = "${value}"
}
error_log = "${value}"` });
		const r = await command(sbin('hostd'),
		    ['-t', '-c', h.confFile]);

		assert.equal(r.code, 1, value);
		return r.stderr;
	};

	for (const [value, what] of [
		['syslog:', /no server=/],
		['syslog:server=', /"server=": /],
		['syslog:server=127.0.0.1,facility=local8', /no such facility/],
		['syslog:server=127.0.0.1,severity=loud', /no such severity/],
		['syslog:server=127.0.0.1,tag=a b', /a tag has/],
		['syslog:server=127.0.0.1,rfc=1', /3164 or 5424/],
		['syslog:server=127.0.0.1,host', /no such parameter/],
		['syslog:server=log.example', /"server=log\.example": /]]) {
		const text = await errors(value);

		assert.match(text, new RegExp(`"path": .*${what.source}`));
		assert.match(text, new RegExp(`"error_log": .*${what.source}`));
	}
});

test('no daemon is there: the start is refused, with the path', async (t) => {
	const dir = tempDir(t);
	const h = await serveShow(t, '', access('a', `server=unix:${dir}/none`),
	    { ready: false });

	assert.notEqual((await h.ended).code, 0);
	assert.match(h.log, /access_log syslog:server=unix:.*none: No such file/);
});
