// SPDX-License-Identifier: BSD-2-Clause
// hostd with http_sse and http_publish, and a reader of event streams.
import { request } from 'node:http';
import { atEnd, startHostd, within } from './hostd.mjs';
import { publish, publishConf } from './publish.mjs';

// keys: of http_sse; conf: more.  No worker's history is left out for coming
// late.
export const startSse = (t, options = {}) => startHostd(t, { ...options, conf: `
	pool "web" { workers = ${options.workers ?? 1} }
	pubsub { query_timeout = 1h }
	plugin "sse" { module = "http_sse.so"  ${options.keys ?? ''} }
	route "${options.route ?? '/events/:channel'}" { plugin = "sse" }
	${publishConf()}
	${options.conf ?? ''}` });

// To the channel that /events/news is.
export async function tell(where, ...messages) {
	const r = await publish(where, messages.map((message) =>
	    Buffer.isBuffer(message) ?
	    { channel: 'public/news', binary: message.toString('base64') } :
	    { channel: 'public/news', message }));

	if (r.status !== 202)
		throw new Error(`publish: ${r.status} ${r.text}`);
}

/*
 * One stream, read as the HTML standard has it ("Interpreting an event
 * stream").  Events: { type, data, id }.
 */
export class Stream {
	unread = [];
	comments = 0;
	id = '';
	closed = false;
	#line = '';
	#event = { type: '', data: [] };
	#waiting = new Set();

	// The answer has begun; anything but 200 is read to its end, in text.
	static async open(t, where, path = '/events/news', options = {}) {
		const s = new Stream();
		const { headers = {}, method = 'GET', agent = false } = options;

		s.request = request({ host: '127.0.0.1', port: where.port, path,
			method, headers, agent });
		atEnd(t, () => s.close());
		s.request.end();
		s.answer = await within(new Promise((resolve, reject) => {
			s.request.on('response', resolve);
			s.request.on('error', reject);
		}), 'an answer');
		s.status = s.answer.statusCode;
		s.headers = s.answer.headers;
		s.answer.setEncoding('utf8');
		s.request.on('error', () => {});
		s.answer.on('error', () => {});
		s.text = '';
		s.answer.on('data', (d) => {
			s.text += d;
			s.#feed(d);
		});
		s.answer.on('end', () => { s.ended = true; });
		s.answer.on('close', () => {
			s.closed = true;
			s.#look();
		});
		return s;
	}

	#feed(text) {
		if (this.status !== 200)
			return;
		const lines = (this.#line + text).split('\n');

		this.#line = lines.pop();
		for (const line of lines)
			this.#take(line);
		this.#look();
	}

	#take(line) {
		const colon = line.indexOf(':');

		if (line === '') {
			this.#dispatch();
		} else if (colon === 0) {
			this.comments++;
		} else {
			const field = colon < 0 ? line : line.slice(0, colon);
			const value = colon < 0 ? '' :
			    line.slice(colon + 1).replace(/^ /, '');

			this.#field(field, value);
		}
	}

	#field(field, value) {
		if (field === 'data')
			this.#event.data.push(value);
		else if (field === 'event')
			this.#event.type = value;
		else if (field === 'id' && !value.includes('\0'))
			this.id = value;
		else if (field === 'retry' && /^\d+$/.test(value))
			this.retry = Number(value);
		else
			throw new Error(`a field ${field}: ${value}`);
	}

	#dispatch() {
		const { type, data } = this.#event;

		this.#event = { type: '', data: [] };
		if (data.length > 0)
			this.unread.push({ type: type || 'message',
				data: data.join('\n'), id: this.id });
	}

	#look() {
		for (const f of [...this.#waiting])
			f();
	}

	until(test, what) {
		return within(new Promise((resolve, reject) => {
			const look = () => {
				const v = test();

				if (v === undefined && !this.closed)
					return;
				this.#waiting.delete(look);
				if (v !== undefined)
					resolve(v);
				else
					reject(
					    new Error(
					    `it ended before ${what}`));
			};

			this.#waiting.add(look);
			look();
		}), what);
	}

	next() {
		return this.until(() => this.unread.shift(), 'an event');
	}

	// The data of the next n events, which are messages.
	async texts(n) {
		const all = [];

		for (let i = 0; i < n; i++) {
			const { type, data } = await this.next();

			if (type !== 'message')
				throw new Error(
				    `an event ${type}, not a message`);
			all.push(data);
		}
		return all;
	}

	end() {
		return within(new Promise((resolve) => {
			const look = () => this.closed && resolve();

			this.#waiting.add(look);
			look();
		}), 'the end');
	}

	close() {
		this.request.destroy();
	}
}
