/* SPDX-License-Identifier: BSD-2-Clause */
/* Whoever has logged in, by http_login or an application, has that name. */
#include "chat.h"

static void
is_loaded(struct hostd_inst *in, void *arg, hostd_session s, int32_t status)
{
	const struct hostd_easy *e = hostd_easy_of(in);
	struct member *m = arg;
	hostd_buf name = { NULL, 0 };

	if (status != HOSTD_OK) {
		(void)hostd_respond(in, m->upgrade, 503, "text/plain",
		    "Sessions can't be had just now.\n");
		return;
	}
	/* What is no text is nobody's name. */
	if (e->session->get(e->host, s, (const char *)in->user_key.p,
	    HOSTD_SESSION_TEXT, &name) == HOSTD_OK && name.p != NULL)
		member_log_in(in, m, name);
	name = (hostd_buf){ NULL, 0 };
	(void)e->ws->accept(e->host, m->upgrade, name, NULL, 0);
}

int32_t
login_look(struct hostd_inst *in, hostd_req req, struct member *m)
{
	int32_t rc = HOSTD_E_NOTSUP;

	m->upgrade = req;
	if (in->user_key.n > 0)
		rc = hostd_session_then(in, req, is_loaded, m);
	if (rc == HOSTD_E_NOTSUP)
		return HOSTD_OK;	/* no sessions: nobody is known */
	if (rc < 0 && rc != HOSTD_E_GONE) {
		hostd_session none = { 0 };

		is_loaded(in, m, none, rc);
		return HOSTD_OK;
	}
	return rc;
}
