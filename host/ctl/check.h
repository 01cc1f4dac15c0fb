/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The runner of `hostctl plugin check`: every case runs in a child of its own,
 * with a time limit, against the fake host (fake.h).
 */
#ifndef CTL_CHECK_H
#define CTL_CHECK_H

#include <stddef.h>
#include <stdint.h>
#include <jansson.h>

/* Kinds that are checked. */
#define CHECK_HTTP	0x1u
#define CHECK_WS	0x2u
#define CHECK_BACKEND	0x4u
#define CHECK_BALANCER	0x8u
#define CHECK_STORE	0x10u
#define CHECK_STATELESS	0x20u	/* beside the one above */
#define CHECK_SIO	0x40u
/* Extensions. */
#define CHECK_STATE	0x1u
#define CHECK_WS_STATE	0x2u
#define CHECK_COMMANDS	0x4u	/* which are not one, but as optional */

struct fake_set {		/* --set key=value */
	const char *key, *value;
};

struct check {
	const char *path;	/* the .so */
	const char *target;	/* path to ask for; NULL: from its route */
	const struct fake_set *sets;	/* ends with key NULL */
	const char *const *words;	/* what clients of WebSockets say; ends
					   with NULL */
	const char *protocols;	/* subprotocols that they offer */
	unsigned seconds;	/* of work, for one case */
	int verbose, strict;
	unsigned kinds;		/* CHECK_*: what it provides */
	unsigned exts;		/* the same of extensions */
	unsigned minor;		/* that it needs */
	int lacks;		/* it can't be created without another plugin */
	json_t *results;	/* array; NULL: print lines */
	unsigned passed, failed, skipped;
};

enum check_outcome {
	CHECK_PASS,
	CHECK_FAIL,
	CHECK_SKIP,		/* the case does not apply */
	CHECK_TRAP		/* a member behind a table's end was called */
};

#define CHECK_MAX_IDS 24

/* What a child tells its parent; shared memory. */
struct check_report {
	int outcome;
	char text[400];		/* why it failed or was skipped */
	char note[400];		/* a remark */
	char where[240];	/* what was being done */
	char trap[80];		/* the member called */
	char ids[CHECK_MAX_IDS][64];	/* extensions that were asked for */
	uint32_t nids;
	uint64_t value[3];	/* the case's own */
};

typedef void (*check_fn)(const struct check *, const void *arg);

/*
 * Parent: run fn in a child.  Returns its outcome; the report stays good until
 * the next run.
 */
int	check_run(const struct check *, check_fn, const void *arg);
const struct check_report *check_last(void);

/* Parent: one line of the result. */
void	check_result(struct check *, const char *test, int outcome,
	    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* check_run, then check_result. */
void	check_simple(struct check *, const char *test, check_fn,
	    const void *arg);
/* The same for states that are broken in many ways: arg is an unsigned, from 0
 * on, until there are no more (check_skip); value[0] tells of those taken. */
void	check_each(struct check *, const char *test, check_fn);

/* Child: say what is being done now. */
void	check_where(const char *fmt, ...)
	    __attribute__((format(printf, 1, 2)));
void	check_note(const char *fmt, ...)
	    __attribute__((format(printf, 1, 2)));
/* Child: end the case. */
void	check_fail(const char *fmt, ...)
	    __attribute__((format(printf, 1, 2), noreturn));
void	check_skip(const char *fmt, ...)
	    __attribute__((format(printf, 1, 2), noreturn));
void	check_trap(const char *member) __attribute__((noreturn));
/* Child: the report, to be filled. */
struct check_report *check_report(void);

/* The tests, by file. */
void	check_tables(struct check *);		/* check_tables.c */
void	check_life(struct check *);		/* check_life.c */
void	check_requests(struct check *);		/* check_requests.c */
void	check_faults(struct check *);		/* check_faults.c */
void	check_sockets(struct check *);		/* check_sockets.c */
void	check_closes(struct check *);		/* check_closes.c */
void	check_channels(struct check *);		/* check_channels.c */
void	check_backend(struct check *);		/* check_backend.c */
void	check_balancer(struct check *);		/* check_balancer.c */
void	check_sessions(struct check *);		/* check_sessions.c */
void	check_store(struct check *);		/* check_store.c */
void	check_sio(struct check *);		/* check_sio.c */
void	check_state(struct check *);		/* check_state.c */
void	check_moves(struct check *);		/* check_moves.c */
void	check_commands(struct check *);		/* check_commands.c */

#endif
