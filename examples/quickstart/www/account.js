// SPDX-License-Identifier: BSD-2-Clause
// Who has logged in, and the way in and out.

const account = document.getElementById('account');

function linkIn() {
	const a = document.createElement('a');
	const here = location.pathname + location.search + location.hash;

	a.href = `login?next=${encodeURIComponent(here)}`;
	a.textContent = 'Log in';
	return a;
}

function buttonOut() {
	const b = document.createElement('button');

	b.textContent = 'Log out';
	b.addEventListener('click', () => logOut().catch((e) => {
		account.append(` That did not work: ${e.message}.`);
	}));
	return b;
}

// '': nobody.  One comes back to where one was.
export function showAccount(user) {
	account.replaceChildren(...user === '' ? [linkIn()] :
	    [`Logged in as ${user}. `, buttonOut()]);
}

async function logOut() {
	const { csrf } = await (await fetch('whoami')).json();

	await fetch('logout', { method: 'POST', headers: {
		'Accept': 'application/json', 'X-CSRF-Token': csrf ?? '' } });
	// The connection is still that of whoever it was made for.
	location.reload();
}
