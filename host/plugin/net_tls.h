/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLS of hostd.net/1: what OpenSSL needs for it, made once for all connections
 * with the same files, which takes a while, and kept until the worker ends.
 */
#ifndef PLUGIN_NET_TLS_H
#define PLUGIN_NET_TLS_H

#include <stddef.h>
#include <sys/queue.h>

struct hostd_connect;
struct net_tls;
struct tls_client;
SLIST_HEAD(net_tls_list, net_tls);

/* NULL: why says what is wrong with the files. */
struct tls_client *net_tls_get(struct net_tls_list *,
	    const struct hostd_connect *, char *why, size_t size);
void	net_tls_free(struct net_tls_list *);

#endif
