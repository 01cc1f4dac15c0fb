/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include "net/proxy.h"

#define V1_MAX		107	/* the line, with its end */
#define V2_HEAD		16
#define V2_PATH		108	/* of a unix socket */
#define V2_CRC32C	3	/* type of that TLV */
#define CRC_POLY	0x82f63b78u

static const char v1_start[] = "PROXY ";
static const char v2_start[] = "\r\n\r\n\0\r\nQUIT\n";

static ssize_t
bad(const char **why, const char *text)
{
	*why = text;
	return -1;
}

/* -- version 1: a line -- */

/* The next word of the line, ended by a space or, the last, by nothing. */
static char *
v1_word(char **line, int last)
{
	char *word = *line, *end;

	if (word == NULL)
		return NULL;
	end = strchr(word, ' ');
	if ((end == NULL) != last || end == word || *word == '\0')
		return NULL;
	if (end != NULL)
		*end++ = '\0';
	*line = end;
	return word;
}

static int
v1_port(const char *s, in_port_t *port)
{
	unsigned n = 0;
	const char *p;

	if (s == NULL || (*s == '0' && s[1] != '\0'))
		return -1;
	for (p = s; *p != '\0'; p++) {
		if (*p < '0' || *p > '9' || p - s >= 5)
			return -1;
		n = n * 10 + (unsigned)(*p - '0');
	}
	if (n > 65535)
		return -1;
	*port = htons((uint16_t)n);
	return 0;
}

static int
v1_addr(int family, const char *s, struct sockaddr_storage *ss,
    in_port_t **port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)ss;

	if (s == NULL)
		return -1;
	ss->ss_family = (sa_family_t)family;
	*port = family == AF_INET ? &in->sin_port : &in6->sin6_port;
	return inet_pton(family, s, family == AF_INET ?
	    (void *)&in->sin_addr : (void *)&in6->sin6_addr) == 1 ? 0 : -1;
}

static int
v1_addrs(struct proxy_header *h, int family, char *line)
{
	in_port_t *from, *to;

	if (v1_addr(family, v1_word(&line, 0), &h->from, &from) == -1 ||
	    v1_addr(family, v1_word(&line, 0), &h->to, &to) == -1 ||
	    v1_port(v1_word(&line, 0), from) == -1 ||
	    v1_port(v1_word(&line, 1), to) == -1)
		return -1;
	h->known = 1;
	return 0;
}

static ssize_t
v1_parse(struct proxy_header *h, const char *p, size_t n, const char **why)
{
	const char *end = memchr(p, '\r', n < V1_MAX ? n : V1_MAX);
	char line[V1_MAX + 1], *rest = line, *word;
	size_t len;

	if (end == NULL)
		return n < V1_MAX ? 0 : bad(why, "a line that does not end");
	len = (size_t)(end - p);
	if (len + 2 > V1_MAX)
		return bad(why, "a line that does not end");
	if (n < len + 2)
		return 0;
	if (end[1] != '\n' || memchr(p, '\0', len) != NULL)
		return bad(why, "a line with a control character in it");
	memcpy(line, p, len);
	line[len] = '\0';
	(void)v1_word(&rest, 0);
	if (strcmp(rest, "UNKNOWN") == 0 ||
	    strncmp(rest, "UNKNOWN ", 8) == 0)
		return (ssize_t)len + 2;
	if ((word = v1_word(&rest, 0)) == NULL ||
	    (strcmp(word, "TCP4") != 0 && strcmp(word, "TCP6") != 0))
		return bad(why, "neither TCP4, TCP6 nor UNKNOWN");
	if (v1_addrs(h, word[3] == '4' ? AF_INET : AF_INET6, rest) == -1)
		return bad(why, "an address or port that is none");
	return (ssize_t)len + 2;
}

/* -- version 2: binary -- */

static unsigned
get16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static uint32_t
crc32c(uint32_t crc, const uint8_t *p, size_t n)
{
	int i;

	while (n-- > 0) {
		crc ^= *p++;
		for (i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? CRC_POLY : 0);
	}
	return crc;
}

