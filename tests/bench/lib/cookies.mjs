// SPDX-License-Identifier: BSD-2-Clause
// Many visitors: `cookies.mjs URL N` asks N times, each time as somebody who is
// new, and prints the header Cookie of each.
import http from 'node:http';

const [url, n] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });

function ask() {
	return new Promise((resolve, reject) => {
		http.get(url, { agent }, (res) => {
			const cookie = res.headers['set-cookie']?.[0];
			res.resume();
			if (res.statusCode === 200 && cookie)
				resolve(`Cookie: ${cookie.split(';')[0]}`);
			else
				reject(new Error(`${url}: ${res.statusCode}, ` +
				    `cookie ${cookie}`));
		}).on('error', reject);
	});
}

const lines = await Promise.all(Array.from({ length: Number(n) }, ask));
console.log(lines.join('\n'));
agent.destroy();
