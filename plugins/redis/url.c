/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include "url.h"

#define HOST_MAX	255
#define PATH_LEN_MAX	107	/* of a unix socket */

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place. */
static int
decode(char *s, const char **why)
{
	char *out = s;

	for (; *s != '\0'; s++) {
		if (*s != '%') {
			*out++ = *s;
			continue;
		}
		if (hex(s[1]) == -1 || hex(s[2]) == -1) {
			*why = "a \"%\" is not followed by two hex digits";
			return -1;
		}
		*out = (char)(hex(s[1]) << 4 | hex(s[2]));
		if (*out++ == '\0') {
			*why = "it has a \"%00\"";
			return -1;
		}
		s += 2;
	}
	*out = '\0';
	return 0;
}

/* Decimal digits only. */
static int
number(const char *s, uint32_t max, uint32_t *out)
{
	uint32_t n = 0;

	if (*s == '\0')
		return -1;
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9')
			return -1;
		n = n * 10 + (uint32_t)(*s - '0');
		if (n > max)
			return -1;
	}
	*out = n;
	return 0;
}

static int
parse_db(const char *s, struct redis_url *u, const char **why)
{
	if (number(s, REDIS_DB_MAX, &u->db) == 0)
		return 0;
	*why = "the database is not a number from 0 to 65535";
	return -1;
}

/* "user", "user:password", ":password" in front of the last "@" before the
 * path; returns what is behind it. */
static char *
parse_user(char *s, struct redis_url *u, const char **why)
{
	char *at = NULL, *colon, *p;

	for (p = s; *p != '\0' && *p != '/'; p++)
		if (*p == '@')
			at = p;
	if (at == NULL)
		return s;
	*at = '\0';
	if ((colon = strchr(s, ':')) != NULL) {
		*colon = '\0';
		u->password = colon + 1;
		if (decode(colon + 1, why) == -1)
			return NULL;
	}
	if (decode(s, why) == -1)
		return NULL;
	u->user = *s != '\0' ? s : NULL;
	return at + 1;
}

/* "host", "host:port", "[address]:port". */
static int
parse_host(char *s, struct redis_url *u, const char **why)
{
	char *port = NULL, *end;

	if (*s == '[') {
		if ((end = strchr(++s, ']')) == NULL) {
			*why = "there is no \"]\" behind the address";
			return -1;
		}
		*end++ = '\0';
		if (*end != '\0' && *end != ':') {
			*why = "what is behind the address is not a port";
			return -1;
		}
		port = *end == ':' ? end + 1 : NULL;
	} else if ((port = strchr(s, ':')) != NULL) {
		*port++ = '\0';
	}
	if (decode(s, why) == -1)
		return -1;
	if (*s == '\0' || *s == '/' || strlen(s) > HOST_MAX) {
		*why = *s == '\0' ? "the host is missing" :
		    "the host is not a name or an address";
		return -1;
	}
	u->host = s;
	if (port != NULL && (number(port, 65535, &u->port) == -1 ||
	    u->port == 0)) {
		*why = "the port is not a number from 1 to 65535";
		return -1;
	}
	return 0;
}

static int
parse_tcp(char *s, struct redis_url *u, const char **why)
{
	char *slash;

	if ((s = parse_user(s, u, why)) == NULL)
		return -1;
	if (strpbrk(s, "?#") != NULL) {
		*why = "it has a \"?\" or \"#\"";
		return -1;
	}
	if ((slash = strchr(s, '/')) != NULL)
		*slash++ = '\0';
	if (parse_host(s, u, why) == -1)
		return -1;
	return slash == NULL || *slash == '\0' ? 0 : parse_db(slash, u, why);
}

static int
parse_unix(char *s, struct redis_url *u, const char **why)
{
	char *query;

	if ((s = parse_user(s, u, why)) == NULL)
		return -1;
	if ((query = strchr(s, '?')) != NULL)
		*query++ = '\0';
	if (decode(s, why) == -1)
		return -1;
	if (*s != '/' || s[1] == '\0') {
		*why = "the path is not absolute: write unix:///path";
		return -1;
	}
	if (strlen(s) > PATH_LEN_MAX) {
		*why = "the path is longer than 107 bytes";
		return -1;
	}
	u->host = s;
	if (query == NULL)
		return 0;
	if (strncmp(query, "db=", 3) != 0) {
		*why = "what is behind \"?\" is not \"db=\" and a number";
		return -1;
	}
	return parse_db(query + 3, u, why);
}

int
redis_url_parse(const char *text, struct redis_url *u, const char **why)
{
	int rc;

	memset(u, 0, sizeof(*u));
	u->port = REDIS_PORT;
	u->size = strlen(text);
	if ((u->text = strdup(text)) == NULL) {
		*why = "out of memory";
		return -1;
	}
	if (strncmp(text, "redis://", 8) == 0) {
		rc = parse_tcp(u->text + 8, u, why);
	} else if (strncmp(text, "rediss://", 9) == 0) {
		u->tls = 1;
		rc = parse_tcp(u->text + 9, u, why);
	} else if (strncmp(text, "unix://", 7) == 0) {
		rc = parse_unix(u->text + 7, u, why);
	} else {
		*why = "it starts with neither redis:// nor rediss:// nor "
		    "unix://";
		rc = -1;
	}
	if (rc == -1)
		redis_url_free(u);
	return rc;
}

void
redis_url_free(struct redis_url *u)
{
	if (u->text != NULL)
		explicit_bzero(u->text, u->size);
	free(u->text);
	memset(u, 0, sizeof(*u));
}
