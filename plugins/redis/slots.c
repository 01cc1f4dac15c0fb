/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include "slots.h"

/* CRC-16/XMODEM, a nibble at a time. */
static uint16_t
crc16(const unsigned char *p, size_t n)
{
	static const uint16_t table[16] = {
		0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50a5, 0x60c6, 0x70e7,
		0x8108, 0x9129, 0xa14a, 0xb16b, 0xc18c, 0xd1ad, 0xe1ce, 0xf1ef
	};
	unsigned crc = 0;

	for (; n > 0; n--, p++) {
		crc = (crc << 4 ^ table[(crc >> 12 ^ *p >> 4) & 15]) & 0xffff;
		crc = (crc << 4 ^ table[(crc >> 12 ^ *p) & 15]) & 0xffff;
	}
	return (uint16_t)crc;
}

/* What is between the first "{" and the first "}" behind it counts alone,
 * unless it is nothing. */
uint16_t
redis_slot(const void *key, size_t n)
{
	const unsigned char *p = key, *open, *close = NULL;

	if ((open = memchr(p, '{', n)) != NULL)
		close = memchr(open, '}', n - (size_t)(open - p));
	if (close != NULL && close > open + 1) {
		p = open + 1;
		n = (size_t)(close - p);
	}
	return crc16(p, n) % REDIS_SLOTS;
}

static int
is_integer(const redisReply *r, long long least, long long most)
{
	return r->type == REDIS_REPLY_INTEGER && r->integer >= least &&
	    r->integer <= most;
}

/* The node's index; REDIS_NOBODY when there are too many. */
static uint16_t
node_index(struct redis_slots *s, const char *host, uint32_t port)
{
	struct redis_node_addr *n;
	uint16_t i;

	for (i = 0; i < s->nnodes; i++)
		if (s->nodes[i].port == port &&
		    strcmp(s->nodes[i].host, host) == 0)
			return i;
	if (i == REDIS_NODES || strlen(host) >= sizeof(n->host))
		return REDIS_NOBODY;
	n = realloc(s->nodes, (i + 1u) * sizeof(*n));
	if (n == NULL)
		return REDIS_NOBODY;
	s->nodes = n;
	memset(&n[i], 0, sizeof(n[i]));
	memcpy(n[i].host, host, strlen(host));
	n[i].port = port;
	s->nnodes++;
	return i;
}

/* [host, port, id, ...]: the master of a range. */
static uint16_t
parse_node(struct redis_slots *s, const redisReply *r, const char *self)
{
	const redisReply *host;

	if (r->type != REDIS_REPLY_ARRAY || r->elements < 2 ||
	    !is_integer(r->element[1], 1, 65535))
		return REDIS_NOBODY;
	host = r->element[0];
	if (host->type == REDIS_REPLY_NIL || (host->type ==
	    REDIS_REPLY_STRING && host->len == 0))
		return self[0] == '/' ? REDIS_NOBODY : node_index(s, self,
		    (uint32_t)r->element[1]->integer);
	if (host->type != REDIS_REPLY_STRING || host->str[0] == '/' ||
	    strlen(host->str) != host->len)
		return REDIS_NOBODY;
	return node_index(s, host->str, (uint32_t)r->element[1]->integer);
}

/* [first, last, master, replica, ...] */
static int
parse_range(struct redis_slots *s, const redisReply *r, const char *self)
{
	uint16_t node;
	long long i;

	if (r->type != REDIS_REPLY_ARRAY || r->elements < 3 ||
	    !is_integer(r->element[0], 0, REDIS_SLOTS - 1) ||
	    !is_integer(r->element[1], r->element[0]->integer,
	    REDIS_SLOTS - 1))
		return -1;
	if ((node = parse_node(s, r->element[2], self)) == REDIS_NOBODY)
		return -1;
	for (i = r->element[0]->integer; i <= r->element[1]->integer; i++) {
		s->nowned += s->owner[i] == REDIS_NOBODY;
		s->owner[i] = node;
	}
	return 0;
}

int
redis_slots_parse(struct redis_slots *s, const redisReply *r,
    const char *self, const char **why)
{
	size_t i;

	memset(s, 0, sizeof(*s));
	memset(s->owner, 0xff, sizeof(s->owner));
	if (r->type != REDIS_REPLY_ARRAY) {
		*why = "the answer to CLUSTER SLOTS is not a list";
		return -1;
	}
	for (i = 0; i < r->elements; i++)
		if (parse_range(s, r->element[i], self) == -1) {
			*why = "the answer to CLUSTER SLOTS is not understood";
			redis_slots_free(s);
			return -1;
		}
	if (s->nowned > 0)
		return 0;
	*why = "no node of the cluster has any slots";
	return -1;
}

void
redis_slots_free(struct redis_slots *s)
{
	free(s->nodes);
	s->nodes = NULL;
	s->nnodes = 0;
}

/* Decimal digits to the end. */
static int
parse_port(const char *s, uint32_t *port)
{
	uint32_t n = 0;

	for (; *s >= '0' && *s <= '9' && n <= 65535; s++)
		n = n * 10 + (uint32_t)(*s - '0');
	*port = n;
	return *s == '\0' && n >= 1 && n <= 65535 ? 0 : -1;
}

int
redis_redirect_parse(const redisReply *r, const char *self,
    struct redis_node_addr *at)
{
	const char *host, *colon;
	size_t n;

	if (r->type != REDIS_REPLY_ERROR || strlen(r->str) != r->len ||
	    (strncmp(r->str, "MOVED ", 6) != 0 &&
	    strncmp(r->str, "ASK ", 4) != 0))
		return -1;
	if ((host = strchr(strchr(r->str, ' ') + 1, ' ')) == NULL ||
	    (colon = strrchr(++host, ':')) == NULL ||
	    parse_port(colon + 1, &at->port) == -1)
		return -1;
	n = (size_t)(colon - host);
	if (n == 0) {
		host = self;
		n = strlen(self);
	}
	if (n >= sizeof(at->host) || host[0] == '/')
		return -1;
	memset(at->host, 0, sizeof(at->host));
	memcpy(at->host, host, n);
	return 0;
}
