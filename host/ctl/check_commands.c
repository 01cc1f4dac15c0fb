/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands are answered, whatever they are given. */
#include <string.h>

#include "ctl/check_usage.h"
#include "ctl/check_use.h"
#include "ctl/fake_op.h"

#define MORE_ARGS 3u	/* than it needs */

/* What people, and scripts, put there. */
static const char *const words[] = {"check", "", "*", "0", "-1",
    "99999999999999999999", "/", "http://localhost/", "%s%n", "\xc3\xa4 \"'",
    NULL};

static struct module *
load_module(const struct check *c)
{
	struct module *m = fake_load(c);

	if (m->cmds[0] == NULL)
		check_skip("it has no commands");
	return m;
}

static uint32_t
most_args(const struct hostd_cmd *cmd)
{
	return cmd->max_args - cmd->min_args > MORE_ARGS ?
	    cmd->min_args + MORE_ARGS : cmd->max_args;
}

void
check_command_use(struct fake *f)
{
	const struct hostd_cmd *const *cmd;

	for (cmd = f->m->cmds; *cmd != NULL; cmd++)
		(void)fake_command_end(*cmd, fake_command_start(f, *cmd,
		    (*cmd)->min_args, words[0], FAKE_OP_MAX));
}

static void
end(struct fake *f)
{
	fake_drain(f, 1000);
	fake_settle();
	fake_destroy(f);
}

static void
case_answers(const struct check *c, const void *arg)
{
	struct module *m = load_module(c);
	struct fake *f = fake_serve(m, c);
	const struct hostd_cmd *const *cmd;
	uint32_t n;
	size_t i;

	(void)arg;
	for (cmd = m->cmds; *cmd != NULL; cmd++)
		for (n = (*cmd)->min_args; n <= most_args(*cmd); n++)
			for (i = 0; words[i] != NULL && (n > 0 || i == 0); i++)
				(void)fake_command_end(*cmd,
				    fake_command_start(f, *cmd, n, words[i],
				    FAKE_OP_MAX));
	check_use(f);
	end(f);
}

/* There is room for nothing, or for little, of an answer. */
static void
case_full(const struct check *c, const void *arg)
{
	struct module *m = load_module(c);
	struct fake *f = fake_serve(m, c);
	const struct hostd_cmd *const *cmd;
	struct fake_op *o;
	size_t max;

	(void)arg;
	for (cmd = m->cmds; *cmd != NULL; cmd++)
		for (max = 0; max <= 16; max += 16) {
			o = fake_command_start(f, *cmd, (*cmd)->min_args,
			    words[0], max);
			fake_settle();
			fake_op_free(o);
		}
	check_use(f);
	end(f);
}

/* Answers that come too late are for nobody, and those of an instance that
 * ends are not waited for. */
static void
case_late(const struct check *c, const void *arg)
{
	struct module *m = load_module(c);
	struct fake *f = fake_serve(m, c);
	const struct hostd_cmd *const *cmd;

	(void)arg;
	for (cmd = m->cmds; *cmd != NULL; cmd++) {
		(void)fake_command_start(f, *cmd, (*cmd)->min_args, words[0],
		    FAKE_OP_MAX);
		fake_advance(fake_now() + FAKE_OP_MS);
		fake_settle();
	}
	for (cmd = m->cmds; *cmd != NULL; cmd++)
		(void)fake_command_start(f, *cmd, (*cmd)->min_args, words[0],
		    FAKE_OP_MAX);
	fake_destroy(f);
}

struct rounds {
	const struct check *c;
	struct module *m;
	struct fake *f;
};

static void
round_use(void *arg)
{
	struct rounds *r = arg;

	check_command_use(r->f);
}

static void
case_leaks(const struct check *c, const void *arg)
{
	struct rounds r = {.c = c};

	(void)arg;
	r.m = load_module(c);
	r.f = fake_serve(r.m, c);
	check_rounds(round_use, &r, "calling its commands");
	end(r.f);
}

void
check_commands(struct check *c)
{
	if ((c->exts & CHECK_COMMANDS) == 0)
		return;
	check_simple(c, "commands", case_answers, NULL);
	check_simple(c, "commands without room", case_full, NULL);
	check_simple(c, "commands too late", case_late, NULL);
	check_simple(c, "commands' leaks", case_leaks, NULL);
}
