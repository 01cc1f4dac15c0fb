// SPDX-License-Identifier: BSD-2-Clause
// Clients of Socket.IO 2, with as much of those of version 4 as lib/sio.mjs
// asks for.
import { atEnd, within } from './hostd.mjs';
import { npm } from './npm.mjs';
import { modes, onWebSocket } from './sio.mjs';

const io = npm('socket.io-client-2');

function dress(s) {
	const { onevent } = s;

	s.heard = [];
	s.onevent = (packet) => {
		s.heard.push([...packet.data]);
		onevent.call(s, packet);
	};
	s.emitWithAck = (...args) => new Promise((resolve) =>
	    s.emit(...args, resolve));
	return s;
}

export function client2(t, where, mode, { nsp = '/', ...options } = {}) {
	const s = io(`${where.url}${nsp}`, { transports: modes[mode],
		forceNew: true, reconnection: false, ...options });

	atEnd(t, () => s.io.engine?.close());
	return dress(s);
}

// Another namespace over the connection of s.
export const also2 = (s, nsp, options) => dress(s.io.socket(nsp, options));

// Until it has its namespace; or what it is refused with.
export const entered = (s) => within(new Promise((resolve, reject) => {
	const on = {
		connect: () => resolve(s),
		error: (refusal) => reject(Object.assign(new Error('refused'),
		    { refusal })),
		connect_error: reject,
		disconnect: (why) => reject(new Error(why)),
	};
	const end = () => Object.entries(on).forEach(([name, f]) => {
		s.off(name, f);
		s.off(name, end);
	});

	if (s.connected)
		resolve(s);
	for (const [name, f] of Object.entries(on))
		s.on(name, f).on(name, end);
}), 'connection');

export const refusal = (s) => entered(s).then(() => 'none',
    (e) => 'refusal' in e ? e.refusal : e);

// One that is connected, and upgraded if it is to be.
export async function connect2(t, where, mode, options) {
	const s = await entered(client2(t, where, mode, options));

	return modes[mode].includes('websocket') ? onWebSocket(s) : s;
}
