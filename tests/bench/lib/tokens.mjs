// SPDX-License-Identifier: BSD-2-Clause
// `tokens.mjs N SECRET`: the header Authorization of N users, with a JWT by
// HS256 that is good for an hour.
import { createHmac } from 'node:crypto';

const [n, secret] = process.argv.slice(2);
const text = (o) => Buffer.from(JSON.stringify(o)).toString('base64url');
const head = text({ alg: 'HS256', typ: 'JWT' });
const exp = Math.floor(Date.now() / 1000) + 3600;

for (let i = 0; i < Number(n); i++) {
	const signed = `${head}.${text({ sub: `user${i}`, exp })}`;
	const mac = createHmac('sha256', secret).update(signed);
	console.log(`Authorization: Bearer ${signed}.${mac.digest('base64url')}`);
}
