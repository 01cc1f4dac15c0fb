/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.ready/1: whoever holds must let go. */
#include <stdio.h>
#include <string.h>

#include "ctl/fake.h"

static int32_t
ready_hold(const struct hostd_host *host, const char *reason)
{
	struct fake *f = fake_called(host, "hold of " HOSTD_EXT_READY);

	if (reason == NULL || reason[0] == '\0')
		check_fail("held readiness without a reason");
	if (f->started)
		check_fail("held readiness (%.80s) when start had returned",
		    reason);
	f->ready.holds++;
	f->ready.all++;
	(void)snprintf(f->ready.reason, sizeof(f->ready.reason), "%s", reason);
	return HOSTD_OK;
}

static int32_t
ready_release(const struct hostd_host *host, int32_t status, hostd_buf text)
{
	struct fake *f = fake_called(host, "release of " HOSTD_EXT_READY);

	if (status > HOSTD_OK || (text.p == NULL && text.n > 0))
		check_fail("released readiness with status %d and %s text",
		    status, text.p == NULL ? "no" : "a");
	if (f->ready.holds == 0)
		check_fail("released readiness, of which nothing was held");
	f->ready.holds--;
	if (status < HOSTD_OK && f->ready.refused[0] == '\0')
		(void)snprintf(f->ready.refused, sizeof(f->ready.refused),
		    "code %d: %.*s", status,
		    text.n > 150 ? 150 : (int)text.n,
		    text.p == NULL ? "" : (const char *)text.p);
	return HOSTD_OK;
}

int
fake_ready_wait(struct fake *f)
{
	uint64_t limit = fake_now() + FAKE_READY_MS;

	while (f->ready.holds > 0 && f->ready.refused[0] == '\0')
		if (fake_turn() == 0 && !fake_tick(limit) && fake_wait() == 0)
			return -1;
	return f->ready.refused[0] == '\0' ? 0 : -1;
}

const struct hostd_ready_api fake_ready_api = {
    .struct_size = sizeof(struct hostd_ready_api),
    .hold = ready_hold,
    .release = ready_release,
};
