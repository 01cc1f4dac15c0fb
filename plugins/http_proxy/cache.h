/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The response cache (RFC 9111, a shared one).
 *
 * One request, as the rest of the plugin sees it
 *
 *   cache_ask    when the head is there, before anything is sent.  Its verdict
 *                says what to do; after CACHE_WAIT it comes by `ready`.
 *   CACHE_OFF    ask a server and pass its answer on.  Show the answer's head
 *                to cache_head all the same.
 *   CACHE_FETCH  the same, but ask for the whole thing: with GET, without the
 *                client's headers that cache_drops names, with those of
 *                use->ask added.  Then cache_head, cache_body for each part of
 *                the body before it goes to the client, and cache_done; or
 *                cache_failed when there is no answer.
 *   CACHE_HIT    begin use->answer, with use->add behind its headers, and call
 *                cache_send, which also finishes it.  With use->refresh make
 *                the request to a server as for CACHE_FETCH, too, and give it
 *                to cache_refresh, which starts it.
 *
 * A client's HEAD is made of the answer to GET: begin and send as for GET, the
 * host leaves the body out.
 *
 * cache_writable and cache_end belong into on_writable and on_end of every
 * request that was asked for; a zeroed struct cache_use is one that was not.
 */
#ifndef HTTP_PROXY_CACHE_H
#define HTTP_PROXY_CACHE_H

#include <hostd/easy.h>
#include <hostd/fetch.h>
#include <sys/queue.h>

struct cache;
struct cache_flight;
struct cache_object;
struct cache_writer;

enum cache_verdict {
	CACHE_OFF,
	CACHE_FETCH,
	CACHE_HIT,
	CACHE_WAIT,
	CACHE_ANSWERED		/* a PURGE: all is done, or will be */
};

/* For $cache_status and X-Cache-Status: cache_status_text. */
enum cache_status {
	CACHE_NONE,		/* no business of the cache's */
	CACHE_IS_MISS,
	CACHE_IS_BYPASS,
	CACHE_IS_EXPIRED,	/* was there, too old, and came anew */
	CACHE_IS_STALE,		/* too old, for want of a better one */
	CACHE_IS_UPDATING,	/* too old, while another comes */
	CACHE_IS_REVALIDATED,	/* too old, but the server says it is good */
	CACHE_IS_HIT
};

/* What one request has to do with the cache; in its data. */
struct cache_use {
	/* for the plugin to read */
	enum cache_status status;
	int refresh;			/* see CACHE_HIT */
	struct hostd_fetch_response answer;	/* CACHE_HIT; no server */
	hostd_hdr add[2];		/* for the client: Age, Content-Range */
	uint32_t nadd;
	hostd_hdr ask[2];		/* for the server: validators */
	uint32_t nask;
	/* the cache's own */
	struct cache *cache;		/* NULL: not asked */
	TAILQ_ENTRY(cache_use) entry;	/* who waits for a flight */
	struct cache_flight *flight;	/* which we lead, or wait for */
	struct cache_object *object;	/* being sent, or too old */
	struct cache_writer *writer;	/* what is being stored */
	char *key;			/* of the entry, kept over a wait */
	size_t nkey;
	hostd_req req;
	uint64_t from, len;		/* of the body, what is to be sent */
	uint64_t until_ms;		/* waits no longer */
	unsigned flags;			/* cache_use.c */
	char age[24], range[64];
};

/* What cache_ask wants to know; all [call]. */
struct cache_asked {
	hostd_req req;
	const struct hostd_request *request;
	hostd_buf key;			/* cache_key, expanded */
	int bypass;			/* cache_bypass says so */
	int authorized;			/* the host knows whose it is, by a
					   token in a cookie, say: as with
					   Authorization */
	int apart;			/* the server sees less of it than is
					   here: what it says is not what
					   another one is to have */
};

/*
 * Rows for hostd_plugin.keys.  The plugin itself reads cache_key (a template)
 * and cache_bypass (a list of them), whatever else there is cache_create does.
 */
extern const struct hostd_key cache_key_rows[];
#define CACHE_KEYS							\
	&cache_key_rows[0], &cache_key_rows[1], &cache_key_rows[2],	\
	&cache_key_rows[3], &cache_key_rows[4], &cache_key_rows[5],	\
	&cache_key_rows[6], &cache_key_rows[7], &cache_key_rows[8],	\
	&cache_key_rows[9], &cache_key_rows[10]
#define CACHE_NKEYS 11

/*
 * *out is NULL with `cache = off`.  ready is called for a request that waited,
 * never from within a function below that has it as an argument.  HOSTD_OK, or
 * a negative code with err filled.
 */
int32_t	cache_create(struct hostd_inst *, const struct hostd_easy *,
	    const struct hostd_conf *, void (*ready)(struct hostd_inst *,
	    struct cache_use *, enum cache_verdict), struct cache **out,
	    struct hostd_err *);
/* is_ours: is what the server gets under that name not what the client has
 * sent?  An answer that varies with it is not kept. */
void	cache_ours(struct cache *, int (*is_ours)(const struct hostd_inst *,
	    hostd_buf name));
/* For the plugin's start; HOSTD_OK or a negative code. */
int32_t	cache_start(struct cache *);
/* NULL is none. */
void	cache_destroy(struct cache *);

enum cache_verdict cache_ask(struct cache *, struct cache_use *,
	    const struct cache_asked *);
/* Must a client's header of that name not go to the server? */
int	cache_drops(hostd_buf name);
/*
 * A server's head, as it came.  CACHE_OFF: pass it on, and the body.
 * CACHE_HIT: do not, nor the body; cancel it if you like, then do as above.
 */
enum cache_verdict cache_head(struct cache_use *,
	    const struct hostd_fetch_response *);
void	cache_body(struct cache_use *, hostd_buf part);
/* The body is complete. */
void	cache_done(struct cache_use *);
/* There is no answer, and this is why.  CACHE_HIT, or CACHE_OFF: say so. */
enum cache_verdict cache_failed(struct cache_use *, int32_t status);

/* The body of use->answer from byte `at` on, at most n bytes, which may be in
 * buf.  p NULL: it can't be read. */
hostd_buf cache_read(const struct cache_use *, uint64_t at, char *buf,
	    size_t n);
/* The body of use->answer.  A code of write's. */
int32_t	cache_send(struct cache_use *);
void	cache_writable(struct cache_use *);
/* Ask for it anew, in nobody's name. */
void	cache_refresh(struct cache_use *, const struct hostd_fetch_request *);
void	cache_end(struct cache_use *);

/* -- commands: what hostd_cmd.run returns -- */

/* Of keys, of all that begin like one that ends with *, and of "all". */
int32_t	cache_purge(struct cache *, uint32_t n, const hostd_buf *keys,
	    hostd_op);
/* What there is, and what it was good for. */
int32_t	cache_stats(struct cache *, hostd_op);

/* "HIT", ... or "" for CACHE_NONE. */
const char *cache_status_text(enum cache_status);

#endif
