/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hostd plugin ABI: the core that every plugin and every host share.
 *
 * A plugin is a shared object that exports one data symbol, HOSTD_ENTRY, of
 * type `const struct hostd_plugin`.  The host reads its 16-byte prefix before
 * it runs any code of the plugin, and refuses with a reason what it cannot
 * serve.
 *
 * Rules that hold for everything that crosses this line
 *
 *   Growth     Every struct starts with struct_size (the entry has it at the
 *              end of its prefix), set by whoever fills the struct in.  Fields
 *              are only ever appended.  An absent, zero or NULL field means
 *              "as before".  Unknown flag bits are refused.
 *   Values     hostd_buf, hostd_hdr and the handle types are frozen.
 *   Lists      are NULL-ended arrays of pointers.
 *   Types      fixed-width integers, size_t and pointers; never enum,
 *              bitfield, long, time_t, va_list, FILE or errno.
 *   Extensions everything beyond this header is asked for by string id,
 *              "hostd.<name>/<revision>"; other vendors use reverse DNS.
 *
 * Tags used in the comments of all SDK headers
 *
 *   [loop]     call it, or expect to be called, on the worker's loop thread
 *   [any]      any thread
 *   [work]     a pool thread, from hostd.work/1
 *   [call]     a pointer that is good until the callback returns in which it
 *              was got, or the call to which it was given
 *   [request]  good until on_end of that request returns
 *   [instance] good until destroy of that instance returns
 *
 * Re-entrancy: no function of the host calls back into a plugin before it
 * returns.  Answers, releases and closes that happen at once are delivered
 * later in the same turn of the loop.
 *
 * Memory: neither side frees what the other allocated.
 */
#ifndef HOSTD_ABI_H
#define HOSTD_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOSTD_MAGIC	0x48534431u	/* "HSD1"; frozen for ever */
#define HOSTD_ABI_MAJOR	1u
#define HOSTD_ABI_MINOR	5u		/* +1 whenever any table grows */
#define HOSTD_ENTRY	"hostd_plugin_v1"
#define HOSTD_SDK_VERSION "0.1.0"

/*
 * Does the table at p reach as far as pointer member m, and is it set?
 * Ask before using a member newer than the minor you declared as needed.
 */
#define HOSTD_HAS(p, m) ((size_t)(p)->struct_size >=			\
	(size_t)((const char *)&(p)->m - (const char *)(p)) +		\
	sizeof((p)->m) && (p)->m != NULL)

/*
 * Status codes.  0 and above: it worked, and how.  Below 0: it did not.
 * New negative codes may appear; treat an unknown one as HOSTD_E_IO.
 */
enum {
	HOSTD_OK = 0,
	HOSTD_AGAIN = 1,	/* taken, but wait for on_writable */
	HOSTD_DEFER = 2,	/* the answer will come later */
	HOSTD_PASS = 3,		/* not mine: ask the next route */
	HOSTD_E_INVAL = -1,	/* an argument is wrong */
	HOSTD_E_NOMEM = -2,
	HOSTD_E_GONE = -3,	/* the handle is stale: its object has ended */
	HOSTD_E_FULL = -4,	/* not taken: a limit is reached */
	HOSTD_E_NOTSUP = -5,
	HOSTD_E_TIMEOUT = -6,
	HOSTD_E_IO = -7,
	HOSTD_E_THREAD = -8,	/* called on the wrong thread */
	HOSTD_E_STATE = -9	/* not now: too early, too late, or twice */
};

/*
 * Handles name host objects.  They are values: copy them, compare their id,
 * keep them as long as you like.  A handle whose object has ended is stale,
 * and every call with it answers HOSTD_E_GONE.  id 0 never names an object.
 */
typedef struct {
	uint64_t id;
} hostd_req;
typedef struct {
	uint64_t id;
} hostd_ws;
typedef struct {
	uint64_t id;
} hostd_timer;
typedef struct {
	uint64_t id;
} hostd_op;

/* n bytes at p, not NUL-ended unless said so.  [call] unless tagged. */
typedef struct {
	const void *p;
	size_t n;
} hostd_buf;

typedef struct {
	hostd_buf name, value;
} hostd_hdr;

/* The plugin's own per-instance state; the host never looks inside. */
struct hostd_inst;

/*
 * Filled by create when it fails; the text is shown to the operator with the
 * configuration file and line of the plugin.  msg is NUL-ended.
 */
struct hostd_err {
	uint32_t struct_size;
	int32_t code;
	char msg[240];
};

/* Log levels. */
enum {
	HOSTD_LOG_DEBUG = 0,
	HOSTD_LOG_INFO = 1,
	HOSTD_LOG_WARN = 2,
	HOSTD_LOG_ERROR = 3,
	HOSTD_LOG_HOST_BUG = 4	/* "the host broke a promise of the SDK" */
};

/*
 * What the host gives to one instance of a plugin.  [instance]
 */
