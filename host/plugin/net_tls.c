/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <hostd/net.h>
#include "base/mem.h"
#include "net/tls_client.h"
#include "plugin/net_tls.h"

struct net_tls {
	SLIST_ENTRY(net_tls) link;
	struct tls_client *client;
	int unchecked;
	char *ca, *cert;
};

static int
is_same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static char *
copy(const char *s)
{
	return s != NULL ? xstrdup(s) : NULL;
}

static struct tls_client *
net_tls_new(const struct hostd_connect *to, int unchecked, char *why,
    size_t size)
{
	struct tls_client_options o = {
		.unchecked = unchecked,
		.ca_file = to->tls_ca,
		.pem_file = to->tls_cert
	};
	struct tls_client *client;
	char text[200];

	if ((client = tls_client_new(&o, text, sizeof(text))) == NULL)
		(void)snprintf(why, size, "TLS with the certificates of "
		    "%s%s%s: %s",
		    to->tls_ca != NULL ? to->tls_ca : "the system",
		    to->tls_cert != NULL ? " and " : "",
		    to->tls_cert != NULL ? to->tls_cert : "", text);
	return client;
}

struct tls_client *
net_tls_get(struct net_tls_list *all, const struct hostd_connect *to,
    char *why, size_t size)
{
	int unchecked = (to->flags & HOSTD_NET_TLS_UNCHECKED) != 0;
	struct tls_client *client;
	struct net_tls *t;

	SLIST_FOREACH(t, all, link)
		if (t->unchecked == unchecked && is_same(t->ca, to->tls_ca) &&
		    is_same(t->cert, to->tls_cert))
			return t->client;
	if ((client = net_tls_new(to, unchecked, why, size)) == NULL)
		return NULL;
	t = xcalloc(1, sizeof(*t));
	t->client = client;
	t->unchecked = unchecked;
	t->ca = copy(to->tls_ca);
	t->cert = copy(to->tls_cert);
	SLIST_INSERT_HEAD(all, t, link);
	return client;
}

void
net_tls_free(struct net_tls_list *all)
{
	struct net_tls *t;

	while ((t = SLIST_FIRST(all)) != NULL) {
		SLIST_REMOVE_HEAD(all, link);
		tls_client_free(t->client);
		free(t->ca);
		free(t->cert);
		free(t);
	}
}
