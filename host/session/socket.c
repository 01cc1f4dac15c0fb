/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "session/inside.h"
#include "session/socket.h"
#include "session/visit.h"
#include "ws/conn.h"

/* "block", NUL, key. */
void
session_socket_begin(struct session_kind *k, const struct http_req *r,
    struct ws_conn *c)
{
	struct session *s = session_of(k, r);
	hostd_buf key = s != NULL ? session_id(s) : session_key_of(k, r);
	struct buf b = { NULL, 0, 0 };

	buf_append(&b, k->conf->name, strlen(k->conf->name) + 1);
	if (key.n > 0 && (s == NULL || !s->destroyed))
		buf_append(&b, key.p, key.n);
	free(c->session_id);
	c->session_id = b.p;
	c->session_id_len = (uint32_t)b.len;
	c->secure = (uint8_t)request_is_secure(r);
}

const char *
session_socket_block(const struct ws_conn *c)
{
	return c->session_id;
}

static hostd_buf
key_of(const struct ws_conn *c)
{
	size_t n = strlen(c->session_id) + 1;

	if (n >= c->session_id_len)
		return (hostd_buf){ NULL, 0 };
	return (hostd_buf){ c->session_id + n, c->session_id_len - n };
}

int32_t
session_socket_open(struct session_kind *k, struct ws_conn *c,
    struct session_wait *w, struct session **out)
{
	struct session *s = c->session;
	int32_t rc;

	if (s != NULL && (s->phase == SESSION_LOADING || s->saving))
		return HOSTD_E_STATE;
	if (s == NULL) {
		s = c->session = session_new(k, c->secure);
		s->ws = c;
	}
	*out = s;
	rc = session_load(s, key_of(c));
	if (rc == HOSTD_DEFER)
		LIST_INSERT_HEAD(&s->loads, w, link);
	return rc;
}

void
session_socket_end(struct ws_conn *c)
{
	if (c->session != NULL)
		session_end(c->session);
	c->session = NULL;
}

struct ws_conn *
session_socket(const struct session *s)
{
	return s->ws;
}
