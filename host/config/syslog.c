/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "config/syslog.h"
#include "net/addr.h"

#define PREFIX		"syslog:"
#define DEFAULT_PORT	"514"

int
syslog_is(const char *path)
{
	return strncmp(path, PREFIX, sizeof(PREFIX) - 1) == 0;
}

/* An address without a port has syslog's. */
static int
parse_server(const char *v, struct syslog *s, const char **why)
{
	struct addr a;
	const char *colon = strrchr(v, ':');
	int has_port = strncmp(v, "unix:", 5) == 0 || (colon != NULL &&
	    (v[0] == '[' ? colon[-1] == ']' : strchr(v, ':') == colon));
	char *full = has_port ? xstrdup(v) : xasprintf("%s:" DEFAULT_PORT, v);
	int rc = addr_parse(full, &a, why);

	free(full);
	if (rc == -1)
		return -1;
	s->to = a.ss;
	s->len = a.len;
	return 0;
}

static int
parse_tag(const char *v, struct syslog *s, const char **why)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

	if (*v == '\0' || strlen(v) > SYSLOG_TAG ||
	    v[strspn(v, allowed)] != '\0') {
		*why = "a tag has 1 to 32 letters, digits and \"_\"";
		return -1;
	}
	(void)snprintf(s->tag, sizeof(s->tag), "%s", v);
	return 0;
}

static int
parse_word(int (*find)(const char *), const char *v, int *out,
    const char *what, const char **why)
{
	*out = find(v);
	*why = what;
	return *out == -1 ? -1 : 0;
}

static int
parse_one(const char *name, const char *v, struct syslog *s, const char **why)
{
	if (strcmp(name, "server") == 0)
		return parse_server(v, s, why);
	if (strcmp(name, "tag") == 0)
		return parse_tag(v, s, why);
	if (strcmp(name, "facility") == 0)
		return parse_word(syslog_facility, v, &s->facility,
		    "there is no such facility: daemon, local0 to local7 ...",
		    why);
	if (strcmp(name, "severity") == 0)
		return parse_word(syslog_severity, v, &s->severity,
		    "there is no such severity: debug, info, notice, warn, "
		    "error ...", why);
	if (strcmp(name, "rfc") == 0) {
		s->rfc5424 = strcmp(v, "5424") == 0;
		*why = "it is 3164 or 5424";
		return s->rfc5424 || strcmp(v, "3164") == 0 ? 0 : -1;
	}
	*why = "there is no such parameter: server, facility, severity, tag, "
	    "rfc, nohostname";
	return -1;
}

static int
parse_part(char *part, struct syslog *s, char *why, size_t size)
{
	char *eq = strchr(part, '=');
	const char *reason;

	if (*part == '\0')
		return 0;
	if (strcmp(part, "nohostname") == 0) {
		s->nohostname = 1;
		return 0;
	}
	if (eq != NULL)
		*eq = '\0';
	if (parse_one(part, eq == NULL ? "" : eq + 1, s, &reason) == 0)
		return 0;
	(void)snprintf(why, size, "\"%.60s%s%.100s\": %s", part,
	    eq == NULL ? "" : "=", eq == NULL ? "" : eq + 1, reason);
	return -1;
}

int
syslog_parse(const char *path, struct syslog *s, char *why, size_t size)
{
	char *copy = xstrdup(path + sizeof(PREFIX) - 1), *rest = copy, *part;
	int rc = 0;

	memset(s, 0, sizeof(*s));
	s->facility = syslog_facility("local7");
	s->severity = syslog_severity("info");
	(void)strcpy(s->tag, "hostd");
	while (rc == 0 && (part = strsep(&rest, ",")) != NULL)
		rc = parse_part(part, s, why, size);
	free(copy);
	if (rc == 0 && s->len == 0) {
		(void)snprintf(why, size, "it has no server=, such as "
		    "server=unix:/dev/log");
		rc = -1;
	}
	return rc;
}

int
syslog_of_errors(const char *path, struct syslog *s)
{
	char why[256];

	if (path == NULL || !syslog_is(path) ||
	    syslog_parse(path, s, why, sizeof(why)) == -1)
		return 0;
	s->levels = 1;
	return 1;
}
