/* SPDX-License-Identifier: BSD-2-Clause */
/* An instance's exchanges with servers: hostd.fetch/1 over
 * upstream/exchange.h. */
#ifndef PLUGIN_FETCH_H
#define PLUGIN_FETCH_H

#include <stdint.h>
#include <sys/queue.h>
#include <hostd/fetch.h>
#include "http/request.h"
#include "upstream/exchange.h"

struct fetch_tunnel;
struct instance;
struct plugins;

struct fetch {
	struct up_exchange x;		/* first */
	LIST_ENTRY(fetch) link;		/* of the instance's, or of free ones */
	struct instance *in;
	struct hostd_fetch_ops ops;
	void *arg;
	uint64_t id;
	struct http_errand errand;
	struct http_req *req;		/* on_behalf, until it ends; NULL: none
					   that it ends with */
	struct http_conn *corked;	/* req's, while its answer is made */
	struct fetch_tunnel *tunnel;	/* once it was asked for */
	char *protocol;			/* of a 101 */
	struct buf whole;		/* HOSTD_FETCH_BUFFER */
	uint8_t buffer;
	uint8_t detached;
	uint8_t outlives;
	uint8_t told;			/* on_end was called */
	uint8_t in_fin;			/* trailers may be asked for */
	char client[16];		/* address, for the balancer */
};

/* It ends so: the plugin is told, unless its instance was not created. */
void	fetch_end(struct fetch *, int32_t status, const char *text);

/* fetch_client.c: the client's address is for the balancer, and its connection
 * for a group that wants the PROXY protocol's header of that version.  After
 * exchange_start. */
void	fetch_note_client(struct fetch *);
void	fetch_note_connection(struct fetch *, int version);

/* fetch_tunnel.c: answer req with 101 and these headers, and begin when that
 * was sent. */
int32_t	tunnel_open(struct fetch *, const hostd_hdr *, uint32_t n,
	    uint32_t idle_ms);
/* At once.  Nobody is told. */
void	tunnel_close(struct fetch_tunnel *);
/* Its bytes go both ways. */
int	tunnel_is_open(const struct fetch_tunnel *);
/* plugins.reap_tunnels. */
void	tunnels_reap(struct loop_task *);

/* For plugins_load. */
void	fetch_service_init(struct plugins *);
/* For instance_stop: end the instance's exchanges; on_end of each is called. */
void	fetch_service_stop(struct instance *);
/* After all instances have ended, and upstreams_close. */
void	fetch_service_close(struct plugins *);

#endif