struct hostd_host {
	uint32_t struct_size;
	uint32_t abi_minor;	/* the host's HOSTD_ABI_MINOR */
	void *ctx;		/* the host's own */

	/*
	 * [loop] A service table by id ("hostd.http/1"), or NULL when this
	 * host does not serve it.  The table is [instance]; cast it to the
	 * struct that the id's header names.  May be called from create on.
	 */
	const void *(*get_ext)(const struct hostd_host *, const char *id);

	/*
	 * [any] Write one line of n bytes to the error log.  The host adds
	 * time, worker, generation and the instance's name; control bytes are
	 * escaped; text beyond 2048 bytes is cut.
	 */
	void (*log)(const struct hostd_host *, int32_t level, const char *text,
	    size_t n);

	/*
	 * [any] Milliseconds of a clock that never goes backwards.  On the loop
	 * thread it stands still during one turn of the loop.
	 */
	uint64_t (*now_ms)(const struct hostd_host *);

	/*
	 * [any] Run fn(inst, arg) on the loop, after the present turn.  Calls
	 * from one thread keep their order.  What is still queued when the
	 * instance is destroyed is not run.
	 * Errors: E_INVAL (fn NULL), E_STATE (the instance is being destroyed).
	 */
	int32_t (*post)(const struct hostd_host *,
	    void (*fn)(struct hostd_inst *inst, void *arg), void *arg);
};

/*
 * Configuration values of one instance: parsed, defaulted and checked against
 * the plugin's `keys`, and frozen as long as the instance lives.
 *
 * All [loop].  Errors: E_INVAL for a key that was not declared or is of
 * another type.  Texts are NUL-ended (n does not count the NUL) and
 * [instance].
 */
struct hostd_conf {
	uint32_t struct_size;
	uint32_t reserved;
	void *ctx;		/* the host's own */

	/* INT, BOOL (0, 1), DURATION (milliseconds), SIZE (bytes), ENUM (index
	 * into choices). */
	int32_t (*get_int)(const struct hostd_conf *, const char *key,
	    int64_t *out);
	/* STRING, PATH, ENUM (the word), SECRET.  Unset and without a default:
	 * out->p is NULL. */
	int32_t (*get_str)(const struct hostd_conf *, const char *key,
	    hostd_buf *out);
	/* LIST: how many items. */
	int32_t (*get_count)(const struct hostd_conf *, const char *key,
	    uint32_t *out);
	/* LIST: item i, counted from 0.  E_INVAL past the end. */
	int32_t (*get_item)(const struct hostd_conf *, const char *key,
	    uint32_t i, hostd_buf *out);
	/* BLOCK: how many there are.  Since 1.5. */
	int32_t (*get_blocks)(const struct hostd_conf *, const char *key,
	    uint32_t *out);
	/* BLOCK: number i of the file, counted from 0: its title, whose p is
	 * NULL when it has none, and what is in it, [instance].  E_INVAL past
	 * the end.  Since 1.5. */
	int32_t (*get_block)(const struct hostd_conf *, const char *key,
	    uint32_t i, hostd_buf *title, const struct hostd_conf **out);
	/* Where this block begins, for messages: a file's name and a line.
	 * Since 1.5. */
	int32_t (*get_place)(const struct hostd_conf *, hostd_buf *file,
	    uint32_t *line);
};

/* Types of a key. */
enum {
	HOSTD_KEY_INT = 1,
	HOSTD_KEY_BOOL = 2,
	HOSTD_KEY_DURATION = 3,	/* "250ms", "30s", "5m", "1h", "1d"; a bare
				   number is seconds */
	HOSTD_KEY_SIZE = 4,	/* "512", "16k", "1m", "2g" */
	HOSTD_KEY_STRING = 5,
	HOSTD_KEY_ENUM = 6,
	HOSTD_KEY_LIST = 7,	/* of strings */
	HOSTD_KEY_SECRET = 8,	/* a string that is never shown or logged */
	HOSTD_KEY_PATH = 9,	/* a string; the plugin gets a relative one
				   below the directory of hostd.conf, and one
				   that begins with "$state/" below a directory
				   that is the instance's own, may be written
				   by workers, and outlives them (since 1.3) */
	HOSTD_KEY_BLOCK = 10	/* any number of blocks with keys of their own,
				   name "title" { ... }: a struct
				   hostd_key_block (since 1.5) */
};

/* Flags of a key. */
#define HOSTD_KEY_REQUIRED 0x1u	/* refuse a configuration without it; BLOCK:
				   without a block of that name */
/* PATH, for sandbox = on (hostd.conf(5)): what is there is read, unless one of
 * these says more.  Since 1.4. */
#define HOSTD_KEY_WRITE	0x2u	/* a file that is written, and others beside it
				   in its directory; or a directory */
#define HOSTD_KEY_DIR	0x4u	/* with WRITE: a directory, which is made if it
				   is not there, and what is in it */

