/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of a directory: the plugin's keys, life and one request. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>
#include "static.h"

#define KEY(var, name, type, flags, dflt, min, max, help)		\
	static const struct hostd_key var = {				\
		sizeof(struct hostd_key), HOSTD_KEY_##type, flags, name, \
		dflt, help, min, max, NULL				\
	}

KEY(key_root, "root", PATH, HOSTD_KEY_REQUIRED, NULL, 0, 0,
    "Directory whose files are served; nothing outside of it ever is.");
KEY(key_index, "index", LIST, 0, "index.html", 0, 8,
    "Files tried, in order, for a directory.");
KEY(key_fallback, "fallback", STRING, 0, NULL, 0, 0,
    "File served to browsers for paths that do not exist, as single-page "
    "applications want it.");
KEY(key_types, "types", LIST, 0, NULL, 0, 256,
    "More content types, each as \"extension type\".");
KEY(key_listing, "listing", BOOL, 0, "off", 0, 0,
    "List directories that have no index file.");
KEY(key_dotfiles, "dotfiles", BOOL, 0, "off", 0, 0,
    "Serve names that start with a dot; .well-known always is.");
KEY(key_pass, "pass_missing", BOOL, 0, "off", 0, 0,
    "Leave paths that do not exist to the next best route.");
KEY(key_cc, "cache_control", LIST, 0, NULL, 0, 256,
    "Cache-Control by file, each as \"pattern value\"; the first match "
    "counts, and a pattern without a slash is matched with the name alone.");
KEY(key_pre, "precompressed", BOOL, 0, "on", 0, 0,
    "Send FILE.br or FILE.gz instead of FILE to clients that take it.");
KEY(key_gzip, "gzip", BOOL, 0, "off", 0, 0,
    "Compress files of gzip_types for clients that take it; each is "
    "compressed once, on a thread, and kept.");
KEY(key_gzip_types, "gzip_types", LIST, 0, "text/html, text/css, "
    "text/plain, text/javascript, application/json, application/xml, "
    "image/svg+xml", 0, 64, "Content types that gzip is for.");
KEY(key_gzip_min, "gzip_min", SIZE, 0, "1k", 0, 1 << 30,
    "Smaller files are not compressed.");
KEY(key_gzip_max, "gzip_max", SIZE, 0, "1m", 0, 64 << 20,
    "Larger files are not compressed.");
KEY(key_entries, "cache_entries", INT, 0, "1024", 0, 1 << 20,
    "Files kept open or in memory; 0: none.");
KEY(key_memory, "cache_memory", SIZE, 0, "32m", 0, INT64_C(1) << 40,
    "Memory for the content of files.");
KEY(key_file_max, "cache_file_max", SIZE, 0, "64k", 0, 16 << 20,
    "Larger files are sent from the disk, by sendfile(2).");
KEY(key_valid, "cache_valid", DURATION, 0, "1s", 0, 86400000,
    "How long a file, or the directory behind root, is taken to be unchanged "
    "without looking.");

static const struct hostd_key *const keys[] = {
	&key_root, &key_index, &key_fallback, &key_types, &key_listing,
	&key_dotfiles, &key_pass, &key_cc, &key_pre, &key_gzip,
	&key_gzip_types, &key_gzip_min, &key_gzip_max, &key_entries,
	&key_memory, &key_file_max, &key_valid, NULL
};

/* -- one request -- */

static int
is_name(const hostd_hdr *h, const char *name, size_t n)
{
	return h->name.n == n && strncasecmp(h->name.p, name, n) == 0;
}

#define IS(h, literal) is_name(h, literal, sizeof(literal) - 1)

/* Where the header's value belongs; NULL: it does not matter here. */
static hostd_buf *
wanted_field(struct wanted *w, const hostd_hdr *h)
{
	switch (*(const char *)h->name.p | 0x20) {
	case 'a':
		if (IS(h, "Accept-Encoding"))
			return &w->accept_encoding;
		return IS(h, "Accept") ? &w->accept : NULL;
	case 'i':
		if (IS(h, "If-None-Match"))
			return &w->cond.if_none_match;
		if (IS(h, "If-Modified-Since"))
			return &w->cond.if_modified_since;
		if (IS(h, "If-Match"))
			return &w->cond.if_match;
		if (IS(h, "If-Unmodified-Since"))
			return &w->cond.if_unmodified_since;
		return IS(h, "If-Range") ? &w->cond.if_range : NULL;
	case 'r':
		return IS(h, "Range") ? &w->range : NULL;
	default:
		return NULL;
	}
}

/* Several lines of one name are one list (RFC 9110 section 5.3).  -1: they
 * are too long for that. */
