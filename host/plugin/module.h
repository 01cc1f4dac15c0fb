/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One loaded .so: opened, its entry checked by the accept rule, its tables
 * copied into full-size structs of this host, so that the rest of the host
 * tests for NULL only.
 */
#ifndef PLUGIN_MODULE_H
#define PLUGIN_MODULE_H

#include <stddef.h>
#include <hostd/abi.h>
#include <hostd/balancer.h>
#include <hostd/cmd.h>
#include <hostd/http.h>
#include <hostd/offer.h>
#include <hostd/pubsub.h>
#include <hostd/sandbox.h>
#include <hostd/session_store.h>
#include <hostd/state.h>
#include <hostd/ws.h>

struct module_provide {
	struct hostd_provide info;	/* full size; name never NULL */
	/* Of a kind that is served one is set, a full-size copy. */
	const struct hostd_http_ops *http;	/* http_route/1 */
	const struct hostd_ws_ops *ws;		/* ws_handler/1 */
	const struct hostd_pubsub_ops *pubsub;	/* pubsub_backend/1 */
	const struct hostd_balancer_ops *balancer;	/* balancer/1 */
	const struct hostd_session_store_ops *store;	/* session_store/1 */
};

struct module {
	char *path;			/* what was opened */
	char *display;			/* what people call it */
	void *dl;
	struct hostd_plugin desc;	/* full size */
	struct module_provide *provides;
	size_t nprovides;
	/* Never NULL; of full-size copies. */
	const struct hostd_key *const *keys;
	const struct hostd_cmd *const *cmds;
	/* Its extensions, full-size copies; NULL: without. */
	const struct hostd_p_state *state;
	const struct hostd_p_ws_state *ws_state;
	const struct hostd_p_sandbox *sandbox;
	/* What it offers to others, full-size copies. */
	const struct hostd_p_offer *offer;
	struct hostd_offer *offers;
	size_t noffers;
};

/*
 * dlopen (RTLD_NOW | RTLD_LOCAL) and accept.  NULL and one clear line in why
 * when refused: not a shared object, unresolved symbol, no entry, wrong magic,
 * major, too new a minor, broken tables, unknown flag bits.  The prefix is
 * checked in the file, before any code of the plugin runs.  When accepted, why
 * is empty, or one line about what this host will not serve of it.
 */
struct module *module_open(const char *path, const char *display, char *why,
	    size_t size);
/* Never dlcloses: a serving process keeps all code it ever loaded. */
void	module_free(struct module *);
/* Is it of a kind of the host's?  Others are between plugins. */
int	module_is_served(const struct module_provide *);
/* First provide of that kind, or NULL. */
const struct module_provide *module_provides(const struct module *,
	    const char *kind);

/* What the accept rule compares with; HOSTD_ABI_PRETEND_MINOR lowers it. */
uint32_t module_host_minor(void);

#endif
