/* SPDX-License-Identifier: BSD-2-Clause */
/* hostctl: the commands, and what they share. */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include <jansson.h>

/* Exit statuses. */
#define CTL_OK		0
#define CTL_FAILED	1	/* refused, or it did not work */
#define CTL_USAGE	2
#define CTL_NO_MASTER	3	/* nobody answers on the socket */
#define CTL_ROLLED_BACK	4	/* workers were replaced, and have been again */

struct ctl {
	const char *socket;	/* of the master */
	const char *prefix;	/* -p; NULL: none */
	int json;		/* for machines */
};

/* Each gets its own name as argv[0]; returns the exit status. */
int	cmd_status(const struct ctl *, int argc, char **argv);
int	cmd_list(const struct ctl *, int argc, char **argv);
int	cmd_reload(const struct ctl *, int argc, char **argv);
int	cmd_rollback(const struct ctl *, int argc, char **argv);
int	cmd_generations(const struct ctl *, int argc, char **argv);
int	cmd_stop(const struct ctl *, int argc, char **argv);
int	cmd_scale(const struct ctl *, int argc, char **argv);
int	cmd_restart(const struct ctl *, int argc, char **argv);
int	cmd_start(const struct ctl *, int argc, char **argv);
int	cmd_delete(const struct ctl *, int argc, char **argv);
int	cmd_drain(const struct ctl *, int argc, char **argv);
int	cmd_undrain(const struct ctl *, int argc, char **argv);
int	cmd_top(const struct ctl *, int argc, char **argv);
int	cmd_signal(const struct ctl *, int argc, char **argv);
int	cmd_events(const struct ctl *, int argc, char **argv);
int	cmd_describe(const struct ctl *, int argc, char **argv);
int	cmd_flush(const struct ctl *, int argc, char **argv);
int	cmd_logs(const struct ctl *, int argc, char **argv);
int	cmd_limits(const struct ctl *, int argc, char **argv);
int	cmd_sio(const struct ctl *, int argc, char **argv);
int	cmd_upstream(const struct ctl *, int argc, char **argv);
int	cmd_upgrade(const struct ctl *, int argc, char **argv);
int	cmd_test(const struct ctl *, int argc, char **argv);
int	cmd_version(const struct ctl *, int argc, char **argv);
int	cmd_plugin(const struct ctl *, int argc, char **argv);

/* "hostctl: usage: ..." on stderr; CTL_USAGE. */
int	ctl_usage(const char *usage);

/*
 * Ask the master; takes the request's reference.  Progress and errors are
 * printed as they come (not with json: then every line of the answer is).  The
 * last line goes to *answer, if wanted.  Returns the exit status.
 */
int	ctl_ask(const struct ctl *, json_t *request, json_t **answer);

/* Somebody who takes lines of the answer; those he does not take (0) are
 * printed as above. */
struct ctl_lines {
	int (*take)(void *arg, const json_t *line);
	void *arg;
};
int	ctl_ask_lines(const struct ctl *, json_t *request,
	    const struct ctl_lines *, json_t **answer);

#endif
