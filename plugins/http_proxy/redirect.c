/* SPDX-License-Identifier: BSD-2-Clause */
#include "redirect.h"
#include "target.h"
#include "text.h"

/* "http://AUTHORITY/path": both, or 0: it is something else. */
static int
split_url(hostd_buf url, hostd_buf *authority, hostd_buf *path)
{
	const char *p = url.p;
	size_t at;

	if (url.n < 7 || strncasecmp(p, "http://", 7) != 0)
		return 0;
	for (at = 7; at < url.n && p[at] != '/' && p[at] != '?' &&
	    p[at] != '#'; at++)
		;
	*authority = text_of(p + 7, at - 7);
	*path = text_from(url, at);
	return 1;
}

/* A name of the server's that clients can't use. */
static int
is_servers(const struct facts *f, hostd_buf authority)
{
	return text_same(authority, f->answer->server) ||
	    text_same(authority, f->answer->upstream);
}

/* A path of the server's as it is here. */
static void
put_path(const struct settings *s, const struct facts *f, hostd_buf path,
    struct head *out)
{
	if (path.n == 0 || *(const char *)path.p != '/')
		head_put(out, text_of("/", 1));
	else if (s->rewrite.p != NULL && text_begins(path, s->rewrite)) {
		head_put(out, target_prefix(f->request));
		path = text_from(path, s->rewrite.n);
	}
	head_put(out, path);
}

static void
put_default(const struct settings *s, hostd_buf value, const struct facts *f,
    hostd_buf host, struct head *out)
{
	hostd_buf authority, path;
	const char *p = value.p;

	if (value.n > 0 && *p == '/' && (value.n == 1 || p[1] != '/'))
		put_path(s, f, value, out);
	else if (!split_url(value, &authority, &path))
		head_put(out, value);
	else if (is_servers(f, authority))
		put_path(s, f, path, out);
	else if (host.n > 0 && text_same(authority, host)) {
		head_put(out, text_of(value.p, 7 + authority.n));
		put_path(s, f, path, out);
	} else
		head_put(out, value);
}

static void
put_url(const struct settings *s, hostd_buf value, const struct facts *f,
    hostd_buf host, struct head *out)
{
	const struct pair *pr = pairs_find(&s->redirects, value);

	if (pr != NULL) {
		head_put(out, pr->to);
		head_put(out, text_from(value, pr->from.n));
	} else if (s->redirect)
		put_default(s, value, f, host, out);
	else
		head_put(out, value);
}

hostd_buf
redirect_location(const struct settings *s, hostd_buf value,
    const struct facts *f, hostd_buf host, struct head *out)
{
	head_open(out);
	put_url(s, value, f, host, out);
	return head_take(out);
}

hostd_buf
redirect_refresh(const struct settings *s, hostd_buf value,
    const struct facts *f, hostd_buf host, struct head *out)
{
	const char *p = value.p;
	size_t at;

	for (at = 0; at + 4 <= value.n && strncasecmp(p + at, "url=", 4) != 0;
	    at++)
		;
	if (at + 4 > value.n)
		return value;
	head_open(out);
	head_put(out, text_of(p, at + 4));
	put_url(s, text_from(value, at + 4), f, host, out);
	return head_take(out);
}
