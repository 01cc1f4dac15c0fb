/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is in one session: a JSON object with what applications have put there
 * and the member "cookie", in which express-session keeps how long it lives.
 * Everything that is not changed here goes back to the store byte for byte.
 *
 * Reading a key gives what JSON.parse would: the last one of that name.  All
 * of them are kept until that key is written; then there is one, where the
 * first was.
 *
 * Codes are those of <hostd/abi.h>.  A struct content can be used again and
 * again; it keeps its memory.  Zeroed memory is an empty one.
 */
#ifndef SESSION_CONTENT_H
#define SESSION_CONTENT_H

#include <stdint.h>
#include <hostd/abi.h>
#include "base/buf.h"
#include "config/model.h"

#define CONTENT_KEY_MAX	255	/* bytes of a key that is set */
/* What "cookie" may come to have beyond the limit. */
#define CONTENT_SLACK	1024

struct content {
	struct buf text;	/* the document as it is now */
	size_t cookie_at, cookie_n;	/* its "cookie"; n 0: has to be looked
					   for */
	struct buf loaded;	/* as the store has it; empty: it has none */
	struct buf saving;	/* what the store was last given */
	struct buf keys;	/* of what was changed here: "length, bytes" */
	size_t nsaving;		/* bytes of these that saving has */
	enum {
		CONTENT_AGE_KEPT, CONTENT_AGE_SET, CONTENT_AGE_SAVING
	} age;			/* originalMaxAge */
	struct buf spare;	/* the next text is made here */
	size_t max;		/* bytes that text may have when a key is set */
	int is_new;		/* has not come from the store */
};

/* A new session: nothing but "cookie", as express-session writes it.
 * is_secure: for secure = auto. */
void	content_start(struct content *, const struct conf_session *,
	    int64_t now_ms, int is_secure);
/*
 * One from the store.  E_INVAL: no JSON object, or nested too deeply; E_FULL:
 * longer than the limit.  Nothing is taken then.  One without an object
 * "cookie" gets that of a new one, or Node could not read it.  Whether "cookie"
 * says that it has expired does not matter: the store knows.
 */
int32_t	content_load(struct content *, const struct conf_session *,
	    hostd_buf text, int64_t now_ms, int is_secure);
/* The same content for a new id: of that, the store has nothing. */
void	content_renew(struct content *, const struct conf_session *,
	    int64_t now_ms, int is_secure);
void	content_free(struct content *);

/* The value of a key, "cookie" too; good until the next change.  E_INVAL:
 * there is none. */
int32_t	content_get(const struct content *, hostd_buf key, hostd_buf *value);
/*
 * E_INVAL: value is no JSON, or key is empty, too long, not UTF-8, or
 * "cookie"; E_FULL: the document would be over its limit.  Nothing is changed
 * then.  Node does not take keys that its own sessions have ("id", "req",
 * "save", "touch", "reload", "destroy", "regenerate", "toString" ...).
 */
int32_t	content_set(struct content *, hostd_buf key, hostd_buf value);
/* No such key: OK. */
int32_t	content_del(struct content *, hostd_buf key);
/* Append all keys but "cookie", as a JSON array, in their order. */
void	content_keys(const struct content *, struct buf *);

/* Does anything but "cookie" differ from what was loaded, or, of a new one,
 * from nothing? */
int	content_is_changed(const struct content *);

/*
 * Make expires now + originalMaxAge, or null, as Node does before each save and
 * touch; nothing else of "cookie" changes.  Returns when that is, in ms since
 * 1970, or -1: not.
 */
int64_t	content_extend(struct content *, int64_t now_ms);
/* Make originalMaxAge that, 0: null.  It is a change. */
void	content_set_max_age(struct content *, int64_t ms);
/* How long the store is to keep it, in ms: originalMaxAge, and where that is
 * null the configured ttl.  0 or less: it is over, delete it. */
int64_t	content_ttl(const struct content *, const struct conf_session *);

/*
 * For compare and set: somebody has stored newer meanwhile.  What was changed
 * here is changed there, and that is the document now, loaded being newer;
 * "cookie" is newer's.  Keys that both have changed become what they are here.
 * E_INVAL: newer is no JSON object, or nested too deeply; E_FULL: it, or
 * both together, are over the limit.  Nothing is changed then.
 */
int32_t	content_merge(struct content *, hostd_buf newer);
/*
 * The store is given text; it may be changed meanwhile.  content_saved: it has
 * that now, and only what was changed since is a change.  A merge, or another
 * content_saving, takes the place of one that has failed.
 */
void	content_saving(struct content *);
void	content_saved(struct content *);

#endif
