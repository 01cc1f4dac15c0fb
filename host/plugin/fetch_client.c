/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose request it is that a server is asked for. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include "http/conn.h"
#include "net/proxy.h"
#include "plugin/fetch.h"

void
fetch_note_client(struct fetch *f)
{
	const hostd_buf *peer = &f->req->view.peer;
	char text[48];
	hostd_buf *client = &f->x.search.client;

	if (peer->n >= sizeof(text))
		return;
	memcpy(text, peer->p, peer->n);
	text[peer->n] = '\0';
	client->p = f->client;
	if (inet_pton(AF_INET, text, f->client) == 1)
		client->n = 4;
	else if (inet_pton(AF_INET6, text, f->client) == 1)
		client->n = 16;
}

/* Is that its address already?  A socket for both families has one of IPv4
 * mapped into IPv6. */
static int
is_at(const struct sockaddr_storage *ss, const hostd_buf *client)
{
	const struct sockaddr_in *in = (const void *)ss;
	const struct sockaddr_in6 *in6 = (const void *)ss;

	if (client->n == 4 && ss->ss_family == AF_INET)
		return memcmp(&in->sin_addr, client->p, 4) == 0;
	if (ss->ss_family != AF_INET6)
		return 0;
	if (client->n == 4)
		return IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr) &&
		    memcmp(&in6->sin6_addr.s6_addr[12], client->p, 4) == 0;
	return memcmp(&in6->sin6_addr, client->p, 16) == 0;
}

/* The client, as it is known by now: perhaps a proxy before us has told who it
 * is, but not its port. */
static void
put_client(const hostd_buf *client, struct sockaddr_storage *ss)
{
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)ss;

	if (client->n == 0 || is_at(ss, client))
		return;
	memset(ss, 0, sizeof(*ss));
	if (client->n == 4) {
		in->sin_family = AF_INET;
		memcpy(&in->sin_addr, client->p, 4);
	} else {
		in6->sin6_family = AF_INET6;
		memcpy(&in6->sin6_addr, client->p, 16);
	}
}

void
fetch_note_connection(struct fetch *f, int version)
{
	struct sockaddr_storage from, to;
	socklen_t nfrom = sizeof(from), nto = sizeof(to);

	memset(&from, 0, sizeof(from));
	memset(&to, 0, sizeof(to));
	if (f->req != NULL) {
		(void)getpeername(f->req->conn->stream.io.fd,
		    (struct sockaddr *)&from, &nfrom);
		(void)getsockname(f->req->conn->stream.io.fd,
		    (struct sockaddr *)&to, &nto);
		put_client(&f->x.search.client, &from);
	}
	f->x.proxy_len = proxy_make(version, (struct sockaddr *)&from,
	    (struct sockaddr *)&to, f->x.proxy);
}
