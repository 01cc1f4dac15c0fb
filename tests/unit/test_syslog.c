/* SPDX-License-Identifier: BSD-2-Clause */
/* Datagrams for syslog: what is configured, and what is sent. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "config/syslog.h"

static char sent[16384];

static struct syslog
form_of(const char *path)
{
	struct syslog s;
	char why[256];

	if (syslog_parse(path, &s, why, sizeof(why)) == -1)
		fail_msg("%s: %s", path, why);
	return s;
}

/* What the first of the lines becomes; *n is what was taken of them. */
static const char *
datagram(struct syslog *s, const char *lines, ssize_t *n)
{
	int fds[2];
	ssize_t got;

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds), 0);
	*n = syslog_send(s, fds[0], lines, strlen(lines));
	got = recv(fds[1], sent, sizeof(sent) - 1, 0);
	sent[got > 0 ? got : 0] = '\0';
	(void)close(fds[0]);
	(void)close(fds[1]);
	return sent;
}

static void
addresses(void **state)
{
	struct syslog s = form_of("syslog:server=192.0.2.1");
	const struct sockaddr_in *in = (const void *)&s.to;
	const struct sockaddr_in6 *in6 = (const void *)&s.to;
	const struct sockaddr_un *un = (const void *)&s.to;

	(void)state;
	assert_int_equal(s.to.ss_family, AF_INET);
	assert_int_equal(ntohs(in->sin_port), 514);
	s = form_of("syslog:server=192.0.2.1:5514");
	assert_int_equal(ntohs(in->sin_port), 5514);
	s = form_of("syslog:server=[2001:db8::1]");
	assert_int_equal(s.to.ss_family, AF_INET6);
	assert_int_equal(ntohs(in6->sin6_port), 514);
	s = form_of("syslog:tag=x,server=[2001:db8::1]:99");
	assert_int_equal(ntohs(in6->sin6_port), 99);
	s = form_of("syslog:server=unix:/dev/log");
	assert_int_equal(s.to.ss_family, AF_UNIX);
	assert_string_equal(un->sun_path, "/dev/log");
}

static void
what_is_none(void **state)
{
	static const char *const bad[] = {"syslog:", "syslog:server=",
	    "syslog:server=unix:", "syslog:server=192.0.2.1:0x",
	    "syslog:server=192.0.2.1,tag=", "syslog:server=192.0.2.1,tag=a-b",
	    "syslog:server=192.0.2.1,tag=abcdefghijklmnopqrstuvwxyz0123456",
	    "syslog:server=192.0.2.1,facility=", "syslog:server",
	    "syslog:server=192.0.2.1,nohostname=1"};
	struct syslog s;
	char why[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (syslog_parse(bad[i], &s, why, sizeof(why)) == 0)
			fail_msg("\"%s\" was taken", bad[i]);
}

static void
rfc3164(void **state)
{
	struct syslog s = form_of("syslog:server=192.0.2.1,nohostname");
	char month[4], host[65], tag[33];
	int pri, day, h, m, sec;
	ssize_t n;

	(void)state;
	assert_int_equal(sscanf(datagram(&s, "a line\nnext\n", &n),
			     "<%d>%3s %d %d:%d:%d %32[^:]", &pri, month, &day,
			     &h, &m, &sec, tag),
	    7);
	assert_int_equal(n, 7);
	assert_int_equal(pri, 23 * 8 + 6);
	assert_string_equal(tag, "hostd");
	assert_string_equal(strstr(sent, ": "), ": a line");
	s = form_of("syslog:server=192.0.2.1,facility=daemon,severity=error,"
		    "tag=edge");
	assert_int_equal(sscanf(datagram(&s, "x", &n),
			     "<%d>%3s %d %d:%d:%d %64s %32[^:]", &pri, month,
			     &day, &h, &m, &sec, host, tag),
	    8);
	assert_int_equal(n, 1);
	assert_int_equal(pri, 3 * 8 + 3);
	assert_string_equal(tag, "edge");
}

static void
rfc5424(void **state)
{
	struct syslog s = form_of("syslog:server=unix:/dev/log,rfc=5424");
	int pri, pid, at = 0;
	char stamp[64], host[65];
	ssize_t n;

	(void)state;
	(void)sscanf(datagram(&s, "a line\n", &n),
	    "<%d>1 %63s %64s hostd %d - - %n", &pri, stamp, host, &pid, &at);
	assert_int_equal(pid, getpid());
	assert_string_equal(sent + at, "a line");
	/* "2026-01-31T12:00:00.123456+01:00" */
	assert_int_equal(strlen(stamp), 32);
	assert_int_equal(stamp[29], ':');
}

/* The level of a line of the error log is its severity. */
static void
levels(void **state)
{
	struct syslog s;
	ssize_t n;
	int pri;

	(void)state;
	assert_true(syslog_of_errors("syslog:server=unix:/dev/log", &s));
	(void)datagram(&s, "2026-01-31T12:00:00.123Z warn [x] text\n", &n);
	assert_int_equal(n, 39);
	assert_int_equal(sscanf(sent, "<%d>", &pri), 1);
	assert_int_equal(pri, 23 * 8 + 4);
	assert_string_equal(strstr(sent, ": "), ": warn [x] text");
	(void)datagram(&s, "2026-01-31T12:00:00.123Z error [x] text\n", &n);
	assert_int_equal(strncmp(sent, "<187>", 5), 0);
	(void)datagram(&s, "short\n", &n);
	assert_int_equal(n, 6);
	assert_false(syslog_of_errors("stderr", &s));
	assert_false(syslog_of_errors("", &s));
	assert_false(syslog_of_errors("syslog:server=", &s));
}

/* Nobody reads: nothing waits, and nothing is taken. */
static void
never_waits(void **state)
{
	struct syslog s = form_of("syslog:server=192.0.2.1");
	int fds[2], i;
	ssize_t n = 1;

	(void)state;
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds), 0);
	for (i = 0; i < 100000 && n > 0; i++)
		n = syslog_send(&s, fds[0], "line\n", 5);
	assert_int_equal(n, -1);
	assert_int_equal(errno, EAGAIN);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(addresses),
	    cmocka_unit_test(what_is_none),
	    cmocka_unit_test(rfc3164),
	    cmocka_unit_test(rfc5424),
	    cmocka_unit_test(levels),
	    cmocka_unit_test(never_waits),
	};

	return cmocka_run_group_tests_name("syslog", tests, NULL, NULL);
}
