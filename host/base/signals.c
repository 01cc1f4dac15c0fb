/* SPDX-License-Identifier: BSD-2-Clause */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/signals.h"
#include "base/units.h"

int
signal_is_usable(long long n)
{
	return n > 0 && n <= SIGRTMAX &&
	    (n >= SIGRTMIN || sigabbrev_np((int)n) != NULL);
}

/* What is behind "RTMIN" or "RTMAX": nothing, or a distance. */
static int
parse_distance(const char *p, int from, char sign)
{
	int64_t n = 0;

	if (*p == '\0')
		return from;
	if (*p != sign || p[1] < '0' || p[1] > '9' ||
	    int_parse(p + 1, &n) == -1 || n > SIGRTMAX - SIGRTMIN)
		return -1;
	return sign == '+' ? from + (int)n : from - (int)n;
}

static int
parse_name(const char *word)
{
	const char *name;
	int sig;

	if (strncasecmp(word, "RTMIN", 5) == 0)
		return parse_distance(word + 5, SIGRTMIN, '+');
	if (strncasecmp(word, "RTMAX", 5) == 0)
		return parse_distance(word + 5, SIGRTMAX, '-');
	for (sig = 1; sig < SIGRTMIN; sig++) {
		name = sigabbrev_np(sig);
		if (name != NULL && strcasecmp(name, word) == 0)
			return sig;
	}
	return -1;
}

int
signal_parse(const char *word)
{
	int64_t n;

	if (int_parse(word, &n) == 0)
		return signal_is_usable(n) ? (int)n : -1;
	if (strncasecmp(word, "SIG", 3) == 0)
		word += 3;
	return parse_name(word);
}

const char *
signal_name(int sig, char buf[SIGNAL_NAME_MAX])
{
	const char *name = sigabbrev_np(sig);

	if (name != NULL)
		(void)snprintf(buf, SIGNAL_NAME_MAX, "SIG%s", name);
	else if (sig == SIGRTMIN)
		(void)snprintf(buf, SIGNAL_NAME_MAX, "SIGRTMIN");
	else if (sig > SIGRTMIN && sig <= SIGRTMAX)
		(void)snprintf(
		    buf, SIGNAL_NAME_MAX, "SIGRTMIN+%d", sig - SIGRTMIN);
	else
		(void)snprintf(buf, SIGNAL_NAME_MAX, "signal %d", sig);
	return buf;
}
