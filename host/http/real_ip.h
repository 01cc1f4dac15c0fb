/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client's address as a trusted proxy tells it (http { real_ip_from }).
 *
 * The header is read from its end, where the nearest proxy has written, and
 * only as far as those who wrote are trusted.  What is no address ends it:
 * then what was found before is the client, at least the proxy itself.
 */
#ifndef HTTP_REAL_IP_H
#define HTTP_REAL_IP_H

#include <stddef.h>
#include <sys/socket.h>
#include "config/model.h"
#include "http/request.h"

#define REAL_IP_TEXT	46

/* "192.0.2.1", "[2001:db8::1]:80", "unix": 0, or -1: it is none. */
int	real_ip_parse(hostd_buf text, struct sockaddr_storage *);
/*
 * Whom the request is from, when it came from peer: 1, and its address as text
 * in out; 0: peer.
 */
int	real_ip_find(const struct conf_http *, const struct http_req *,
	    hostd_buf peer, char out[REAL_IP_TEXT]);

#endif
