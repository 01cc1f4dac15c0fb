/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sessions without a store: all of a session is in its cookie, encrypted and
 * sealed.  A set makes a token (token.h) of what it is given, a get opens it.
 *
 * What can't be, since nothing is kept: to end a session that somebody has a
 * cookie of, and to put together what two requests change at the same time.
 */
#include <openssl/crypto.h>
#include <time.h>
#include <hostd/easy.h>
#include <hostd/session_store.h>
#include "file.h"
#include "token.h"

#define NAGS_MS	60000u		/* one line a minute of what is too large */

struct hostd_inst {
	const struct hostd_host *host;
	const struct hostd_op_api *op;
	struct keys *keys;
	struct sealer *sealer;
	enum token_form form;
	size_t max_token;
	uint64_t nagged_ms;		/* 0: never */
};

/* -- configuration -- */

static const char *const ciphers[] = { "aes-256-gcm", "chacha20-poly1305",
	NULL };

static const struct hostd_key cipher_key = {
	.struct_size = sizeof(cipher_key), .type = HOSTD_KEY_ENUM,
	.name = "cipher", .dflt = "aes-256-gcm", .choices = ciphers,
	.help = "What new tokens are sealed with; both are opened.  "
	    "chacha20-poly1305 is faster where the processor has no AES.",
};
static const struct hostd_key file_key = {
	.struct_size = sizeof(file_key), .type = HOSTD_KEY_PATH,
	.name = "key_file", .min = 1, .max = 4096,
	.help = "A file with keys, one in each line, 32 random bytes in "
	    "hexadecimal or base64: the first seals, all open.  The same on "
	    "all machines; workers read it.",
};
static const struct hostd_key env_key = {
	.struct_size = sizeof(env_key), .type = HOSTD_KEY_STRING,
	.name = "key_env", .min = 1, .max = 255,
	.help = "A variable of hostd's environment with keys, one in each "
	    "line.",
};
static const struct hostd_key made_key = {
	.struct_size = sizeof(made_key), .type = HOSTD_KEY_PATH,
	.flags = HOSTD_KEY_WRITE,
	.name = "made_key", .dflt = "$state/key",
	.min = 1, .max = 4096,
	.help = "Without key_file and key_env: where a key is, which is made "
	    "if it is not there.",
};
static const struct hostd_key max_key = {
	.struct_size = sizeof(max_key), .type = HOSTD_KEY_SIZE,
	.name = "max_token", .dflt = "3700", .min = 256,
	.max = HOSTD_STORE_TOKEN_MAX,
	.help = "Bytes of a token, beyond which a session is not stored; of a "
	    "cookie browsers keep 4096, with its name, signature and "
	    "attributes.",
};
static const struct hostd_key *const keys[] = { &cipher_key, &file_key,
	&env_key, &made_key, &max_key, NULL };

static struct keys *
variable_keys(const char *name, char *why, size_t size)
{
	const char *value = getenv(name);
	struct keys *k;
	char reason[200];

	if (value == NULL) {
		(void)snprintf(why, size, "key_env: hostd's environment has "
		    "no variable \"%s\"", name);
		return NULL;
	}
	k = keys_new(value, strlen(value), reason, sizeof(reason));
	if (k == NULL)
		(void)snprintf(why, size, "key_env: %s: %s", name, reason);
	return k;
}

static int32_t
find_keys(struct hostd_inst *in, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	hostd_buf file = { NULL, 0 }, env = { NULL, 0 }, made = { NULL, 0 };
	char why[sizeof(err->msg)];

	(void)conf->get_str(conf, "key_file", &file);
	(void)conf->get_str(conf, "key_env", &env);
	(void)conf->get_str(conf, "made_key", &made);
	if (file.n > 0 && env.n > 0)
		return hostd_fail(err, HOSTD_E_INVAL, "keys come from one "
		    "place: set key_file or key_env");
	if (file.n > 0)
		in->keys = keys_read(file.p, why, sizeof(why));
	else if (env.n > 0)
		in->keys = variable_keys(env.p, why, sizeof(why));
	else
		in->keys = keys_make(made.p, why, sizeof(why));
	return in->keys != NULL ? HOSTD_OK : hostd_fail(err, HOSTD_E_INVAL,
	    "%s", why);
}

