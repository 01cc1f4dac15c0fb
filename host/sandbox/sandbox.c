/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include "sandbox/filter.h"
#include "sandbox/landlock.h"
#include "sandbox/notify.h"
#include "sandbox/path_call.h"
#include "sandbox/sandbox.h"
#include "sandbox/trap.h"

#ifdef __SANITIZE_ADDRESS__
/* Looking for leaks means to stop this process with ptrace(2). */
static int entered;

int	__lsan_is_turned_off(void);

__attribute__((visibility("default"))) int
__lsan_is_turned_off(void)
{
	return entered;
}
#define LEAKS_UNSEEN() (entered = 1)
#else
#define LEAKS_UNSEEN() ((void)0)
#endif

static int
confine(const struct sandbox *s, char *why, size_t size)
{
	if (landlock_version() == 0)
		(void)snprintf(why, size, "sandbox = on needs landlock, which "
		    "this kernel does not have, or not switched on (%s): Linux "
		    "5.13 or newer, with \"landlock\" among its lsm=; or say "
		    "sandbox = log or off", strerror(errno));
	else if (landlock_enter(s) == -1)
		(void)snprintf(why, size, "landlock: %s", strerror(errno));
	else
		return 0;
	return -1;
}

static int
watch(const struct sandbox *s, struct board_cell *cell, char *why, size_t size)
{
	int fd;

	if (notify_start(s, cell) == -1) {
		(void)snprintf(why, size, "sandbox = log: %s",
		    strerror(errno));
		return -1;
	}
	if (filter_load(s, FILTER_NOTIFY, &fd, why, size) == -1)
		return -1;
	notify_begin(fd);
	return 0;
}

int
sandbox_enter(const struct sandbox *s, enum sandbox_mode mode,
    struct board_cell *cell, char *why, size_t size)
{
	if (mode == SANDBOX_OFF)
		return 0;
	LEAKS_UNSEEN();
	if (mode == SANDBOX_LOG)
		return watch(s, cell, why, size);
	if (getrandom(&sandbox_key, sizeof(sandbox_key), 0) !=
	    sizeof(sandbox_key)) {
		(void)snprintf(why, size, "getrandom: %s", strerror(errno));
		return -1;
	}
	if (confine(s, why, size) == -1)
		return -1;
	trap_init(s, cell);
	return filter_load(s, FILTER_TRAP, NULL, why, size);
}

int
sandbox_enter_quietly(const struct sandbox *s, char *why, size_t size)
{
	LEAKS_UNSEEN();
	if (landlock_version() != 0 && confine(s, why, size) == -1)
		return -1;
	return filter_load(s, FILTER_QUIET, NULL, why, size);
}