static int
join_lines(struct wanted *w, hostd_buf *list, hostd_buf more)
{
	char *p = w->joined + w->njoined;

	if (list->p == NULL) {
		*list = more;
		return 0;
	}
	if (list->n + more.n + 2 > sizeof(w->joined) - w->njoined)
		return -1;
	memcpy(p, list->p, list->n);
	memcpy(p + list->n, ", ", 2);
	memcpy(p + list->n + 2, more.p, more.n);
	list->p = p;
	list->n += more.n + 2;
	w->njoined += list->n;
	return 0;
}

static int
read_headers(const struct hostd_request *r, struct wanted *w)
{
	const hostd_hdr *h = r->headers, *end = h + r->nheaders;
	hostd_buf *to;

	memset(w, 0, offsetof(struct wanted, joined));
	w->head = r->method == HOSTD_METHOD_HEAD;
	for (; h < end; h++)
		if ((to = wanted_field(w, h)) != NULL &&
		    join_lines(w, to, h->value) == -1)
			return -1;
	return 0;
}

/* Does a segment of the path start with a dot? */
static int
has_dotfile(const char *p)
{
	if (strncmp(p, ".well-known/", 12) == 0)
		p += 12;
	return p[0] == '.' || strstr(p, "/.") != NULL;
}

/* A directory asked for without its slash: so that relative links work. */
static int32_t
redirect(struct hostd_inst *in, hostd_req req, const struct hostd_request *r)
{
	char to[3 * PATH_MAX_LEN];
	hostd_hdr h;
	size_t n;

	n = path_encode(to, 0, sizeof(to) - 2, r->path.p, r->path.n);
	if (n + r->query.n + 3 > sizeof(to))
		return send_status(in, req, 414);
	to[n++] = '/';
	if (r->query.p != NULL) {
		to[n++] = '?';
		memcpy(to + n, r->query.p, r->query.n);
		n += r->query.n;
	}
	h.name = hostd_str("Location");
	h.value.p = to;
	h.value.n = n;
	return in->easy.http->respond(in->easy.host, req, 301, &h, 1,
	    hostd_str(NULL));
}

static int
wants_html(const struct wanted *w)
{
	return w->accept.p != NULL && memmem(w->accept.p, w->accept.n,
	    "text/html", 9) != NULL;
}

static int32_t
answer_file(struct hostd_inst *in, hostd_req req, struct transfer *t,
    const struct wanted *w, const char *path, size_t len, struct file *f)
{
	struct accepted a;
	int32_t rc;

	if (in->gzip && w->accept_encoding.p != NULL) {
		encoding_parse(w->accept_encoding, &a);
		if (a.gzip > 0)
			lookup_compress(in, path, len, f);
	}
	rc = send_file(in, req, t, f, w);
	file_unref(f);
	return rc;
}

static int32_t
answer_missing(struct hostd_inst *in, hostd_req req, struct transfer *t,
    const struct wanted *w, enum file_kind kind)
{
	hostd_hdr vary = hostd_header("Vary", "Accept");
	struct file *f;
	size_t len;

	if (kind == FILE_BUSY)
		return send_status(in, req, 503);
	if (kind == FILE_MISSING && in->fallback != NULL && wants_html(w)) {
		len = strlen(in->fallback);
		f = lookup_file(in, in->fallback, len, &kind);
		return f == NULL ? send_status(in, req, 404) :
		    answer_file(in, req, t, w, in->fallback, len, f);
	}
	if (kind == FILE_MISSING && in->pass_missing)
		return HOSTD_PASS;
	if (kind == FILE_OTHER)
		return send_status(in, req, 403);
	return in->easy.http->respond(in->easy.host, req, 404, &vary,
	    in->fallback != NULL, hostd_str(NULL));
}

