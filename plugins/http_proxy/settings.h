/* SPDX-License-Identifier: BSD-2-Clause */
/* What the operator says of one instance. */
#ifndef HTTP_PROXY_SETTINGS_H
#define HTTP_PROXY_SETTINGS_H

#include "cookie.h"
#include "rules.h"
#include "spool.h"

/* Headers that tell of the client. */
enum told {
	TOLD_OFF,		/* removed */
	TOLD_PASS,		/* as it came */
	TOLD_KEEP,		/* as it came, or else ours */
	TOLD_SET,		/* ours */
	TOLD_APPEND		/* ours behind what came */
};

enum naming { IDS_OFF, IDS_NEW, IDS_PASS };

struct settings {
	const char *upstream;		/* NULL: routes name theirs */
	uint32_t next, tries;		/* HOSTD_NEXT_* */
	uint32_t next_timeout, connect_timeout, send_timeout, read_timeout;
	uint32_t timeout, tunnel_timeout, retry_after;	/* ms; s */
	uint64_t max_response;
	int request_buffering, buffering, ignore_abort;
	struct spool_limits spool;
	/* upgrades */
	hostd_buf *upgrades;
	uint32_t nupgrades;
	/* to servers */
	struct template host;		/* empty: the group's name */
	enum told forwarded_for, forwarded_proto, forwarded_host, real_ip;
	enum told forwarded;
	enum naming request_id;
	hostd_buf via;			/* n 0: none */
	int underscores;
	struct rules set, remove;
	hostd_buf rewrite;		/* p NULL: the path as it came */
	/* to clients */
	struct rules add, hide;
	int redirect;			/* by the rewrite and the server */
	struct pairs redirects, cookie_paths, cookie_domains;
	int intercept_errors;
	/* the cache's, as far as it is not its own business */
	struct template cache_key;
	struct template *bypass;
	uint32_t nbypass;
	int cache_status;
	/* gzip */
	int gzip, gzip_level;
	uint64_t gzip_min;
	hostd_buf *gzip_types;
	uint32_t ngzip_types;
};

extern const struct hostd_key *const settings_keys[];

/* HOSTD_OK, or a negative code with err filled; settings_free either way. */
int32_t	settings_read(struct settings *, const struct hostd_conf *,
	    struct hostd_err *);
void	settings_free(struct settings *);

#endif
