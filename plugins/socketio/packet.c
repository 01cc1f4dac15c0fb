/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <hostd/easy.h>
#include <hostd/json.h>
#include "packet.h"

#define VALUES_LEAST	16

const char *const sio_reserved[] = { "connect", "connect_error", "disconnect",
	"disconnecting", "newListener", "removeListener", NULL };

void
sio_values_free(struct sio_values *vs)
{
	free(vs->v);
	memset(vs, 0, sizeof(*vs));
}

static int
values_add(struct sio_values *vs, hostd_buf value)
{
	uint32_t size = vs->size == 0 ? VALUES_LEAST : vs->size * 2;
	hostd_buf *v;

	if (vs->n == vs->size) {
		if ((v = realloc(vs->v, size * sizeof(*v))) == NULL)
			return -1;
		vs->v = v;
		vs->size = size;
	}
	vs->v[vs->n++] = value;
	return 0;
}

/* Decimal digits at *p, at most max; -1: it is more.  None are 0. */
static int
take_number(const char **p, const char *end, uint64_t max, uint64_t *out)
{
	uint64_t n = 0;

	for (; *p < end && hostd_json_is_digit(**p); (*p)++) {
		n = n * 10 + (uint64_t)(**p - '0');
		if (n > max)
			return -1;
	}
	*out = n;
	return 0;
}

/* "2-", of a packet with attachments. */
static int
take_attachments(const char **p, const char *end, uint32_t max,
    struct sio_packet *out, const char **why)
{
	uint64_t n;

	if (take_number(p, end, max, &n) == -1) {
		*why = "too many attachments";
		return -1;
	}
	if (n == 0 || *p == end || **p != '-') {
		*why = "no number of attachments";
		return -1;
	}
	(*p)++;
	out->nbins = (uint32_t)n;
	return 0;
}

static void
take_namespace(const char **p, const char *end, struct sio_packet *out)
{
	const char *comma;

	out->nsp = hostd_str("/");
	if (*p == end || **p != '/')
		return;
	comma = memchr(*p, ',', (size_t)(end - *p));
	if (comma == NULL)
		comma = end;
	out->nsp = hostd_json_slice(*p, comma);
	*p = comma < end ? comma + 1 : end;
}

static int
take_id(const char **p, const char *end, struct sio_packet *out,
    const char **why)
{
	if (*p == end || !hostd_json_is_digit(**p))
		return 0;
	out->has_id = 1;
	if (take_number(p, end, SIO_ID_MAX, &out->id) == 0)
		return 0;
	*why = "an id above 2^53";
	return -1;
}

/* An array and nothing else, and its elements. */
static int
take_array(const char *p, const char *end, struct sio_values *vs,
    const char **why)
{
	const char *from;
	char c = ',';

	*why = "no array";
	p = hostd_json_blanks(p, end);
	if (p == end || *p++ != '[')
		return -1;
	p = hostd_json_blanks(p, end);
	if (p < end && *p == ']') {
		c = ']';
		p++;
	}
	while (c == ',') {
		from = hostd_json_blanks(p, end);
		if ((p = hostd_json_scan(from, end, 1)) == NULL)
			return -1;
		if (values_add(vs, hostd_json_slice(from, p)) == -1) {
			*why = "no memory";
			return -1;
		}
		p = hostd_json_blanks(p, end);
		if (p == end)
			return -1;
		c = *p++;
	}
	return c == ']' && hostd_json_blanks(p, end) == end ? 0 : -1;
}

/* The data is what its type has. */
static int
take_data(struct sio_packet *out, struct sio_values *vs, const char **why)
{
	const char *p = out->data.p, *end = p + out->data.n;

	if (p == end)
		return 0;
	switch (out->type) {
	case SIO_CONNECT:
		*why = "auth that is no object";
		return hostd_json_is_object(out->data) &&
		    hostd_json_ok_utf8(out->data) ? 0 : -1;
	case SIO_EVENT:
		if (take_array(p, end, vs, why) == -1)
			return -1;
		*why = "no name of an event";
		return vs->n > 0 && sio_event_name_ok(vs->v[0]) ? 0 : -1;
	case SIO_ACK:
		return take_array(p, end, vs, why);
	default:
		*why = "data where none may be";
		return -1;
	}
}

int
sio_packet_parse(hostd_buf text, uint32_t max_bins, struct sio_packet *out,
    struct sio_values *vs, const char **why)
{
	const char *p = text.p, *end = hostd_json_end_of(text);
	int type;

