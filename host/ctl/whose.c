/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "ctl/answer.h"
#include "ctl/whose.h"

int
whose_is(const char *worker, long long pid, const char *meant)
{
	const char *dot = strrchr(worker, '.');
	size_t n = strlen(meant);
	int64_t number;

	if (strcmp(worker, meant) == 0)
		return 1;
	if (dot != NULL && (size_t)(dot - worker) == n &&
	    strncmp(worker, meant, n) == 0)
		return 1;
	return int_parse(meant, &number) == 0 && number == pid;
}

/* ---- in a line of a log ---- */

static int
is_of_name(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

/* Behind a word at p: ".12", and then no more of a name, if it is a pool's. */
static int
ends_well(const char *p, const char *end, int pool)
{
	const char *digits;

	if (pool) {
		if (p == end || *p++ != '.')
			return 0;
		for (digits = p; p < end && *p >= '0' && *p <= '9'; p++)
			;
		if (p == digits)
			return 0;
	}
	return p == end || !is_of_name((unsigned char)*p);
}

static int
has_word(const char *line, size_t n, const char *word, int pool)
{
	const char *end = line + n, *p = line;
	size_t len = strlen(word);

	while ((p = memmem(p, (size_t)(end - p), word, len)) != NULL) {
		if ((p == line || !is_of_name((unsigned char)p[-1])) &&
		    ends_well(p + len, end, pool))
			return 1;
		p++;
	}
	return 0;
}

/* "[web.0 gen 1 pid 7] chat: what it has said", or somebody of it. */
static int
is_of_plugin(const char *line, size_t n, const char *meant)
{
	char word[160];

	(void)snprintf(word, sizeof(word), "] %s: ", meant);
	if (memmem(line, n, word, strlen(word)) != NULL)
		return 1;
	(void)snprintf(word, sizeof(word), "plugin %s", meant);
	return has_word(line, n, word, 0);
}

int
whose_line(const char *line, size_t n, const char *meant)
{
	char words[2][160];
	int64_t number;

	if (int_parse(meant, &number) == 0) {
		(void)snprintf(words[0], sizeof(words[0]), "pid %s", meant);
		(void)snprintf(
		    words[1], sizeof(words[1]), "\"pid\":%s", meant);
		return has_word(line, n, words[0], 0) ||
		    has_word(line, n, words[1], 0);
	}
	/* "web" alone may be any word; "web.0" is a worker's name. */
	(void)snprintf(words[0], sizeof(words[0]), "pool %s", meant);
	return has_word(line, n, meant, 1) || has_word(line, n, words[0], 0) ||
	    is_of_plugin(line, n, meant) ||
	    (strchr(meant, '.') != NULL && has_word(line, n, meant, 0));
}

/* ---- in an event ---- */

int
whose_event(const json_t *event, const char *meant)
{
	const char *worker = text_of(event, "worker", "");
	const char *text = text_of(event, "text", "");
	char named[160];

	if (is_of_plugin(text, strlen(text), meant))
		return 1;
	if (worker[0] != '\0')
		return whose_is(worker, (long long)num_of(event, "pid"), meant);
	(void)snprintf(named, sizeof(named), "pool %.100s ", meant);
	return strncmp(text, named, strlen(named)) == 0;
}
