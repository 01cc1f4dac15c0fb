/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include "base/units.h"
#include "net/cidr.h"

#define CIDR_TEXT_MAX	64

/* Zero what is behind bits. */
static void
mask(uint8_t *net, size_t size, unsigned bits)
{
	size_t whole = bits / 8;

	if (whole >= size)
		return;
	net[whole] &= (uint8_t)(0xff00 >> bits % 8);
	memset(net + whole + 1, 0, size - whole - 1);
}

static int
parse_bits(const char *s, unsigned max, struct cidr *c, const char **why)
{
	uint8_t as_written[sizeof(c->net)];
	int64_t n = max;

	if (s != NULL && (int_parse(s, &n) == -1 || s[0] == '+' || n < 0 ||
	    n > (int64_t)max)) {
		*why = max == 32 ? "the length is not a number from 0 to 32" :
		    "the length is not a number from 0 to 128";
		return -1;
	}
	c->bits = (uint8_t)n;
	memcpy(as_written, c->net, sizeof(as_written));
	mask(c->net, max / 8, c->bits);
	if (memcmp(as_written, c->net, sizeof(as_written)) != 0) {
		*why = "the address has bits behind the network's length; "
		    "write \"10.0.0.0/8\", not \"10.1.2.3/8\"";
		return -1;
	}
	return 0;
}

int
cidr_parse(const char *text, struct cidr *c, const char **why)
{
	char host[CIDR_TEXT_MAX];
	const char *slash = strchr(text, '/');
	size_t n = slash == NULL ? strlen(text) : (size_t)(slash - text);

	memset(c, 0, sizeof(*c));
	if (strcmp(text, "unix") == 0 || strcmp(text, "unix:") == 0) {
		c->family = AF_UNIX;
		return 0;
	}
	if (n < sizeof(host)) {
		memcpy(host, text, n);
		host[n] = '\0';
		if (slash != NULL)
			slash++;
		if (inet_pton(AF_INET, host, c->net) == 1) {
			c->family = AF_INET;
			return parse_bits(slash, 32, c, why);
		}
		if (inet_pton(AF_INET6, host, c->net) == 1) {
			c->family = AF_INET6;
			return parse_bits(slash, 128, c, why);
		}
	}
	*why = "it is not a network; write \"192.0.2.0/24\", "
	    "\"2001:db8::/32\", one address, or \"unix\"";
	return -1;
}

static int
has(const struct cidr *c, const uint8_t *addr)
{
	size_t whole = c->bits / 8;
	unsigned rest = c->bits % 8;

	return memcmp(c->net, addr, whole) == 0 && (rest == 0 ||
	    c->net[whole] == (addr[whole] & (uint8_t)(0xff00 >> rest)));
}

int
cidrs_have(const struct cidrs *list, const struct sockaddr *sa)
{
	const struct sockaddr_in6 *in6 = (const void *)sa;
	const struct sockaddr_in *in = (const void *)sa;
	const uint8_t *addr = NULL;
	int family = sa->sa_family;
	size_t i;

	if (family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
		family = AF_INET;
		addr = &in6->sin6_addr.s6_addr[12];
	} else if (family == AF_INET6)
		addr = in6->sin6_addr.s6_addr;
	else if (family == AF_INET)
		addr = (const uint8_t *)&in->sin_addr;
	else if (family != AF_UNIX)
		return 0;
	for (i = 0; i < list->n; i++)
		if (list->v[i].family == family &&
		    (addr == NULL || has(&list->v[i], addr)))
			return 1;
	return 0;
}
