/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostd.timer/1: timers of an instance.  They end with it.
 */
#ifndef HOSTD_TIMER_H
#define HOSTD_TIMER_H

#include <hostd/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOSTD_EXT_TIMER "hostd.timer/1"

struct hostd_timer_api {
	uint32_t struct_size;
	uint32_t reserved;

	/*
	 * [loop] Call fn(inst, timer, arg) after delay_ms, then every repeat_ms
	 * (0: once; the handle is stale when fn is called).  fn is [loop].
	 * Errors: E_INVAL, E_FULL (the instance has 65536), E_STATE (it is
	 * being destroyed), E_THREAD.
	 */
	int32_t (*start)(const struct hostd_host *, uint64_t delay_ms,
	    uint64_t repeat_ms,
	    void (*fn)(struct hostd_inst *, hostd_timer, void *arg), void *arg,
	    hostd_timer *out);

	/* [loop] Stop it; fn is not called any more.  E_GONE: had ended. */
	int32_t (*stop)(const struct hostd_host *, hostd_timer);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_TIMER_H */
