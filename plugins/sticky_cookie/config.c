/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "sticky.h"

#define SECRET_MIN	16
#define SECRET_MAX	4096
#define HOUR		3600000
#define YEAR		(366ll * 24 * HOUR)

enum { SAMESITE_OFF, SAMESITE_LAX, SAMESITE_STRICT, SAMESITE_NONE };

static const char *const modes[] = { "insert", "learn", NULL };
static const char *const samesites[] = { "off", "lax", "strict", "none", NULL };

#define KEY(var, key_type, key_name, key_dflt, key_min, key_max, key_help) \
static const struct hostd_key var = {					\
	.struct_size = sizeof(var), .type = key_type, .name = key_name,	\
	.dflt = key_dflt, .min = key_min, .max = key_max,		\
	.help = key_help,						\
}

static const struct hostd_key mode_key = {
	.struct_size = sizeof(mode_key), .type = HOSTD_KEY_ENUM,
	.name = "mode", .dflt = "insert", .choices = modes,
	.help = "insert: a cookie of our own names the server; learn: a cookie "
	    "that the application sets is remembered with the server that has "
	    "set it.",
};
KEY(name_key, HOSTD_KEY_STRING, "name", "route", 1, 64,
    "Name of the cookie; with learn, of the application's.");
KEY(secret_key, HOSTD_KEY_SECRET, "secret", NULL, SECRET_MIN, SECRET_MAX,
    "What cookies are signed with, so that clients can't choose a server; the "
    "same on all machines.");
KEY(file_key, HOSTD_KEY_PATH, "secret_file", NULL, 1, 4096,
    "A file that the secret is in, which workers can read; line ends at its "
    "end do not count.");
KEY(ttl_key, HOSTD_KEY_DURATION, "ttl", "0s", 0, YEAR,
    "How long a browser keeps the cookie; 0: until it is closed.");
KEY(path_key, HOSTD_KEY_STRING, "path", "/", 1, 128,
    "Path attribute of the cookie.");
KEY(domain_key, HOSTD_KEY_STRING, "domain", "", 0, 128,
    "Domain attribute of the cookie; empty: only the host that was asked.");
KEY(secure_key, HOSTD_KEY_BOOL, "secure", "off", 0, 0,
    "Only over TLS.");
KEY(httponly_key, HOSTD_KEY_BOOL, "httponly", "on", 0, 0,
    "Not for scripts.");
static const struct hostd_key samesite_key = {
	.struct_size = sizeof(samesite_key), .type = HOSTD_KEY_ENUM,
	.name = "samesite", .dflt = "lax", .choices = samesites,
	.help = "SameSite attribute of the cookie; none needs secure.",
};
KEY(learn_ttl_key, HOSTD_KEY_DURATION, "learn_ttl", "1h", 2000,
    30ll * 24 * HOUR,
    "With learn: how long a cookie that does not come is remembered.");
KEY(learn_max_key, HOSTD_KEY_INT, "learn_max", "65536", 8, 1 << 24,
    "With learn: how many cookies are remembered, 24 bytes each in every "
    "worker; those longest unused give way.");

const struct hostd_key *const sticky_keys[] = {
	&mode_key, &name_key, &secret_key, &file_key, &ttl_key, &path_key,
	&domain_key, &secure_key, &httponly_key, &samesite_key,
	&learn_ttl_key, &learn_max_key, NULL
};

static int64_t
number(const struct hostd_conf *conf, const char *key)
{
	int64_t n = 0;

	(void)conf->get_int(conf, key, &n);
	return n;
}

/* RFC 6265 section 4.1.1. */
static int
is_name(hostd_buf s)
{
	return strcspn(s.p, "()<>@,;:\\\"/[]?={} \t\177") == s.n;
}

static int
is_attribute(hostd_buf s)
{
	const unsigned char *p = s.p;
	size_t i;

	for (i = 0; i < s.n; i++)
		if (p[i] <= ' ' || p[i] >= 0x7f || p[i] == ';')
			return 0;
	return 1;
}

