/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may look: whoever the route's auth has let in, or has logged in by a
 * session; without either nobody, unless everybody may.
 */
#include <strings.h>
#include "dashboard.h"

int
words_allow(const struct words *w, hostd_buf word)
{
	uint32_t i;

	for (i = 0; i < w->n; i++)
		if (w->v[i].n == word.n &&
		    memcmp(w->v[i].p, word.p, word.n) == 0)
			return 1;
	return w->n == 0;
}

/* -- whose page asks -- */

static int
header_of(struct hostd_inst *in, hostd_req req, const char *name,
    hostd_buf *out)
{
	return in->easy.http->header(in->easy.host, req, name, out) ==
	    HOSTD_OK;
}

/* "https://name:port" is that of our Host, or one that was configured.  What
 * came without TLS may have come by it to something in front of us. */
static int
is_our_origin(struct hostd_inst *in, hostd_req req, hostd_buf origin)
{
	const struct hostd_request *r = hostd_request_of(in, req);
	hostd_buf host;
	const char *p = origin.p, *name;

	if (in->origins.n > 0)
		return words_allow(&in->origins, origin);
	name = memmem(p, origin.n, "://", 3);
	if (name == NULL || r == NULL || !header_of(in, req, "Host", &host) ||
	    ((r->flags & HOSTD_REQ_TLS) != 0 &&
	    (name - p != 5 || strncmp(p, "https", 5) != 0)))
		return 0;
	name += 3;
	return (size_t)(p + origin.n - name) == host.n &&
	    strncasecmp(name, host.p, host.n) == 0;
}

int
who_is_ours(struct hostd_inst *in, hostd_req req)
{
	static const char same[] = "same-origin";
	hostd_buf b;

	if (header_of(in, req, "Sec-Fetch-Site", &b) && (b.n != sizeof(same) -
	    1 || memcmp(b.p, same, b.n) != 0))
		return 0;
	return !header_of(in, req, "Origin", &b) || is_our_origin(in, req, b);
}

/* -- who asks -- */

static int32_t
let_in(struct hostd_inst *in, struct visit *v)
{
	v->may_act = in->acts && words_allow(&in->operators,
	    hostd_str(v->user));
	return v->then(in, v);
}

static int32_t
known(struct hostd_inst *in, struct visit *v, hostd_buf user)
{
	if (user.n > USER_MAX || !words_allow(&in->users, user))
		return answer_text(in, v->req, 403,
		    "The dashboard is not for you.\n");
	if (user.n > 0)
		memcpy(v->user, user.p, user.n);
	v->user[user.n] = '\0';
	return let_in(in, v);
}

static int32_t
unknown(struct hostd_inst *in, struct visit *v, int has_sessions)
{
	if (in->is_public)
		return let_in(in, v);
	if (has_sessions)
		return answer_text(in, v->req, 403,
		    "The dashboard is for those who have logged in.\n");
	if (!in->warned)
		hostd_logf(in->easy.host, HOSTD_LOG_WARN, "nobody may look at "
		    "the dashboard: give its route auth or session = required, "
		    "or the plugin public = on");
	in->warned = 1;
	return answer_text(in, v->req, 403, "Nobody may look at the dashboard: "
	    "its route has neither auth nor sessions.\n");
}

static int32_t
look(struct hostd_inst *in, struct visit *v, hostd_session s)
{
	hostd_buf user = { NULL, 0 };

	if (in->easy.session->get(in->easy.host, s,
	    (const char *)in->user_key.p, HOSTD_SESSION_TEXT, &user) !=
	    HOSTD_OK || user.n == 0)
		return unknown(in, v, 1);
	return known(in, v, user);
}

static void
is_loaded(struct hostd_inst *in, void *arg, hostd_session s, int32_t status)
{
	struct visit *v = arg;

	if (status == HOSTD_OK)
		(void)look(in, v, s);
	else
		(void)answer_text(in, v->req, 503,
		    "Sessions can't be had just now.\n");
}

int32_t
who_then(struct hostd_inst *in, struct visit *v,
    int32_t (*then)(struct hostd_inst *, struct visit *))
{
	hostd_buf user = { NULL, 0 };
	int32_t rc = HOSTD_E_NOTSUP;

	v->then = then;
	if (in->auth != NULL)
		rc = in->auth->user(in->easy.host, v->req, &user);
	if (rc == HOSTD_OK)
		return known(in, v, user);
	if (rc != HOSTD_E_NOTSUP)
		return rc;
	if (in->user_key.n > 0)
		rc = hostd_session_then(in, v->req, is_loaded, v);
	if (rc == HOSTD_E_NOTSUP)
		return unknown(in, v, 0);
	if (rc >= 0 || rc == HOSTD_E_GONE)
		return rc;
	return answer_text(in, v->req, 503,
	    "Sessions can't be had just now.\n");
}
