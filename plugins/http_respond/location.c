/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include "location.h"

enum variable {
	VAR_NONE, VAR_REQUEST_URI, VAR_URI, VAR_REST, VAR_ARGS, VAR_HOST
};

static const struct {
	const char *text;
	enum variable var;
} variables[] = {
	{ "$request_uri", VAR_REQUEST_URI }, { "$uri", VAR_URI },
	{ "$rest", VAR_REST }, { "$args", VAR_ARGS }, { "$host", VAR_HOST },
};

struct writer {
	char *p, *end;
	int full, no_host;
};

static enum variable
variable_at(const char *p, size_t *n)
{
	size_t i;

	for (i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		*n = strlen(variables[i].text);
		if (strncmp(p, variables[i].text, *n) == 0)
			return variables[i].var;
	}
	return VAR_NONE;
}

/* Past "scheme://" or "//", behind which a host is named. */
static const char *
skip_to_host(const char *p)
{
	size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

	if (n > 0 && p[n] == ':')
		p += n + 1;
	else if (p[0] != '/' || p[1] != '/')
		return p;
	return p + strspn(p, "/");
}

/*
 * What the client may choose freely, $rest and $args, must stand behind the
 * host's end: else it would be part of the host's name, or be a scheme.
 */
int
location_is_sound(const char *tmpl)
{
	enum variable var;
	int behind_host = 0;
	size_t n;

	tmpl = skip_to_host(tmpl);
	if (*tmpl == '\0')
		return 0;
	for (; *tmpl != '\0'; tmpl += n) {
		n = 1;
		if (*tmpl == '$') {
			var = variable_at(tmpl, &n);
			if (var == VAR_NONE || (!behind_host &&
			    (var == VAR_REST || var == VAR_ARGS)))
				return 0;
			behind_host |= var != VAR_HOST;
		} else if (*tmpl <= 0x20 || *tmpl >= 0x7f || *tmpl == '\\')
			return 0;
		else
			behind_host |= strchr("/?#", *tmpl) != NULL;
	}
	return 1;
}

static void
put(struct writer *w, const char *p, size_t n)
{
	if (n == 0)
		return;
	if ((size_t)(w->end - w->p) < n) {
		w->full = 1;
		return;
	}
	memcpy(w->p, p, n);
	w->p += n;
}

/* Unreserved characters, sub-delims and "/:@" stay (RFC 3986 section 3.3). */
static void
put_path(struct writer *w, hostd_buf path)
{
	static const char hex[] = "0123456789ABCDEF";
	static const char plain[] = "-._~!$&'()*+,;=:@/";
	const unsigned char *p = path.p;
	char esc[3] = "%";
	size_t i;

	for (i = 0; i < path.n; i++) {
		if ((p[i] >= '0' && p[i] <= '9') ||
		    ((p[i] | 0x20) >= 'a' && (p[i] | 0x20) <= 'z') ||
		    (p[i] != '\0' && strchr(plain, p[i]) != NULL)) {
			put(w, (const char *)&p[i], 1);
			continue;
		}
		esc[1] = hex[p[i] >> 4];
		esc[2] = hex[p[i] & 15];
		put(w, esc, 3);
	}
}

static void
put_query(struct writer *w, const struct hostd_request *r)
{
	if (r->query.p == NULL)
		return;
	put(w, "?", 1);
	put(w, r->query.p, r->query.n);
}

static void
put_variable(struct writer *w, enum variable var,
    const struct hostd_request *r)
{
	switch (var) {
	case VAR_REQUEST_URI:
		put_path(w, r->path);
		put_query(w, r);
		break;
	case VAR_URI:
		put_path(w, r->path);
		break;
	case VAR_REST:
		put_path(w, r->rest);
		break;
	case VAR_ARGS:
		put(w, r->query.p, r->query.n);
		break;
	case VAR_HOST:
		w->no_host = r->host.n == 0;
		put(w, r->host.p, r->host.n);
		break;
	case VAR_NONE:
		break;
	}
}

/* A target that starts with two slashes names another host. */
static int
leaves_host(const char *out, size_t n, const char *tmpl)
{
	return n >= 2 && out[0] == '/' && (out[1] == '/' || out[1] == '\\') &&
	    strncmp(tmpl, "//", 2) != 0;
}

int32_t
location_expand(const char *tmpl, const struct hostd_request *r, char *out,
    size_t size)
{
	struct writer w = { out, out + size, 0, 0 };
	const char *p = tmpl;
	enum variable var;
	size_t n;

	while (*p != '\0') {
		var = *p == '$' ? variable_at(p, &n) : VAR_NONE;
		if (var == VAR_NONE) {
			put(&w, p++, 1);
			continue;
		}
		put_variable(&w, var, r);
		p += n;
	}
	n = (size_t)(w.p - out);
	if (w.full)
		return HOSTD_E_FULL;
	return w.no_host || leaves_host(out, n, tmpl) ? HOSTD_E_INVAL :
	    (int32_t)n;
}
