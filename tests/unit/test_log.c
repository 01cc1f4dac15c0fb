/* SPDX-License-Identifier: BSD-2-Clause */
/* The error log: whole lines, nothing that could forge one, never waiting. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "base/log.h"
#include "scratch.h"

static int fd;
static char text[1 << 20];

static int
setup(void **state)
{
	(void)state;
	scratch_make();
	fd = open(scratch_path("log"), O_RDWR | O_CREAT | O_APPEND, 0600);
	log_set_level(LOG_LVL_INFO);
	log_set_context("%s", "");
	log_set_fd(fd);
	return fd == -1 ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	log_set_buffered(0);
	log_set_fd(-1);
	(void)close(fd);
	scratch_remove();
	return 0;
}

/* All that is in the log by now. */
static size_t
read_log(void)
{
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	assert_true(n >= 0);
	text[n] = '\0';
	return (size_t)n;
}

/* The log is one line: a time, then want. */
static void
assert_line(const char *want)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ ";
	size_t i, n = read_log();

	assert_true(n > sizeof(form));
	for (i = 0; i < sizeof(form) - 1; i++)
		if (form[i] == 'd')
			assert_in_range(text[i], '0', '9');
		else
			assert_int_equal(text[i], form[i]);
	assert_string_equal(text + i, want);
	assert_int_equal(ftruncate(fd, 0), 0);
}

static size_t
count_lines(void)
{
	size_t i, n = read_log(), lines = 0;

	for (i = 0; i < n; i++)
		lines += text[i] == '\n';
	assert_true(n == 0 || text[n - 1] == '\n');
	return lines;
}

static void
one_line_an_event(void **state)
{
	(void)state;
	log_info("hello %d", 7);
	assert_line("info hello 7\n");
	log_warnx("a");
	assert_line("warn a\n");
	log_errorx("b");
	assert_line("error b\n");
	log_info("%s", "");
	assert_line("info \n");
}

static void
with_errno(void **state)
{
	(void)state;
	errno = ENOENT;
	log_warn("opening %s", "x");
	assert_int_equal(errno, ENOENT);
	assert_line("warn opening x: No such file or directory\n");
	errno = EACCES;
	log_error("y");
	assert_int_equal(errno, EACCES);
	assert_line("error y: Permission denied\n");
	errno = ENOENT;
	log_warnx("z");
	assert_line("warn z\n");
}

static void
with_a_context(void **state)
{
	(void)state;
	log_set_context("%s.%d gen %d", "web", 0, 3);
	log_info("x");
	assert_line("info [web.0 gen 3] x\n");
	log_set_context("%0200d", 1);
	log_info("long");
	assert_true(read_log() < 200);
	assert_non_null(strstr(text, "0] long\n"));
}

static void
levels(void **state)
{
	(void)state;
	log_debug("d");
	assert_int_equal(read_log(), 0);
	log_set_level(LOG_LVL_ERROR);
	log_info("i");
	log_warnx("w");
	log_text(LOG_LVL_WARN, "p", "t", 1);
	assert_int_equal(read_log(), 0);
	log_errorx("e");
	assert_line("error e\n");
	log_set_level(LOG_LVL_DEBUG);
	log_debug("d");
	assert_line("debug d\n");
	assert_int_equal(log_level_parse("debug"), LOG_LVL_DEBUG);
	assert_int_equal(log_level_parse("error"), LOG_LVL_ERROR);
	assert_int_equal(log_level_parse("Error"), -1);
	assert_int_equal(log_level_parse(""), -1);
}

static void
nothing_can_forge_a_line(void **state)
{
	(void)state;
	log_info("%s", "a\nb\r\tc\x1b[31m\x7f\xc3\xa9");
	assert_line("info a\\x0ab\\x0d\\x09c\\x1b[31m\\x7f\xc3\xa9\n");
	log_text(LOG_LVL_INFO, "pl\nug", "t\0x\n", 4);
	assert_line("info pl\\x0aug: t\\x00x\\x0a\n");
	log_text(LOG_LVL_INFO, NULL, "no source", 9);
	assert_line("info no source\n");
	log_text(LOG_LVL_INFO, "p", "", 0);
	assert_line("info p: \n");
}

