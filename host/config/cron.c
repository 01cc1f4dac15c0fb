/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "config/cron.h"

/* From one leap day to the next over a year like 2100 that has none. */
#define YEARS_AHEAD	8
#define FIELD_MAX	128

/* ---- parsing ---- */

struct field {
	const char *name;
	int lo, hi;
	const char *const *names;	/* of lo and so on; NULL: none */
};

static const char *const month_names[] = { "jan", "feb", "mar", "apr", "may",
	"jun", "jul", "aug", "sep", "oct", "nov", "dec", NULL };
static const char *const weekday_names[] = { "sun", "mon", "tue", "wed", "thu",
	"fri", "sat", NULL };

enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY, NFIELDS };

static const struct field fields[NFIELDS] = {
	[MINUTE] = { "minute", 0, 59, NULL },
	[HOUR] = { "hour", 0, 23, NULL },
	[DAY] = { "day", 1, 31, NULL },
	[MONTH] = { "month", 1, 12, month_names },
	[WEEKDAY] = { "weekday", 0, 7, weekday_names },
};

static int
field_refuse(const struct field *f, const char *text, char *why, size_t size)
{
	(void)snprintf(why, size, "\"%s\" is no %s: \"*\", numbers from %d to "
	    "%d%s, ranges and lists of them, and steps", text, f->name, f->lo,
	    f->hi, f->names != NULL ? ", names" : "");
	return -1;
}

/* At *p, which goes on behind it: -1 when there is none. */
static int
number_parse(const char **p)
{
	int n = 0, digits = 0;

	for (; isdigit((unsigned char)**p) && digits < 4; (*p)++, digits++)
		n = n * 10 + (**p - '0');
	return digits > 0 && digits < 4 ? n : -1;
}

static int
value_parse(const struct field *f, const char **p)
{
	int i, n;

	for (i = 0; f->names != NULL && f->names[i] != NULL; i++)
		if (strncasecmp(*p, f->names[i], 3) == 0) {
			*p += 3;
			return f->lo + i;
		}
	n = number_parse(p);
	return n >= f->lo && n <= f->hi ? n : -1;
}

/* "*", "5", "1-5", each with a step: 0 or -1. */
static int
range_parse(const struct field *f, const char **p, uint64_t *bits)
{
	int from = f->lo, to = f->hi, step = 1, many = 1;

	if (**p == '*') {
		(*p)++;
	} else {
		if ((from = to = value_parse(f, p)) == -1)
			return -1;
		if ((many = **p == '-') != 0) {
			(*p)++;
			if ((to = value_parse(f, p)) < from)
				return -1;
		}
	}
	if (**p == '/') {
		(*p)++;
		if ((step = number_parse(p)) < 1)
			return -1;
		/* "5/15": from there on. */
		if (!many)
			to = f->hi;
	}
	for (; from <= to; from += step)
		*bits |= (uint64_t)1 << from;
	return 0;
}

static int
field_parse(const struct field *f, const char *text, uint64_t *bits,
    char *why, size_t size)
{
	const char *p = text;

	*bits = 0;
	for (;;) {
		if (range_parse(f, &p, bits) == -1 ||
		    (*p != ',' && *p != '\0'))
			return field_refuse(f, text, why, size);
		if (*p++ == '\0')
			return 0;
	}
}

/* The next word; 0 when there is none, -1 when it is too long. */
static int
word_take(const char **p, char *word)
{
	size_t n;

	*p += strspn(*p, " \t");
	n = strcspn(*p, " \t");
	if (n >= FIELD_MAX)
		return -1;
	memcpy(word, *p, n);
	word[n] = '\0';
	*p += n;
	return n > 0;
}

