/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.auth/1: clients that are nobody, and some with names that nobody
 * expects; passwords that are right at once, right or wrong later, or asked for
 * too often. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/fake.h"
#include "ctl/fake_request.h"
#include "ctl/fake_sock.h"

static const char odd_user[] = "a\"\\\n\xff\0b";
static const char odd_claims[] = "{ \"sub\" : \"a\\\"\\\\\\n\\u0000b\" ,"
    "\"sub\":\"\\u00e9\",\"n\":1e3,\"list\":[ ]}";

static int32_t
tell(uint64_t id, hostd_buf *out, hostd_buf what)
{
	if (id % 3 == 0)
		return HOSTD_E_NOTSUP;
	*out = id % 3 == 1 ? what : (hostd_buf){NULL, 0};
	return HOSTD_OK;
}

static int32_t
tell_user(uint64_t id, hostd_buf *out)
{
	return tell(id, out, (hostd_buf){odd_user, sizeof(odd_user) - 1});
}

static int32_t
tell_claims(uint64_t id, hostd_buf *out)
{
	return tell(id, out, (hostd_buf){odd_claims, sizeof(odd_claims) - 1});
}

static int32_t
tell_claim(uint64_t id, const char *name, uint32_t flags, hostd_buf *out)
{
	hostd_buf none = {NULL, 0};

	if (strcmp(name, "sub") != 0)
		return tell(id, out, none);
	return tell(id, out,
	    flags & HOSTD_CLAIM_TEXT ? fake_lend_copy("\xc3\xa9", 2)
				     : fake_lend_copy("\"\\u00e9\"", 8));
}

/* Returns whether there is a place for what is to be told. */
static int
check_out(const hostd_buf *out, const char *function)
{
	if (out == NULL)
		check_fail("called %s of " HOSTD_EXT_AUTH " without a place "
			   "for the answer",
		    function);
	return out != NULL;
}

static int32_t
check_claim(const char *name, uint32_t flags, const hostd_buf *out)
{
	if (name == NULL || (flags & ~HOSTD_CLAIM_TEXT) != 0)
		check_fail("asked for a claim with %s and flags 0x%x",
		    name == NULL ? "no name" : "a name", flags);
	return check_out(out, "claim") ? HOSTD_OK : HOSTD_E_INVAL;
}

static int32_t
auth_user(const struct hostd_host *host, hostd_req id, hostd_buf *out)
{
	struct fake *f = fake_called(host, "user of " HOSTD_EXT_AUTH);

	if (!check_out(out, "user"))
		return HOSTD_E_INVAL;
	return fake_req_find(f, id, "user") == NULL ? HOSTD_E_GONE
						    : tell_user(id.id, out);
}

static int32_t
auth_claims(const struct hostd_host *host, hostd_req id, hostd_buf *out)
{
	struct fake *f = fake_called(host, "claims of " HOSTD_EXT_AUTH);

	if (!check_out(out, "claims"))
		return HOSTD_E_INVAL;
	return fake_req_find(f, id, "claims") == NULL ? HOSTD_E_GONE
						      : tell_claims(id.id, out);
}

static int32_t
auth_claim(const struct hostd_host *host, hostd_req id, const char *name,
    uint32_t flags, hostd_buf *out)
{
	struct fake *f = fake_called(host, "claim of " HOSTD_EXT_AUTH);

	if (check_claim(name, flags, out) != HOSTD_OK)
		return HOSTD_E_INVAL;
	if (fake_req_find(f, id, "claim") == NULL)
		return HOSTD_E_GONE;
	return tell_claim(id.id, name, flags, out);
}

static int32_t
auth_ws_user(const struct hostd_host *host, hostd_ws id, hostd_buf *out)
{
	struct fake *f = fake_called(host, "ws_user of " HOSTD_EXT_AUTH);

	if (!check_out(out, "ws_user"))
		return HOSTD_E_INVAL;
	return fake_sock_find(f, id, "ws_user") == NULL ? HOSTD_E_GONE
							: tell_user(id.id, out);
}

static int32_t
auth_ws_claims(const struct hostd_host *host, hostd_ws id, hostd_buf *out)
{
	struct fake *f = fake_called(host, "ws_claims of " HOSTD_EXT_AUTH);

	if (!check_out(out, "ws_claims"))
		return HOSTD_E_INVAL;
	if (fake_sock_find(f, id, "ws_claims") == NULL)
		return HOSTD_E_GONE;
	return tell_claims(id.id, out);
}

