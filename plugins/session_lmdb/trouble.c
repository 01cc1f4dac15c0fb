/* SPDX-License-Identifier: BSD-2-Clause */
/* What fails fails for every request; the log needs to know it once. */
#include <inttypes.h>
#include "store.h"

#define STRETCH_MS	10000

void
trouble_say(struct hostd_inst *in, struct trouble *t, int32_t level,
    const char *what, const char *why)
{
	uint64_t now = in->easy.host->now_ms(in->easy.host);

	if (t->last_ms != 0 && now - t->last_ms < STRETCH_MS) {
		t->untold++;
		return;
	}
	t->last_ms = now | 1;
	if (t->untold > 0)
		hostd_logf(in->easy.host, level, "%s: %s: %s (and %" PRIu64
		    " times before)", in->env.path, what, why, t->untold);
	else
		hostd_logf(in->easy.host, level, "%s: %s: %s", in->env.path,
		    what, why);
	t->untold = 0;
}
