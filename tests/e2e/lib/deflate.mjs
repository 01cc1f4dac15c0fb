// SPDX-License-Identifier: BSD-2-Clause
// permessage-deflate (RFC 7692 section 7.2) for a client: windows are kept
// between messages just as agreed on, and not a byte longer or larger.
import zlib from 'node:zlib';

const TAIL = Buffer.from([0, 0, 0xff, 0xff]);
const flush = zlib.constants.Z_SYNC_FLUSH;

// What the next message may refer to.
class Window {
	#last = Buffer.alloc(0);

	constructor(kept, bits) {
		this.kept = kept;
		this.size = 1 << bits;
	}

	add(data) {
		if (this.kept)
			this.#last = Buffer.concat([this.#last, data])
			    .subarray(-this.size);
	}

	get options() {
		return this.#last.length > 0 ? { dictionary: this.#last } : {};
	}
}

// params: those of the server's answer.
export class Inflater {
	constructor(params) {
		this.bits = Number(params.server_max_window_bits ?? 15);
		this.window = new Window(!params.server_no_context_takeover,
		    this.bits);
	}

	inflate(payload) {
		const all = Buffer.concat([payload, TAIL]);
		// zlib looks back into what one call has given, too, however
		// small the window is: so each gives little.
		const data = zlib.inflateRawSync(all, { windowBits: this.bits,
			finishFlush: flush, chunkSize: 64,
			...this.window.options });

		this.window.add(data);
		return data;
	}
}

export class Deflater {
	constructor(params, options = {}) {
		this.bits = Number(params.client_max_window_bits ?? 15);
		this.window = new Window(!params.client_no_context_takeover,
		    this.bits);
		this.options = options;
	}

	deflate(data) {
		const all = zlib.deflateRawSync(data, { windowBits: this.bits,
			finishFlush: flush, ...this.options,
			...this.window.options });

		this.window.add(Buffer.from(data));
		return all.subarray(0, -TAIL.length);
	}
}
