/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/units.h"

struct unit {
	const char *name;
	int64_t factor;
};

int
int_parse(const char *s, int64_t *out)
{
	char *end;

	if (!isdigit((unsigned char)s[s[0] == '-']))
		return -1;
	errno = 0;
	*out = strtoll(s, &end, 10);
	return errno != 0 || *end != '\0' ? -1 : 0;
}

/* Digits and one of the units, ended by an entry without a name. */
static int
unit_parse(const char *s, const struct unit *units, int64_t *out)
{
	char *end;
	int64_t n;

	if (!isdigit((unsigned char)s[0]))
		return -1;
	errno = 0;
	n = strtoll(s, &end, 10);
	if (errno != 0)
		return -1;
	for (; units->name != NULL; units++)
		if (strcasecmp(end, units->name) == 0)
			return __builtin_mul_overflow(n, units->factor, out) ?
			    -1 : 0;
	return -1;
}

int
duration_parse(const char *s, int64_t *ms)
{
	static const struct unit units[] = {
		{ "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 },
		{ "h", 3600000 }, { "d", 86400000 }, { NULL, 0 }
	};

	return unit_parse(s, units, ms);
}

int
size_parse(const char *s, int64_t *bytes)
{
	static const struct unit units[] = {
		{ "", 1 }, { "k", 1 << 10 }, { "m", 1 << 20 },
		{ "g", 1 << 30 }, { NULL, 0 }
	};

	return unit_parse(s, units, bytes);
}

/* As many digits as RATIO_ONE has noughts. */
int
ratio_parse(const char *s, int64_t *out)
{
	int64_t unit = RATIO_ONE, n;

	if (s[0] != '0' && s[0] != '1')
		return -1;
	n = (s[0] - '0') * unit;
	if (s[1] != '\0' && (s[1] != '.' || s[2] == '\0'))
		return -1;
	for (s += s[1] == '.' ? 2 : 1; *s != '\0'; s++) {
		unit /= 10;
		if (!isdigit((unsigned char)*s) || unit == 0)
			return -1;
		n += (*s - '0') * unit;
	}
	*out = n;
	return n <= RATIO_ONE ? 0 : -1;
}

int
bool_parse(const char *s, int *out)
{
	static const char *const words[] = {
		"off", "on", "false", "true", "no", "yes"
	};
	int i;

	for (i = 0; i < 6; i++)
		if (strcmp(s, words[i]) == 0) {
			*out = i & 1;
			return 0;
		}
	return -1;
}
