/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs in any language publish to channels, that is, push to rooms:
 *
 *	POST /publish
 *	Authorization: Bearer <token>
 *
 *	{"channel":"chat/lobby","message":"a text"}
 *
 * or an array of such objects.  message is a text, or any other JSON value,
 * which is sent as JSON; instead of it there may be "binary", bytes in base64.
 * The Content-Type does not matter.
 *
 *	202 {"published":1}
 *		They are on their way, all of them.
 *	400 {"error":"channel: it is missing","element":0}
 *		Nothing was published; element, counted from 0, is the first
 *		that is wrong.
 *	401	The token is missing or wrong.
 *	413	The array is longer than max_batch, or the body than max_body.
 *	503	Nothing was published: a worker or another node does not keep
 *		up.  Retry-After says when to try again.
 *
 * The host says so when it has taken a message, so the request that had it is
 * answered 202, and those that come within back_off of it are answered 503:
 * they may be sent again without anything coming twice.
 */
#include "publish.h"

/* -- answers -- */

static int32_t
answer_json(struct hostd_inst *in, hostd_req req, int32_t status, json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT);
	int32_t rc = HOSTD_E_NOMEM;

	if (text != NULL)
		rc = hostd_respond(in, req, status, "application/json", text);
	free(text);
	json_decref(o);
	return rc;
}

static int32_t
answer_header(struct hostd_inst *in, hostd_req req, int32_t status,
    const char *name, const char *value)
{
	hostd_hdr h = hostd_header(name, value);

	return in->easy.http->respond(in->easy.host, req, status, &h, 1,
	    hostd_str(NULL));
}

static int32_t
answer_busy(struct hostd_inst *in, hostd_req req)
{
	char seconds[16];

	(void)snprintf(seconds, sizeof(seconds), "%u",
	    (in->back_off + 999) / 1000);
	return answer_header(in, req, 503, "Retry-After", seconds);
}

static int
is_busy(const struct hostd_inst *in)
{
	return in->easy.host->now_ms(in->easy.host) < in->busy_until;
}

/* -- a request -- */

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_request *r = hostd_request_of(in, req);
	const char *challenge;

	(void)d;
	if (r == NULL)
		return HOSTD_E_GONE;
	if (r->method != HOSTD_METHOD_POST)
		return hostd_refuse_method(in, req, "POST, OPTIONS");
	if ((challenge = token_check(in, req)) != NULL)
		return answer_header(in, req, 401, "WWW-Authenticate",
		    challenge);
	return is_busy(in) ? answer_busy(in, req) : HOSTD_OK;
}

static int32_t
answer_refusal(struct hostd_inst *in, hostd_req req, int32_t status,
    const struct batch *b)
{
	/* What the parser quotes of a text may be cut within a character. */
	json_t *o = json_pack("{s:s}", "error", b->why);

	if (o == NULL)
		o = json_pack("{s:s}", "error", "it is no JSON");
	if (b->bad < b->n)
		(void)json_object_set_new(o, "element",
		    json_integer((json_int_t)b->bad));
	return answer_json(in, req, status, o);
}

static int32_t
publish_all(struct hostd_inst *in, hostd_req req, const struct batch *b)
{
	size_t n;
	int32_t rc = batch_publish(in, b, &n);

	if (rc == HOSTD_AGAIN)
		in->busy_until = in->easy.host->now_ms(in->easy.host) +
		    in->back_off;
	if (rc < 0)
		hostd_logf(in->easy.host, HOSTD_LOG_ERROR, "publishing: code "
		    "%d, %zu of %zu are on their way", rc, n, b->n);
	return answer_json(in, req, rc < 0 ? 500 : 202, json_pack("{s:I}",
	    "published", (json_int_t)n));
}

static int32_t
on_body(struct hostd_inst *in, hostd_req req, void *d, hostd_buf body,
    int32_t fin)
{
	struct batch b = { .n = 0 };
	int32_t status, rc;

	(void)d;
	(void)fin;
	/* It may have become so while the body was on its way. */
	if (is_busy(in))
		return answer_busy(in, req);
	status = batch_read(in, &b, body);
	if (status != 0)
		rc = answer_refusal(in, req, status, &b);
	else
		rc = publish_all(in, req, &b);
	batch_free(&b);
	return rc;
}

/* -- the configuration -- */

static const struct hostd_key key_token = {
	sizeof(struct hostd_key), HOSTD_KEY_SECRET, HOSTD_KEY_REQUIRED, "token",
	NULL, "What who publishes must know.", 16, 1024, NULL
};
static const struct hostd_key key_channels = {
	sizeof(struct hostd_key), HOSTD_KEY_LIST, 0, "channels", "*",
	"Channels that may be published to; \"*\" stands for any text.", 0, 256,
	NULL
};
static const struct hostd_key key_max_batch = {
	sizeof(struct hostd_key), HOSTD_KEY_INT, 0, "max_batch", "1000",
	"Messages in one request; the route's max_body limits their bytes.",
	1, 1000000, NULL
};
static const struct hostd_key key_back_off = {
	sizeof(struct hostd_key), HOSTD_KEY_DURATION, 0, "back_off", "1s",
	"How long requests are answered 503 when workers or nodes do not keep "
	"up.", 0, 60000, NULL
};
static const struct hostd_key *const keys[] = {
	&key_token, &key_channels, &key_max_batch, &key_back_off, NULL
};

static int32_t
read_channels(struct hostd_inst *in, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	uint32_t i;

	(void)conf->get_count(conf, "channels", &in->nchannels);
	in->channels = calloc(in->nchannels + 1, sizeof(*in->channels));
	if (in->channels == NULL)
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	for (i = 0; i < in->nchannels; i++)
		(void)conf->get_item(conf, "channels", i, &in->channels[i]);
	return HOSTD_OK;
}

static int32_t
read_conf(struct hostd_inst *in, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	int64_t max_batch, back_off;

	if (in->easy.channel == NULL)
		return hostd_fail(err, HOSTD_E_NOTSUP,
		    "this host does not serve " HOSTD_EXT_CHANNEL);
	if (conf->get_str(conf, "token", &in->token) != HOSTD_OK ||
	    conf->get_int(conf, "max_batch", &max_batch) != HOSTD_OK ||
	    conf->get_int(conf, "back_off", &back_off) != HOSTD_OK)
		return hostd_fail(err, HOSTD_E_INVAL,
		    "the host does not know this plugin's keys");
	in->max_batch = (uint32_t)max_batch;
	in->back_off = (uint32_t)back_off;
	if (in->token.p == NULL || in->token.n == 0 ||
	    !token_is_sound(in->token))
		return hostd_fail(err, HOSTD_E_INVAL, "token: it is empty, or "
		    "has bytes that a header can't have");
	return read_channels(in, conf, err);
}

/* -- life -- */

static void
destroy(struct hostd_inst *in)
{
	free(in->channels);
	free(in);
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
		destroy(in);
		return rc;
	}
	*out = in;
	return HOSTD_OK;
}

static const struct hostd_http_ops ops = {
	.struct_size = sizeof(ops), .flags = HOSTD_HTTP_BUFFER_BODY,
	.on_headers = on_headers, .on_body = on_body
};
static const struct hostd_provide provide = {
	.struct_size = sizeof(provide), .kind = HOSTD_KIND_HTTP_ROUTE,
	.ops = &ops, .route = "/publish"
};
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(0), .id = "http_publish", .version = HOSTD_SDK_VERSION,
	.built_with = HOSTD_SDK_VERSION, .provides = provides, .keys = keys,
	.create = create, .destroy = destroy
};
