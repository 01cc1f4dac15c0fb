/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <hostd/easy.h>
#include "rules.h"
#include "text.h"

int
rules_is_owned(hostd_buf name)
{
	static const hostd_buf owned[] = {
		TEXT("connection"), TEXT("content-length"), TEXT("date"),
		TEXT("keep-alive"), TEXT("server"),
		TEXT("transfer-encoding"), TEXT("upgrade")
	};

	return text_among(name, owned, sizeof(owned) / sizeof(owned[0]));
}

/* RFC 9110 section 5.6.2. */
int
rules_may_set(hostd_buf name)
{
	return name.n > 0 && text_has_only(name, "!#$%&'*+-.^_`|~") &&
	    !rules_is_owned(name);
}

static int
is_value(const char *p)
{
	for (; *p != '\0'; p++)
		if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f)
			return 0;
	return 1;
}

static int32_t
read_value(struct rule *r, const char *key, const char *value,
    struct hostd_err *err)
{
	const char *bad;

	if (!is_value(value))
		return hostd_fail(err, HOSTD_E_INVAL, "%s: \"%s\" has bytes "
		    "that a header can't have", key, value);
	if (template_parse(&r->value, value, &bad) == -1)
		return hostd_fail(err, HOSTD_E_INVAL, "%s: there is no "
		    "variable \"%.40s\"; there are " TEMPLATE_VARIABLES
		    "; $$ is the character", key, bad);
	return HOSTD_OK;
}

static int32_t
read_rule(struct rule *r, hostd_buf item, const char *key, int with_value,
    struct hostd_err *err)
{
	const char *p = item.p, *colon = memchr(p, ':', item.n);

	memset(r, 0, sizeof(*r));
	if (with_value != (colon != NULL))
		return hostd_fail(err, HOSTD_E_INVAL, with_value ?
		    "%s: \"%s\" is not \"Name: value\"" :
		    "%s: \"%s\" is not a header's name", key, p);
	r->name = text_of(p, colon == NULL ? item.n : (size_t)(colon - p));
	if (!rules_may_set(r->name))
		return hostd_fail(err, HOSTD_E_INVAL, "%s: \"%.*s\" is not a "
		    "header's name, or it is the host's to set", key,
		    (int)r->name.n, p);
	if (!with_value)
		return HOSTD_OK;
	for (colon++; *colon == ' ' || *colon == '\t'; colon++)
		;
	return read_value(r, key, colon, err);
}

int32_t
rules_read(struct rules *rules, const struct hostd_conf *conf,
    const char *key, int with_value, struct hostd_err *err)
{
	hostd_buf item;
	uint32_t i, n = 0;
	int32_t rc;

	if (conf->get_count(conf, key, &n) != HOSTD_OK || n == 0)
		return HOSTD_OK;
	if ((rules->v = calloc(n, sizeof(*rules->v))) == NULL)
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	for (i = 0; i < n; i++) {
		if (conf->get_item(conf, key, i, &item) != HOSTD_OK)
			break;
		rules->n++;
		rc = read_rule(&rules->v[i], item, key, with_value, err);
		if (rc != HOSTD_OK)
			return rc;
	}
	return HOSTD_OK;
}

void
rules_free(struct rules *rules)
{
	uint32_t i;

	for (i = 0; i < rules->n; i++)
		template_free(&rules->v[i].value);
	free(rules->v);
}

int
rules_have(const struct rules *rules, hostd_buf name)
{
	uint32_t i;

	for (i = 0; i < rules->n; i++)
		if (text_same(rules->v[i].name, name))
			return 1;
	return 0;
}

int
rules_vary(const struct rules *rules, hostd_buf name)
{
	uint32_t i;

	for (i = 0; i < rules->n; i++)
		if (text_same(rules->v[i].name, name) &&
		    !template_is_constant(&rules->v[i].value))
			return 1;
	return 0;
}

void
rules_add(const struct rules *rules, const struct facts *f, struct head *out)
{
	hostd_buf value;
	uint32_t i;

	for (i = 0; i < rules->n; i++) {
		value = template_expand(&rules->v[i].value, f, out);
		if (value.n > 0)
			head_add(out, rules->v[i].name, value);
	}
}
