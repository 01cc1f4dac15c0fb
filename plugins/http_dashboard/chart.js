// SPDX-License-Identifier: BSD-2-Clause
// A chart of the last minutes: lines over time, drawn as SVG.
const SVG = 'http://www.w3.org/2000/svg';
const SPAN = 300_000;		// ms that are shown
const GAP = 12_000;		// without a sample: nothing is known between
const LEFT = 44, RIGHT = 8, TOP = 8, BOTTOM = 21;

function svg(name, attributes, ...children) {
	const e = document.createElementNS(SVG, name);

	for (const [k, v] of Object.entries(attributes))
		e.setAttribute(k, v);
	e.append(...children);
	return e;
}

// 0, and up to three more that are easy to read; the last is not below max.
// base: of the units that they are shown in.
export function ticks(max, base = 10) {
	const unit = base === 10 ? 1 : base ** Math.max(0,
	    Math.floor(Math.log(Math.max(max, 1)) / Math.log(base)));

	return decimalTicks(max / unit).map((t) => t * unit);
}

function decimalTicks(max) {
	const rough = Math.max(max, 1e-9) / 3;
	const power = 10 ** Math.floor(Math.log10(rough));
	const step = [1, 2, 5, 10].find(
	    (f) => f * power >= rough * .999) * power;
	const n = Math.max(1, Math.ceil(max / step - 1e-9));

	return Array.from({ length: n + 1 }, (_, i) => i * step);
}

export class Chart {
	at = null;		// the time that is pointed at

	// lines: [{ name, ink: class, value(sample), area }]; show: a number as
	// text; least: what the axis reaches at least; base: see ticks.
	constructor(figure, title, lines, show, least = 1, base = 10) {
		Object.assign(this, { lines, show, least, base, samples: [] });
		const heading = document.createElement('h2');
		const list = document.createElement('ul');

		heading.textContent = title;
		list.className = 'figures';
		this.now = lines.map((l) => {
			const li = document.createElement('li');
			const b = document.createElement('b');

			li.className = l.ink;
			b.textContent = '–';
			li.append(b, l.name);
			list.append(li);
			return b;
		});
		this.when = document.createElement('span');
		this.when.className = 'at';
		this.svg = svg('svg',
		    { class: 'chart', role: 'img', tabindex: 0 });
		this.title = title;
		const caption = document.createElement('figcaption');

		caption.append(heading, list, this.when);
		figure.append(caption, this.svg);
		this.listen();
		new ResizeObserver(() => this.draw()).observe(this.svg);
	}

	listen() {
		this.svg.addEventListener('pointermove', (e) => {
			const box = this.svg.getBoundingClientRect();

			this.point(this.timeAt(e.clientX - box.left));
		});
		for (const type of ['pointerleave', 'blur'])
			this.svg.addEventListener(type, () => this.point(null));
		this.svg.addEventListener('keydown', (e) => {
			const step = { ArrowLeft: -1, ArrowRight: 1 }[e.key];

			if (e.key === 'Escape')
				this.point(null);
			if (!step || this.samples.length === 0)
				return;
			e.preventDefault();
			const i = this.at === null ? this.samples.length - 1 :
			    this.nearest(this.at) + step;

			this.point(this.samples[Math.max(0,
			    Math.min(this.samples.length - 1, i))][0]);
		});
	}

	point(time) {
		this.at = time;
		this.draw();
	}

	set(samples, end) {
		this.samples = samples.filter((s) => s[0] > end - SPAN);
		this.end = end;
		this.draw();
	}

	timeAt(x) {
		return this.end - SPAN + (x - LEFT) / this.width * SPAN;
	}

	nearest(time) {
		let best = 0;

		this.samples.forEach((s, i) => {
			if (Math.abs(s[0] - time) <
			    Math.abs(this.samples[best][0] - time))
				best = i;
		});
		return best;
	}

	// Pieces of a line, where something is known.
	pieces(value) {
		const all = [];
		let last = 0;

		for (const s of this.samples) {
			const v = value(s);

			if (v !== null &&
			    (all.length === 0 || s[0] - last > GAP))
				all.push([]);
			if (v !== null) {
				all.at(-1).push([this.x(s[0]), this.y(v)]);
				last = s[0];
			}
		}
		return all;
	}

	x(time) {
		return LEFT + (1 - (this.end - time) / SPAN) * this.width;
	}

	y(value) {
		return TOP + (1 - value / this.max) * this.height;
	}

	draw() {
		const { width, height } = this.svg.getBoundingClientRect();

		if (width < 80 || this.end === undefined)
			return;
		this.width = width - LEFT - RIGHT;
		this.height = height - TOP - BOTTOM;
		const marks = ticks(Math.max(this.least,
		    ...this.samples.flatMap((s) =>
		    this.lines.map((l) => l.value(s) ?? 0))), this.base);

		this.max = marks.at(-1);
		this.svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
		this.svg.replaceChildren(...this.grid(marks), ...this.drawn(),
		    ...this.cross());
		this.tell();
	}

	grid(marks) {
		const right = LEFT + this.width;

		return [...marks.flatMap((m) => [
			svg('line', { class: 'grid', x1: LEFT, x2: right,
				y1: this.y(m), y2: this.y(m) }),
			svg('text', { x: LEFT - 6, y: this.y(m) + 3.5,
				'text-anchor': 'end' }, this.show(m)),
		]), ...(this.width < 300 ? [4, 2, 0] : [5, 4, 3, 2, 1, 0]).map(
		    (min) => svg('text', {
			x: LEFT + (1 - min / 5) * this.width,
			y: TOP + this.height + 17,
			'text-anchor': min === 0 ? 'end' : 'middle',
		}, min === 0 ? 'now' : `${min} min`))];
	}

	drawn() {
		const floor = TOP + this.height;
		const path = (p) => p.map(([x, y], i) =>
		    `${i ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');

		return this.lines.flatMap(
		    (l) => this.pieces(l.value).flatMap((p) => [
			...l.area ? [svg('path', { class: `area ${l.ink}`,
				d:
				    `${path(p)}L${p.at(-1)[0].toFixed(1)} ${floor}` +
				    `L${p[0][0].toFixed(1)} ${floor}Z` })] : [],
			svg('path', { class: `line ${l.ink}`, d: p.length > 1 ?
			    path(p) : `${path(p)}h.1` }),
		]));
	}

	cross() {
		if (this.at === null || this.samples.length === 0)
			return [];
		const s = this.samples[this.nearest(this.at)];

		return [svg('line', { class: 'cross', x1: this.x(s[0]),
			x2: this.x(s[0]), y1: TOP, y2: TOP + this.height }),
		...this.lines.filter((l) => l.value(s) !== null).map((l) =>
		    svg('circle', { class: `dot ${l.ink}`, r: 3.5,
			cx: this.x(s[0]), cy: this.y(l.value(s)) }))];
	}

	// The figures beside the title: of now, or of what is pointed at.
	tell() {
		const s = this.at === null ? this.samples.at(-1) :
		    this.samples[this.nearest(this.at)];

		this.when.textContent = this.at === null || !s ? '' :
		    new Date(s[0]).toLocaleTimeString([], { hour12: false });
		this.lines.forEach((l, i) => {
			const v = s ? l.value(s) : null;

			this.now[i].textContent = v === null ? '–' :
			    this.show(v);
		});
		this.svg.setAttribute('aria-label', `${this.title}: ` +
		    this.lines.map((l, i) =>
			`${l.name} ${this.now[i].textContent}`).join(', '));
	}
}
