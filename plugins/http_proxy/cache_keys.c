/* SPDX-License-Identifier: BSD-2-Clause */
/* What the operator says of the cache. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include "cache_control.h"
#include "cache_inside.h"

#define KEY(name, type, dflt, min, max, help, choices)			\
	{ sizeof(struct hostd_key), HOSTD_KEY_##type, 0, name, dflt,	\
	    help, min, max, choices }

static const char *const stores[] = { "off", "memory", "disk", NULL };

const struct hostd_key cache_key_rows[] = {
	KEY("cache", ENUM, "off", 0, 0, "Keep answers as RFC 9111 allows a "
	    "shared cache: in the memory of each worker, or in files that all "
	    "workers share.", stores),
	{ sizeof(struct hostd_key), HOSTD_KEY_PATH,
	    HOSTD_KEY_WRITE | HOSTD_KEY_DIR, "cache_dir", NULL,
	    "Directory of the files, for "
	    "this plugin alone; made when it is not there, and the workers' "
	    "user must be able to write to it.  They do so themselves, as for "
	    "buffer_dir.", 0, 4000, NULL },
	KEY("cache_size", SIZE, "64m", 65536, INT64_C(1) << 46, "What is kept "
	    "at most: of each worker in memory, of all together on disk, "
	    "where it may be an eighth more for a moment.  What was used least "
	    "recently goes first.", NULL),
	KEY("cache_object_max", SIZE, "8m", 0, INT64_C(1) << 46, "Larger "
	    "bodies are not kept.", NULL),
	KEY("cache_key", STRING, "$scheme://$http_host$request_uri", 1, 4096,
	    "What answers are kept under; may have variables.", NULL),
	KEY("cache_bypass", LIST, NULL, 0, 64, "Texts with variables: when "
	    "one of them is neither empty nor 0, a server is asked whatever is "
	    "kept; its answer is kept.", NULL),
	KEY("cache_valid", LIST, NULL, 0, RULES_MAX, "How long answers are "
	    "good that do not say so themselves, each as \"200 301 10m\" or "
	    "\"any 1m\"; the first that fits counts.", NULL),
	KEY("cache_use_stale", LIST, NULL, 0, 16, "When what is too old is "
	    "used all the same, unless the server forbids it: error, timeout, "
	    "invalid_header, updating, http_500, http_502, http_503, http_504, "
	    "http_403, http_404, http_429.", NULL),
	KEY("cache_lock_timeout", DURATION, "5s", 0, 3600000, "A request that "
	    "another one is already asking a server for waits so long at most, "
	    "then it asks for itself.", NULL),
	KEY("cache_purge_from", LIST, NULL, 0, NETS_MAX, "Addresses and "
	    "networks of clients, or unix, that may remove what is kept, by "
	    "the method PURGE; a path that ends with * means all that begin "
	    "so.", NULL),
	KEY("cache_status", BOOL, "on", 0, 0, "Tell the client in "
	    "X-Cache-Status what the cache did.", NULL),
};

_Static_assert(sizeof(cache_key_rows) / sizeof(cache_key_rows[0]) ==
    CACHE_NKEYS, "CACHE_KEYS names them all");

static int32_t
bad_item(struct hostd_err *err, const char *key, hostd_buf item,
    const char *what)
{
	return hostd_fail(err, HOSTD_E_INVAL, "%s: \"%.100s\" %s", key,
	    (const char *)item.p, what);
}

/* Call fn for each item of a list. */
static int32_t
read_list(struct cache *c, const struct hostd_conf *conf, const char *key,
    int32_t (*fn)(struct cache *, const char *key, hostd_buf item,
    struct hostd_err *), struct hostd_err *err)
{
	uint32_t i, n = 0;
	hostd_buf item;
	int32_t rc = HOSTD_OK;

	(void)conf->get_count(conf, key, &n);
	for (i = 0; i < n && rc == HOSTD_OK; i++)
		if (conf->get_item(conf, key, i, &item) == HOSTD_OK)
			rc = fn(c, key, item, err);
	return rc;
}

/* -- cache_valid -- */

/* "10m" and the like in seconds; -1: it is none. */
static int64_t
read_duration(const char *p)
{
	static const struct {
		const char *unit;
		int64_t seconds;
	} units[] = { { "", 1 }, { "s", 1 }, { "m", 60 }, { "h", 3600 },
	    { "d", 86400 } };
	unsigned long long v;
	char *end;
	size_t i;

	if (*p < '0' || *p > '9' || (v = strtoull(p, &end, 10)) > 1000000000)
		return -1;
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(end, units[i].unit) == 0)
			return (int64_t)v * units[i].seconds;
	return -1;
}

