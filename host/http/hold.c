/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers that wait for something before they may be seen. */
#include "http/conn.h"
#include "http/exchange.h"
#include "http/framed.h"
#include "http/response.h"

void
response_hold(struct http_req *r)
{
	r->held++;
	stream_hold(&r->conn->stream, 1);
}

/* Those before it have been held up with it. */
static void
let_go(struct http_req *r)
{
	r->held = 0;
	stream_hold(&r->conn->stream, 0);
	stream_flush_later(&r->conn->stream);
	conn_wake(r->conn);
}

void
response_let_go(struct http_req *r)
{
	if (r->held && --r->held == 0)
		let_go(r);
}

static void
drop_answer(struct http_req *r)
{
	if (r->conn->framed != NULL)
		framed_truncate(r->conn->framed, r->out_start);
	stream_truncate(&r->conn->stream, r->out_start);
}

void
response_drop(struct http_req *r)
{
	drop_answer(r);
	let_go(r);
}

void
response_take_back(struct http_req *r, int status)
{
	if (!r->held)
		return;
	if (r->upgrade != NULL)
		exchange_lose_upgrade(r, HOSTD_END_ERROR);
	drop_answer(r);
	r->phase = RESP_NONE;
	r->status = 0;
	r->cut = r->chunked_out = r->head_only = r->high = 0;
	r->length = -1;
	r->body_out = r->head_out = r->out_end = 0;
	r->upgrade_to = NULL;
	let_go(r);
	exchange_refuse(r->conn, status, HOSTD_END_ERROR);
}