static int32_t
answer_directory(struct hostd_inst *in, hostd_req req, struct transfer *t,
    const struct wanted *w, const struct hostd_request *r, char *path,
    size_t len)
{
	enum file_kind kind = FILE_MISSING;
	struct file *f;
	struct stat st;
	char shown[PATH_MAX_LEN + 1];
	uint32_t i;

	for (i = 0; i < in->nindex; i++) {
		if (len + in->index[i].n >= PATH_MAX_LEN)
			continue;
		memcpy(path + len, in->index[i].p, in->index[i].n + 1);
		f = lookup_file(in, path, len + in->index[i].n, &kind);
		if (f != NULL)
			return answer_file(in, req, t, w, path,
			    len + in->index[i].n, f);
		/* One that may not be read is not to be listed instead. */
		if (kind == FILE_BUSY || kind == FILE_OTHER)
			return answer_missing(in, req, t, w, kind);
	}
	path[len] = '\0';
	kind = file_look(in->root, path, &st);
	if (kind != FILE_DIRECTORY)
		return answer_missing(in, req, t, w, kind == FILE_REGULAR ?
		    FILE_MISSING : kind);
	if (!in->listing)
		return len == 0 || in->fallback == NULL ?
		    send_status(in, req, 403) :
		    answer_missing(in, req, t, w, FILE_MISSING);
	if (r->path.n > PATH_MAX_LEN)
		return send_status(in, req, 414);
	/* A route without a slash: the links are relative. */
	if (((const char *)r->path.p)[r->path.n - 1] != '/')
		return redirect(in, req, r);
	memcpy(shown, r->path.p, r->path.n);
	shown[r->path.n] = '\0';
	return listing_send(in, req, path, shown);
}

/*
 * The root's name may lead to another directory by now: a link was turned to
 * the next release, or the directory was removed and built anew.
 */
static void
follow_root(struct hostd_inst *in)
{
	uint64_t now = in->easy.host->now_ms(in->easy.host);
	struct stat st;
	int fd;

	if (now - in->root_checked_ms < in->valid_ms)
		return;
	in->root_checked_ms = now;
	if (stat(in->root_path, &st) == -1 ||
	    (st.st_ino == in->root_st.st_ino &&
	    st.st_dev == in->root_st.st_dev))
		return;
	fd = open(in->root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return;
	close(in->root);
	in->root = fd;
	(void)fstat(fd, &in->root_st);
	cache_clear(&in->cache);
}

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_request *r = hostd_request_of(in, req);
	char path[PATH_MAX_LEN + 1];
	struct wanted w;
	enum file_kind kind;
	struct file *f;
	size_t len;

	if (r == NULL)
		return HOSTD_E_GONE;
	if (r->method != HOSTD_METHOD_GET && r->method != HOSTD_METHOD_HEAD)
		return hostd_refuse_method(in, req, "GET, HEAD, OPTIONS");
	len = r->rest.n;
	if (len >= PATH_MAX_LEN)
		return send_status(in, req, 414);
	if (len > 0)
		memcpy(path, r->rest.p, len);
	path[len] = '\0';
	if (read_headers(r, &w) == -1)
		return send_status(in, req, 431);
	follow_root(in);
	if (!in->dotfiles && has_dotfile(path))
		return answer_missing(in, req, d, &w, FILE_MISSING);
	if (len == 0 || path[len - 1] == '/')
		return answer_directory(in, req, d, &w, r, path, len);
	if ((f = lookup_file(in, path, len, &kind)) != NULL)
		return answer_file(in, req, d, &w, path, len, f);
	if (kind == FILE_DIRECTORY)
		return redirect(in, req, r);
	return answer_missing(in, req, d, &w, kind);
}

static void
on_writable(struct hostd_inst *in, hostd_req req, void *d)
{
	send_more(in, req, d);
}

static void
on_end(struct hostd_inst *in, hostd_req req, void *d, int32_t why)
{
	(void)in;
	(void)req;
	(void)why;
	send_end(d);
}

/* -- life -- */

static hostd_buf *
read_list(const struct hostd_conf *conf, const char *key, uint32_t *n)
{
	hostd_buf *list;
	uint32_t i;

	if (conf->get_count(conf, key, n) != HOSTD_OK)
		*n = 0;
	if ((list = calloc(*n + 1, sizeof(*list))) == NULL)
		return NULL;
	for (i = 0; i < *n; i++)
		(void)conf->get_item(conf, key, i, &list[i]);
	return list;
}

static int64_t
read_num(const struct hostd_conf *conf, const char *key)
{
	int64_t v = 0;

	(void)conf->get_int(conf, key, &v);
	return v;
}

static int
read_conf(struct hostd_inst *in, const struct hostd_conf *conf)
{
	hostd_buf b;

	(void)conf->get_str(conf, "fallback", &b);
	in->fallback = b.p;
	while (in->fallback != NULL && in->fallback[0] == '/')
		in->fallback++;
	in->index = read_list(conf, "index", &in->nindex);
	in->types = read_list(conf, "types", &in->ntypes);
	in->gzip_types = read_list(conf, "gzip_types", &in->ngzip_types);
	in->cache_control = read_list(conf, "cache_control",
	    &in->ncache_control);
	in->listing = (int)read_num(conf, "listing");
	in->dotfiles = (int)read_num(conf, "dotfiles");
	in->pass_missing = (int)read_num(conf, "pass_missing");
	in->precompressed = (int)read_num(conf, "precompressed");
	in->gzip = (int)read_num(conf, "gzip");
	in->gzip_min = (uint64_t)read_num(conf, "gzip_min");
	in->gzip_max = (uint64_t)read_num(conf, "gzip_max");
	in->in_memory = (uint64_t)read_num(conf, "cache_file_max");
	in->valid_ms = (uint64_t)read_num(conf, "cache_valid");
	return in->index == NULL || in->types == NULL ||
	    in->gzip_types == NULL || in->cache_control == NULL ||
	    cache_init(&in->cache, (size_t)read_num(conf, "cache_entries"),
	    (uint64_t)read_num(conf, "cache_memory")) == -1 ? -1 : 0;
}