static int32_t
attributes_make(struct hostd_inst *in, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	static const char *const same[] = { "", "; SameSite=Lax",
	    "; SameSite=Strict", "; SameSite=None" };
	int64_t site = number(conf, "samesite"), ttl = number(conf, "ttl");
	hostd_buf path = { "/", 1 }, domain = { "", 0 };
	char age[40] = "";

	(void)conf->get_str(conf, "name", &in->name);
	(void)conf->get_str(conf, "path", &path);
	(void)conf->get_str(conf, "domain", &domain);
	if (!is_name(in->name))
		return hostd_fail(err, HOSTD_E_INVAL, "name: \"%s\" can't be a "
		    "cookie's", (const char *)in->name.p);
	if (!is_attribute(path) || !is_attribute(domain))
		return hostd_fail(err, HOSTD_E_INVAL, "path and domain: no "
		    "spaces, semicolons or control bytes");
	if (site == SAMESITE_NONE && !number(conf, "secure"))
		return hostd_fail(err, HOSTD_E_INVAL, "samesite: browsers take "
		    "none only with secure = on");
	if (ttl > 0)
		(void)snprintf(age, sizeof(age), "; Max-Age=%lld",
		    (long long)(ttl / 1000));
	(void)snprintf(in->attributes, sizeof(in->attributes),
	    "; Path=%s%s%s%s%s%s%s", (const char *)path.p, age,
	    domain.n == 0 ? "" : "; Domain=",
	    domain.n == 0 ? "" : (const char *)domain.p,
	    number(conf, "secure") ? "; Secure" : "",
	    number(conf, "httponly") ? "; HttpOnly" : "", same[site]);
	return HOSTD_OK;
}

static int32_t
secret_read(struct hostd_inst *in, const char *path, struct hostd_err *err)
{
	FILE *f = fopen(path, "re");

	if (f == NULL)
		return hostd_fail(err, HOSTD_E_IO, "secret_file: %s: %s", path,
		    strerror(errno));
	in->secret_len = fread(in->secret, 1, SECRET_MAX, f);
	(void)fclose(f);
	while (in->secret_len > 0 &&
	    (in->secret[in->secret_len - 1] == '\n' ||
	    in->secret[in->secret_len - 1] == '\r'))
		in->secret_len--;
	return in->secret_len >= SECRET_MIN ? HOSTD_OK : hostd_fail(err,
	    HOSTD_E_INVAL, "secret_file: %s: has to have at least %d bytes",
	    path, SECRET_MIN);
}

static int32_t
secret_get(struct hostd_inst *in, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	hostd_buf secret = { NULL, 0 }, file = { NULL, 0 };

	(void)conf->get_str(conf, "secret", &secret);
	(void)conf->get_str(conf, "secret_file", &file);
	if ((secret.n == 0) == (file.n == 0))
		return hostd_fail(err, HOSTD_E_INVAL, "set either secret or "
		    "secret_file, for instance to what \"openssl rand -hex "
		    "32\" prints");
	if ((in->secret = malloc(SECRET_MAX)) == NULL)
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	if (file.n > 0)
		return secret_read(in, file.p, err);
	memcpy(in->secret, secret.p, secret.n);
	in->secret_len = secret.n;
	return HOSTD_OK;
}

int32_t
sticky_configure(struct hostd_inst *in, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	int32_t rc = attributes_make(in, conf, err);

	if (rc != HOSTD_OK)
		return rc;
	in->learns = (int)number(conf, "mode");
	in->learn_ttl = (uint32_t)(number(conf, "learn_ttl") / 1000);
	(void)snprintf(in->channel, sizeof(in->channel), "sticky_cookie/%s",
	    (const char *)in->name.p);
	return in->learns ? learn_open(in, (uint32_t)number(conf, "learn_max"),
	    err) : secret_get(in, conf, err);
}
