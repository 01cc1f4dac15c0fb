/* SPDX-License-Identifier: BSD-2-Clause */
#include "weight.h"

int
weight_parse(hostd_buf b)
{
	const char *p = b.p;
	int w, scale = 100;
	size_t i;

	if (b.n == 0 || (p[0] != '0' && p[0] != '1') || b.n > 5 ||
	    (b.n > 1 && p[1] != '.'))
		return 0;
	w = (p[0] - '0') * 1000;
	for (i = 2; i < b.n; i++, scale /= 10) {
		if (p[i] < '0' || p[i] > '9')
			return 0;
		w += (p[i] - '0') * scale;
	}
	return w > 1000 ? 0 : w;
}
