/* SPDX-License-Identifier: BSD-2-Clause */
/* Negotiation of permessage-deflate (RFC 7692 section 7.1). */
#ifndef WS_EXTENSION_H
#define WS_EXTENSION_H

#include <stddef.h>
#include <stdint.h>
#include <hostd/abi.h>

/* What the operator allows. */
struct ws_deflate_conf {
	int server_takeover;	/* keep our window between messages */
	int client_takeover;	/* let clients keep theirs */
	int server_bits;	/* 9-15: largest window of ours */
	int client_bits;	/* 9-15: largest window of clients */
};

/* What both sides agreed on. */
struct ws_deflate_params {
	uint8_t server_takeover, client_takeover;
	uint8_t server_bits, client_bits;	/* 9-15; client's 8 counts as
						   9 */
};

#define WS_EXTENSION_ANSWER 160

/*
 * values: the client's Sec-WebSocket-Extensions headers, in order; a header
 * may hold several offers.  The first offer that we can serve is taken: 1, its
 * parameters in *out and our header's value in answer (NUL-ended).  0: none
 * was.  -1: a header is malformed (RFC 6455 section 9.1), which is a 400.
 *
 * An offer is passed over, not an error, when it has an unknown or repeated
 * parameter, a bad value (RFC 7692 section 7.1: windows are 8-15, decimal
 * without leading zeros, perhaps quoted; takeover parameters have no value), or
 * server_max_window_bits=8, which zlib can't do.  client_max_window_bits is
 * only answered when it was offered; without an offer of it a client's window
 * is 15 whatever conf says.  client_no_context_takeover is answered whenever
 * conf does not allow takeover, offered or not (section 7.1.1.2).
 */
int	ws_extension_negotiate(const hostd_buf *values, size_t nvalues,
	    const struct ws_deflate_conf *, struct ws_deflate_params *out,
	    char answer[WS_EXTENSION_ANSWER]);

#endif
