/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>
#include "engine.h"

#define HEADERS_MAX (EIO_CORS_HEADERS + 3)

static const struct {
	int32_t status;
	const char *message;
} errors[] = {
	[EIO_UNKNOWN_TRANSPORT] = { 400, "Transport unknown" },
	[EIO_UNKNOWN_ID] = { 400, "Session ID unknown" },
	[EIO_BAD_METHOD] = { 400, "Bad handshake method" },
	[EIO_BAD_REQUEST] = { 400, "Bad request" },
	[EIO_FORBIDDEN] = { 403, "Forbidden" },
	[EIO_UNSUPPORTED] = { 400, "Unsupported protocol version" },
};

static int32_t
respond(struct hostd_inst *in, hostd_req req, int32_t status, hostd_hdr *h,
    uint32_t n, hostd_buf body)
{
	const struct hostd_request *r = hostd_request_of(in, req);

	if (r == NULL)
		return HOSTD_E_GONE;
	n += eio_cors_headers(&in->engine->cors, r, 0, h + n);
	return in->easy.http->respond(in->easy.host, req, status, h, n, body);
}

int32_t
eio_answer(struct hostd_inst *in, hostd_req req, const char *type,
    hostd_buf body, hostd_buf cookie)
{
	hostd_hdr h[HEADERS_MAX];
	uint32_t n = 0;

	h[n++] = hostd_header("Content-Type", type);
	h[n++] = hostd_header("Cache-Control", "no-store");
	if (cookie.n > 0) {
		h[n].name = hostd_str("Set-Cookie");
		h[n++].value = cookie;
	}
	return respond(in, req, 200, h, n, body);
}

int32_t
eio_relay(struct hostd_inst *in, hostd_req req, int32_t status,
    const char *type, hostd_buf body)
{
	hostd_hdr h[HEADERS_MAX];

	h[0] = hostd_header("Content-Type", *type != '\0' ? type :
	    "text/plain");
	h[1] = hostd_header("Cache-Control", "no-store");
	return respond(in, req, status, h, 2, body);
}

int32_t
eio_answer_preflight(struct hostd_inst *in, hostd_req req)
{
	const struct hostd_request *r = hostd_request_of(in, req);
	hostd_hdr h[HEADERS_MAX];
	uint32_t n;

	if (r == NULL)
		return HOSTD_E_GONE;
	n = eio_cors_headers(&in->engine->cors, r, 1, h);
	return in->easy.http->respond(in->easy.host, req, 204, h, n,
	    hostd_str(NULL));
}

int32_t
eio_refuse(struct hostd_inst *in, hostd_req req, enum eio_error error,
    int is_upgrade)
{
	hostd_hdr h[HEADERS_MAX];
	char json[128];

	h[0] = hostd_header("Content-Type", is_upgrade ? "text/html" :
	    "application/json");
	if (is_upgrade)
		return respond(in, req, 400, h, 1,
		    hostd_str(errors[error].message));
	(void)snprintf(json, sizeof(json), "{\"code\":%d,\"message\":\"%s\"}",
	    (int)error, errors[error].message);
	return respond(in, req, errors[error].status, h, 1, hostd_str(json));
}

/* With a type, or the host would show a page. */
int32_t
eio_refuse_empty(struct hostd_inst *in, hostd_req req, int32_t status)
{
	hostd_hdr h[HEADERS_MAX];

	h[0] = hostd_header("Content-Type", "text/plain");
	return respond(in, req, status, h, 1, hostd_str(""));
}
