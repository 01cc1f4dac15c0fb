/* SPDX-License-Identifier: BSD-2-Clause */
/* TLS, as it is spoken at the addresses of listen blocks. */
#include <stdlib.h>
#include "base/mem.h"
#include "net/tls.h"
#include "worker/state.h"

struct worker_tls {
	SLIST_ENTRY(worker_tls) link;
	const struct conf_tls *conf;
	struct tls_context *context;
};

static void
prepare_each(SSL_CTX *ctx, void *arg)
{
	(void)arg;
	tls_prepare(ctx);
}

void
worker_secure(struct worker *w)
{
	struct tls_tickets *keys = w->tickets.page != NULL ? &w->tickets :
	    NULL;
	struct tls_context *context;
	const struct conf_tls *t;
	struct worker_tls *wt;

	/* Else OpenSSL would say of a broken file again what was said. */
	if (!TAILQ_EMPTY(&w->errs))
		return;
	TAILQ_FOREACH(t, &w->conf->tls, entry) {
		context = tls_context_new(t, keys, &w->errs);
		if (context == NULL)
			continue;
		tls_context_each(context, prepare_each, NULL);
		if (t->http2 != CONF_HTTP2_OFF)
			tls_context_offer_http2(context);
		wt = xcalloc(1, sizeof(*wt));
		wt->conf = t;
		wt->context = context;
		SLIST_INSERT_HEAD(&w->tls, wt, link);
	}
}

struct tls_context *
worker_tls(const struct worker *w, const struct conf_tls *t)
{
	const struct worker_tls *wt;

	SLIST_FOREACH(wt, &w->tls, link)
		if (wt->conf == t)
			return wt->context;
	return NULL;
}

void
worker_secure_close(struct worker *w)
{
	struct worker_tls *wt;

	while ((wt = SLIST_FIRST(&w->tls)) != NULL) {
		SLIST_REMOVE_HEAD(&w->tls, link);
		tls_context_free(wt->context);
		free(wt);
	}
	tls_tickets_close(&w->tickets);
}
