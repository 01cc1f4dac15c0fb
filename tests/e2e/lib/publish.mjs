// SPDX-License-Identifier: BSD-2-Clause
// Ask hostd's http_publish.
import { Agent, request } from 'node:http';
import { within } from './hostd.mjs';

export const TOKEN = 'correct-horse-battery-staple';

// keys: of the plugin.
export const publishConf = (keys = '') => `
	plugin "publish" {
		module = "http_publish.so"
		token = "${TOKEN}"
		${keys}
	}
	route "/publish" { plugin = "publish" }`;

/*
 * { status, headers, json }.  body is sent as it is when it is a text, else as
 * JSON.  options: agent, method, path, headers (undefined leaves one out).
 */
export function publish(where, body, options = {}) {
	const headers = Object.fromEntries(Object.entries({
		Authorization: `Bearer ${TOKEN}`, ...options.headers })
	    .filter(([, v]) => v !== undefined));

	return within(new Promise((resolve, reject) => {
		const r = request({ host: '127.0.0.1', port: where.port,
			path: options.path ?? '/publish',
			method: options.method ?? 'POST',
			agent: options.agent ?? false, headers }, (res) => {
			let text = '';

			res.setEncoding('utf8');
			res.on('data', (d) => { text += d; });
			res.on('error', reject);
			res.on('end', () => resolve({ status: res.statusCode,
				headers: res.headers, text,
				json: /json/.test(res.headers['content-type']) ?
				    JSON.parse(text) : undefined }));
		});

		r.on('error', reject);
		r.end(typeof body === 'string' || Buffer.isBuffer(body) ? body :
		    JSON.stringify(body));
	}), 'an answer');
}

// One connection for all who use it.
export const oneConnection = () =>
	new Agent({ keepAlive: true, maxSockets: 1 });
