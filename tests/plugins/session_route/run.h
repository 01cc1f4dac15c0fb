/* SPDX-License-Identifier: BSD-2-Clause */
/* For session_route.c: steps that are being run, and what they answer. */
#ifndef SESSION_ROUTE_RUN_H
#define SESSION_ROUTE_RUN_H

#include <hostd/easy.h>
#include <hostd/session.h>
#include <hostd/timer.h>
#include <hostd/work.h>

#define OUT_MAX (1 << 20)
#define FIRST_MAX 2048

struct socket_data {
	char first[FIRST_MAX];
	uint32_t n;
};

struct run {
	struct run *next;
	struct hostd_inst *in;
	hostd_req req;
	hostd_ws ws;		/* id 0: a request */
	hostd_session s;
	hostd_timer timer;
	char *script, *at;	/* what is left of it */
	char *out;
	size_t n;
	char cookie[256];
	int32_t status, rc;
	struct socket_data *upgrade;
	int opened, begun, finished;
	int waits_for_body, has_body;
	int readies, wanted;	/* of opens */
	int32_t worst;
	int asked;		/* by open, not for another step */
	int32_t thread_rc;
};

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_session_api *session;
	const struct hostd_timer_api *timers;
	const struct hostd_work_api *work;
	struct run *runs;
	hostd_session last;
};

/* -- what is answered -- */

static void
put(struct run *r, const void *p, size_t n)
{
	if (n > OUT_MAX - r->n)
		n = OUT_MAX - r->n;
	if (n > 0)
		memcpy(r->out + r->n, p, n);
	r->n += n;
}

static const char *
name_of(int32_t rc)
{
	static const char *const names[] = { "OK", "E_INVAL", "E_NOMEM",
		"E_GONE", "E_FULL", "E_NOTSUP", "E_TIMEOUT", "E_IO", "E_THREAD",
		"E_STATE" };

	return rc > 0 ? "OK" : rc < -9 ? "unknown" : names[-rc];
}

/* value: JSON; p NULL: none.  Returns HOSTD_OK, for steps. */
static int32_t
put_result(struct run *r, int32_t rc, hostd_buf value)
{
	char text[32];

	if (rc < 0)
		value.p = NULL;
	(void)snprintf(text, sizeof(text), "%s[\"%s\"%s", r->n > 1 ? "," : "",
	    name_of(rc), value.p != NULL ? "," : "");
	put(r, text, strlen(text));
	if (value.p != NULL)
		put(r, value.p, value.n);
	put(r, "]", 1);
	return HOSTD_OK;
}

static int32_t
put_code(struct run *r, int32_t rc)
{
	return put_result(r, rc, (hostd_buf){ NULL, 0 });
}

static int32_t
put_number(struct run *r, int32_t rc, unsigned long long n)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%llu", n);
	return put_result(r, rc, hostd_str(text));
}

/* A text as JSON. */
static int32_t
put_text(struct run *r, int32_t rc, hostd_buf b)
{
	const unsigned char *p = b.p;
	char *text;
	size_t i, n = 0;

	if (rc < 0 || b.p == NULL)
		return put_code(r, rc);
	text = malloc(6 * b.n + 3);
	text[n++] = '"';
	for (i = 0; i < b.n; i++)
		if (p[i] < 0x20 || p[i] == '"' || p[i] == '\\')
			n += (size_t)sprintf(text + n, "\\u%04x", p[i]);
		else
			text[n++] = (char)p[i];
	text[n++] = '"';
	(void)put_result(r, rc, (hostd_buf){ text, n });
	free(text);
	return HOSTD_OK;
}

/* -- life of a run -- */

static struct run *
run_new(struct hostd_inst *in, hostd_buf script)
{
	struct run *r = calloc(1, sizeof(*r));

	r->in = in;
	r->status = 200;
	r->out = malloc(OUT_MAX);
	r->at = r->script = calloc(1, script.n + 1);
	if (script.n > 0)
		memcpy(r->script, script.p, script.n);
	put(r, "[", 1);
	r->next = in->runs;
	in->runs = r;
	return r;
}

static void
run_free(struct run *r)
{
	struct run **p = &r->in->runs;

	while (*p != r)
		p = &(*p)->next;
	*p = r->next;
	if (r->timer.id != 0)
		(void)r->in->timers->stop(r->in->easy.host, r->timer);
	free(r->script);
	free(r->out);
	free(r);
}

/* The step that is next. */
static void
skip(struct run *r)
{
	r->at += strcspn(r->at, "&");
	r->at += *r->at == '&';
}

static struct run *
run_of(struct hostd_inst *in, hostd_req req)
{
	struct run *r = in->runs;

	while (r != NULL && (r->ws.id != 0 || r->req.id != req.id))
		r = r->next;
	return r;
}

static void
answer(struct run *r)
{
	const struct hostd_easy *e = &r->in->easy;
	hostd_hdr h[2] = { hostd_header("Content-Type", "application/json"),
		hostd_header("Set-Cookie", r->cookie) };
	hostd_buf body;

	put(r, "]", 1);
	body = (hostd_buf){ r->out, r->n };
	if (r->begun) {
		(void)e->http->write(e->host, r->req, body);
		(void)e->http->finish(e->host, r->req);
	} else if (r->rc == HOSTD_OK)
		r->rc = e->http->respond(e->host, r->req, r->status, h,
		    r->cookie[0] != '\0' ? 2 : 1, body);
}

static void
accept_upgrade(struct run *r, struct socket_data *d)
{
	const struct hostd_easy *e = &r->in->easy;
	hostd_buf none = { NULL, 0 };

	put(r, "]", 1);
	d->n = (uint32_t)(r->n < FIRST_MAX ? r->n : FIRST_MAX);
	memcpy(d->first, r->out, d->n);
	if (r->rc == HOSTD_OK)
		r->rc = e->ws->accept(e->host, r->req, none, NULL, 0);
}

#endif
