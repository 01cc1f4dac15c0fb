/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What proxies say of their clients' addresses: the first byte chooses the
 * header and whether it is followed; the rest are its lines.
 *
 * What must hold: what comes out is an address, and it is never one that was
 * written in front of one who is not trusted.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "http/real_ip.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define LINES 8

static void
must(int holds)
{
	if (!holds)
		abort();
}

static void
try_head(const struct conf_http *conf, struct http_req *r)
{
	static const hostd_buf peer = { "10.0.0.1", 8 };
	struct sockaddr_storage ss;
	char out[REAL_IP_TEXT], more[REAL_IP_TEXT];
	int found = real_ip_find(conf, r, peer, out);
	hostd_hdr *last = &r->headers[r->view.nheaders++];

	must(!found || real_ip_parse((hostd_buf){ out, strlen(out) },
	    &ss) == 0);
	/* The nearest proxy has the last word, whatever was there before. */
	last->name = r->headers[0].name;
	last->value = strcmp(conf->real_ip_header, "Forwarded") == 0 ?
	    (hostd_buf){ "for=192.0.2.7", 13 } :
	    (hostd_buf){ "192.0.2.7", 9 };
	must(real_ip_find(conf, r, peer, more) == 1 &&
	    strcmp(more, "192.0.2.7") == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_req *r;
	struct conf_http conf;
	struct cidr net;
	const char *why, *p = (const char *)data + 1, *nl;
	char *copy;
	size_t n, left;

	if (size == 0)
		return 0;
	if (r == NULL)
		r = calloc(1, sizeof(*r) + (LINES + 1) * sizeof(hostd_hdr));
	memset(&conf, 0, sizeof(conf));
	must(cidr_parse("10.0.0.0/8", &net, &why) == 0);
	conf.real_ip_from = (struct cidrs){ &net, 1 };
	conf.real_ip_header = data[0] & 1 ? (char[]){ "Forwarded" } :
	    (char[]){ "X-Forwarded-For" };
	conf.real_ip_recursive = (data[0] & 2) != 0;
	left = size - 1;
	copy = malloc(left + 1);
	memcpy(copy, p, left);
	r->view.nheaders = 0;
	for (p = copy; r->view.nheaders < LINES; p = nl + 1, left -= n + 1) {
		nl = memchr(p, '\n', left);
		n = nl == NULL ? left : (size_t)(nl - p);
		r->headers[r->view.nheaders].name = (hostd_buf){
		    conf.real_ip_header, strlen(conf.real_ip_header) };
		r->headers[r->view.nheaders++].value = (hostd_buf){ p, n };
		if (nl == NULL)
			break;
	}
	try_head(&conf, r);
	free(copy);
	return 0;
}