/* -- the store -- */

/* Of the wall: a token may be opened by another machine. */
static uint64_t
clock_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static int32_t
get(struct hostd_inst *in, hostd_buf key, hostd_op op)
{
	hostd_buf text;

	token_open(in->sealer, in->keys, key, clock_ms(), &text);
	return in->op->complete(in->host, op, HOSTD_OK, text);
}

static int32_t
too_large(struct hostd_inst *in, size_t n)
{
	uint64_t now = in->host->now_ms(in->host);

	if (in->nagged_ms == 0 || now - in->nagged_ms >= NAGS_MS) {
		in->nagged_ms = now > 0 ? now : 1;
		hostd_logf(in->host, HOSTD_LOG_WARN, "a session of %zu bytes "
		    "needs a token of %zu, and max_token is %zu: it is not "
		    "stored; keep less in it, or use a store that keeps it "
		    "elsewhere", n, TOKEN_LEN(n), in->max_token);
	}
	return HOSTD_E_FULL;
}

static int32_t
set(struct hostd_inst *in, hostd_buf key, hostd_buf value, uint64_t ttl_ms,
    const hostd_buf *expect, hostd_op op)
{
	uint64_t now = clock_ms();
	hostd_buf token;
	int32_t rc;

	(void)key, (void)expect;
	if (TOKEN_LEN(value.n) > in->max_token)
		return too_large(in, value.n);
	rc = token_seal(in->sealer, in->keys, in->form, value,
	    ttl_ms > UINT64_MAX - now ? UINT64_MAX : now + ttl_ms, &token);
	if (rc != HOSTD_OK)
		return rc;
	return in->op->complete(in->host, op, HOSTD_OK, token);
}

/* -- the life of an instance -- */

static void
destroy(struct hostd_inst *in)
{
	keys_free(in->keys);
	sealer_free(in->sealer);
	free(in);
}

static int32_t
setup(struct hostd_inst *in, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	int64_t n = 0;

	in->op = in->host->get_ext(in->host, HOSTD_EXT_OP);
	if (in->op == NULL || !HOSTD_HAS(in->op, complete))
		return hostd_fail(err, HOSTD_E_NOTSUP, "this host does not "
		    "serve " HOSTD_EXT_OP);
	(void)conf->get_int(conf, "max_token", &n);
	in->max_token = (size_t)n;
	(void)conf->get_int(conf, "cipher", &n);
	in->form = n == 0 ? TOKEN_AES_256_GCM : TOKEN_CHACHA20_POLY1305;
	if ((in->sealer = sealer_new()) == NULL)
		return hostd_fail(err, HOSTD_E_NOTSUP, "OpenSSL has no "
		    "AES-256-GCM or no ChaCha20-Poly1305 for us; look at its "
		    "configuration (openssl.cnf)");
	return find_keys(in, conf, err);
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	struct hostd_inst *in = calloc(1, sizeof(*in));
	int32_t rc;

	if (in == NULL)
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	in->host = host;
	if ((rc = setup(in, conf, err)) != HOSTD_OK) {
		destroy(in);
		return rc;
	}
	*out = in;
	return HOSTD_OK;
}

static const struct hostd_session_store_ops ops = {
	.struct_size = sizeof(ops), .flags = HOSTD_STORE_STATELESS,
	.max_value = TOKEN_TEXT, .get = get, .set = set,
};
static const struct hostd_provide provide = {
	.struct_size = sizeof(provide), .kind = HOSTD_KIND_SESSION_STORE,
	.ops = &ops,
};
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(4),
	.id = "session_token",
	.version = HOSTD_SDK_VERSION,
	.built_with = HOSTD_SDK_VERSION,
	.provides = provides,
	.keys = keys,
	.create = create,
	.destroy = destroy,
};
