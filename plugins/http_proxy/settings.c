/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <hostd/easy.h>
#include "cache.h"
#include "gzip.h"
#include "settings.h"
#include "text.h"

#define DAY	86400000ll
#define YEAR	(365 * DAY)

#define KEY(n, t, d, h) { sizeof(struct hostd_key), HOSTD_KEY_##t, 0, n, d, h, \
	0, 0, NULL }
#define KEY_WRITTEN(n, d, h) { sizeof(struct hostd_key), HOSTD_KEY_PATH, \
	HOSTD_KEY_WRITE, n, d, h, 0, 0, NULL }
#define KEY_RANGE(n, t, d, lo, hi, h) { sizeof(struct hostd_key), \
	HOSTD_KEY_##t, 0, n, d, h, lo, hi, NULL }
#define KEY_ENUM(n, d, c, h) { sizeof(struct hostd_key), HOSTD_KEY_ENUM, 0, n, \
	d, h, 0, 0, c }

static const char *const fors[] = { "append", "set", "pass", "off", NULL };
static const enum told told_fors[] = { TOLD_APPEND, TOLD_SET, TOLD_PASS,
	TOLD_OFF };
static const char *const ones[] = { "set", "keep", "off", NULL };
static const enum told told_ones[] = { TOLD_SET, TOLD_KEEP, TOLD_OFF };
static const char *const ids[] = { "off", "new", "pass", NULL };

static const struct hostd_key rows[] = {
	KEY("upstream", STRING, NULL, "Group of servers for routes that name "
	    "none."),
	KEY("next_upstream", LIST, "error,timeout", "When another server is "
	    "asked: \"error\" (connecting, sending or reading failed), "
	    "\"timeout\", \"invalid\" (no proper answer), \"http_500\", "
	    "\"http_502\", \"http_503\", \"http_504\", \"http_403\", "
	    "\"http_404\", \"http_429\"; \"non_idempotent\": also POST and the "
	    "like; or \"off\"."),
	KEY_RANGE("next_upstream_tries", INT, "0", 0, 1000, "Servers asked at "
	    "most; 0: all."),
	KEY_RANGE("next_upstream_timeout", DURATION, "0s", 0, DAY, "No further "
	    "server is asked after it; 0: any time."),
	KEY_RANGE("connect_timeout", DURATION, "0s", 0, DAY, "To connect to a "
	    "server (504); 0: that of the upstream block."),
	KEY_RANGE("send_timeout", DURATION, "60s", 1, DAY, "Between two writes "
	    "to a server (504)."),
	KEY_RANGE("read_timeout", DURATION, "60s", 1, DAY, "Between two reads "
	    "from a server (504)."),
	KEY_RANGE("timeout", DURATION, "0s", 0, DAY, "For all of a request, "
	    "its answer included; 0: none."),
	KEY("ignore_client_abort", BOOL, "off", "A server that has got all of "
	    "a request may end its work when the client leaves; its answer is "
	    "dropped."),
	KEY_RANGE("tunnel_timeout", DURATION, "1h", 0, YEAR, "An upgraded "
	    "connection on which nothing comes for so long is closed; 0: "
	    "never."),
	KEY("upgrade", LIST, "*", "Protocols that clients may change to, as "
	    "\"websocket\"; \"*\": any but h2c, in which requests would pass "
	    "unseen."),
	KEY("request_buffering", BOOL, "off", "Read a request's body to its "
	    "end before a server is asked, so that another one can be."),
	KEY("buffering", BOOL, "off", "Read answers as fast as servers send, "
	    "whatever the client takes; an answer's X-Accel-Buffering, yes or "
	    "no, comes first."),
	KEY_RANGE("buffer_size", SIZE, "16k", 0, 1 << 30, "Buffered bytes of "
	    "one body in memory; more go to a file without a name."),
	KEY_RANGE("buffer_file_size", SIZE, "1g", 0, INT64_MAX, "And in that "
	    "file; 0: none.  An answer waits then, a request is refused "
	    "(503)."),
	KEY_WRITTEN("buffer_dir", "/var/tmp", "Directory for such files.  "
	    "Workers write them themselves: while a disk is slow they do "
	    "nothing else; a tmpfs never is."),
	KEY_RANGE("max_response", SIZE, "0", 0, INT64_MAX, "Largest body of "
	    "an answer (502); 0: any."),
	KEY("host", STRING, "$http_host", "Host that servers see: "
	    "\"$http_host\" (as the client sent it), \"$host\" (without its "
	    "port), \"$proxy_host\" (the upstream block's name), or a text "
	    "with variables."),
	KEY_ENUM("x_forwarded_for", "append", fors, "The client's address "
	    "behind those that came, alone, as it came, or nothing."),
	KEY_ENUM("x_forwarded_proto", "set", ones, "http or https: ours, what "
	    "came if any, or nothing."),
	KEY_ENUM("x_forwarded_host", "set", ones, "The Host asked for."),
	KEY_ENUM("x_real_ip", "set", ones, "The client's address."),
	KEY_ENUM("forwarded", "off", fors, "All of that in the one header of "
	    "RFC 7239."),
	KEY_ENUM("request_id", "pass", ids, "X-Request-ID, to servers and "
	    "clients: a new one for each request, or the one that came if it "
	    "is sound."),
	KEY("via", STRING, "hostd", "Our name in Via, which servers get as RFC "
	    "9110 asks for; a request that has passed ten of that name is "
	    "answered 508.  \"off\": neither; nginx, for one, compresses "
	    "nothing for proxies that say so unless its gzip_proxied does."),
	KEY("underscores", BOOL, "off", "Pass on headers with \"_\" in their "
	    "names, which many servers take for others with \"-\"."),
	KEY("set_header", LIST, NULL, "\"Name: value\" each, for servers, "
	    "instead of what came; the value may have variables, and an empty "
	    "one takes the header away."),
	KEY("remove_header", LIST, NULL, "Names of headers that servers don't "
	    "get."),
	KEY("rewrite", STRING, NULL, "Path instead of the route's, \"/new/\"; "
	    "what is behind it goes on as it was sent."),
	KEY("add_header", LIST, NULL, "\"Name: value\" each, for clients; also "
	    "with $upstream_addr, $upstream_status and $upstream_http_NAME."),
	KEY("hide_header", LIST, NULL, "Names of headers that clients don't "
	    "get."),
	KEY("redirect", LIST, "default", "How Location and Refresh are "
	    "changed: \"FROM TO\" each; \"default\": a server's own address "
	    "goes, and rewrite is undone; or \"off\"."),
	KEY("cookie_path", LIST, NULL, "\"FROM TO\" each, for the begin of "
	    "cookies' Path."),
	KEY("cookie_domain", LIST, NULL, "\"FROM TO\" each, for cookies' "
	    "Domain; without TO it is taken away."),
	KEY("intercept_errors", BOOL, "off", "Answers from 400 on get the "
	    "operator's error page."),
	KEY_RANGE("retry_after", DURATION, "5s", 0, DAY, "Retry-After of a 503 "
	    "when no server can be had; 0: none."),
	KEY("gzip", BOOL, "off", "Compress text for clients that take it."),
	KEY("gzip_types", LIST, "text/html,text/css,text/plain,text/xml,"
	    "text/javascript,application/javascript,application/json,"
	    "application/xml,application/rss+xml,application/manifest+json,"
	    "image/svg+xml", "Types of it."),
	KEY_RANGE("gzip_min_length", SIZE, "1k", 0, 1 << 30, "Smaller answers "
	    "are sent as they are."),
	KEY_RANGE("gzip_level", INT, "1", 1, 9, "Effort."),
};

