/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "ctl/check.h"
#include "ctl/fake_memory.h"

#define STDERR_LINES 20

/* Where others have the processors, so many times as long as the work takes. */
#define PATIENCE 6

static struct check_report *report;

static void
report_open(void)
{
	if (report == NULL) {
		report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (report == MAP_FAILED)
			fatal("mmap");
	}
	memset(report, 0, sizeof(*report));
}

struct check_report *
check_report(void)
{
	return report;
}

const struct check_report *
check_last(void)
{
	return report;
}

static void vset(char *, size_t, const char *, va_list)
    __attribute__((format(printf, 3, 0)));

static void
vset(char *dst, size_t size, const char *fmt, va_list ap)
{
	(void)vsnprintf(dst, size, fmt, ap);
}

void
check_where(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vset(report->where, sizeof(report->where), fmt, ap);
	va_end(ap);
}

/* The first remark is kept: later ones tend to follow from it. */
void
check_note(const char *fmt, ...)
{
	va_list ap;

	if (report->note[0] != '\0')
		return;
	va_start(ap, fmt);
	vset(report->note, sizeof(report->note), fmt, ap);
	va_end(ap);
}

/*
 * Ends the child without its exit handlers: the plugin's state is of no use any
 * more.
 */
static void
end(int outcome)
{
	report->outcome = outcome;
	(void)fflush(NULL);
	_exit(0);
}

void
check_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vset(report->text, sizeof(report->text), fmt, ap);
	va_end(ap);
	end(CHECK_FAIL);
	abort();
}

void
check_skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vset(report->text, sizeof(report->text), fmt, ap);
	va_end(ap);
	end(CHECK_SKIP);
	abort();
}

void
check_trap(const char *member)
{
	(void)snprintf(report->trap, sizeof(report->trap), "%s", member);
	end(CHECK_TRAP);
	abort();
}

/*
 * Memory that was only lent gets its own message; any other fault is left to
 * the default, or to a sanitizer.
 */
static void
on_fault(int sig, siginfo_t *si, void *ctx)
{
	char text[200];

	(void)ctx;
	if (guard_explain(si->si_addr, text, sizeof(text)) == 0)
		(void)snprintf(report->note, sizeof(report->note), "%s", text);
	(void)signal(sig, SIG_DFL);
}

static void
child(const struct check *c, check_fn fn, const void *arg, int err_fd)
{
	const struct itimerval work = { .it_value.tv_sec = c->seconds };
	struct rlimit no_core = {0, 0};
	struct sigaction sa;
	int null;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)setrlimit(RLIMIT_CORE, &no_core);
	if ((null = open("/dev/null", O_RDWR)) != -1) {
		(void)dup2(null, STDIN_FILENO);
		(void)dup2(null, STDOUT_FILENO);
		if (null > STDERR_FILENO)
			(void)close(null);
	}
	if (err_fd != -1 && dup2(err_fd, STDERR_FILENO) != -1)
		(void)close(err_fd);
	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = on_fault;
	sa.sa_flags = SA_SIGINFO;
	(void)sigaction(SIGSEGV, &sa, NULL);
	(void)sigaction(SIGBUS, &sa, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)setitimer(ITIMER_PROF, &work, NULL);
	(void)alarm(PATIENCE * c->seconds);
	fn(c, arg);
	end(CHECK_PASS);
}

/* How it ended, when it did not say so itself. */
static void
explain_end(int status, unsigned seconds)
{
	char note[sizeof(report->note)];
	int sig;

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0 &&
	    report->outcome != -1)
		return;
	report->outcome = CHECK_FAIL;
	if (!WIFSIGNALED(status)) {
		(void)snprintf(report->text, sizeof(report->text),
		    "ended the process with status %d", WEXITSTATUS(status));
		return;
	}
	sig = WTERMSIG(status);
	if (sig == SIGPROF || sig == SIGALRM) {
		(void)snprintf(report->text, sizeof(report->text),
		    "did not come to an end within %u s%s",
		    sig == SIGPROF ? seconds : PATIENCE * seconds,
		    sig == SIGPROF ? " of work" : "");
		return;
	}
	memcpy(note, report->note, sizeof(note));
	report->note[0] = '\0';
	(void)snprintf(report->text, sizeof(report->text),
	    "crashed with SIG%s%s%.300s", sigabbrev_np(sig),
	    note[0] == '\0' ? "" : ": ", note);
}

