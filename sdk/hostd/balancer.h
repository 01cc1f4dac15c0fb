/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * balancer/1: a plugin that picks the server for a request or connection, and
 * hostd.balancer/1: the load of the servers, of the whole machine.
 *
 * A group is one `upstream` block.  The host keeps its servers, their health,
 * limits, slow start and retries; a balancer chooses.  It neither allocates nor
 * waits in pick and report: they run once per request.
 */
#ifndef HOSTD_BALANCER_H
#define HOSTD_BALANCER_H

#include <hostd/abi.h>
#include <hostd/http.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOSTD_KIND_BALANCER	"balancer/1"
#define HOSTD_EXT_BALANCER	"hostd.balancer/1"

#define HOSTD_BALANCER_ROOM	256u	/* bytes, for a key */

/* Flags of hostd_peer. */
#define HOSTD_PEER_BACKUP	0x1u	/* for when no other can serve */
#define HOSTD_PEER_DOWN		0x2u	/* not to be picked now: it has failed,
					   is marked down, or is a backup that
					   is not needed */
#define HOSTD_PEER_DRAINING	0x4u	/* only for keys that stick to it */

/* One server of a group. */
struct hostd_peer {
	uint32_t struct_size;
	uint32_t flags;		/* HOSTD_PEER_* */
	uint32_t id;		/* not 0; the same as long as the server is in
				   the group, in all workers and over reloads */
	uint32_t weight;	/* as configured, 1-65535 */
	uint32_t share;		/* of its weight that it takes now, in 1/256,
				   1-256: less than 256 during slow start */
	uint32_t max_conns;	/* 0: no limit */
	hostd_buf name;		/* as configured */
	hostd_buf addr;		/* "192.0.2.1:80", "[2001:db8::1]:80",
				   "unix:/path" */
};

/* The load of one server, of all workers.  A frozen value. */
typedef struct {
	uint32_t inflight;	/* requests and connections now */
	uint32_t fails;		/* in the present fail_timeout */
	uint64_t latency_us;	/* moving average of time to headers; 0: none */
} hostd_peer_load;

/* Flags of hostd_pick. */
#define HOSTD_PICK_RETRY	0x1u	/* another server has failed */
#define HOSTD_PICK_STREAM	0x2u	/* a TCP connection, not a request */

/* What is known when a server is wanted.  [call] */
struct hostd_pick {
	uint32_t struct_size;
	uint32_t flags;			/* HOSTD_PICK_* */
	const uint32_t *tried;		/* ids that have failed this request, or
					   are full: none of them may be
					   picked */
	uint32_t ntried;
	uint32_t reserved;
	uint64_t random;		/* a fresh random number */
	hostd_buf key;			/* from `key`; p NULL: none */
	hostd_buf client;		/* address, 4 or 16 bytes in network
					   order; empty: unix */
};

/* How it went.  [call] */
struct hostd_report {
	uint32_t struct_size;
	int32_t rc;		/* OK; E_IO: connect, read or write failed;
				   E_TIMEOUT; E_GONE: the client left; E_FULL:
				   another worker was faster, it was not
				   asked */
	int32_t status;		/* of the response; 0: none, or TCP */
	uint32_t reserved;
	uint64_t connect_us;	/* 0: a kept-alive connection */
	uint64_t header_us;	/* from sent request to response head; 0: none
				   came */
	uint64_t total_us;
};

/*
 * The plugin's table for "balancer/1".  All [loop].  d points to data_size
 * zeroed bytes of the host's, one block per group and worker, aligned for any
 * type, good until `close` returns.
 */
struct hostd_balancer_ops {
	uint32_t struct_size;
	uint32_t flags;			/* 0 */
	uint32_t data_size;		/* at most 65536 */
	uint32_t reserved;

	/*
	 * The servers of the group: before the first pick, and whenever one
	 * comes, goes or changes.  peers is NULL-ended, [call], ordered by
	 * name and address as configured, never longer than 1024, and empty
	 * while names are not known.  May allocate.  Negative: the old set
	 * stays in use, as far as its servers are still there.
	 */
	int32_t (*update)(struct hostd_inst *, void *d,
	    const struct hostd_peer *const *peers);
	/* Optional.  The group ends: free what d owns.  Not called when the
	 * first update failed. */
	void (*close)(struct hostd_inst *, void *d);

	/*
	 * Optional: the key that this request sticks to.  out may point into
	 * the request, or to room, which is HOSTD_BALANCER_ROOM bytes.
	 * HOSTD_OK, or HOSTD_PASS for no key.  Not called for TCP connections.
	 */
	int32_t (*key)(struct hostd_inst *, void *d,
	    const struct hostd_request *, char *room, hostd_buf *out);

	/*
	 * Choose: *id is one of the last update, neither down nor tried.
	 * HOSTD_OK; E_FULL: none can be picked.
	 */
	int32_t (*pick)(struct hostd_inst *, void *d, const struct hostd_pick *,
	    uint32_t *id);
	/* Optional.  Exactly once for each pick that returned OK, even when
	 * the server has left the group meanwhile. */
	void (*report)(struct hostd_inst *, void *d, uint32_t id,
	    const struct hostd_report *);

	/*
	 * Optional: a Set-Cookie value for the response of the server picked,
	 * in room, which is size bytes.  HOSTD_OK, or HOSTD_PASS when none is
	 * needed.
	 */
	int32_t (*cookie)(struct hostd_inst *, void *d, uint32_t id,
	    const struct hostd_pick *, char *room, size_t size, hostd_buf *out);

	/*
	 * Optional: the head of the response of the server picked, before
	 * `cookie`; for those that learn from it what sticks where.
	 */
	void (*answered)(struct hostd_inst *, void *d, uint32_t id,
	    const struct hostd_pick *, int32_t status, const hostd_hdr *hdrs,
	    uint32_t nhdrs);
};

/* The host's table.  Since minor 2, as the kind. */
struct hostd_balancer_api {
	uint32_t struct_size;
	uint32_t reserved;

	/*
	 * [loop] The load of n servers by id; out[i] is zero for an id that
	 * left.  group is the d of the callback.  Reads shared memory, no
	 * locks, allocates nothing.
	 * Errors: E_INVAL (group is none of this instance's), E_THREAD.
	 */
	int32_t (*load)(const struct hostd_host *, const void *group,
	    const uint32_t *ids, uint32_t n, hostd_peer_load *out);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_BALANCER_H */