/*
 * One key of the plugin's block in the configuration.  The host checks values
 * against it and `hostctl plugin schema` prints it.
 */
struct hostd_key {
	uint32_t struct_size, type, flags;
	const char *name;	/* [a-z0-9_]+, not "module", "pool" */
	const char *dflt;	/* as one would write it in the file; lists:
				   items separated by commas; NULL: none */
	const char *help;	/* one sentence */
	int64_t min, max;	/* INT, DURATION (ms), SIZE (bytes), inclusive;
				   both 0: no bound.  STRING, PATH, SECRET,
				   LIST: length.  BLOCK: length of the title;
				   both 0: blocks have none */
	const char *const *choices; /* ENUM: NULL-ended */
};

/*
 * BLOCK: what is in such a block, blocks too, 4 deep at most.  Since 1.5.
 */
struct hostd_key_block {
	struct hostd_key key;	/* its struct_size is that of all of this */
	const struct hostd_key *const *keys;	/* NULL-ended */
};

struct hostd_cmd;		/* <hostd/cmd.h> */

/*
 * One thing a plugin provides.  An instance may provide several, of different
 * kinds.
 */
struct hostd_provide {
	uint32_t struct_size;
	uint32_t reserved;
	const char *kind;	/* "http_route/1", ... */
	const char *name;	/* what logs and inspect call it; NULL: the
				   plugin's id */
	const void *ops;	/* the kind's table, in the plugin */
	const char *route;	/* routes kinds only: pattern to serve when the
				   .so is dropped in without configuration;
				   NULL: "/<file name without .so>" */
};

/*
 * The plugin.  The one exported symbol, HOSTD_ENTRY.
 *
 * Life of an instance, all [loop], after the worker has dropped privileges:
 * create -> start -> served -> drain -> destroy.  It lives in the workers of
 * the pools that its routes are of, and in all when it has none.
 */
struct hostd_plugin {
	uint32_t magic;			/* HOSTD_MAGIC */
	uint32_t abi_major;		/* HOSTD_ABI_MAJOR */
	uint32_t abi_minor_needed;	/* the least minor it cannot do without;
					   mostly 0.  Flag bits and key types
					   of a later minor need that minor:
					   unknown ones are refused */
	uint32_t struct_size;		/* end of the frozen prefix */

	const char *id;			/* [a-z0-9_]+ */
	const char *version;		/* the plugin's own */
	const char *built_with;		/* HOSTD_SDK_VERSION */
	const struct hostd_provide *const *provides;
	const struct hostd_key *const *keys;	/* NULL: none */
	const struct hostd_cmd *const *cmds;	/* for hostctl plugin call;
					   NULL: none */

	/*
	 * Make an instance.  host is [instance], conf is [call] (its texts are
	 * [instance]).  One .so may be asked for several instances, so there
	 * must be no mutable globals.  On failure return a negative code,
	 * fill err, leave nothing behind; destroy is not called.  Do not block:
	 * the host gives up after its probe time limit.
	 */
	int32_t (*create)(const struct hostd_host *host,
	    const struct hostd_conf *conf, struct hostd_inst **out,
	    struct hostd_err *err);
	/* Optional.  The loop runs, no traffic yet.  A negative code refuses
	 * the worker. */
	int32_t (*start)(struct hostd_inst *);
	/* Optional.  No new requests will come; those in progress have
	 * deadline_ms to end. */
	void (*drain)(struct hostd_inst *, uint32_t deadline_ms);
	/* Optional.  Nothing of this instance is called afterwards: its
	 * timers, posts and requests have ended. */
	void (*destroy)(struct hostd_inst *);
	/* Optional.  Extensions of the plugin by id, e.g. "hostd.p.state/1";
	 * NULL for an unknown one.  Called when the plugin is loaded, before
	 * any create; what it returns is constant. */
	const void *(*get_ext)(const char *id);
};

/* The entry is exported whatever -fvisibility says. */
#if defined(__GNUC__)
#define HOSTD_EXPORT __attribute__((visibility("default")))
#else
#define HOSTD_EXPORT
#endif

/*
 * Starts the definition of the entry:
 *
 *	HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), "my_plugin", "1.0", ... };
 */
#ifdef __cplusplus
#define HOSTD_PLUGIN_ENTRY						\
	extern "C" HOSTD_EXPORT const struct hostd_plugin hostd_plugin_v1; \
	const struct hostd_plugin hostd_plugin_v1
#else
#define HOSTD_PLUGIN_ENTRY						\
	extern HOSTD_EXPORT const struct hostd_plugin hostd_plugin_v1;	\
	const struct hostd_plugin hostd_plugin_v1
#endif

/* The frozen prefix; minor is the least host minor the plugin needs. */
#define HOSTD_PREFIX(minor)						\
	HOSTD_MAGIC, HOSTD_ABI_MAJOR, (minor),				\
	(uint32_t)sizeof(struct hostd_plugin)

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_ABI_H */