/* Of the header, as if there were zeroes where it is. */
static int
v2_sum_holds(const uint8_t *p, size_t n, const uint8_t *at)
{
	static const uint8_t zero[4];
	size_t before = (size_t)(at - p);
	uint32_t crc = crc32c(UINT32_MAX, p, before);

	crc = crc32c(crc, zero, sizeof(zero));
	crc = ~crc32c(crc, at + 4, n - before - 4);
	return crc == ((uint32_t)get16(at) << 16 | get16(at + 2));
}

/* What follows the addresses: 0, or -1. */
static int
v2_tlvs(const uint8_t *p, size_t n, size_t at, const char **why)
{
	size_t len;

	while (at < n) {
		if (n - at < 3 || (len = get16(p + at + 1)) > n - at - 3)
			return (int)bad(why, "more data than it is long");
		if (p[at] == V2_CRC32C && (len != 4 ||
		    !v2_sum_holds(p, n, p + at + 3)))
			return (int)bad(why, "a checksum that is wrong");
		at += 3 + len;
	}
	return 0;
}

static void
v2_in(struct sockaddr_storage *ss, const uint8_t *addr, const uint8_t *port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)ss;

	in->sin_family = AF_INET;
	memcpy(&in->sin_addr, addr, 4);
	memcpy(&in->sin_port, port, 2);
}

static void
v2_in6(struct sockaddr_storage *ss, const uint8_t *addr, const uint8_t *port)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)ss;

	in6->sin6_family = AF_INET6;
	memcpy(&in6->sin6_addr, addr, 16);
	memcpy(&in6->sin6_port, port, 2);
}

static void
v2_un(struct sockaddr_storage *ss, const uint8_t *path)
{
	struct sockaddr_un *un = (struct sockaddr_un *)(void *)ss;

	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, sizeof(un->sun_path));
}

static void
v2_addrs(struct proxy_header *h, int family, const uint8_t *p)
{
	h->known = 1;
	if (family == 1) {
		v2_in(&h->from, p, p + 8);
		v2_in(&h->to, p + 4, p + 10);
	} else if (family == 2) {
		v2_in6(&h->from, p, p + 32);
		v2_in6(&h->to, p + 16, p + 34);
	} else {
		v2_un(&h->from, p);
		v2_un(&h->to, p + V2_PATH);
	}
}

static ssize_t
v2_parse(struct proxy_header *h, const uint8_t *p, size_t n, const char **why)
{
	static const uint8_t sizes[] = { 0, 12, 36, 2 * V2_PATH };
	int family, local;
	size_t len;

	if (n < V2_HEAD)
		return 0;
	if (p[12] != 0x20 && p[12] != 0x21)
		return bad(why, "another version, or command");
	/* A check of the balancer's own (LOCAL), whatever else it says. */
	local = p[12] == 0x20;
	family = p[13] >> 4;
	if (!local && (family > 3 || (p[13] & 15) > 2))
		return bad(why, "an address family or protocol that is none");
	if ((len = V2_HEAD + get16(p + 14)) > PROXY_MAX)
		return bad(why, "longer than is read");
	if (n < len)
		return 0;
	if (local)
		return (ssize_t)len;
	if (V2_HEAD + (size_t)sizes[family] > len)
		return bad(why, "shorter than its addresses");
	if (family == 0)
		return (ssize_t)len;
	if (v2_tlvs(p, len, V2_HEAD + sizes[family], why) == -1)
		return -1;
	v2_addrs(h, family, p + V2_HEAD);
	return (ssize_t)len;
}

static int
starts(const void *p, size_t n, const char *with, size_t len)
{
	return memcmp(p, with, n < len ? n : len) == 0;
}

