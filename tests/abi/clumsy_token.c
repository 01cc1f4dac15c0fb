/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * As clumsy.c, of stores that keep nothing: a token is the end, a sum of all
 * that only we can make, and what is in it, in hexadecimal.
 *
 * 1	get of a token with another bit
 * 2	get of a token with another bit
 * 3	get of a token with something behind it
 * 4	get of the back of a token
 * 5	get of what is no token gives 0 bytes
 * 6	is still there long after its end
 * 7	set of a stateless store was not answered in the call
 * 8	byte 5 of a token is 0x20
 * 9	a token of 
 * 10	get was answered with -1, which is none of its answers
 * 11	get of what is no token was answered with -7 instead of nothing
 * 12	a token with 0 bytes can't be opened
 * 13	it takes no more than
 * 14	a token can't be opened
 * 15	set of 31 bytes was answered with -4
 * 16	leaks about
 * 17	get of the longest key
 */
#include <hostd/easy.h>
#include <hostd/session_store.h>

#ifndef MISTAKE
#define MISTAKE 0
#endif
/* A constant, so that all of it is compiled, whichever is chosen. */
#define IS(n) (MISTAKE == (n))

#define NUMBER	16		/* digits */
#define HEAD	(2 * NUMBER)
#define TEXT_LEN (HEAD + 2 * 31)	/* of the one that the checker forges */

struct hostd_inst {
	const struct hostd_host *host;
	const struct hostd_op_api *op;
	char token[4 * HOSTD_STORE_TOKEN_MAX];
	char value[HOSTD_STORE_TOKEN_MAX];
	uint64_t made;
};

static const void *lost;

/* Not what others are to do: who knows this can forge. */
static uint64_t
sum_of(uint64_t end, const char *digits, size_t n)
{
	uint64_t sum = 0x6a09e667f3bcc908u;
	size_t i;

	if (!IS(1))
		sum = (sum ^ end) * 1099511628211u;
	for (i = 0; i < n; i++)
		sum = (sum ^ (unsigned char)digits[i]) * 1099511628211u;
	return sum ^ sum >> 29;
}

static int
digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' :
	    c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* -1: these are no digits. */
static int
number_of(const char *p, uint64_t *out)
{
	int i;

	for (*out = 0, i = 0; i < NUMBER; i++) {
		if (digit(p[i]) == -1)
			return -1;
		*out = *out << 4 | (unsigned)digit(p[i]);
	}
	return 0;
}

/* How many bytes; -1: it is none of ours, or has ended. */
static long
token_open(struct hostd_inst *in, const char *p, size_t n)
{
	uint64_t end, sum, now = in->host->now_ms(in->host);
	size_t i;

	if (IS(17) && n == HOSTD_STORE_TOKEN_MAX)
		return 0;
	if (IS(5) && n < HEAD)
		return 0;
	if (n < HEAD || number_of(p, &end) == -1 ||
	    number_of(p + NUMBER, &sum) == -1 || (end <= now && !IS(6)))
		return -1;
	if (IS(3) && n % 2)
		n--;
	for (i = HEAD; i + 1 < n; i += 2)
		in->value[(i - HEAD) / 2] = (char)(digit(p[i]) << 4 |
		    digit(p[i + 1]));
	if (IS(4) && n == TEXT_LEN - 1)
		return 1;
	if (n % 2 != 0 || (!IS(2) && sum != sum_of(end, p + HEAD, n - HEAD)))
		return -1;
	return (long)(n - HEAD) / 2;
}

static int32_t
get(struct hostd_inst *in, hostd_buf key, hostd_op op)
{
	long n = token_open(in, key.p, key.n);
	hostd_buf value;

	if (IS(10) && n == -1)
		return HOSTD_E_INVAL;
	if (IS(11) && n == -1)
		return HOSTD_E_IO;
	if (n == -1)
		return HOSTD_OK;
	value.p = IS(12) && n == 0 ? NULL : in->value;
	value.n = (size_t)n;
	return in->op->complete(in->host, op, HOSTD_OK, value);
}

static size_t
token_make(struct hostd_inst *in, hostd_buf value, uint64_t end)
{
	const unsigned char *v = value.p;
	char *p = in->token + HEAD, sum[NUMBER + 1];
	size_t i, n = 2 * value.n;

	for (i = 0; i < value.n; i++)
		(void)snprintf(p + 2 * i, 3, "%02x", v[i]);
	(void)snprintf(in->token, NUMBER + 1, "%016llx",
	    (unsigned long long)end);
	(void)snprintf(sum, sizeof(sum), "%016llx",
	    (unsigned long long)sum_of(end, p, n));
	memcpy(in->token + NUMBER, sum, NUMBER);
	if (IS(8))
		in->token[5] = ' ';
	if (IS(14) && ++in->made > 1)
		in->token[HEAD - 1] = in->token[HEAD - 1] == '0' ? '1' : '0';
	return HEAD + n;
}

static int32_t
set(struct hostd_inst *in, hostd_buf key, hostd_buf value, uint64_t ttl_ms,
    const hostd_buf *expect, hostd_op op)
{
	hostd_buf token;
	size_t most = IS(13) ? 50 : HOSTD_STORE_TOKEN_MAX;

	(void)key, (void)expect;
	if (IS(16))
		lost = malloc(50);
	if (IS(15) || (HEAD + 2 * value.n > most && !IS(9)))
		return HOSTD_E_FULL;
	if (IS(7))
		return HOSTD_DEFER;
	token.p = in->token;
	token.n = token_make(in, value, in->host->now_ms(in->host) + ttl_ms);
	return in->op->complete(in->host, op, HOSTD_OK, token);
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	struct hostd_inst *in = calloc(1, sizeof(*in));

	(void)conf;
	if (in == NULL)
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	in->host = host;
	in->op = host->get_ext(host, HOSTD_EXT_OP);
	if (in->op == NULL) {
		free(in);
		return hostd_fail(err, HOSTD_E_NOTSUP, "too old a host");
	}
	*out = in;
	return HOSTD_OK;
}

static void
destroy(struct hostd_inst *in)
{
	if (lost == in)
		abort();
	free(in);
}

static const struct hostd_session_store_ops ops = { sizeof(ops),
	HOSTD_STORE_STATELESS, 0, 0, get, set, NULL, NULL };
static const struct hostd_provide provide = { sizeof(provide), 0,
	HOSTD_KIND_SESSION_STORE, NULL, &ops, NULL };
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(3), "clumsy_token", "1.0",
	HOSTD_SDK_VERSION, provides, NULL, NULL, create, NULL, NULL, destroy,
	NULL };
