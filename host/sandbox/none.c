/* SPDX-License-Identifier: BSD-2-Clause */
/* A hostd that was built without libseccomp. */
#include <stdio.h>
#include "sandbox/sandbox.h"

static int
refuse(char *why, size_t size)
{
	(void)snprintf(why, size, "this hostd was built without seccomp: "
	    "sandbox has to be off; or build it with Debian's "
	    "libseccomp-dev");
	return -1;
}

int
sandbox_allow_call(struct sandbox *s, const char *name)
{
	(void)s;
	(void)name;
	return 0;
}

int
sandbox_enter(const struct sandbox *s, enum sandbox_mode mode,
    struct board_cell *cell, char *why, size_t size)
{
	(void)s;
	(void)cell;
	return mode == SANDBOX_OFF ? 0 : refuse(why, size);
}

int
sandbox_enter_quietly(const struct sandbox *s, char *why, size_t size)
{
	(void)s;
	return refuse(why, size);
}

void
sandbox_set_blame(void (*blame)(void))
{
	(void)blame;
}
