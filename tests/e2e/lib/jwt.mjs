// SPDX-License-Identifier: BSD-2-Clause
// Tokens of any content, signed by keys of our own: made by hand, so that they
// can be wrong in any way.
import crypto from 'node:crypto';

export const b64 = (x) => Buffer.from(x).toString('base64url');
export const now = () => Math.floor(Date.now() / 1000);

export const SECRET = '0123456789abcdef0123456789abcdef';
const pair = (type, options = {}) => crypto.generateKeyPairSync(type, options);

// By algorithm: { key: what Node's libraries check with, sign(text), pem, jwk }
export function makeKeys() {
	const rsa = pair('rsa', { modulusLength: 2048 });
	const ec = pair('ec', { namedCurve: 'P-256' });
	const ed = pair('ed25519');
	const hmac = (hash) => ({ key: Buffer.from(SECRET),
		sign: (s) => crypto.createHmac(hash,
		    SECRET).update(s).digest() });
	const signed = (k, by) => ({ key: k.publicKey, private: k.privateKey,
		pem: k.publicKey.export({ type: 'spki', format: 'pem' }),
		jwk: k.publicKey.export({ format: 'jwk' }),
		sign: (s) => by(Buffer.from(s)) });

	return {
		HS256: hmac('sha256'),
		RS256: signed(rsa,
		    (b) => crypto.sign('sha256', b, rsa.privateKey)),
		ES256: signed(ec, (b) => crypto.sign('sha256', b,
		    { key: ec.privateKey, dsaEncoding: 'ieee-p1363' })),
		EdDSA: signed(ed, (b) => crypto.sign(null, b, ed.privateKey)),
	};
}

// header and payload: an object, or the text itself.
export function token(signer, header, payload) {
	const text = (x) => typeof x === 'string' || Buffer.isBuffer(x) ? x :
	    JSON.stringify(x);
	const signed = `${b64(text(header))}.${b64(text(payload))}`;

	return `${signed}.${b64(signer.sign(signed))}`;
}

// The status that hostd answers a token with.
export async function statusWith(h, path, token) {
	const r = await fetch(h.url + path, token === null ? {} :
	    { headers: { Authorization: `Bearer ${token}` } });

	await r.arrayBuffer();
	return r.status;
}
