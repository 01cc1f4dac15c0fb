/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Times that come again, as crontab(5) writes them: "minute hour day month
 * weekday", each "*", a number, a range "1-5", a list of these, and any with a
 * step "0-30/10".  Months and weekdays have names, in any case ("jan", "mon");
 * Sunday is 0 and 7.  When neither day nor weekday is "*", either will do.
 *
 * The clock is the local one.  A time that it skips in spring comes as much
 * later as it skips; one that it has twice in autumn comes the first time only,
 * unless the hour is "*".
 */
#ifndef CONFIG_CRON_H
#define CONFIG_CRON_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct cron {
	uint64_t minutes;	/* a bit each */
	uint32_t hours, days, months, weekdays;
	int any_hour, any_day, any_weekday;
};

/* 0, or -1 and a reason in why. */
int	cron_parse(const char *text, struct cron *, char *why, size_t size);
/* The first time later than that one; -1: there is none. */
time_t	cron_next(const struct cron *, time_t after);

#endif
