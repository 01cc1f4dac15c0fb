// SPDX-License-Identifier: BSD-2-Clause
// A WebSocket that comes back.  Its handlers: onconnect; onmessage, of an
// object; onwait, of the milliseconds until the next try; and onsilence, when
// nothing has come for long, which should ask for something.

const FIRST_MS = 500, LONGEST_MS = 30_000;
const SILENCE_MS = 30_000;	// then we ask whether anybody is there
const ANSWER_MS = 10_000;	// and wait for an answer

export class Connection {
	#url;
	#socket = null;
	#tries = 0;
	#retry = 0;		// timers
	#silence = 0;

	constructor(url, handlers) {
		this.#url = url;
		Object.assign(this, handlers);
		// There may be a network again, or somebody who looks.
		addEventListener('online', () => this.#now());
		document.addEventListener('visibilitychange', () => {
			if (document.visibilityState === 'visible')
				this.#now();
		});
		this.#open();
	}

	send(message) {
		if (this.#socket?.readyState !== WebSocket.OPEN)
			return false;
		this.#socket.send(JSON.stringify(message));
		return true;
	}

	#open() {
		const s = new WebSocket(this.#url);

		this.#socket = s;
		this.onconnect();
		this.#silence = setTimeout(() => this.#lost(s), ANSWER_MS);
		s.onopen = () => this.#heard();
		s.onmessage = (e) => {
			this.#heard();
			this.#take(e.data);
		};
		s.onclose = (e) => this.#lost(s, e.code);
	}

	#take(data) {
		let message;

		try {
			message = JSON.parse(data);
		} catch {
			return;		// others may publish what they like
		}
		if (message === null || typeof message !== 'object')
			return;
		if (message.type === 'welcome')
			this.#tries = 0;
		this.onmessage(message);
	}

	// A connection that has silently gone looks like one where nobody
	// talks.
	#heard() {
		clearTimeout(this.#silence);
		this.#silence = setTimeout(() => {
			this.onsilence();
			this.#silence = setTimeout(() =>
			    this.#lost(this.#socket), ANSWER_MS);
		}, SILENCE_MS);
	}

	#lost(socket, code) {
		if (socket !== this.#socket)
			return;
		clearTimeout(this.#silence);
		this.#socket = null;
		socket.onclose = null;
		socket.close();
		this.#wait(code);
	}

	// Twice as long each time, and never all clients at the same moment.
	#wait(code) {
		const longest = Math.min(FIRST_MS * 2 ** this.#tries++,
		    LONGEST_MS);
		// The server has asked us to come back.
		const least = code === 1012 ? 0 : longest / 2;
		const ms = least + Math.random() * (longest - least);

		this.onwait(ms);
		this.#retry = setTimeout(() => this.#open(), ms);
	}

	#now() {
		if (this.#socket !== null)
			return;
		clearTimeout(this.#retry);
		this.#open();
	}
}
