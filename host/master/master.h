/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The master: binds, starts, supervises, answers hostctl.  It never loads a
 * plugin and never touches a client's bytes.
 */
#ifndef MASTER_MASTER_H
#define MASTER_MASTER_H

#include <uv.h>
#include "base/board.h"
#include "master/call.h"
#include "master/child.h"
#include "master/events.h"
#include "master/generation.h"
#include "master/slot.h"
#include "master/upkeep.h"
#include "master/upstreams.h"
#include "net/tls_tickets.h"

struct control;
struct rollout;
struct upgrade;
struct watch;

#define MASTER_SIGNALS 6

/* What is here goes on over an upgrade: master_save.c. */
struct master {
	uv_loop_t loop;
	char **argv;		/* ours */
	char *conf_file;
	char *exe;		/* absolute path of hostd */
	int parent;		/* --daemon: tell it how the start went; or
				   -1 */
	char *run_dir, *pid_file, *error_log;
	int lock;		/* of run_dir */
	struct board board;
	struct up_table servers;
	struct limit_table limits;
	struct upstreams_upkeep upstreams;
	struct tls_tickets tickets;
	int servers_are_new;	/* made at an upgrade, and empty */
	int limits_are_new;	/* the same */
	struct children children;
	struct pools pools;
	struct generations generations;
	struct generation *gen;		/* serving; NULL: none yet */
	uint32_t last_generation;
	struct rollout *rollout;	/* NULL: none under way */
	uint64_t rollouts;		/* how many there have been */
	int reload_again;		/* SIGHUP came during one */
	char *verdict;			/* on the present generation: it is to
					   be taken back when nothing is in the
					   way.  NULL: none */
	struct {			/* the last generation taken back */
		uint32_t from, to;	/* 0: none since the last reload */
		uint64_t at_ms;		/* unix time */
		char *why;
	} mishap;
	struct upgrade *upgrade;	/* NULL: none under way */
	struct control *control;
	struct events events;
	struct calls calls;	/* not over an upgrade */
	LIST_HEAD(, asked) asked;	/* likewise, of workers */
	struct upkeep upkeep;
	struct watch *watch;		/* NULL: files may change */
	uv_signal_t signals[MASTER_SIGNALS];
	uv_timer_t delay;	/* drain_delay */
	int stopping;
	int status;		/* to exit with */
};

/* Runs until it is told to stop; returns the exit status. */
int	master_run(char **argv, const char *conf_file, const char *exe,
	    int parent);
/* One with a loop, and nothing else yet. */
struct master *master_new(char **argv);
/* The same as master_run, for one that was restored; back: why it is not
 * another one, see upgrade.h. */
int	master_resume(struct master *, const char *back);
/* Why no change can begin now; NULL: it can. */
const char *master_busy(const struct master *);

/* For people: "serving", "changing", "draining" or "stopping". */
const char *master_state(const struct master *);

/* Whose these are. */
struct master *pools_master(struct pools *);
struct master *children_master(struct children *);

/* Drain everything, then exit; called again: at once. */
void	master_stop(struct master *);
/* 0, or -1 with a reason in why: the old files stay in use. */
/* Each slot of each pool. */
void	master_slots(struct master *, void (*)(struct slot *));
/* error_log.c: at the start, at SIGUSR1, and when a reload says another one. */
int	master_open_log(struct master *, char *why, size_t size);
int	master_reopen_logs(struct master *, char *why, size_t size);
void	master_switch_error_log(struct master *, const char *path);
/* Another generation is being served now. */
void	master_committed(struct master *);
/* No rollout is under way any more: what was waiting for that comes next. */
void	master_settled(struct master *);
/* A generation was taken back, for status; from 0: forget it. */
void	master_mishap(struct master *, uint32_t from, uint32_t to,
	    const char *why);

#endif
