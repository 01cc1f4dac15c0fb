/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accept headers of who asks for metrics.
 *
 * What must hold: OpenMetrics is for those only who name it, and what is said
 * behind it of something else changes nothing.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "http_metrics/accept.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static int
names_it(const char *p, size_t n)
{
	static const char name[] = "application/openmetrics-text";
	size_t i;

	for (i = 0; i + sizeof(name) - 1 <= n; i++)
		if (strncasecmp(p + i, name, sizeof(name) - 1) == 0)
			return 1;
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char more[] = ",image/png;q=1";
	char *text = malloc(n + sizeof(more));
	int open;

	if (text == NULL)
		return 0;
	if (n > 0)
		memcpy(text, p, n);
	memcpy(text + n, more, sizeof(more));
	open = accept_openmetrics((hostd_buf){ text, n });
	if ((open && !names_it(text, n)) || accept_openmetrics(
	    (hostd_buf){ text, n + sizeof(more) - 1 }) != open)
		abort();
	free(text);
	return 0;
}