int
cron_parse(const char *text, struct cron *c, char *why, size_t size)
{
	char words[NFIELDS][FIELD_MAX], more[FIELD_MAX];
	const char *p = text;
	uint64_t bits[NFIELDS];
	int i;

	for (i = 0; i < NFIELDS && word_take(&p, words[i]) == 1; i++)
		;
	if (i < NFIELDS || word_take(&p, more) != 0) {
		(void)snprintf(why, size, "it takes five fields: minute, hour, "
		    "day, month, weekday, as \"30 4 * * sun\"");
		return -1;
	}
	for (i = 0; i < NFIELDS; i++)
		if (field_parse(&fields[i], words[i], &bits[i], why, size) ==
		    -1)
			return -1;
	c->minutes = bits[MINUTE];
	c->hours = (uint32_t)bits[HOUR];
	c->days = (uint32_t)bits[DAY];
	c->months = (uint32_t)bits[MONTH];
	c->weekdays = (uint32_t)(bits[WEEKDAY] | bits[WEEKDAY] >> 7) & 0x7f;
	c->any_hour = words[HOUR][0] == '*';
	c->any_day = words[DAY][0] == '*';
	c->any_weekday = words[WEEKDAY][0] == '*';
	if (cron_next(c, 0) != -1)
		return 0;
	(void)snprintf(why, size, "there is no such day");
	return -1;
}

/* ---- when it is next ---- */

static int
has_bit(uint64_t bits, int i)
{
	return (int)(bits >> i & 1);
}

static int
day_matches(const struct cron *c, const struct tm *d)
{
	int day = has_bit(c->days, d->tm_mday);
	int weekday = has_bit(c->weekdays, d->tm_wday);

	if (!has_bit(c->months, d->tm_mon + 1))
		return 0;
	return c->any_day || c->any_weekday ? day && weekday : day || weekday;
}

/* What the local clock was ahead of UTC at noon of a day. */
static long
noon_offset(const struct tm *date, int days)
{
	struct tm d = { .tm_year = date->tm_year, .tm_mon = date->tm_mon,
		.tm_mday = date->tm_mday + days, .tm_hour = 12,
		.tm_isdst = -1 };

	return mktime(&d) == -1 ? 0 : d.tm_gmtoff;
}

static int
shows(time_t t, const struct tm *wall)
{
	struct tm d;

	return localtime_r(&t, &d) != NULL && d.tm_mday == wall->tm_mday &&
	    d.tm_hour == wall->tm_hour && d.tm_min == wall->tm_min;
}

static time_t
earlier(time_t a, time_t b)
{
	return a == -1 || (b != -1 && b < a) ? b : a;
}

/*
 * When the clock shows that time of that day, if it is later than after.  The
 * offsets are those before and behind a change of the clock, if there is one.
 */
static time_t
wall_time(const struct cron *c, struct tm wall, const long offset[2],
    time_t after)
{
	time_t utc = timegm(&wall), first = utc - offset[0];
	time_t second = utc - offset[1];
	int has_first = shows(first, &wall), has_second = shows(second, &wall);

	/* Skipped: as if it were not. */
	if (!has_first && !has_second)
		return first > after ? first : -1;
	if (!has_first)
		return second > after ? second : -1;
	if (first > after)
		return first;
	return has_second && c->any_hour && second > after ? second : -1;
}

static time_t
day_next(const struct cron *c, const struct tm *date, time_t after)
{
	const long offset[2] = { noon_offset(date, -1), noon_offset(date, 1) };
	struct tm wall = { .tm_year = date->tm_year, .tm_mon = date->tm_mon,
		.tm_mday = date->tm_mday };
	time_t best = -1;
	int h, m;

	for (h = 0; h < 24; h++) {
		if (!has_bit(c->hours, h))
			continue;
		for (m = 0; m < 60; m++) {
			if (!has_bit(c->minutes, m))
				continue;
			wall.tm_hour = h;
			wall.tm_min = m;
			best = earlier(best, wall_time(c, wall, offset, after));
		}
	}
	return best;
}

time_t
cron_next(const struct cron *c, time_t after)
{
	struct tm now, date;
	time_t t = -1;
	int i;

	if (localtime_r(&after, &now) == NULL)
		return -1;
	/* From the day before: what was skipped there may come today. */
	for (i = -1; i < YEARS_AHEAD * 366 && t == -1; i++) {
		memset(&date, 0, sizeof(date));
		date.tm_year = now.tm_year;
		date.tm_mon = now.tm_mon;
		date.tm_mday = now.tm_mday + i;
		(void)timegm(&date);	/* fills in the weekday */
		if (day_matches(c, &date))
			t = day_next(c, &date, after);
	}
	return t;
}
