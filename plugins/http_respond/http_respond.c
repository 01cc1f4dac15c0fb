/* SPDX-License-Identifier: BSD-2-Clause */
/* Fixed answers and redirects from the configuration. */
#include <strings.h>
#include <hostd/easy.h>
#include "location.h"

#define HEADERS_MAX 32

struct hostd_inst {
	HOSTD_EASY_HEAD;
	int32_t status;
	hostd_buf body;			/* [instance], as all texts here */
	hostd_hdr headers[HEADERS_MAX];
	uint32_t nheaders;
	const char *location;		/* NULL: no redirect */
};

static const struct hostd_key key_status = {
	sizeof(struct hostd_key), HOSTD_KEY_INT, 0, "status", "0",
	"Status of the answer; 0: 302 with a location, else 200.", 0, 599, NULL
};
static const struct hostd_key key_type = {
	sizeof(struct hostd_key), HOSTD_KEY_STRING, 0, "type",
	"text/plain; charset=utf-8", "Content-Type of the body.", 0, 0, NULL
};
static const struct hostd_key key_body = {
	sizeof(struct hostd_key), HOSTD_KEY_STRING, 0, "body", "",
	"The body.", 0, 0, NULL
};
static const struct hostd_key key_headers = {
	sizeof(struct hostd_key), HOSTD_KEY_LIST, 0, "headers", NULL,
	"More headers, each as \"Name: value\".", 0, 30, NULL
};
static const struct hostd_key key_location = {
	sizeof(struct hostd_key), HOSTD_KEY_STRING, 0, "location", NULL,
	"Where to redirect to; may have $request_uri, $uri, $rest (behind the "
	"route's prefix), $args and $host.", 0, 0, NULL
};
static const struct hostd_key *const keys[] = {
	&key_status, &key_type, &key_body, &key_headers, &key_location, NULL
};

static int32_t
redirect(struct hostd_inst *in, hostd_req req)
{
	const struct hostd_request *r = hostd_request_of(in, req);
	char to[LOCATION_MAX];
	hostd_hdr h[HEADERS_MAX];
	int32_t n;

	if (r == NULL)
		return HOSTD_E_GONE;
	if ((n = location_expand(in->location, r, to, sizeof(to))) < 0)
		return in->easy.http->respond(in->easy.host, req,
		    n == HOSTD_E_FULL ? 414 : 400, NULL, 0, hostd_str(NULL));
	memcpy(h, in->headers, in->nheaders * sizeof(h[0]));
	h[in->nheaders].name = hostd_str("Location");
	h[in->nheaders].value.p = to;
	h[in->nheaders].value.n = (size_t)n;
	return in->easy.http->respond(in->easy.host, req, in->status, h,
	    in->nheaders + 1, in->body);
}

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	(void)d;
	if (in->location != NULL)
		return redirect(in, req);
	return in->easy.http->respond(in->easy.host, req, in->status,
	    in->headers, in->nheaders, in->body);
}

/* -- the configuration -- */

static int
is_name(hostd_buf name, const char *other)
{
	return name.n == strlen(other) &&
	    strncasecmp(name.p, other, name.n) == 0;
}

/* The host would refuse it in every answer (RFC 9110 section 5.6.2, and the
 * names that are its own). */
static int
is_bad_name(hostd_buf name)
{
	static const char *const owned[] = {
		"Connection", "Content-Length", "Date", "Keep-Alive",
		"Transfer-Encoding", "Upgrade"
	};
	size_t i;

	for (i = 0; i < sizeof(owned) / sizeof(owned[0]); i++)
		if (is_name(name, owned[i]))
			return 1;
	return name.n == 0 || strspn(name.p, "!#$%&'*+-.^_`|~0123456789"
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") < name.n;
}

static int
is_bad_value(hostd_buf value)
{
	const unsigned char *p = value.p, *end = p + value.n;

	for (; p < end; p++)
		if ((*p < ' ' && *p != '\t') || *p == 0x7f)
			return 1;
	return 0;
}

/* "Name: value" -> a header that points into text. */
static int
parse_header(hostd_buf text, hostd_hdr *h)
{
	const char *p = text.p, *colon = memchr(p, ':', text.n);
	const char *value, *end = p + text.n;

	if (colon == NULL)
		return -1;
	for (value = colon + 1; value < end && *value == ' '; value++)
		;
	h->name.p = p;
	h->name.n = (size_t)(colon - p);
	h->value.p = value;
	h->value.n = (size_t)(end - value);
	return is_bad_name(h->name) || is_bad_value(h->value) ? -1 : 0;
}

static int32_t
read_headers(struct hostd_inst *in, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	hostd_buf text;
	uint32_t i;

	for (i = 0; conf->get_item(conf, "headers", i, &text) == HOSTD_OK; i++)
		if (parse_header(text, &in->headers[in->nheaders++]) == -1)
			return hostd_fail(err, HOSTD_E_INVAL,
			    "headers: \"%s\" is not \"Name: value\" with "
			    "a name that is free",
			    (const char *)text.p);
	return HOSTD_OK;
}

static int
has_type(const struct hostd_inst *in)
{
	uint32_t i;

	for (i = 0; i < in->nheaders; i++)
		if (is_name(in->headers[i].name, "Content-Type"))
			return 1;
	return 0;
}

static int32_t
read_conf(struct hostd_inst *in, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	hostd_buf type, location;
	int64_t status;
	int32_t rc;

	if (conf->get_int(conf, "status", &status) != HOSTD_OK ||
	    conf->get_str(conf, "type", &type) != HOSTD_OK ||
	    conf->get_str(conf, "body", &in->body) != HOSTD_OK ||
	    conf->get_str(conf, "location", &location) != HOSTD_OK)
		return hostd_fail(err, HOSTD_E_INVAL,
		    "the host does not know this plugin's keys");
	in->location = (const char *)location.p;
	in->status = (int32_t)status;
	if (status == 0)
		in->status = in->location != NULL ? 302 : 200;
	else if (status < 200)
		return hostd_fail(err, HOSTD_E_INVAL,
		    "status: %d is not from 200 to 599", in->status);
	if (in->location != NULL && !location_is_sound(in->location))
		return hostd_fail(err, HOSTD_E_INVAL,
		    "location: \"%s\" has an unknown $variable, bytes "
		    "that a URL can't have, or $rest or $args where a host "
		    "is named", in->location);
	if (is_bad_value(type))
		return hostd_fail(err, HOSTD_E_INVAL,
		    "type: it has bytes that a header can't have");
	if ((rc = read_headers(in, conf, err)) != HOSTD_OK)
		return rc;
	if (in->body.n > 0 && !has_type(in))
		in->headers[in->nheaders++] =
		    hostd_header("Content-Type", (const char *)type.p);
	return HOSTD_OK;
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	struct hostd_inst *in = NULL;
	int32_t rc;

	if ((rc = hostd_easy_create(sizeof(*in), host, &in, err)) != HOSTD_OK)
		return rc;
	if ((rc = read_conf(in, conf, err)) != HOSTD_OK) {
		free(in);
		return rc;
	}
	*out = in;
	return HOSTD_OK;
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

static const struct hostd_http_ops ops = {
	.struct_size = sizeof(ops), .on_headers = on_headers
};
static const struct hostd_provide provide = {
	.struct_size = sizeof(provide), .kind = HOSTD_KIND_HTTP_ROUTE,
	.ops = &ops
};
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(0), .id = "http_respond", .version = HOSTD_SDK_VERSION,
	.built_with = HOSTD_SDK_VERSION, .provides = provides, .keys = keys,
	.create = create, .destroy = destroy
};
