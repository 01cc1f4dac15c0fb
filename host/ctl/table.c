/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/table.h"

static void
table_add(struct table *t, char *text)
{
	size_t n = t->nrows++;

	t->cells = xrealloc(t->cells, t->nrows * sizeof(t->cells[0]));
	t->cells[n] = text;
}

void
table_begin(struct table *t, const char *const *head)
{
	memset(t, 0, sizeof(*t));
	while (head[t->ncolumns] != NULL && t->ncolumns < TABLE_COLUMNS)
		table_add(t, xstrdup(head[t->ncolumns++]));
}

void
table_cell(struct table *t, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	table_add(t, xstrdup(text));
}

/* The first column names the row; the others are mostly numbers. */
void
table_print(const struct table *t)
{
	size_t width[TABLE_COLUMNS] = {0}, i, c, n;

	for (i = 0; i < t->nrows; i++) {
		n = strlen(t->cells[i]);
		if (n > width[i % t->ncolumns])
			width[i % t->ncolumns] = n;
	}
	for (i = 0; i < t->nrows; i++) {
		c = i % t->ncolumns;
		(void)printf(
		    c == 0 ? "%-*s" : "  %*s", (int)width[c], t->cells[i]);
		if (c == t->ncolumns - 1)
			(void)putchar('\n');
	}
}

void
table_free(struct table *t)
{
	size_t i;

	for (i = 0; i < t->nrows; i++)
		free(t->cells[i]);
	free(t->cells);
}

const char *
text_ms(char buf[TEXT_MAX], int64_t ms)
{
	long long s = (long long)ms / 1000;

	if (ms < 1000)
		(void)snprintf(buf, TEXT_MAX, "%dms", (int)ms);
	else if (s < 60)
		(void)snprintf(
		    buf, TEXT_MAX, "%lld.%ds", s, (int)(ms % 1000 / 100));
	else if (s < 3600)
		(void)snprintf(buf, TEXT_MAX, "%lldm %llds", s / 60, s % 60);
	else if (s < 86400)
		(void)snprintf(
		    buf, TEXT_MAX, "%lldh %lldm", s / 3600, s % 3600 / 60);
	else
		(void)snprintf(
		    buf, TEXT_MAX, "%lldd %lldh", s / 86400, s % 86400 / 3600);
	return buf;
}

const char *
text_bytes(char buf[TEXT_MAX], int64_t bytes)
{
	static const char units[] = "kmgt";
	double n = (double)bytes;
	int i = -1;

	while (n >= 1024 && i < 3) {
		n /= 1024;
		i++;
	}
	if (i < 0)
		(void)snprintf(buf, TEXT_MAX, "%lld", (long long)bytes);
	else
		(void)snprintf(buf, TEXT_MAX, "%.1f%c", n, units[i]);
	return buf;
}
