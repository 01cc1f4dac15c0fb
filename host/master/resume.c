/* SPDX-License-Identifier: BSD-2-Clause */
/* Going on in the place of the master that has executed us. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "master/master_save.h"
#include "master/upgrade.h"

#define LIMIT_S 10 /* for taking the state */

/* Faults that a signal tells of; SIGALRM: it takes too long. */
static const int faults[] = {
    SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGALRM};

#define NFAULTS (sizeof(faults) / sizeof(faults[0]))

/* The way back to the program before us, laid out in advance: it may be gone
 * in a signal handler. */
static struct {
	int armed;
	struct sigaction before[NFAULTS];
	int exe;
	char **argv;
	char **env;
	char where[96], why[600];
} back;

/* As it is in the environment. */
struct given {
	int pid, state, exe, back;
};

static int
given_read(struct given *g)
{
	const char *text = getenv(UPGRADE_ENV);

	return text != NULL &&
	    sscanf(text, "%d:%d:%d:%d", &g->pid, &g->state, &g->exe,
		&g->back) == 4 &&
	    g->pid == (int)getpid();
}

int
resume_wanted(void)
{
	struct given g;

	return given_read(&g);
}

/* ---- the way back ---- */

/* Async-signal-safe. */
static void
back_because(const char *why)
{
	size_t n = strlen(why);
	char *to = back.why + sizeof(UPGRADE_ENV_WHY);

	if (n > sizeof(back.why) - sizeof(UPGRADE_ENV_WHY) - 1)
		n = sizeof(back.why) - sizeof(UPGRADE_ENV_WHY) - 1;
	memcpy(to, why, n);
	to[n] = '\0';
}

static void
back_go(void)
{
	(void)alarm(0);
	back.armed = 0;
	(void)fexecve(back.exe, back.argv, back.env);
}

static void
back_fault(int sig)
{
	switch (sig) {
	case SIGALRM:
		back_because("the new hostd took too long to take over");
		break;
	case SIGABRT:
		back_because("the new hostd aborted while taking over");
		break;
	default:
		back_because("the new hostd crashed while taking over");
		break;
	}
	if (back.armed)
		back_go();
	_exit(1);
}

static void
back_exit(void)
{
	if (!back.armed)
		return;
	back_because("the new hostd ended while taking over");
	back_go();
}

static void
back_watch_faults(void)
{
	struct sigaction sa = {.sa_handler = back_fault};
	sigset_t set;
	size_t i;

	(void)sigemptyset(&set);
	for (i = 0; i < NFAULTS; i++) {
		(void)sigaction(faults[i], &sa, &back.before[i]);
		(void)sigaddset(&set, faults[i]);
	}
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* Environment and arguments as we have got them. */
static void
back_prepare(const struct given *g, char **argv)
{
	size_t n = 0, i, k = 0;

	while (environ[n] != NULL)
		n++;
	back.env = xcalloc(n + 3, sizeof(*back.env));
	for (i = 0; i < n; i++)
		if (strncmp(environ[i], UPGRADE_ENV, strlen(UPGRADE_ENV)) != 0)
			back.env[k++] = xstrdup(environ[i]);
	(void)snprintf(back.where, sizeof(back.where), UPGRADE_ENV
	    "=%d:%d:%d:1", g->pid, g->state, g->exe);
	(void)snprintf(back.why, sizeof(back.why), UPGRADE_ENV_WHY "=");
	back.env[k++] = back.where;
	back.env[k] = back.why;
	back.argv = argv;
	back.exe = g->exe;
}

static void
back_arm(void)
{
	back.armed = 1;
	back_watch_faults();
	(void)atexit(back_exit);
	(void)alarm(LIMIT_S);
}

static void
back_disarm(void)
{
	char **e;
	size_t i;

	(void)alarm(0);
	for (i = 0; back.armed && i < NFAULTS; i++)
		(void)sigaction(faults[i], &back.before[i], NULL);
	back.armed = 0;
	for (e = back.env; *e != NULL; e++)
		if (*e != back.where && *e != back.why)
			free(*e);
	free(back.env);
}

/* ---- taking ---- */

static struct master *
resume_master(char **argv, struct record *r, int state, char *why, size_t size)
{
	struct master *m;

	if (record_read(r, state, why, size) == -1)
		return NULL;
	m = master_new(argv);
	if (master_restore(m, r, why, size) == 0)
		return m;
	return NULL;
}

/* It has failed, and the reason is said by whoever goes on. */
static int
resume_give_back(const struct given *g, const char *why)
{
	if (!g->back) {
		back_because(why);
		back_go();
	}
	log_errorx("going on after an upgrade: %s; ending, and the workers "
		   "when they have finished", why);
	back.armed = 0;
	return 1;
}

int
resume_run(char **argv)
{
	char why[512], text[512] = "";
	const char *told;
	struct record r;
	struct master *m;
	struct given g;

	(void)given_read(&g);
	told = getenv(UPGRADE_ENV_WHY);
	if (told != NULL)
		(void)snprintf(text, sizeof(text), "%s", told);
	back_prepare(&g, argv);
	(void)unsetenv(UPGRADE_ENV);
	(void)unsetenv(UPGRADE_ENV_WHY);
	/* Executed through a descriptor we are called by its number. */
	(void)prctl(PR_SET_NAME, "hostd");
	if (!g.back)
		back_arm();
	m = resume_master(argv, &r, g.state, why, sizeof(why));
	if (m == NULL)
		return resume_give_back(&g, why);
	back_disarm();
	record_settle(&r);
	record_free(&r);
	(void)close(g.state);
	(void)close(g.exe);
	return master_resume(m, g.back ? text : NULL);
}

/* Nothing that was taken here is to be let go of in any order, so it just
 * ends. */
int
resume_check(const char *fd)
{
	char *argv[] = {NULL}, why[512], *end;
	long n = strtol(fd, &end, 10);
	struct record r;

	if (*end != '\0' || n < 0 || n > 1 << 20)
		(void)snprintf(why, sizeof(why), "%s: no descriptor", fd);
	else if (resume_master(argv, &r, (int)n, why, sizeof(why)) != NULL)
		_exit(0);
	(void)fprintf(stdout, "%s\n", why);
	(void)fflush(stdout);
	_exit(1);
}
