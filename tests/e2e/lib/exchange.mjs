// SPDX-License-Identifier: BSD-2-Clause
/*
 * Send `count` messages that an echo sends back, and look at each.  Nothing but
 * this function is known where it runs: in a browser, in another node; Socket
 * is whatever has the browsers' interface.  Gives what the socket says at its
 * end.
 */
export function exchange(options, Socket = globalThis.WebSocket, more = []) {
	const { url, seed, count, max, ahead = 32 } = options;
	let state = seed >>> 0, sent = 0, back = 0, bytes = 0;
	const waiting = [];
	const ws = new Socket(url, ...more);

	const below = (n) => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return Math.floor(state / 2 ** 32 * n);
	};
	// Mostly small, some up to the limit; noise, or something to compress.
	const message = () => {
		const n = below([200, 200, 200, 200, 200, 5000, 5000,
			below(8) === 0 ? max + 1 : 1000][below(8)]);
		const alphabet = ['a', 'b', ' ', '0', '\u00e9', '\u2026',
			'\ud834\udd1e'];

		if (below(2) === 0)
			return Array.from({ length: n >> 2 }, () =>
			    alphabet[below(alphabet.length)]).join('');
		const range = below(2) === 0 ? 256 : 4;

		return Uint8Array.from({ length: n }, () => below(range));
	};
	const isSame = (got, want) => {
		if (typeof want === 'string' || typeof got === 'string')
			return got === want;
		const b = new Uint8Array(got);

		return b.length === want.length &&
		    b.every((v, i) => v === want[i]);
	};

	ws.binaryType = 'arraybuffer';
	return new Promise((resolve, reject) => {
		const fail = (why) => {
			reject(new Error(`${why}: ${sent} sent, ${back} back`));
			ws.close();
		};
		const go = () => {
			for (; sent < count && waiting.length < ahead; sent++) {
				waiting.push(message());
				ws.send(waiting.at(-1));
			}
		};

		ws.onopen = go;
		ws.onerror = () => fail('an error');
		ws.onmessage = (e) => {
			const want = waiting.shift();

			if (want === undefined || !isSame(e.data, want)) {
				fail('not what was sent');
				return;
			}
			bytes += want.length;
			if (++back === count)
				ws.close(4001, 'done');
			else
				go();
		};
		ws.onclose = (e) => {
			if (back < count)
				fail(`closed with ${e.code}`);
			resolve({ back, bytes, code: e.code, clean: e.wasClean,
				protocol: ws.protocol,
				extensions: ws.extensions });
		};
	});
}