static int32_t
auth_ws_claim(const struct hostd_host *host, hostd_ws id, const char *name,
    uint32_t flags, hostd_buf *out)
{
	struct fake *f = fake_called(host, "ws_claim of " HOSTD_EXT_AUTH);

	if (check_claim(name, flags, out) != HOSTD_OK)
		return HOSTD_E_INVAL;
	if (fake_sock_find(f, id, "ws_claim") == NULL)
		return HOSTD_E_GONE;
	return tell_claim(id.id, name, flags, out);
}

/* -- passwords -- */

#define PASSWORD_MAX 766u

/* An answer that is to come. */
struct question {
	LIST_ENTRY(question) entry;
	struct fake *fake;
	hostd_req req;
	void (*done)(struct hostd_inst *, void *, int32_t);
	void *arg;
	int32_t status;
};

static LIST_HEAD(, question) questions = LIST_HEAD_INITIALIZER(questions);

static int32_t
auth_has_users(const struct hostd_host *host, const char *auth)
{
	(void)fake_called(host, "has_users of " HOSTD_EXT_AUTH);
	if (auth == NULL)
		check_fail("called has_users of " HOSTD_EXT_AUTH
			   " without a name");
	return HOSTD_OK;
}

static void
password_answer(struct hostd_inst *inst, void *arg)
{
	struct question *q = arg, was = *q;

	LIST_REMOVE(q, entry);
	free(q);
	if (fake_req_find(was.fake, was.req, "check_password") != NULL)
		was.done(inst, was.arg, was.status);
}

static int
has_nul(hostd_buf b)
{
	return b.n > 0 && memchr(b.p, '\0', b.n) != NULL;
}

static int32_t
password_judge(const struct question *was)
{
	struct question *q = xcalloc(1, sizeof(*q));

	*q = *was;
	LIST_INSERT_HEAD(&questions, q, entry);
	fake_queue(q->fake, TASK_POST, password_answer, q);
	return HOSTD_DEFER;
}

static int32_t
auth_check_password(const struct hostd_host *host, hostd_req id,
    const char *auth, hostd_buf user, hostd_buf password,
    void (*done)(struct hostd_inst *, void *, int32_t), void *arg)
{
	struct fake *f = fake_called(host, "check_password of " HOSTD_EXT_AUTH);
	struct question q = {.fake = f,
	    .req = id,
	    .done = done,
	    .arg = arg,
	    .status = id.id % 4 == 1 ? HOSTD_OK : HOSTD_E_INVAL};

	if (done == NULL || auth == NULL)
		check_fail("called check_password of " HOSTD_EXT_AUTH
			   " without a function or an auth block");
	if (fake_req_find(f, id, "check_password") == NULL)
		return HOSTD_E_GONE;
	if (has_nul(user) || has_nul(password) || user.n > PASSWORD_MAX ||
	    password.n > PASSWORD_MAX - user.n)
		return HOSTD_E_INVAL;
	if (id.id % 4 == 0)
		return HOSTD_OK;
	return id.id % 4 == 3 ? HOSTD_E_FULL : password_judge(&q);
}

/* -- tokens -- */

static int32_t
auth_has_tokens(const struct hostd_host *host, const char *auth)
{
	(void)fake_called(host, "has_tokens of " HOSTD_EXT_AUTH);
	if (auth == NULL)
		check_fail("called has_tokens of " HOSTD_EXT_AUTH
			   " without a name");
	return HOSTD_OK;
}

/* Those of an even length are good. */
static int32_t
auth_check_token(const struct hostd_host *host, const char *auth,
    hostd_buf token, hostd_buf *user, hostd_buf *claims)
{
	static const char name[] = "somebody", all[] = "{\"sub\":\"somebody\"}";

	(void)fake_called(host, "check_token of " HOSTD_EXT_AUTH);
	if (auth == NULL || user == NULL)
		check_fail("called check_token of " HOSTD_EXT_AUTH
			   " without an auth block or a place for the user");
	if (token.n % 2 != 0)
		return HOSTD_E_INVAL;
	*user = (hostd_buf){name, sizeof(name) - 1};
	if (claims != NULL)
		*claims = (hostd_buf){all, sizeof(all) - 1};
	return HOSTD_OK;
}

const struct hostd_auth_api fake_auth_api = {
    .struct_size = sizeof(struct hostd_auth_api),
    .user = auth_user,
    .claims = auth_claims,
    .claim = auth_claim,
    .ws_user = auth_ws_user,
    .ws_claims = auth_ws_claims,
    .ws_claim = auth_ws_claim,
    .has_users = auth_has_users,
    .check_password = auth_check_password,
    .has_tokens = auth_has_tokens,
    .check_token = auth_check_token,
};
