/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Forms for logging in, what comes after, and pages with placeholders.
 *
 * What must hold: what is taken of a form is UTF-8 without a NUL and lies one
 * behind the other; nobody is sent to another site; and what is filled into a
 * page ends no attribute and begins no element.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "form.h"
#include "page.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(int holds)
{
	if (!holds)
		abort();
}

static void
try_target(hostd_buf wish)
{
	char out[TARGET_SIZE];
	const char *p = out;

	if (target_make(wish, out) == -1)
		return;
	must(out[0] == '/' && out[1] != '/' && out[1] != '\\');
	for (; *p != '\0'; p++)
		must(*p > ' ' && *p < 0x7f && *p != '\\' && *p != '"');
}

static void
try_page(hostd_buf text, hostd_buf value)
{
	static const char mine[] = "{{csrf}}";
	hostd_buf values[PAGE_VALUES] = { { NULL, 0 } };
	char why[160] = "", *out;
	struct page *page;
	size_t n, i;

	page = page_new(text, why, sizeof(why));
	must(page != NULL || why[0] != '\0');
	page_free(page);
	page = page_new((hostd_buf){ mine, sizeof(mine) - 1 }, why,
	    sizeof(why));
	values[PAGE_CSRF] = value;
	out = page_fill(page, values, &n);
	for (i = 0; i < n; i++)
		must(out[i] != '<' && out[i] != '>' && out[i] != '"' &&
		    out[i] != '\'');
	free(out);
	page_free(page);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct form_field f[] = { { "user", { NULL, 0 } },
		{ "next", { NULL, 0 } } };
	hostd_buf text = { data, n };
	char *room = malloc(n > 0 ? n : 1);
	size_t i, kept = 0;

	if (form_read(text, f, 2, room) == NULL)
		for (i = 0; i < 2; i++) {
			kept += f[i].value.n;
			if (f[i].value.p == NULL)
				continue;
			must(form_is_utf8(f[i].value));
			must(memchr(f[i].value.p, '\0', f[i].value.n) == NULL);
			try_target(f[i].value);
			try_page(text, f[i].value);
		}
	must(kept <= n);
	try_target(text);
	try_page(text, text);
	free(room);
	return 0;
}
