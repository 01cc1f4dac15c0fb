/* SPDX-License-Identifier: BSD-2-Clause */
/* Texts of the configuration with $variables in them. */
#ifndef HTTP_PROXY_TEMPLATE_H
#define HTTP_PROXY_TEMPLATE_H

#include <hostd/auth.h>
#include <hostd/fetch.h>
#include <hostd/tls.h>
#include "head.h"

struct template_part;

struct template {
	struct template_part *v;
	uint32_t n;
};

/* What variables are of. */
struct facts {
	const struct hostd_request *request;
	const struct hostd_fetch_response *answer;	/* NULL: none yet */
	hostd_buf request_id;
	hostd_buf cache_status;				/* "" for none */
	/* Who the client is; NULL: this host does not know. */
	const struct hostd_auth_api *auth;
	const struct hostd_tls_api *tls;		/* NULL: likewise */
	const struct hostd_host *host;
	hostd_req id;
};

/* 0, or -1: *bad is the place that is not understood, or out of memory. */
int	template_parse(struct template *, const char *text, const char **bad);
void	template_free(struct template *);
/* Does it say nothing, whatever the request? */
int	template_is_empty(const struct template *);
/* The same, whatever the request? */
int	template_is_constant(const struct template *);
/* In the head's memory.  Never has bytes that no header may have. */
hostd_buf template_expand(const struct template *, const struct facts *,
	    struct head *);
/* The variable's names, for messages and documentation. */
#define TEMPLATE_VARIABLES						\
	"$host, $http_host, $remote_addr, $scheme, $request_method, "	\
	"$request_uri, $uri, $args, $is_args, $rest, "			\
	"$server_protocol, "						\
	"$request_id, $proxy_add_x_forwarded_for, $http_NAME, "		\
	"$cookie_NAME, $arg_NAME, $remote_user, $jwt_claim_NAME, "	\
	"$ssl_protocol, $ssl_cipher, $ssl_client_verify, "		\
	"$ssl_client_s_dn, $ssl_client_i_dn, $ssl_client_serial, "	\
	"$ssl_client_fingerprint"

/* Host as the client sent it, with its port; of an absolute target that of the
 * target.  n 0: there is none. */
hostd_buf template_http_host(const struct hostd_request *);
/* X-Forwarded-For, all lines of it, and the client behind them. */
void	template_put_forwarded_for(const struct hostd_request *,
	    struct head *);

#endif
