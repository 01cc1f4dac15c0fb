/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Are the tables of a plugin sound?  Each function returns 0, or -1 with a
 * reason, which names no file, in why.
 */
#ifndef PLUGIN_MODULE_CHECK_H
#define PLUGIN_MODULE_CHECK_H

#include <stddef.h>
#include <stdint.h>
#include <hostd/abi.h>
#include <hostd/balancer.h>
#include <hostd/cmd.h>
#include <hostd/health.h>
#include <hostd/http.h>
#include <hostd/metrics.h>
#include <hostd/offer.h>
#include <hostd/pubsub.h>
#include <hostd/sandbox.h>
#include <hostd/state.h>
#include <hostd/ws.h>

/* The frozen prefix of the entry, all that is read before it is accepted. */
struct module_prefix {
	uint32_t magic, abi_major, abi_minor_needed, struct_size;
};

int	module_check_prefix(const struct module_prefix *, char *why,
	    size_t size);
/* All of these take full-size copies, but see the original struct_size. */
int	module_check_desc(const struct hostd_plugin *, char *why, size_t size);
int	module_check_key(const struct hostd_key *, char *why, size_t size);
int	module_check_cmd(const struct hostd_cmd *, char *why, size_t size);
int	module_check_provide(const struct hostd_provide *, char *why,
	    size_t size);
/* A kind's table; the void is of the kind's type. */
int	module_check_http(const void *ops, char *why, size_t size);
int	module_check_ws(const void *ops, char *why, size_t size);
int	module_check_pubsub(const void *ops, char *why, size_t size);
int	module_check_balancer(const void *ops, char *why, size_t size);
int	module_check_store(const void *ops, char *why, size_t size);
/* An extension's, likewise. */
int	module_check_state(const void *table, char *why, size_t size);
int	module_check_ws_state(const void *table, char *why, size_t size);
int	module_check_sandbox(const void *table, char *why, size_t size);
int	module_check_p_offer(const void *table, char *why, size_t size);
int	module_check_offer(const struct hostd_offer *, char *why, size_t size);

/* The least struct_size of each: its members that are not optional. */
#define MODULE_END(type, member)					\
	(offsetof(struct type, member) + sizeof(((struct type *)0)->member))
#define MODULE_MIN_PLUGIN	MODULE_END(hostd_plugin, create)
#define MODULE_MIN_PROVIDE	MODULE_END(hostd_provide, ops)
#define MODULE_MIN_KEY		MODULE_END(hostd_key, name)
#define MODULE_MIN_CMD		MODULE_END(hostd_cmd, run)
#define MODULE_MIN_HTTP		MODULE_END(hostd_http_ops, on_headers)
#define MODULE_MIN_WS		MODULE_END(hostd_ws_ops, on_message)
#define MODULE_MIN_PUBSUB	MODULE_END(hostd_pubsub_ops, subscribe)
#define MODULE_MIN_BALANCER	MODULE_END(hostd_balancer_ops, pick)
#define MODULE_MIN_STORE	MODULE_END(hostd_session_store_ops, set)
#define MODULE_MIN_DEPENDENCY	MODULE_END(hostd_dependency, name)
#define MODULE_MIN_STATE	MODULE_END(hostd_p_state, load)
#define MODULE_MIN_WS_STATE	MODULE_END(hostd_p_ws_state, load)
#define MODULE_MIN_SANDBOX	MODULE_END(hostd_p_sandbox, flags)
#define MODULE_MIN_P_OFFER	MODULE_END(hostd_p_offer, offers)
#define MODULE_MIN_OFFER	MODULE_END(hostd_offer, detach)
#define MODULE_MIN_METRIC	MODULE_END(hostd_metric, name)

/* Larger tables than this are taken for garbage. */
#define MODULE_MAX_TABLE	65536u

#endif
