/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostd.health/1: what plugins depend on, and how the node is as a whole.
 *
 * A plugin that can't do its work without something else, such as a Redis,
 * declares that in create, and says how it is whenever it finds out.  What the
 * workers say is put together: it is down when one that serves says so.
 * Upstreams whose servers are checked are dependencies by themselves.
 *
 * http_health answers probes with it, and http_metrics tells it.
 */
#ifndef HOSTD_HEALTH_H
#define HOSTD_HEALTH_H

#include <hostd/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOSTD_EXT_HEALTH "hostd.health/1"

/* How a dependency is. */
enum {
	HOSTD_HEALTH_UNKNOWN = 0,	/* nothing was said yet */
	HOSTD_HEALTH_UP = 1,
	HOSTD_HEALTH_DOWN = 2,
	HOSTD_HEALTH_UNUSED = 3		/* it is not needed after all */
};

/* Without it the node is not ready, unless whoever is asked is configured
 * otherwise.  Think twice: all nodes that share it are unready at once. */
#define HOSTD_DEPENDENCY_REQUIRED 0x1u

struct hostd_dependency {
	uint32_t struct_size;
	uint32_t flags;		/* HOSTD_DEPENDENCY_* */
	const char *name;	/* what it is: "redis"; 1 to 31 of [a-z0-9_] */
};

/* One as the node sees it. */
struct hostd_dependency_state {
	uint32_t struct_size;
	uint32_t flags;		/* HOSTD_DEPENDENCY_* */
	uint32_t state;		/* HOSTD_HEALTH_*; not UNUSED */
	uint32_t reserved;
	uint64_t since_ms;	/* unix time of the last change; 0: none */
	hostd_buf name;		/* "redis", "upstream" */
	hostd_buf instance;	/* whose: the plugin's block, or the
				   upstream's name */
	hostd_buf detail;	/* a few words for people; n 0: none */
};

/* The node wants clients: it is neither drained nor stopping. */
#define HOSTD_NODE_READY	0x1u
/* All workers of all pools have been ready once. */
#define HOSTD_NODE_STARTED	0x2u
/* No pool has only workers whose event loops stand still. */
#define HOSTD_NODE_ALIVE	0x4u

struct hostd_node_health {
	uint32_t struct_size;
	uint32_t flags;		/* HOSTD_NODE_* */
	uint32_t generation;
	uint32_t workers;	/* that are ready */
	uint32_t ndependencies;
	uint32_t reserved;
};

struct hostd_health_api {
	uint32_t struct_size;
	uint32_t reserved;

	/*
	 * [loop] In create only: the instance depends on that.  *id is for set.
	 * Errors: E_INVAL (a bad name or flag; the same name again), E_STATE
	 * (not in create), E_FULL, E_THREAD.
	 */
	int32_t (*declare)(const struct hostd_host *,
	    const struct hostd_dependency *, uint32_t *id);

	/*
	 * [loop] How it is now, HOSTD_HEALTH_*; detail, a few words for people,
	 * may be empty, and 127 bytes of it are kept.  It is shown to whoever
	 * may ask for the node's health: no secrets.
	 * Errors: E_INVAL, E_THREAD.
	 */
	int32_t (*set)(const struct hostd_host *, uint32_t id, uint32_t state,
	    hostd_buf detail);

	/* [loop] The node, of this moment.  Good until the next call of any
	 * instance; NULL: not on the loop's thread. */
	const struct hostd_node_health *(*node)(const struct hostd_host *);

	/* [loop] The i-th dependency of the last node, and good as long as
	 * that; NULL past the last one. */
	const struct hostd_dependency_state *(*dependency)(
	    const struct hostd_host *, uint32_t i);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_HEALTH_H */
