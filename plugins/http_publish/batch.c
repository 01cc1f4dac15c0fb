/* SPDX-License-Identifier: BSD-2-Clause */
#include <base64/base64.h>
#include <channel/pattern.h>
#include "publish.h"

/* -- what is said of mistakes -- */

static int HOSTD_PRINTF(3, 4)
refuse(struct batch *b, int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(b->why, sizeof(b->why), fmt, ap);
	va_end(ap);
	return status;
}

/* -- numbers -- */

/* Digits that every number in v needs to be read back as it is, from so many
 * on: 0.1 is not to become 0.10000000000000001. */
static size_t
digits_needed(const json_t *v, size_t digits)
{
	const json_t *item;
	const char *key;
	char text[40];
	size_t i;

	if (json_is_real(v))
		for (; digits < 17; digits++) {
			(void)snprintf(text, sizeof(text), "%.*g", (int)digits,
			    json_real_value(v));
			if (strtod(text, NULL) == json_real_value(v))
				break;
		}
	json_array_foreach(v, i, item)
		digits = digits_needed(item, digits);
	json_object_foreach((json_t *)(uintptr_t)v, key, item)
		digits = digits_needed(item, digits);
	return digits;
}

/* -- one element -- */

/* NULL, or what is wrong with it. */
static const char *
read_channel(const struct hostd_inst *in, struct item *it, const json_t *v)
{
	const unsigned char *p, *end;

	if (v == NULL)
		return "channel: it is missing";
	if (!json_is_string(v))
		return "channel: it is no string";
	it->channel.p = json_string_value(v);
	it->channel.n = json_string_length(v);
	if (it->channel.n == 0 || it->channel.n > CHANNEL_MAX)
		return "channel: it is empty or longer than 255 bytes";
	for (p = it->channel.p, end = p + it->channel.n; p < end; p++)
		if (*p < ' ' || *p == 0x7f)
			return "channel: it has control characters";
	if (it->channel.n >= 6 && memcmp(it->channel.p, "hostd/", 6) == 0)
		return "channel: those that start with \"hostd/\" are the "
		    "host's";
	return pattern_match(in->channels, in->nchannels, it->channel) ? NULL :
	    "channel: it is not one that may be published to";
}

static const char *
read_message(struct item *it, const json_t *v)
{
	char *text;

	it->flags = HOSTD_WS_TEXT;
	if (json_is_string(v)) {
		it->message.p = json_string_value(v);
		it->message.n = json_string_length(v);
		return NULL;
	}
	text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY |
	    JSON_REAL_PRECISION(digits_needed(v, 15)));
	if (text == NULL)
		return "message: out of memory";
	it->own = text;
	it->message = hostd_str(text);
	return NULL;
}

static const char *
read_binary(struct item *it, const json_t *v)
{
	size_t n = json_string_length(v);
	unsigned char *bytes;
	ssize_t k;

	it->flags = HOSTD_WS_BINARY;
	if (!json_is_string(v))
		return "binary: it is no string";
	if ((bytes = malloc(n + 1)) == NULL)
		return "binary: out of memory";
	it->own = bytes;
	if ((k = base64_decode(json_string_value(v), n, bytes)) == -1)
		return "binary: it is not base64 (RFC 4648 section 4)";
	it->message.p = bytes;
	it->message.n = (size_t)k;
	return NULL;
}

static const char *
read_item(const struct hostd_inst *in, struct item *it, const json_t *o)
{
	const json_t *message = json_object_get(o, "message");
	const json_t *binary = json_object_get(o, "binary");
	const char *why;

	if (!json_is_object(o))
		return "it is no object";
	if ((why = read_channel(in, it, json_object_get(o, "channel"))) != NULL)
		return why;
	if ((message == NULL) == (binary == NULL))
		return "it has to have either message or binary";
	if (json_object_size(o) != 2)
		return "it has keys other than channel, message and binary";
	why = message != NULL ? read_message(it, message) :
	    read_binary(it, binary);
	if (why == NULL && it->message.n > MESSAGE_MAX)
		why = "its message is over 16 MiB";
	return why;
}

/* -- all of them -- */

static int
read_items(const struct hostd_inst *in, struct batch *b)
{
	int is_array = json_is_array(b->request);
	const char *why;
	size_t i;

	for (i = 0; i < b->n; i++) {
		why = read_item(in, &b->items[i], is_array ?
		    json_array_get(b->request, i) : b->request);
		if (why != NULL) {
			b->bad = i;
			return refuse(b, 400, "%s", why);
		}
	}
	return 0;
}

int
batch_read(const struct hostd_inst *in, struct batch *b, hostd_buf body)
{
	json_error_t err;

	b->request = json_loadb(body.n > 0 ? body.p : "", body.n,
	    JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &err);
	if (b->request == NULL)
		return refuse(b, 400, "line %d, column %d: %s", err.line,
		    err.column, err.text);
	b->n = json_is_array(b->request) ? json_array_size(b->request) : 1;
	b->bad = b->n;
	if (b->n > in->max_batch)
		return refuse(b, 413, "%zu elements, %u may be sent at once",
		    b->n, in->max_batch);
	b->items = calloc(b->n + 1, sizeof(*b->items));
	if (b->items == NULL)
		return refuse(b, 503, "out of memory");
	return read_items(in, b);
}

int32_t
batch_publish(struct hostd_inst *in, const struct batch *b, size_t *n)
{
	const struct hostd_easy *e = hostd_easy_of(in);
	const struct item *it;
	hostd_ws nobody = { 0 };
	int32_t rc, all = HOSTD_OK;

	for (*n = 0; *n < b->n; ++*n) {
		it = &b->items[*n];
		rc = e->channel->publish(e->host, it->channel, it->message,
		    it->flags, nobody);
		if (rc < 0)
			return rc;
		if (rc == HOSTD_AGAIN)
			all = rc;
	}
	return all;
}

void
batch_free(struct batch *b)
{
	size_t i;

	for (i = 0; b->items != NULL && i < b->n; i++)
		free(b->items[i].own);
	free(b->items);
	json_decref(b->request);
}
