/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include "base/units.h"
#include "net/addr.h"

static int
parse_unix(const char *path, struct addr *a, const char **why)
{
	struct sockaddr_un *un = (struct sockaddr_un *)(void *)&a->ss;
	size_t n = strlen(path);

	if (n == 0 || n >= sizeof(un->sun_path)) {
		*why = n == 0 ? "the path is empty" :
		    "the path is longer than 107 bytes";
		return -1;
	}
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, n + 1);
	a->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + 1);
	return 0;
}

static int
parse_port(const char *s, in_port_t *port, const char **why)
{
	int64_t n;

	if (int_parse(s, &n) == -1 || n < 1 || n > 65535) {
		*why = "the port is not a number from 1 to 65535";
		return -1;
	}
	*port = htons((uint16_t)n);
	return 0;
}

static int
parse_ipv6(const char *host, const char *port, struct addr *a,
    const char **why)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)&a->ss;

	in6->sin6_family = AF_INET6;
	a->len = sizeof(*in6);
	if (inet_pton(AF_INET6, host, &in6->sin6_addr) != 1) {
		*why = "what is in the brackets is not an IPv6 address";
		return -1;
	}
	return parse_port(port, &in6->sin6_port, why);
}

static int
parse_ipv4(const char *host, const char *port, struct addr *a,
    const char **why)
{
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)&a->ss;

	in->sin_family = AF_INET;
	a->len = sizeof(*in);
	if (strcmp(host, "*") == 0)
		host = "0.0.0.0";
	if (inet_pton(AF_INET, host, &in->sin_addr) != 1) {
		*why = "it is not an address; write \"127.0.0.1:8080\", "
		    "\"[::1]:8080\", \"*:8080\" or \"unix:/path\"";
		return -1;
	}
	return parse_port(port, &in->sin_port, why);
}

int
addr_parse(const char *text, struct addr *a, const char **why)
{
	char host[ADDR_TEXT_MAX];
	const char *colon = strrchr(text, ':');
	size_t n;

	memset(a, 0, sizeof(*a));
	if (strncmp(text, "unix:", 5) == 0)
		return parse_unix(text + 5, a, why);
	if (colon == NULL)
		return parse_ipv4("*", text, a, why);
	n = (size_t)(colon - text);
	if (n >= sizeof(host)) {
		*why = "it is too long for an address";
		return -1;
	}
	memcpy(host, text, n);
	host[n] = '\0';
	if (n > 1 && host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		return parse_ipv6(host + 1, colon + 1, a, why);
	}
	return parse_ipv4(host, colon + 1, a, why);
}

static int
covers_inet(const struct sockaddr_in *at, const struct sockaddr_in *local)
{
	return at->sin_port == local->sin_port &&
	    (at->sin_addr.s_addr == htonl(INADDR_ANY) ||
	    at->sin_addr.s_addr == local->sin_addr.s_addr);
}

static int
covers_inet6(const struct sockaddr_in6 *at, const struct sockaddr_in6 *local)
{
	return at->sin6_port == local->sin6_port &&
	    (IN6_IS_ADDR_UNSPECIFIED(&at->sin6_addr) ||
	    IN6_ARE_ADDR_EQUAL(&at->sin6_addr, &local->sin6_addr));
}

int
addr_covers(const struct sockaddr_storage *at,
    const struct sockaddr_storage *local)
{
	if (at->ss_family != local->ss_family)
		return 0;
	switch (at->ss_family) {
	case AF_INET:
		return covers_inet((const struct sockaddr_in *)at,
		    (const struct sockaddr_in *)local);
	case AF_INET6:
		return covers_inet6((const struct sockaddr_in6 *)at,
		    (const struct sockaddr_in6 *)local);
	case AF_UNIX:
		return strcmp(((const struct sockaddr_un *)at)->sun_path,
		    ((const struct sockaddr_un *)local)->sun_path) == 0;
	default:
		return 0;
	}
}

int
addr_is_unix(const struct addr *a)
{
	return a->ss.ss_family == AF_UNIX;
}

const char *
addr_host(const struct sockaddr *sa, char *buf, size_t size)
{
	const struct sockaddr_in6 *in6 = (const void *)sa;
	const struct sockaddr_in *in = (const void *)sa;
	const char *s = NULL;

	if (sa->sa_family == AF_INET)
		s = inet_ntop(AF_INET, &in->sin_addr, buf, (socklen_t)size);
	else if (sa->sa_family == AF_INET6 &&
	    IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		s = inet_ntop(AF_INET, &in6->sin6_addr.s6_addr[12], buf,
		    (socklen_t)size);
	else if (sa->sa_family == AF_INET6)
		s = inet_ntop(AF_INET6, &in6->sin6_addr, buf,
		    (socklen_t)size);
	if (s == NULL)
		(void)snprintf(buf, size, "unix");
	return buf;
}

const char *
addr_format(const struct addr *a, char *buf, size_t size)
{
	const struct sockaddr_in6 *in6 = (const void *)&a->ss;
	const struct sockaddr_in *in = (const void *)&a->ss;
	const struct sockaddr_un *un = (const void *)&a->ss;
	char host[INET6_ADDRSTRLEN];

	(void)addr_host((const struct sockaddr *)&a->ss, host, sizeof(host));
	if (a->ss.ss_family == AF_INET)
		(void)snprintf(buf, size, "%s:%u", host, ntohs(in->sin_port));
	else if (a->ss.ss_family == AF_INET6)
		(void)snprintf(buf, size, strchr(host, ':') != NULL ?
		    "[%s]:%u" : "%s:%u", host, ntohs(in6->sin6_port));
	else
		(void)snprintf(buf, size, "unix:%s", un->sun_path);
	return buf;
}
