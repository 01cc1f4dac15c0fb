/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include "static.h"

#define LISTING_MAX (4u << 20)

struct page {
	char *p;
	size_t len, cap;
	int failed;
};

static void
put(struct page *pg, const char *s, size_t n)
{
	size_t cap = pg->cap > 0 ? pg->cap : 4096;
	char *p;

	while (cap - pg->len < n)
		cap *= 2;
	if (cap != pg->cap) {
		if (cap > LISTING_MAX || (p = realloc(pg->p, cap)) == NULL) {
			pg->failed = 1;
			return;
		}
		pg->p = p;
		pg->cap = cap;
	}
	memcpy(pg->p + pg->len, s, n);
	pg->len += n;
}

static void
put_text(struct page *pg, const char *s)
{
	put(pg, s, strlen(s));
}

static void
put_html(struct page *pg, const char *s)
{
	for (; *s != '\0'; s++)
		switch (*s) {
		case '&':
			put_text(pg, "&amp;");
			break;
		case '<':
			put_text(pg, "&lt;");
			break;
		case '>':
			put_text(pg, "&gt;");
			break;
		case '"':
			put_text(pg, "&quot;");
			break;
		default:
			put(pg, s, 1);
		}
}

size_t
path_encode(char *out, size_t at, size_t size, const char *p, size_t n)
{
	static const char hex[] = "0123456789ABCDEF";
	static const char plain[] = "-._~!$'()*+,;=@/";
	unsigned char c;

	for (; n > 0; n--, p++) {
		c = (unsigned char)*p;
		if (at + 4 > size)
			return size;
		if ((c >= '0' && c <= '9') ||
		    ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
		    (c != '\0' && strchr(plain, c) != NULL)) {
			out[at++] = (char)c;
			continue;
		}
		out[at++] = '%';
		out[at++] = hex[c >> 4];
		out[at++] = hex[c & 15];
	}
	out[at] = '\0';
	return at;
}

static void
put_link(struct page *pg, const char *name, int is_dir)
{
	char href[1024];

	/* "./" so that a name with a colon is not taken for a scheme. */
	if (path_encode(href, 0, sizeof(href), name, strlen(name)) ==
	    sizeof(href))
		return;
	put_text(pg, "<li><a href=\"./");
	put_text(pg, href);
	put_text(pg, is_dir ? "/\">" : "\">");
	put_html(pg, name);
	put_text(pg, is_dir ? "/</a>\n" : "</a>\n");
}

static int
compare(const struct dirent **a, const struct dirent **b)
{
	int da = (*a)->d_type == DT_DIR, db = (*b)->d_type == DT_DIR;

	return da != db ? db - da : strcmp((*a)->d_name, (*b)->d_name);
}

static int
is_shown(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static int
make_page(struct page *pg, int dir, const char *shown)
{
	struct dirent **list;
	int i, n;

	if ((n = scandirat(dir, ".", &list, is_shown, compare)) == -1)
		return -1;
	put_text(pg, "<!doctype html>\n<meta charset=utf-8>\n<title>");
	put_html(pg, shown);
	put_text(pg, "</title>\n<h1>");
	put_html(pg, shown);
	put_text(pg, "</h1>\n<ul>\n");
	if (strcmp(shown, "/") != 0)
		put_text(pg, "<li><a href=\"../\">../</a>\n");
	for (i = 0; i < n; i++) {
		put_link(pg, list[i]->d_name, list[i]->d_type == DT_DIR);
		free(list[i]);
	}
	free(list);
	put_text(pg, "</ul>\n");
	return pg->failed ? -1 : 0;
}

int32_t
listing_send(struct hostd_inst *in, hostd_req req, const char *path,
    const char *shown)
{
	struct page pg = { NULL, 0, 0, 0 };
	int dir = file_open(in->root, path, O_RDONLY | O_DIRECTORY);
	int32_t rc;

	if (dir == -1)
		return send_status(in, req, 403);
	if (make_page(&pg, dir, shown) == -1)
		rc = send_status(in, req, 500);
	else
		rc = hostd_respond_bytes(in, req, 200,
		    "text/html; charset=utf-8", pg.p, pg.len);
	free(pg.p);
	close(dir);
	return rc;
}
