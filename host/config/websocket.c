/* SPDX-License-Identifier: BSD-2-Clause */
/* The blocks websocket, at the top and in a route, and pubsub. */
#include <stddef.h>
#include <string.h>
#include "base/mem.h"
#include "config/builder.h"

/* Where the numbers of a websocket block go. */
#define AT(member) offsetof(struct conf_websocket, member)
static const struct {
	const char *key;
	size_t at;
	int is_int;		/* else int64_t */
} numbers[] = {
	{ "max_message", AT(max_message), 0 },
	{ "message_timeout", AT(message_timeout), 0 },
	{ "message_rate", AT(message_rate), 0 },
	{ "message_burst", AT(message_burst), 0 },
	{ "ping_interval", AT(ping_interval), 0 },
	{ "pong_timeout", AT(pong_timeout), 0 },
	{ "close_timeout", AT(close_timeout), 0 },
	{ "high_water", AT(high_water), 0 },
	{ "max_output", AT(max_output), 0 },
	{ "max_channels", AT(max_channels), 0 },
	{ "deflate", AT(deflate), 1 },
	{ "deflate_min", AT(deflate_min), 0 },
	{ "deflate_server_takeover", AT(server_takeover), 1 },
	{ "deflate_client_takeover", AT(client_takeover), 1 },
	{ "deflate_server_bits", AT(server_bits), 1 },
	{ "deflate_client_bits", AT(client_bits), 1 },
	{ "deflate_level", AT(level), 1 },
	{ "deflate_memory", AT(memory), 1 },
};

static void
take_number(struct conf_websocket *w, size_t i, int64_t num)
{
	char *at = (char *)w + numbers[i].at;

	if (numbers[i].is_int)
		*(int *)(void *)at = (int)num;
	else
		*(int64_t *)(void *)at = num;
}

static int
is_origin(const char *s)
{
	const char *host = strstr(s, "://");

	if (strcmp(s, "*") == 0 || strcmp(s, "same") == 0)
		return 1;
	if (host == NULL || host == s)
		return 0;
	host += 3;
	if (strncmp(host, "*.", 2) == 0)
		host += 2;
	return *host != '\0' && strpbrk(host, "*/ ") == NULL;
}

static void
take_origins(struct builder *b, struct conf_websocket *w)
{
	size_t i;

	w->origins = copy_list(b, "origins", &w->norigins);
	for (i = 0; i < w->norigins; i++)
		if (!is_origin(w->origins[i]))
			conf_error(b->errs, pos_of(b, "origins"), "origin "
			    "\"%s\" is none of \"*\", \"same\", "
			    "\"https://host\" and \"https://*.host\"",
			    w->origins[i]);
}

static void
check_websocket(struct builder *b, const struct conf_websocket *w,
    const struct conf_pos *pos)
{
	if (w->high_water > w->max_output)
		conf_error(b->errs, pos, "\"high_water\" is more than "
		    "\"max_output\"");
}

void
build_websocket(struct builder *b)
{
	struct conf_websocket *w = &b->conf->websocket;
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		take_number(w, i, num_of(b, numbers[i].key));
	w->slow_close = num_of(b, "slow_peer") == 0;
	take_origins(b, w);
	check_websocket(b, w, pos_of(b, "high_water"));
}

static void
override_websocket(struct builder *b, struct conf_websocket *w)
{
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (is_set(b, numbers[i].key))
			take_number(w, i, num_of(b, numbers[i].key));
	if (is_set(b, "slow_peer"))
		w->slow_close = num_of(b, "slow_peer") == 0;
	if (is_set(b, "origins"))
		take_origins(b, w);
}

void
build_route_websocket(struct builder *b, const struct conf_node *route,
    struct conf_route *r)
{
	static const char *const shared[] = { "deflate_level",
		"deflate_memory", NULL };
	const struct conf_node *n = block_only(b, route, "websocket");
	size_t i;

	if (n == NULL)
		return;
	conf_values_free(&b->vals);
	(void)conf_check(n, conf_block_rows("websocket"), NULL, &b->vals,
	    b->errs);
	r->websocket = xmalloc(sizeof(*r->websocket));
	*r->websocket = b->conf->websocket;
	override_websocket(b, r->websocket);
	for (i = 0; shared[i] != NULL; i++)
		if (is_set(b, shared[i]))
			conf_error(b->errs, pos_of(b, shared[i]), "\"%s\" "
			    "holds for all routes: set it in websocket { } at "
			    "the top level", shared[i]);
	check_websocket(b, r->websocket, &n->pos);
}

void
build_pubsub(struct builder *b)
{
	struct conf_pubsub *p = &b->conf->pubsub;

	p->backend = copy_text(b, "backend");
	p->pos = *pos_of(b, "backend");
	p->queue = num_of(b, "queue");
	p->history = num_of(b, "history");
	p->query_timeout = num_of(b, "query_timeout");
}
