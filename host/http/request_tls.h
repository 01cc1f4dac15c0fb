/* SPDX-License-Identifier: BSD-2-Clause */
/* What nginx's variables say of a request's TLS. */
#ifndef HTTP_REQUEST_TLS_H
#define HTTP_REQUEST_TLS_H

#include "http/request.h"

enum tls_variable {
	TLS_VAR_PROTOCOL, TLS_VAR_CIPHER, TLS_VAR_SERVER_NAME, TLS_VAR_ALPN,
	TLS_VAR_REUSED, TLS_VAR_CLIENT_VERIFY, TLS_VAR_CLIENT_S_DN,
	TLS_VAR_CLIENT_I_DN, TLS_VAR_CLIENT_SERIAL, TLS_VAR_CLIENT_FINGERPRINT,
	TLS_VAR_SCHEME, TLS_VAR_HTTPS
};

/* n 0: there is nothing to say. */
hostd_buf request_tls_value(const struct http_req *, enum tls_variable);

#endif
