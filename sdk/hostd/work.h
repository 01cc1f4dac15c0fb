/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostd.work/1: run something slow on a pool thread, so that the loop goes on.
 */
#ifndef HOSTD_WORK_H
#define HOSTD_WORK_H

#include <hostd/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOSTD_EXT_WORK "hostd.work/1"

struct hostd_work_api {
	uint32_t struct_size;
	uint32_t reserved;

	/*
	 * [loop] Call work(arg) on a pool thread [work], then done(inst, arg,
	 * status) on the loop.  status is HOSTD_OK, or HOSTD_E_GONE when the
	 * work was cancelled before it began because the instance ends; done is
	 * called exactly once either way, and before destroy; it is not when
	 * create has failed after submit.  work may use
	 * what is tagged [any], nothing else of the host's.
	 * The pool belongs to the worker: its threads (configuration:
	 * work_threads) and its 4096 places are shared by all instances.
	 * Errors: E_INVAL, E_FULL (no place), E_STATE (the instance is being
	 * destroyed), E_THREAD.
	 */
	int32_t (*submit)(const struct hostd_host *, void (*work)(void *arg),
	    void (*done)(struct hostd_inst *, void *arg, int32_t status),
	    void *arg);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_WORK_H */
