// SPDX-License-Identifier: BSD-2-Clause
// The list of what was said: each message once, in the order of time.  All text
// is set as text, never as HTML.

const MOST = 500;

const element = (name, text, className) => {
	const e = document.createElement(name);

	e.textContent = text;
	if (className)
		e.className = className;
	return e;
};

const clock = new Intl.DateTimeFormat([], { timeStyle: 'short' });

function timeElement(ms) {
	const date = new Date(ms);
	const e = element('time', clock.format(date));

	e.dateTime = date.toISOString();
	return e;
}

// Others may call themselves the same.
function loginMark() {
	const e = element('span', '\u2713', 'login');

	e.title = 'has logged in';
	e.setAttribute('role', 'img');
	e.setAttribute('aria-label', e.title);
	return e;
}

export class Log {
	#list;
	#ids = new Set();
	#atEnd = true;		// as somebody reads who follows the talk

	constructor(list) {
		this.#list = list;
		list.addEventListener('scroll', () => {
			this.#atEnd = list.scrollHeight - list.scrollTop -
			    list.clientHeight < 60;
		});
		// A keyboard has come up, say.
		new ResizeObserver(() => this.#follow()).observe(list);
	}

	#follow() {
		if (this.#atEnd)
			this.#list.scrollTop = this.#list.scrollHeight;
	}

	clear() {
		this.#ids.clear();
		this.#list.replaceChildren();
		this.#atEnd = true;
	}

	// What came before, all at once: it is not to be read out aloud.
	// Returns what was new.
	fill(messages, own) {
		this.#list.setAttribute('aria-busy', 'true');
		const added = messages.filter((m) => this.add(m, own));

		this.#list.removeAttribute('aria-busy');
		return added;
	}

	// Was it new?
	add(m, own) {
		const time = Number.isFinite(m.time) ? m.time : Date.now();

		if (typeof m.text !== 'string' || this.#ids.has(m.id))
			return false;
		if (m.id !== undefined)
			this.#ids.add(m.id);
		const item = document.createElement('li');

		item.dataset.time = time;
		item.dataset.id = m.id ?? '';
		item.classList.toggle('own', m.name === own);
		item.append(element('b', String(m.name ?? 'somebody')), ' ',
		    ...m.login === true ? [loginMark(), ' '] : [],
		    timeElement(time), element('p', m.text));
		this.#insert(item, time);
		return true;
	}

	// Somebody has come or gone.
	note(text) {
		const item = element('li', text, 'note');

		item.dataset.time = Date.now();
		this.#insert(item, Infinity);
	}

	#insert(item, time) {
		const list = this.#list;
		let before = list.lastElementChild;

		while (before && Number(before.dataset.time) > time)
			before = before.previousElementSibling;
		if (before)
			before.after(item);
		else
			list.prepend(item);
		if (list.childElementCount > MOST)
			list.firstElementChild.remove();
		this.#follow();
	}
}