	memset(out, 0, sizeof(*out));
	vs->n = 0;
	type = p < end ? *p++ - '0' : -1;
	if (type < SIO_CONNECT || type > SIO_BINARY_ACK ||
	    type == SIO_CONNECT_ERROR) {
		*why = "no type that a client may send";
		return -1;
	}
	out->type = (enum sio_type)type;
	if (type == SIO_BINARY_EVENT || type == SIO_BINARY_ACK) {
		out->type = type == SIO_BINARY_EVENT ? SIO_EVENT : SIO_ACK;
		if (take_attachments(&p, end, max_bins, out, why) == -1)
			return -1;
	}
	take_namespace(&p, end, out);
	if (take_id(&p, end, out, why) == -1)
		return -1;
	out->data = hostd_json_slice(p, end);
	return take_data(out, vs, why);
}

int
sio_event_name_ok(hostd_buf raw)
{
	const char *const *name;

	if (hostd_json_is_number(raw))
		return 1;
	if (!hostd_json_is_string(raw))
		return 0;
	for (name = sio_reserved; *name != NULL; name++)
		if (raw.n >= strlen(*name) + 2 &&
		    hostd_json_says(raw, hostd_str(*name)))
			return 0;
	return 1;
}

/* Values that are walked through, once whatever their depth. */
struct look {
	const char *end;
	uint32_t nbins;
	int ok;
};

static const char *look(struct look *, const char *);

static int
is_place(hostd_buf num, uint32_t nbins)
{
	int64_t n;
	double d;

	return hostd_json_number(num, &d) && hostd_json_int(num, &n) &&
	    (double)n == d && n >= 0 && n < nbins;
}

/* What follows "{".  One that stands for an attachment is not looked into. */
static const char *
look_at_object(struct look *l, const char *p)
{
	hostd_buf name, value, num = { NULL, 0 };
	int is_one = 0, before = l->ok;
	const char *from;

	for (; p < l->end && *p != '}'; p = hostd_json_blanks(p, l->end)) {
		p = hostd_json_blanks(p + (*p == ','), l->end);
		if ((from = hostd_json_scan_key(p, l->end)) == NULL)
			return NULL;
		name = hostd_json_slice(p, hostd_json_scan_string(p + 1,
		    l->end));
		if ((p = look(l, from)) == NULL)
			return NULL;
		value = hostd_json_slice(from, p);
		if (hostd_json_says(name, hostd_str("_placeholder")))
			is_one = hostd_json_is(value, "true");
		else if (hostd_json_says(name, hostd_str("num")))
			num = value;
	}
	if (is_one)
		l->ok = before && is_place(num, l->nbins);
	return p < l->end ? p + 1 : NULL;
}

static const char *
look_at_array(struct look *l, const char *p)
{
	for (; p < l->end && *p != ']'; p = hostd_json_blanks(p, l->end))
		if ((p = look(l, p + (*p == ','))) == NULL)
			return NULL;
	return p < l->end ? p + 1 : NULL;
}

/* Behind the value at p.  It is no deeper than HOSTD_JSON_DEPTH. */
static const char *
look(struct look *l, const char *p)
{
	p = hostd_json_blanks(p, l->end);
	if (p == l->end)
		return NULL;
	if (*p == '{')
		return look_at_object(l, hostd_json_blanks(p + 1, l->end));
	if (*p == '[')
		return look_at_array(l, hostd_json_blanks(p + 1, l->end));
	return hostd_json_scan_plain(p, l->end);
}

int
sio_placeholders_ok(hostd_buf json, uint32_t nbins)
{
	struct look l = { hostd_json_end_of(json), nbins, 1 };

	return json.n == 0 || (look(&l, json.p) != NULL && l.ok);
}

static char *
put_number(char *p, uint64_t n)
{
	char digits[20];
	size_t i = sizeof(digits);

	do
		digits[--i] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	memcpy(p, digits + i, sizeof(digits) - i);
	return p + sizeof(digits) - i;
}

size_t
sio_head_write(char *room, enum sio_type type, uint32_t nbins, hostd_buf nsp,
    const uint64_t *id)
{
	char *p = room;

	*p++ = (char)('0' + (int)type);
	if (type == SIO_BINARY_EVENT || type == SIO_BINARY_ACK) {
		p = put_number(p, nbins);
		*p++ = '-';
	}
	if (nsp.n > 1) {
		memcpy(p, nsp.p, nsp.n);
		p += nsp.n;
		*p++ = ',';
	}
	if (id != NULL)
		p = put_number(p, *id);
	return (size_t)(p - room);
}