/* "any" is 0; -1: it is none. */
static int
read_status(const char *p, size_t n)
{
	if (n == 3 && memcmp(p, "any", 3) == 0)
		return 0;
	if (n != 3 || p[0] < '2' || p[0] > '5' || p[1] < '0' || p[1] > '9' ||
	    p[2] < '0' || p[2] > '9')
		return -1;
	return (p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0');
}

static int32_t
read_rule(struct cache *c, const char *key, hostd_buf item,
    struct hostd_err *err)
{
	const char *p = item.p, *last = strrchr(p, ' ');
	int64_t seconds;
	int status;
	size_t n;

	if (last == NULL || (seconds = read_duration(last + 1)) == -1)
		return bad_item(err, key, item, "is not statuses and a time, "
		    "as \"200 301 10m\"");
	for (; p < last; p += n + strspn(p + n, " ")) {
		n = strcspn(p, " ");
		if ((status = read_status(p, n)) == -1)
			return bad_item(err, key, item, "has a status that "
			    "is neither 200 to 599 nor any");
		if (c->nrules == RULES_MAX)
			return bad_item(err, key, item, "is one too many");
		c->rules[c->nrules++] = (struct fresh_rule){ status, seconds };
	}
	return HOSTD_OK;
}

/* -- cache_use_stale -- */

static int32_t
read_stale(struct cache *c, const char *key, hostd_buf item,
    struct hostd_err *err)
{
	static const struct {
		const char *word;
		unsigned flag;
	} words[] = {
		{ "error", STALE_ERROR }, { "timeout", STALE_TIMEOUT },
		{ "invalid_header", STALE_INVALID },
		{ "updating", STALE_UPDATING }, { "http_500", STALE_500 },
		{ "http_502", STALE_502 }, { "http_503", STALE_503 },
		{ "http_504", STALE_504 }, { "http_403", STALE_403 },
		{ "http_404", STALE_404 }, { "http_429", STALE_429 },
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(item.p, words[i].word) == 0) {
			c->use_stale |= words[i].flag;
			return HOSTD_OK;
		}
	return bad_item(err, key, item, "is none of error, timeout, "
	    "invalid_header, updating, http_500 to http_504, http_403, "
	    "http_404, http_429");
}

/* -- cache_purge_from -- */

static int
read_address(const char *text, struct in6_addr *out, unsigned *base)
{
	struct in_addr v4;

	*base = 0;
	if (inet_pton(AF_INET6, text, out) == 1)
		return 0;
	if (inet_pton(AF_INET, text, &v4) != 1)
		return -1;
	memset(out, 0, sizeof(*out));
	out->s6_addr[10] = out->s6_addr[11] = 0xff;
	memcpy(&out->s6_addr[12], &v4, sizeof(v4));
	*base = 96;
	return 0;
}

static int32_t
read_net(struct cache *c, const char *key, hostd_buf item,
    struct hostd_err *err)
{
	struct cache_net *net = &c->nets[c->nnets];
	const char *slash = strchr(item.p, '/');
	char text[64];
	unsigned base;
	int64_t bits;

	if (c->nnets == NETS_MAX)
		return bad_item(err, key, item, "is one too many");
	net->unix_socket = strcmp(item.p, "unix") == 0;
	c->nnets++;
	if (net->unix_socket)
		return HOSTD_OK;
	(void)snprintf(text, sizeof(text), "%.*s", slash == NULL ? 63 :
	    (int)(slash - (const char *)item.p), (const char *)item.p);
	if (read_address(text, &net->addr, &base) == -1)
		return bad_item(err, key, item,
		    "is no address, network or unix");
	bits = slash == NULL ? (int64_t)(128 - base) :
	    cache_seconds(slash + 1, strlen(slash + 1));
	if (bits < 0 || bits > 128 - base)
		return bad_item(err, key, item, "has no length of a network "
		    "behind its slash");
	net->bits = (unsigned)bits + base;
	return HOSTD_OK;
}

static int
net_has(const struct cache_net *net, const struct in6_addr *a)
{
	unsigned whole = net->bits / 8, rest = net->bits % 8;
	unsigned mask = 0xff00u >> rest & 0xff;

	return memcmp(net->addr.s6_addr, a->s6_addr, whole) == 0 &&
	    (rest == 0 || ((net->addr.s6_addr[whole] ^ a->s6_addr[whole]) &
	    mask) == 0);
}

int
purge_allows(const struct cache *c, hostd_buf peer)
{
	struct in6_addr a;
	char text[64];
	unsigned base;
	uint32_t i;
	int known;

	(void)snprintf(text, sizeof(text), "%.*s", (int)peer.n,
	    (const char *)peer.p);
	known = read_address(text, &a, &base) == 0;
	for (i = 0; i < c->nnets; i++)
		if (c->nets[i].unix_socket ? strcmp(text, "unix") == 0 :
		    known && net_has(&c->nets[i], &a))
			return 1;
	return 0;
}

/* -- all of it -- */

static int64_t
read_num(const struct hostd_conf *conf, const char *key)
{
	int64_t v = 0;

	(void)conf->get_int(conf, key, &v);
	return v;
}

static int32_t
open_store(struct cache *c, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	uint64_t size = (uint64_t)read_num(conf, "cache_size");
	hostd_buf dir = { NULL, 0 };

	(void)conf->get_str(conf, "cache_dir", &dir);
	if (read_num(conf, "cache") == 1)
		return memory_init(&c->memory, size) == 0 ? HOSTD_OK :
		    hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	if (dir.p == NULL)
		return hostd_fail(err, HOSTD_E_INVAL,
		    "cache = disk needs a cache_dir");
	return disk_open(&c->disk, dir.p, size, err);
}

int32_t
cache_read_conf(struct cache *c, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	int32_t rc;

	c->object_max = (uint64_t)read_num(conf, "cache_object_max");
	c->lock_ms = (uint64_t)read_num(conf, "cache_lock_timeout");
	if ((rc = read_list(c, conf, "cache_valid", read_rule, err)) !=
	    HOSTD_OK ||
	    (rc = read_list(c, conf, "cache_use_stale", read_stale, err)) !=
	    HOSTD_OK ||
	    (rc = read_list(c, conf, "cache_purge_from", read_net, err)) !=
	    HOSTD_OK)
		return rc;
	return open_store(c, conf, err);
}
