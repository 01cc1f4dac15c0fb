/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last part of the path says what is done with the session:
 *
 *	plain	nothing, it is not asked for
 *	read	its name is read
 *	write	it is counted in it how often it was changed
 *	start	it is given a name
 *
 * The answer is the same greeting for each.
 */
#include <hostd/easy.h>

/* In the request's data. */
struct visit {
	hostd_req req;
	char wish;		/* the first letter of what is to be done */
};

static int32_t
greet(struct hostd_inst *in, hostd_req req, hostd_buf name)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "hello, %.*s\n", (int)name.n,
	    (const char *)name.p);

	return hostd_respond_bytes(in, req, 200, "text/plain", text,
	    (size_t)n);
}

static int32_t
count(struct hostd_inst *in, hostd_session s)
{
	const struct hostd_easy *e = hostd_easy_of(in);
	char text[32] = "0";
	hostd_buf value;
	int32_t rc = e->session->get(e->host, s, "views", 0, &value);

	if (rc != HOSTD_OK)
		return rc;
	if (value.p != NULL)
		(void)snprintf(text, sizeof(text), "%.*s", (int)value.n,
		    (const char *)value.p);
	(void)snprintf(text, sizeof(text), "%lu",
	    strtoul(text, NULL, 10) + 1);
	return e->session->set(e->host, s, "views", 0, hostd_str(text));
}

static int32_t
answer(struct hostd_inst *in, const struct visit *v, hostd_session s)
{
	const struct hostd_easy *e = hostd_easy_of(in);
	hostd_buf name;
	int32_t rc = HOSTD_OK;

	if (v->wish == 's')
		rc = e->session->set(e->host, s, "name", HOSTD_SESSION_TEXT,
		    hostd_str("somebody"));
	else if (v->wish == 'w')
		rc = count(in, s);
	if (rc == HOSTD_OK)
		rc = e->session->get(e->host, s, "name", HOSTD_SESSION_TEXT,
		    &name);
	if (rc != HOSTD_OK)
		return rc;
	/* Else what is measured would be nobody's session. */
	if (name.p == NULL)
		return hostd_respond(in, v->req, 403, "text/plain",
		    "no session\n");
	return greet(in, v->req, name);
}

static void
loaded(struct hostd_inst *in, void *arg, hostd_session s, int32_t status)
{
	const struct visit *v = arg;

	if (status == HOSTD_OK)
		status = answer(in, v, s);
	if (status < 0)
		(void)hostd_respond(in, v->req, 503, "text/plain",
		    "no store\n");
}

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_request *r = hostd_request_of(in, req);
	struct visit *v = d;
	const char *slash;

	if (r == NULL)
		return HOSTD_E_GONE;
	slash = memrchr(r->path.p, '/', r->path.n);
	v->req = req;
	v->wish = slash[1];
	if (v->wish == 'p')
		return greet(in, req, hostd_str("somebody"));
	return hostd_session_then(in, req, loaded, v);
}

static const struct hostd_http_ops ops = {
	.struct_size = sizeof(ops),
	.data_size = sizeof(struct visit),
	.on_headers = on_headers,
};

HOSTD_EASY_PLUGIN("session", "1.0", HOSTD_KIND_HTTP_ROUTE, &ops, NULL)