/* The child's standard error, which tells more when it failed. */
static void
show_stderr(const struct check *c, int fd)
{
	char line[1024];
	unsigned n = 0;
	FILE *f;

	if (lseek(fd, 0, SEEK_SET) == -1 || (f = fdopen(fd, "r")) == NULL) {
		(void)close(fd);
		return;
	}
	if (c->verbose || report->outcome == CHECK_FAIL)
		while (fgets(line, sizeof(line), f) != NULL &&
		    (c->verbose || n++ < STDERR_LINES))
			(void)fprintf(stderr, "    | %s%s", line,
			    strchr(line, '\n') == NULL ? "\n" : "");
	(void)fclose(f);
}

int
check_run(const struct check *c, check_fn fn, const void *arg)
{
	int fd, status = 0;
	pid_t pid;

	report_open();
	report->outcome = -1;
	fd = memfd_create("stderr", MFD_CLOEXEC);
	(void)fflush(NULL);
	if ((pid = fork()) == -1)
		fatal("fork");
	if (pid == 0)
		child(c, fn, arg, fd);
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			fatal("waitpid");
	explain_end(status, c->seconds);
	if (fd != -1)
		show_stderr(c, fd);
	return report->outcome;
}

static const char *const words[] = {
    [CHECK_PASS] = "PASS",
    [CHECK_FAIL] = "FAIL",
    [CHECK_SKIP] = "SKIP",
    [CHECK_TRAP] = "FAIL",
};

void
check_result(
    struct check *c, const char *test, int outcome, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vset(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (outcome == CHECK_PASS)
		c->passed++;
	else if (outcome == CHECK_SKIP)
		c->skipped++;
	else
		c->failed++;
	if (c->results != NULL)
		(void)json_array_append_new(c->results,
		    json_pack("{s:s, s:s, s:s}", "test", test, "result",
			words[outcome], "text", text));
	else
		(void)printf("%s  %-14s %s\n", words[outcome], test, text);
}

void
check_simple(struct check *c, const char *test, check_fn fn, const void *arg)
{
	int outcome = check_run(c, fn, arg);
	const struct check_report *r = check_last();

	switch (outcome) {
	case CHECK_PASS:
		check_result(c, test, outcome, "%s", r->note);
		break;
	case CHECK_TRAP:
		check_result(c, test, outcome,
		    "called %s, which is behind the end of the table, while %s",
		    r->trap, r->where);
		break;
	case CHECK_SKIP:
		check_result(c, test, outcome, "%s", r->text);
		break;
	default:
		check_result(c, test, outcome, "%s%s%s", r->text,
		    r->where[0] == '\0' ? "" : ", while ", r->where);
	}
}

void
check_each(struct check *c, const char *test, check_fn fn)
{
	unsigned i, taken = 0;
	int rc;

	for (i = 0;; i++) {
		if ((rc = check_run(c, fn, &i)) == CHECK_SKIP)
			break;
		if (rc != CHECK_PASS) {
			check_result(c, test, rc, "%s, while %s",
			    check_last()->text, check_last()->where);
			return;
		}
		taken += check_last()->value[0] != 0;
	}
	if (i == 0)
		check_result(c, test, CHECK_SKIP, "%s", check_last()->text);
	else
		check_result(c, test, CHECK_PASS,
		    "%u tried: %u refused, %u taken", i, i - taken, taken);
}
