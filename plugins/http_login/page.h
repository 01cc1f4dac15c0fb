/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages with {{placeholders}}. */
#ifndef HTTP_LOGIN_PAGE_H
#define HTTP_LOGIN_PAGE_H

#include <hostd/abi.h>

enum page_value {
	PAGE_CSRF, PAGE_MESSAGE, PAGE_NEXT, PAGE_REMEMBER, PAGE_TITLE,
	PAGE_USER,
	PAGE_VALUES
};

struct page;

/*
 * Take text, which stays whoever's it is and has to stay, apart.  NULL, and
 * what is wrong with it: placeholders that there are not, or it has no
 * {{csrf}}, without which its form is of no use.
 */
struct page *page_new(hostd_buf text, char *why, size_t size);
void	page_free(struct page *);

/* Filled in; what values say is text, but for PAGE_REMEMBER, which is HTML.
 * malloced, *n bytes; NULL: out of memory. */
char	*page_fill(const struct page *, const hostd_buf values[PAGE_VALUES],
	    size_t *n);

#endif