#define R(i) &rows[i]
const struct hostd_key *const settings_keys[] = {
	R(0), R(1), R(2), R(3), R(4), R(5), R(6), R(7), R(8), R(9), R(10),
	R(11), R(12), R(13), R(14), R(15), R(16), R(17), R(18), R(19), R(20),
	R(21), R(22), R(23), R(24), R(25), R(26), R(27), R(28), R(29), R(30),
	R(31), R(32), R(33), R(34), R(35), R(36), R(37), R(38), R(39),
	CACHE_KEYS, NULL
};
_Static_assert(sizeof(settings_keys) / sizeof(settings_keys[0]) ==
    sizeof(rows) / sizeof(rows[0]) + CACHE_NKEYS + 1, "a row is missing");

static int64_t
num(const struct hostd_conf *conf, const char *key)
{
	int64_t v = 0;

	(void)conf->get_int(conf, key, &v);
	return v;
}

static uint32_t
ms(const struct hostd_conf *conf, const char *key)
{
	int64_t v = num(conf, key);

	return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static const char *
text(const struct hostd_conf *conf, const char *key)
{
	hostd_buf b = { NULL, 0 };

	(void)conf->get_str(conf, key, &b);
	return b.p;
}

/* -- next_upstream -- */

static const struct {
	const char *word;
	uint32_t bit;
} nexts[] = {
	{ "error", HOSTD_NEXT_ERROR }, { "timeout", HOSTD_NEXT_TIMEOUT },
	{ "invalid", HOSTD_NEXT_INVALID },
	{ "invalid_header", HOSTD_NEXT_INVALID },
	{ "http_500", HOSTD_NEXT_500 }, { "http_502", HOSTD_NEXT_502 },
	{ "http_503", HOSTD_NEXT_503 }, { "http_504", HOSTD_NEXT_504 },
	{ "http_403", HOSTD_NEXT_403 }, { "http_404", HOSTD_NEXT_404 },
	{ "http_429", HOSTD_NEXT_429 },
	{ "non_idempotent", HOSTD_NEXT_UNSAFE }, { "off", HOSTD_NEXT_OFF },
};

static int32_t
read_next(struct settings *s, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	hostd_buf item;
	uint32_t i;
	size_t k;

	for (i = 0; conf->get_item(conf, "next_upstream", i, &item) ==
	    HOSTD_OK; i++) {
		for (k = 0; k < sizeof(nexts) / sizeof(nexts[0]) &&
		    !text_is(item, nexts[k].word); k++)
			;
		if (k == sizeof(nexts) / sizeof(nexts[0]))
			return hostd_fail(err, HOSTD_E_INVAL, "next_upstream: "
			    "there is no \"%s\"; see hostd-plugins(7)",
			    (const char *)item.p);
		s->next |= nexts[k].bit;
	}
	if ((s->next & HOSTD_NEXT_OFF) != 0 && s->next != HOSTD_NEXT_OFF)
		return hostd_fail(err, HOSTD_E_INVAL,
		    "next_upstream: \"off\" stands alone");
	if (s->next == 0)
		s->next = HOSTD_NEXT_OFF;
	return HOSTD_OK;
}

/* -- the rest -- */

static int32_t
read_list(hostd_buf **out, uint32_t *n, const struct hostd_conf *conf,
    const char *key, struct hostd_err *err)
{
	uint32_t i, count = 0;

	(void)conf->get_count(conf, key, &count);
	if ((*out = calloc(count + 1u, sizeof(**out))) == NULL)
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	for (i = 0; i < count; i++)
		(void)conf->get_item(conf, key, i, &(*out)[i]);
	*n = count;
	return HOSTD_OK;
}

static int32_t
read_host(struct settings *s, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	const char *host = text(conf, "host"), *bad;

	if (host == NULL || strcmp(host, "$proxy_host") == 0)
		return HOSTD_OK;
	if (strcspn(host, " \t\r\n/@") < strlen(host) ||
	    template_parse(&s->host, host, &bad) == -1)
		return hostd_fail(err, HOSTD_E_INVAL, "host: \"%s\" is not a "
		    "name, $http_host, $host or $proxy_host", host);
	return HOSTD_OK;
}

/* A token, or a host with a port (RFC 9110 section 7.6.3). */
static int32_t
read_via(struct settings *s, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	const char *via = text(conf, "via");

	s->via = text_of(via, strlen(via));
	if (text_is(s->via, "off"))
		s->via.n = 0;
	else if (s->via.n == 0 || !text_has_only(s->via, "!#$%&'*+-.^_`|~:[]"))
		return hostd_fail(err, HOSTD_E_INVAL, "via: \"%s\" is neither "
		    "a name nor \"off\"", via);
	return HOSTD_OK;
}

static int32_t
read_rewrite(struct settings *s, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	const char *p = text(conf, "rewrite");
	const unsigned char *c;

	if (p == NULL)
		return HOSTD_OK;
	for (c = (const unsigned char *)p; *c > ' ' && *c < 0x7f &&
	    *c != '?' && *c != '#'; c++)
		;
	if (*p != '/' || *c != '\0')
		return hostd_fail(err, HOSTD_E_INVAL, "rewrite: \"%s\" is not "
		    "a path as it stands in a URL, \"/new/\"", p);
	s->rewrite = text_of(p, strlen(p));
	return HOSTD_OK;
}

static int32_t
read_headers(struct settings *s, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	static const char *const words[] = { "default", "off", NULL };
	unsigned found = 0;
	int32_t rc;

	if ((rc = rules_read(&s->set, conf, "set_header", 1, err)) < 0 ||
	    (rc = rules_read(&s->remove, conf, "remove_header", 0, err)) < 0 ||
	    (rc = rules_read(&s->add, conf, "add_header", 1, err)) < 0 ||
	    (rc = rules_read(&s->hide, conf, "hide_header", 0, err)) < 0 ||
	    (rc = pairs_read(&s->redirects, conf, "redirect", words, &found,
	    err)) < 0 ||
	    (rc = pairs_read(&s->cookie_paths, conf, "cookie_path", NULL, NULL,
	    err)) < 0)
		return rc;
	s->redirect = (found & 1) != 0;
	return pairs_read(&s->cookie_domains, conf, "cookie_domain", NULL,
	    NULL, err);
}

static int32_t
read_cache(struct settings *s, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	const char *key = text(conf, "cache_key"), *bad;
	hostd_buf item;
	uint32_t i, n = 0;

	s->cache_status = num(conf, "cache_status") != 0;
	if (template_parse(&s->cache_key, key, &bad) == -1)
		return hostd_fail(err, HOSTD_E_INVAL, "cache_key: \"%s\" is "
		    "not understood at \"%s\"", key, bad);
	(void)conf->get_count(conf, "cache_bypass", &n);
	if ((s->bypass = calloc(n + 1u, sizeof(*s->bypass))) == NULL)
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	for (i = 0; i < n; i++) {
		(void)conf->get_item(conf, "cache_bypass", i, &item);
		s->nbypass++;
		if (template_parse(&s->bypass[i], item.p, &bad) == -1)
			return hostd_fail(err, HOSTD_E_INVAL, "cache_bypass: "
			    "\"%s\" is not understood at \"%s\"",
			    (const char *)item.p, bad);
	}
	return HOSTD_OK;
}

static void
read_numbers(struct settings *s, const struct hostd_conf *conf)
{
	s->upstream = text(conf, "upstream");
	s->tries = (uint32_t)num(conf, "next_upstream_tries");
	s->next_timeout = ms(conf, "next_upstream_timeout");
	s->connect_timeout = ms(conf, "connect_timeout");
	s->send_timeout = ms(conf, "send_timeout");
	s->read_timeout = ms(conf, "read_timeout");
	s->timeout = ms(conf, "timeout");
	s->tunnel_timeout = ms(conf, "tunnel_timeout");
	s->retry_after = (ms(conf, "retry_after") + 999) / 1000;
	s->max_response = (uint64_t)num(conf, "max_response");
	s->request_buffering = num(conf, "request_buffering") != 0;
	s->buffering = num(conf, "buffering") != 0;
	s->spool.dir = text(conf, "buffer_dir");
	s->spool.memory = (uint64_t)num(conf, "buffer_size");
	s->spool.file = (uint64_t)num(conf, "buffer_file_size");
	s->forwarded_for = told_fors[num(conf, "x_forwarded_for")];
	s->forwarded_proto = told_ones[num(conf, "x_forwarded_proto")];
	s->forwarded_host = told_ones[num(conf, "x_forwarded_host")];
	s->real_ip = told_ones[num(conf, "x_real_ip")];
	s->forwarded = told_fors[num(conf, "forwarded")];
	s->request_id = (enum naming)num(conf, "request_id");
	s->underscores = num(conf, "underscores") != 0;
	s->ignore_abort = num(conf, "ignore_client_abort") != 0;
	s->intercept_errors = num(conf, "intercept_errors") != 0;
	s->gzip = num(conf, "gzip") != 0;
	s->gzip_level = (int)num(conf, "gzip_level");
	s->gzip_min = (uint64_t)num(conf, "gzip_min_length");
}

int32_t
settings_read(struct settings *s, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	int32_t rc;

	read_numbers(s, conf);
	if ((rc = read_next(s, conf, err)) < 0 ||
	    (rc = read_host(s, conf, err)) < 0 ||
	    (rc = read_via(s, conf, err)) < 0 ||
	    (rc = read_rewrite(s, conf, err)) < 0 ||
	    (rc = read_headers(s, conf, err)) < 0 ||
	    (rc = read_cache(s, conf, err)) < 0 ||
	    (rc = read_list(&s->upgrades, &s->nupgrades, conf, "upgrade",
	    err)) < 0)
		return rc;
	return read_list(&s->gzip_types, &s->ngzip_types, conf, "gzip_types",
	    err);
}

void
settings_free(struct settings *s)
{
	uint32_t i;

	template_free(&s->host);
	template_free(&s->cache_key);
	for (i = 0; i < s->nbypass; i++)
		template_free(&s->bypass[i]);
	free(s->bypass);
	rules_free(&s->set);
	rules_free(&s->remove);
	rules_free(&s->add);
	rules_free(&s->hide);
	pairs_free(&s->redirects);
	pairs_free(&s->cookie_paths);
	pairs_free(&s->cookie_domains);
	free(s->upgrades);
	free(s->gzip_types);
}
