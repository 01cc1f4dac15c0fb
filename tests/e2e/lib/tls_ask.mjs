// SPDX-License-Identifier: BSD-2-Clause
// One request through openssl s_client, and what it has found out on the way.
import { spawn } from 'node:child_process';
import { within } from './hostd.mjs';

// A certificate block; keys: more of its text.
export const block = (name, { cert, key }, keys = '') =>
	`certificate "${name}" { file = "${cert}"  key = "${key}"  ${keys} }\n`;

// Who answers.
export const hello = 'plugin "hi" { module = "http_respond.so"  ' +
	'body = "hi" }\nroute "/" { plugin = "hi" }\n';

// And where, if it is by TLS only.
export const listen =
	'listen "main" { address = "127.0.0.1:@PORT@"  tls = "main" }\n';

/*
 * Until the server closes: { text, code, protocol, cipher, resumed, subject,
 * alert, answer }, of which those are undefined that did not come.
 */
export function ask(port, args = [], target = '/') {
	const child = spawn('openssl', ['s_client', '-connect',
		`127.0.0.1:${port}`, '-ign_eof', ...args]);
	let text = '';

	for (const s of [child.stdout, child.stderr])
		s.setEncoding('latin1').on('data', (d) => { text += d; });
	child.stdin.on('error', () => {});
	child.stdin.end(`GET ${target} HTTP/1.1\r\nHost: localhost\r\n` +
	    'Connection: close\r\n\r\n');
	return within(new Promise((resolve) => child.on('close', (code) => {
		const found = (re) => re.exec(text)?.[1];

		resolve({ text, code,
			protocol: found(/^(?:New|Reused), (\S+), Cipher/m),
			cipher: found(/, Cipher is (\S+)/),
			resumed: /^Reused,/m.test(text),
			subject: found(/^subject=(.*)$/m),
			alert: found(/SSL alert number (\d+)/),
			answer: found(/(HTTP\/1\.1 \d{3}[\s\S]*)/) });
	})), 'end of s_client').finally(() => child.kill());
}
