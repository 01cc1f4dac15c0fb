/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/mem.h"

static void *
mem_check(void *p, size_t n)
{
	if (p == NULL)
		fatalx("out of memory (wanted %zu bytes)", n);
	return p;
}

void *
xmalloc(size_t n)
{
	return mem_check(malloc(n > 0 ? n : 1), n);
}

void *
xcalloc(size_t n, size_t size)
{
	return mem_check(calloc(n > 0 ? n : 1, size > 0 ? size : 1), n * size);
}

void *
xrealloc(void *p, size_t n)
{
	return mem_check(realloc(p, n > 0 ? n : 1), n);
}

char *
xstrndup(const char *s, size_t n)
{
	char *p = xmalloc(n + 1);

	memcpy(p, s, n);
	p[n] = '\0';
	return p;
}

char *
xstrdup(const char *s)
{
	return xstrndup(s, strlen(s));
}

char *
xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&p, fmt, ap);
	va_end(ap);
	return mem_check(n < 0 ? NULL : p, 0);
}