ssize_t
proxy_parse(struct proxy_header *h, const void *p, size_t n, const char **why)
{
	const size_t v1 = sizeof(v1_start) - 1, v2 = sizeof(v2_start) - 1;

	memset(h, 0, sizeof(*h));
	if (n == 0)
		return 0;
	if (starts(p, n, v1_start, v1))
		return n < v1 ? 0 : v1_parse(h, p, n, why);
	if (starts(p, n, v2_start, v2))
		return n < v2 ? 0 : v2_parse(h, p, n, why);
	return bad(why, "no header of the PROXY protocol");
}

/* -- making one -- */

/* As IPv6, unless it is IPv4 and may stay so. */
struct proxy_ip {
	int family;			/* 0: neither */
	uint8_t addr[16];
	uint8_t port[2];
};

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static struct proxy_ip
ip_of(const struct sockaddr *sa)
{
	const struct sockaddr_in *in = (const void *)sa;
	const struct sockaddr_in6 *in6 = (const void *)sa;
	struct proxy_ip ip = { .family = 0 };

	if (sa->sa_family == AF_INET) {
		ip.family = AF_INET;
		memcpy(ip.addr, mapped, 12);
		memcpy(ip.addr + 12, &in->sin_addr, 4);
		memcpy(ip.port, &in->sin_port, 2);
	} else if (sa->sa_family == AF_INET6) {
		memcpy(ip.addr, &in6->sin6_addr, 16);
		memcpy(ip.port, &in6->sin6_port, 2);
		ip.family = memcmp(ip.addr, mapped, 12) == 0 ? AF_INET :
		    AF_INET6;
	}
	return ip;
}

static size_t
v1_make(const struct proxy_ip *from, const struct proxy_ip *to, int family,
    char out[PROXY_MAKE_MAX])
{
	char a[INET6_ADDRSTRLEN], b[INET6_ADDRSTRLEN];
	int skip = family == AF_INET ? 12 : 0, n;

	(void)inet_ntop(family, from->addr + skip, a, sizeof(a));
	(void)inet_ntop(family, to->addr + skip, b, sizeof(b));
	n = snprintf(out, PROXY_MAKE_MAX, "PROXY TCP%d %s %s %u %u\r\n",
	    family == AF_INET ? 4 : 6, a, b, get16(from->port),
	    get16(to->port));
	return (size_t)n;
}

static size_t
v2_make(const struct proxy_ip *from, const struct proxy_ip *to, int family,
    char out[PROXY_MAKE_MAX])
{
	size_t skip = family == AF_INET ? 12 : 0, n = 16 - skip;
	char *p = out + V2_HEAD;

	memcpy(out, v2_start, sizeof(v2_start) - 1);
	out[12] = 0x21;
	out[13] = family == AF_INET ? 0x11 : 0x21;
	out[14] = 0;
	out[15] = (char)(2 * n + 4);
	memcpy(p, from->addr + skip, n);
	memcpy(p + n, to->addr + skip, n);
	memcpy(p + 2 * n, from->port, 2);
	memcpy(p + 2 * n + 2, to->port, 2);
	return V2_HEAD + 2 * n + 4;
}

/* Addresses that it can't say: those of unix sockets. */
static size_t
unknown_make(int version, char out[PROXY_MAKE_MAX])
{
	static const char v1[] = "PROXY UNKNOWN\r\n";

	if (version == 1) {
		memcpy(out, v1, sizeof(v1) - 1);
		return sizeof(v1) - 1;
	}
	memset(out, 0, V2_HEAD);
	memcpy(out, v2_start, sizeof(v2_start) - 1);
	out[12] = 0x21;
	return V2_HEAD;
}

size_t
proxy_make(int version, const struct sockaddr *from,
    const struct sockaddr *to, char out[PROXY_MAKE_MAX])
{
	struct proxy_ip f = ip_of(from), t = ip_of(to);
	int family = f.family == t.family ? f.family : AF_INET6;

	if (f.family == 0 || t.family == 0)
		return unknown_make(version, out);
	return version == 1 ? v1_make(&f, &t, family, out) :
	    v2_make(&f, &t, family, out);
}
