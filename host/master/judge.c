/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "master/judge.h"

#define HOPELESS_ERRORS	20

/* Those who have never failed might have, the next time. */
static double
error_share(const struct judge_figures *f, int doubt)
{
	double n = (double)f->requests + doubt;

	return n > 0 ? ((double)f->errors + doubt) / n : 0;
}

static double
callback_mean(const struct judge_figures *f, double doubt_ms)
{
	return f->callbacks == 0 ? 0
				 : ((double)f->callback_ms + doubt_ms) /
		(double)f->callbacks;
}

static int
has_more_errors(const struct judge_figures *fresh,
    const struct judge_figures *old, double factor, uint64_t least)
{
	return fresh->errors >= least && fresh->requests >= JUDGE_LEAST &&
	    old->requests >= JUDGE_LEAST &&
	    error_share(fresh, 0) > factor * error_share(old, 1);
}

/* The clock ticks every few ms: a callback is counted as nothing or as a whole
 * tick, which is right on average, and 10 ms are what chance may do. */
static int
is_slower(const struct judge_figures *fresh, const struct judge_figures *old,
    double factor)
{
	return fresh->callback_ms >= JUDGE_CALL_MS &&
	    fresh->callbacks >= JUDGE_LEAST && old->callbacks >= JUDGE_LEAST &&
	    callback_mean(fresh, 0) > factor * callback_mean(old, 10);
}

static void
judge_say(const struct judge_figures *fresh, const struct judge_figures *old,
    const char *verdict, char *why, size_t size)
{
	(void)snprintf(why, size,
	    "%s%llu of %llu requests answered with 5xx (%.2f%%) and %.3f ms a "
	    "callback, the others %llu of %llu (%.2f%%) and %.3f ms",
	    verdict, (unsigned long long)fresh->errors,
	    (unsigned long long)fresh->requests, 100 * error_share(fresh, 0),
	    callback_mean(fresh, 0), (unsigned long long)old->errors,
	    (unsigned long long)old->requests, 100 * error_share(old, 0),
	    callback_mean(old, 0));
}

enum judge_verdict
judge(const struct judge_figures *fresh, const struct judge_figures *old,
    double factor, char *why, size_t size)
{
	if ((fresh->requests < JUDGE_LEAST || old->requests < JUDGE_LEAST) &&
	    (fresh->callbacks < JUDGE_LEAST || old->callbacks < JUDGE_LEAST)) {
		judge_say(fresh, old, "too few requests to judge: ", why, size);
		return JUDGE_FEW;
	}
	if (has_more_errors(fresh, old, factor, JUDGE_ERRORS)) {
		judge_say(fresh, old, "more errors: ", why, size);
		return JUDGE_WORSE;
	}
	if (is_slower(fresh, old, factor)) {
		judge_say(fresh, old, "slower: ", why, size);
		return JUDGE_WORSE;
	}
	judge_say(fresh, old, "", why, size);
	return JUDGE_FINE;
}

int
judge_hopeless(const struct judge_figures *fresh,
    const struct judge_figures *old, double factor)
{
	return has_more_errors(fresh, old, factor, HOPELESS_ERRORS);
}
