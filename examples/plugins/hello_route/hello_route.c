/* SPDX-License-Identifier: BSD-2-Clause */
#include <hostd/easy.h>

static int32_t
hello(struct hostd_inst *in, hostd_req req, void *d)
{
	(void)d;
	return hostd_respond(in, req, 200, "text/plain", "hello, world\n");
}

HOSTD_EASY_ROUTE("hello_route", "1.0", "/hello", hello)
