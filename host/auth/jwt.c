/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>
#include <jansson.h>
#include "auth/jwt.h"

const char *
jwt_verdict_text(enum jwt_verdict v)
{
	static const char *const texts[JWT_VERDICTS] = {
		[JWT_OK] = "valid",
		[JWT_MALFORMED] = "not a signed token",
		[JWT_ALGORITHM] = "wrong algorithm",
		[JWT_CRITICAL] = "critical header",
		[JWT_NO_KEY] = "unknown key",
		[JWT_SIGNATURE] = "wrong signature",
		[JWT_CLAIMS] = "malformed claims",
		[JWT_EXPIRED] = "expired",
		[JWT_EARLY] = "not yet valid",
		[JWT_ISSUER] = "wrong issuer",
		[JWT_AUDIENCE] = "wrong audience",
	};

	return texts[v];
}

/* Three parts with a dot between them; 0 or -1. */
static int
split(hostd_buf token, hostd_buf parts[3])
{
	const char *p = token.p, *end = p + token.n, *dot;
	int i;

	if (token.n > JWT_MAX)
		return -1;
	for (i = 0; i < 3; i++) {
		dot = i < 2 ? memchr(p, '.', (size_t)(end - p)) : end;
		if (dot == NULL || dot == p)
			return -1;
		parts[i] = (hostd_buf){ p, (size_t)(dot - p) };
		p = dot + 1;
	}
	return 0;
}

/*
 * A JSON object.  Of members of one name the last counts, as in Node.  An
 * integer that 64 bits can't hold is one of floating point, as there.
 */
static json_t *
object_of(const char *p, size_t n)
{
	json_error_t e;
	json_t *o = json_loadb(p, n, JSON_ALLOW_NUL, &e);

	if (o == NULL && json_error_code(&e) == json_error_numeric_overflow)
		o = json_loadb(p, n, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL,
		    &e);
	if (json_is_object(o))
		return o;
	json_decref(o);
	return NULL;
}

static int
is_text(const json_t *v, const char *text)
{
	size_t n = strlen(text);

	return json_is_string(v) && json_string_length(v) == n &&
	    memcmp(json_string_value(v), text, n) == 0;
}

/* -- the header and the signature -- */

static int
may_be(const struct keys *keys, const struct key *k, const json_t *kid)
{
	if (!keys->named)
		return 1;
	/* Without a kid there is no saying which, unless there is one only. */
	if (kid == NULL)
		return keys->n == 1;
	return k->kid != NULL && k->nkid == json_string_length(kid) &&
	    memcmp(k->kid, json_string_value(kid), k->nkid) == 0;
}

static enum jwt_verdict
check_signature(const struct keys *keys, const json_t *header, hostd_buf text,
    hostd_buf sig)
{
	const json_t *kid = json_object_get(header, "kid");
	enum jwt_verdict v = JWT_NO_KEY;
	size_t i;

	if (!is_text(json_object_get(header, "alg"), key_alg_name(keys->alg)))
		return JWT_ALGORITHM;
	if (json_object_get(header, "crit") != NULL)
		return JWT_CRITICAL;
	if (kid != NULL && !json_is_string(kid))
		return JWT_MALFORMED;
	for (i = 0; i < keys->n; i++) {
		if (!may_be(keys, &keys->v[i], kid))
			continue;
		if (key_verify(keys->alg, &keys->v[i], text, sig))
			return JWT_OK;
		v = JWT_SIGNATURE;
	}
	return v;
}

/* -- the claims -- */

/* 1: *out is its value; 0: it is not there; -1: it is no number. */
static int
time_of(const json_t *claims, const char *name, double *out)
{
	const json_t *v = json_object_get(claims, name);

	if (v == NULL)
		return 0;
	if (!json_is_number(v))
		return -1;
	*out = json_number_value(v);
	return isfinite(*out) ? 1 : -1;
}

/* now >= exp, that very second included, is too late. */
static enum jwt_verdict
check_times(const struct jwt_rules *rules, const json_t *claims, int64_t now,
    struct jwt *out)
{
	double exp = 0, nbf = 0, iat = 0;
	int has_exp = time_of(claims, "exp", &exp);
	int has_nbf = time_of(claims, "nbf", &nbf);

	if (has_exp == -1 || has_nbf == -1 ||
	    time_of(claims, "iat", &iat) == -1)
		return JWT_CLAIMS;
	if (has_nbf && nbf > (double)(now + rules->leeway))
		return JWT_EARLY;
	out->expires = INT64_MAX;
	if (!has_exp)
		return JWT_OK;
	exp = ceil(exp + (double)rules->leeway);
	if ((double)now >= exp)
		return JWT_EXPIRED;
	if (exp < (double)INT64_MAX)
		out->expires = (int64_t)exp;
	return JWT_OK;
}

static int
is_ours(const struct jwt_rules *rules, const json_t *aud)
{
	size_t i;

	for (i = 0; i < rules->naudience; i++)
		if (is_text(aud, rules->audience[i]))
			return 1;
	return 0;
}

static int
is_for_us(const struct jwt_rules *rules, const json_t *aud)
{
	const json_t *one;
	size_t i;

	if (rules->naudience == 0 || is_ours(rules, aud))
		return 1;
	json_array_foreach(aud, i, one)
		if (is_ours(rules, one))
			return 1;
	return 0;
}

static enum jwt_verdict
check_claims(const struct jwt_rules *rules, const json_t *claims, int64_t now,
    struct jwt *out)
{
	enum jwt_verdict v = check_times(rules, claims, now, out);

	if (v != JWT_OK)
		return v;
	if (rules->issuer != NULL &&
	    !is_text(json_object_get(claims, "iss"), rules->issuer))
		return JWT_ISSUER;
	return is_for_us(rules, json_object_get(claims, "aud")) ? JWT_OK :
	    JWT_AUDIENCE;
}

/* -- the whole -- */

static enum jwt_verdict
verify(const struct keys *keys, const hostd_buf parts[3])
{
	char head[BASE64_ROOM(JWT_MAX)], sig[BASE64_ROOM(JWT_MAX)];
	ssize_t nhead = base64url_read(parts[0].p, parts[0].n, head);
	ssize_t nsig = base64url_read(parts[2].p, parts[2].n, sig);
	/* As they came, with the dot. */
	hostd_buf text = { parts[0].p, parts[0].n + 1 + parts[1].n };
	enum jwt_verdict v;
	json_t *header;

	if (nhead == -1 || nsig == -1 ||
	    (header = object_of(head, (size_t)nhead)) == NULL)
		return JWT_MALFORMED;
	v = check_signature(keys, header, text,
	    (hostd_buf){ sig, (size_t)nsig });
	json_decref(header);
	return v;
}

enum jwt_verdict
jwt_check(const struct jwt_rules *rules, hostd_buf token, int64_t now,
    struct jwt *out)
{
	hostd_buf parts[3];
	enum jwt_verdict v;
	json_t *claims;
	ssize_t n;

	if (split(token, parts) == -1)
		return JWT_MALFORMED;
	/* Nothing is believed before its signature was checked. */
	if ((v = verify(rules->keys, parts)) != JWT_OK)
		return v;
	n = base64url_read(parts[1].p, parts[1].n, out->claims);
	if (n == -1 || (claims = object_of(out->claims, (size_t)n)) == NULL)
		return JWT_CLAIMS;
	out->nclaims = (size_t)n;
	v = check_claims(rules, claims, now, out);
	json_decref(claims);
	return v;
}
