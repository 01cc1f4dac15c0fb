/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>
#include "date.h"

/* Not strftime: its names are the locale's. */
static const char days[] = "SunMonTueWedThuFriSat";
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

void
date_format(time_t t, char out[DATE_SIZE])
{
	struct tm tm;

	memset(&tm, 0, sizeof(tm));
	gmtime_r(&t, &tm);
	(void)snprintf(out, DATE_SIZE,
	    "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + 3 * tm.tm_wday,
	    tm.tm_mday, months + 3 * tm.tm_mon,
	    (int)((tm.tm_year + 1900L) % 10000),
	    tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static int
month_number(const char *name)
{
	int i;

	for (i = 0; i < 12; i++)
		if (memcmp(months + 3 * i, name, 3) == 0)
			return i;
	return -1;
}

int
date_parse(const char *p, size_t n, time_t *out)
{
	struct tm tm;
	char text[64], mon[4];
	int end = 0;

	if (n >= sizeof(text))
		return -1;
	memcpy(text, p, n);
	text[n] = '\0';
	memset(&tm, 0, sizeof(tm));
	/* IMF-fixdate, RFC 850, asctime */
	if (sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n",
	    &tm.tm_mday, mon, &tm.tm_year, &tm.tm_hour, &tm.tm_min,
	    &tm.tm_sec, &end) == 6 && end == (int)n)
		tm.tm_year -= 1900;
	else if (end = 0, sscanf(text, "%*[A-Za-z], %2d-%3[A-Za-z]-%2d "
	    "%2d:%2d:%2d GMT%n", &tm.tm_mday, mon, &tm.tm_year, &tm.tm_hour,
	    &tm.tm_min, &tm.tm_sec, &end) == 6 && end == (int)n)
		tm.tm_year += tm.tm_year < 70 ? 100 : 0;
	else if (end = 0, sscanf(text, "%*3[A-Za-z] %3[A-Za-z] %2d "
	    "%2d:%2d:%2d %4d%n", mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min,
	    &tm.tm_sec, &tm.tm_year, &end) == 6 && end == (int)n)
		tm.tm_year -= 1900;
	else
		return -1;
	if (strlen(mon) != 3 || (tm.tm_mon = month_number(mon)) == -1 ||
	    tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 ||
	    tm.tm_min > 59 || tm.tm_sec > 60 || tm.tm_hour < 0 ||
	    tm.tm_min < 0 || tm.tm_sec < 0)
		return -1;
	*out = timegm(&tm);
	return 0;
}