static void
destroy(struct hostd_inst *in)
{
	if (in->cache.buckets != NULL)
		cache_free(&in->cache);
	if (in->root != -1)
		close(in->root);
	free(in->index);
	free(in->types);
	free(in->gzip_types);
	free(in->cache_control);
	free(in);
}

/* "word value", where the value can be that of a header? */
static int
is_pair(const char *p)
{
	size_t word = strcspn(p, " \t"), i;

	if (word == 0 || word > PAIR_WORD_MAX)
		return 0;
	p += word + strspn(p + word, " \t");
	for (i = 0; p[i] != '\0'; i++)
		if ((unsigned char)p[i] < ' ' || p[i] == 0x7f)
			return 0;
	return i > 0 && i <= PAIR_VALUE_MAX;
}

static int32_t
check_pairs(const char *key, const hostd_buf *list, uint32_t n,
    struct hostd_err *err)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (!is_pair(list[i].p))
			return hostd_fail(err, HOSTD_E_INVAL, "%s: \"%.100s\" "
			    "is not two words with a space between, of at "
			    "most %d and %d bytes", key,
			    (const char *)list[i].p, PAIR_WORD_MAX,
			    PAIR_VALUE_MAX);
	return HOSTD_OK;
}

static int32_t
check_conf(const struct hostd_inst *in, struct hostd_err *err)
{
	int32_t rc = check_pairs("types", in->types, in->ntypes, err);

	return rc != HOSTD_OK ? rc : check_pairs("cache_control",
	    in->cache_control, in->ncache_control, err);
}

static int32_t
open_root(struct hostd_inst *in, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	hostd_buf root;
	int fd;

	if (conf->get_str(conf, "root", &root) != HOSTD_OK || root.p == NULL)
		return hostd_fail(err, HOSTD_E_INVAL, "root is not set");
	in->root_path = root.p;
	in->root = open(root.p, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (in->root == -1 || fstat(in->root, &in->root_st) == -1)
		return hostd_fail(err, HOSTD_E_IO, "root %s: %s",
		    (const char *)root.p, strerror(errno));
	/* Without openat2(2) nothing would keep requests beneath the root. */
	if ((fd = file_open(in->root, "", O_PATH)) == -1)
		return hostd_fail(err, HOSTD_E_NOTSUP, "root %s: openat2: %s "
		    "(Linux 5.6 or newer is needed)", (const char *)root.p,
		    strerror(errno));
	close(fd);
	return HOSTD_OK;
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	struct hostd_inst *in = NULL;
	int32_t rc;

	if ((rc = hostd_easy_create(sizeof(*in), host, &in, err)) != HOSTD_OK)
		return rc;
	in->root = -1;
	in->work = host->get_ext(host, HOSTD_EXT_WORK);
	if (in->work == NULL || !HOSTD_HAS(in->work, submit))
		rc = hostd_fail(err, HOSTD_E_NOTSUP,
		    "this host does not serve " HOSTD_EXT_WORK);
	else if ((rc = open_root(in, conf, err)) == HOSTD_OK)
		rc = read_conf(in, conf) == -1 ?
		    hostd_fail(err, HOSTD_E_NOMEM, "out of memory") :
		    check_conf(in, err);
	if (rc != HOSTD_OK) {
		destroy(in);
		return rc;
	}
	*out = in;
	return HOSTD_OK;
}

static const struct hostd_http_ops ops = {
	.struct_size = sizeof(ops), .data_size = sizeof(struct transfer),
	.on_headers = on_headers, .on_writable = on_writable, .on_end = on_end
};
static const struct hostd_provide provide = {
	.struct_size = sizeof(provide), .kind = HOSTD_KIND_HTTP_ROUTE,
	.ops = &ops, .route = "/"
};
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(0), .id = "http_static", .version = HOSTD_SDK_VERSION,
	.built_with = HOSTD_SDK_VERSION, .provides = provides, .keys = keys,
	.create = create, .destroy = destroy
};
