// SPDX-License-Identifier: BSD-2-Clause
// rsyslog as the daemon that logs go to: what it has understood of each line.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { atEnd, freePort, until } from './hostd.mjs';

const FIELDS = ['syslogfacility-text', 'syslogseverity-text', 'hostname',
	'app-name', 'procid', 'protocol-version', 'timereported', 'msg'];

const conf = (d) => `
global(workDirectory="${d.dir}" maxMessageSize="16k")
module(load="imuxsock" SysSock.Use="off")
module(load="imudp")
input(type="imuxsock" Socket="${d.socket}" UseSysTimeStamp="off"
	RateLimit.Interval="0")
input(type="imudp" address="127.0.0.1" port="${d.port}")
template(name="json" type="list" option.jsonf="on") {
${FIELDS.map((f) => `	property(outname="${f}" name="${f}" format="jsonf"` +
	    (f === 'timereported' ? ' dateFormat="rfc3339"' : '') + ')').join('\n')}
}
action(type="omfile" file="${d.file}" template="json")
`;

// Whether there is a UDP socket at that port of the loopback.
const hears = (port) => fs.readFileSync('/proc/net/udp', 'latin1')
    .includes(` 0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} `);

// { socket, port, lines(n, pred), stop(), start() }, with everything in dir.
export async function startSyslogd(t, dir) {
	const d = { dir, socket: path.join(dir, 'log.sock'),
		file: path.join(dir, 'syslog.json'), port: await freePort() };
	const confFile = path.join(dir, 'rsyslog.conf');

	d.start = async () => {
		fs.rmSync(d.socket, { force: true });
		d.child = spawn('/usr/sbin/rsyslogd', ['-n', '-f', confFile,
			'-i', path.join(dir, 'rsyslogd.pid')],
		{ stdio: ['ignore', 'ignore', 'pipe'] });
		d.said = '';
		d.child.stderr.on('data', (s) => { d.said += s; });
		d.ended = new Promise((resolve) => d.child.on('close',
		    resolve));
		await until(() => {
			if (d.child.exitCode !== null)
				throw new Error(`rsyslogd: ${d.said}`);
			return fs.existsSync(d.socket) && hears(d.port);
		}, 'sockets of rsyslogd');
	};
	d.stop = async () => {
		d.child.kill();
		await d.ended;
	};
	// All that pred likes, once there are n of them.
	d.lines = (n, pred = () => true) => until(() => {
		const all = (fs.existsSync(d.file) ?
		    fs.readFileSync(d.file, 'utf8') : '').split('\n')
		    .slice(0, -1).map((l) => JSON.parse(l)).filter(pred);

		return all.length >= n && all;
	}, `${n} lines in syslog`);
	fs.writeFileSync(confFile, conf(d));
	await d.start();
	atEnd(t, d.stop);
	return d;
}
