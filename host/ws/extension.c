/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>
#include "http/guard.h"
#include "ws/extension.h"

#define BITS_LEAST	8
#define BITS_MOST	15

/* What is left of a header to read. */
struct cursor {
	const char *p, *end;
};

struct param {
	hostd_buf name;
	char value[3];		/* its first bytes, without quotes */
	size_t nvalue;		/* all of its bytes; 0: no value */
};

struct offer {
	int ok;			/* one that we can serve */
	int server_no_takeover, client_no_takeover;
	int server_bits, client_bits;	/* 0: not said */
};

static void
skip_blanks(struct cursor *c)
{
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\t'))
		c->p++;
}

static int
skip_char(struct cursor *c, char want)
{
	skip_blanks(c);
	if (c->p == c->end || *c->p != want)
		return 0;
	c->p++;
	return 1;
}

static int
get_token(struct cursor *c, hostd_buf *out)
{
	const char *p;

	skip_blanks(c);
	for (p = c->p; p < c->end && is_tchar((unsigned char)*p); p++)
		;
	*out = (hostd_buf){ c->p, (size_t)(p - c->p) };
	c->p = p;
	return out->n > 0 ? 0 : -1;
}

static void
add_to_value(struct param *pm, char ch)
{
	if (pm->nvalue < sizeof(pm->value))
		pm->value[pm->nvalue] = ch;
	pm->nvalue++;
}

/* Behind the first quote.  What is quoted must be a token all the same. */
static int
get_quoted(struct cursor *c, struct param *pm)
{
	while (c->p < c->end && *c->p != '"') {
		if (*c->p == '\\' && ++c->p == c->end)
			return -1;
		if (!is_tchar((unsigned char)*c->p))
			return -1;
		add_to_value(pm, *c->p++);
	}
	if (c->p == c->end)
		return -1;
	c->p++;
	return pm->nvalue > 0 ? 0 : -1;
}

static int
get_param(struct cursor *c, struct param *pm)
{
	hostd_buf token;
	size_t i;

	pm->nvalue = 0;
	if (get_token(c, &pm->name) == -1)
		return -1;
	if (!skip_char(c, '='))
		return 0;
	if (skip_char(c, '"'))
		return get_quoted(c, pm);
	if (get_token(c, &token) == -1)
		return -1;
	for (i = 0; i < token.n; i++)
		add_to_value(pm, ((const char *)token.p)[i]);
	return 0;
}

static int
is_named(hostd_buf name, const char *s)
{
	return name.n == strlen(s) && memcmp(name.p, s, name.n) == 0;
}

/* A parameter that has no value, and comes once. */
static int
take_flag(const struct param *pm, int *out)
{
	if (pm->nvalue > 0 || *out)
		return 0;
	*out = 1;
	return 1;
}

static int
take_bits(const struct param *pm, int *out)
{
	const char *v = pm->value;
	int bits = 0;

	if (pm->nvalue == 1)
		bits = v[0] - '0';
	else if (pm->nvalue == 2 && v[0] == '1' && v[1] >= '0' && v[1] <= '9')
		bits = 10 + v[1] - '0';
	if (bits < BITS_LEAST || bits > BITS_MOST || *out != 0)
		return 0;
	*out = bits;
	return 1;
}

/* Does the offer stay one that we can serve? */
static int
take_param(struct offer *o, const struct param *pm)
{
	if (is_named(pm->name, "server_no_context_takeover"))
		return take_flag(pm, &o->server_no_takeover);
	if (is_named(pm->name, "client_no_context_takeover"))
		return take_flag(pm, &o->client_no_takeover);
	if (is_named(pm->name, "server_max_window_bits"))
		return take_bits(pm, &o->server_bits) &&
		    o->server_bits > BITS_LEAST;
	if (!is_named(pm->name, "client_max_window_bits"))
		return 0;
	if (pm->nvalue > 0)
		return take_bits(pm, &o->client_bits);
	if (o->client_bits != 0)
		return 0;
	o->client_bits = BITS_MOST;
	return 1;
}

/* 1; 0 when there is none; -1 when it is malformed. */
static int
get_offer(struct cursor *c, struct offer *o)
{
	struct param pm;
	hostd_buf name;

	while (skip_char(c, ','))
		;
	if (c->p == c->end)
		return 0;
	if (get_token(c, &name) == -1)
		return -1;
	memset(o, 0, sizeof(*o));
	o->ok = is_named(name, "permessage-deflate");
	while (skip_char(c, ';')) {
		if (get_param(c, &pm) == -1)
			return -1;
		o->ok = o->ok && take_param(o, &pm);
	}
	return c->p == c->end || skip_char(c, ',') ? 1 : -1;
}

static int
least(int a, int b)
{
	return a < b ? a : b;
}

/* client_bits: as answered, where 8 is 8; 0 when it is not. */
static void
agree(const struct offer *o, const struct ws_deflate_conf *conf,
    struct ws_deflate_params *out, int *client_bits)
{
	int bits = o->server_bits != 0 ? o->server_bits : BITS_MOST;

	out->server_bits = (uint8_t)least(bits, conf->server_bits);
	out->server_takeover = conf->server_takeover && !o->server_no_takeover;
	out->client_takeover = conf->client_takeover && !o->client_no_takeover;
	bits = o->client_bits != 0 ? least(o->client_bits, conf->client_bits) :
	    BITS_MOST;
	*client_bits = bits < BITS_MOST ? bits : 0;
	out->client_bits = (uint8_t)(bits > BITS_LEAST ? bits : BITS_LEAST + 1);
}

/* What is as it would be without a word is not said, unless it was asked. */
static void
write_answer(const struct offer *o, const struct ws_deflate_params *p,
    int client_bits, char answer[WS_EXTENSION_ANSWER])
{
	char server[40] = "", client[40] = "";

	if (o->server_bits != 0 || p->server_bits < BITS_MOST)
		(void)snprintf(server, sizeof(server),
		    "; server_max_window_bits=%d", p->server_bits);
	if (client_bits != 0)
		(void)snprintf(client, sizeof(client),
		    "; client_max_window_bits=%d", client_bits);
	(void)snprintf(answer, WS_EXTENSION_ANSWER,
	    "permessage-deflate%s%s%s%s",
	    p->server_takeover ? "" : "; server_no_context_takeover",
	    p->client_takeover ? "" : "; client_no_context_takeover",
	    server, client);
}

int
ws_extension_negotiate(const hostd_buf *values, size_t nvalues,
    const struct ws_deflate_conf *conf, struct ws_deflate_params *out,
    char answer[WS_EXTENSION_ANSWER])
{
	struct offer o, taken = { .ok = 0 };
	size_t i, seen = 0;
	struct cursor c;
	int rc, client_bits;

	for (i = 0; i < nvalues; i++) {
		c.p = values[i].p;
		c.end = c.p + values[i].n;
		while ((rc = get_offer(&c, &o)) == 1) {
			seen++;
			if (!taken.ok && o.ok)
				taken = o;
		}
		if (rc == -1)
			return -1;
	}
	if (!taken.ok)
		return seen == 0 && nvalues > 0 ? -1 : 0;
	agree(&taken, conf, out, &client_bits);
	write_answer(&taken, out, client_bits, answer);
	return 1;
}