/* A cut line is still one whole line. */
static void
long_texts_are_cut(void **state)
{
	static char big[10000];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	log_info("%s", big);
	assert_int_equal(count_lines(), 1);
	assert_true(read_log() <= 4096);
	assert_int_equal(ftruncate(fd, 0), 0);
	memset(big, '\n', sizeof(big) - 1);
	log_text(LOG_LVL_INFO, big, big, sizeof(big));
	assert_int_equal(count_lines(), 1);
	assert_true(read_log() <= 4096);
	assert_int_equal(ftruncate(fd, 0), 0);
	memset(big, 'x', sizeof(big) - 1);
	errno = ENOENT;
	log_error("%s", big);
	assert_int_equal(count_lines(), 1);
}

static void
buffers_until_it_is_told(void **state)
{
	(void)state;
	log_set_buffered(1);
	log_info("1");
	log_info("2");
	assert_int_equal(read_log(), 0);
	log_flush();
	assert_int_equal(count_lines(), 2);
	log_info("3");
	assert_int_equal(count_lines(), 2);
	log_set_buffered(0);
	assert_int_equal(count_lines(), 3);
	log_info("4");
	assert_int_equal(count_lines(), 4);
}

/* What does not fit is dropped by the line, counted and told of. */
static void
drops_when_nobody_flushes(void **state)
{
	uint64_t before = log_dropped();
	size_t lines;
	int i;

	(void)state;
	log_set_buffered(1);
	for (i = 0; i < 10000; i++)
		log_info("line %d", i);
	assert_true(log_dropped() > before);
	log_flush();
	lines = count_lines();
	assert_int_equal(lines + (log_dropped() - before), 10000);
	assert_non_null(strstr(text, " line 0\n"));
	log_flush();
	assert_int_equal(count_lines(), lines + 1);
	assert_non_null(strstr(text, " log lines were dropped: "));
	log_flush();
	assert_int_equal(count_lines(), lines + 1);
}

/* A pipe that nobody reads is no reason to wait. */
static void
never_waits_for_a_pipe(void **state)
{
	uint64_t before = log_dropped();
	size_t lines = 0;
	ssize_t got;
	int fds[2], i;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	log_set_fd(fds[1]);
	log_set_buffered(1);
	for (i = 0; i < 10000; i++) {
		log_info("line %d", i);
		log_flush();
	}
	assert_true(log_dropped() > before);
	/* Once somebody reads, all that was kept comes, in whole lines. */
	do {
		while ((got = read(fds[0], text, sizeof(text) - 1)) > 0) {
			for (i = 0; i < got; i++)
				lines += text[i] == '\n';
		}
		log_flush();
	} while (
	    poll(&(struct pollfd){.fd = fds[0], .events = POLLIN}, 1, 0) == 1);
	assert_int_equal(lines, 10000 - (log_dropped() - before) + 1);
	log_set_fd(-1);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void
without_a_log(void **state)
{
	uint64_t before = log_dropped();

	(void)state;
	log_set_fd(-1);
	log_info("x");
	log_set_buffered(1);
	log_info("y");
	log_flush();
	assert_int_equal(log_dropped(), before);
	assert_int_equal(read_log(), 0);
}

static void
fatal_says_why_and_ends(void **state)
{
	int status, i;
	pid_t pid;

	(void)state;
	for (i = 0; i < 2; i++) {
		pid = fork();
		assert_int_not_equal(pid, -1);
		if (pid == 0) {
			log_set_buffered(i);
			errno = EPERM;
			fatal("the end");
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 1);
		assert_line("error the end: Operation not permitted\n");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    T(one_line_an_event),
	    T(with_errno),
	    T(with_a_context),
	    T(levels),
	    T(nothing_can_forge_a_line),
	    T(long_texts_are_cut),
	    T(buffers_until_it_is_told),
	    T(drops_when_nobody_flushes),
	    T(never_waits_for_a_pipe),
	    T(without_a_log),
	    T(fatal_says_why_and_ends),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
