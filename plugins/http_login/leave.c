/* SPDX-License-Identifier: BSD-2-Clause */
#include "login.h"

static int
is_word(hostd_buf value, const char *word)
{
	return value.n == strlen(word) && memcmp(value.p, word, value.n) == 0;
}

hostd_buf
user_of(struct hostd_inst *in, hostd_session s)
{
	hostd_buf value = { NULL, 0 };

	if (in->easy.session->get(in->easy.host, s, (const char *)in->key.p, 0,
	    &value) != HOSTD_OK || value.p == NULL || is_word(value, "null") ||
	    is_word(value, "false") || is_word(value, "\"\""))
		return (hostd_buf){ NULL, 0 };
	return value;
}

int32_t
leave(struct hostd_inst *in, struct visit *v, hostd_session s)
{
	const struct hostd_session_api *api = in->easy.session;
	const struct hostd_host *host = in->easy.host;
	hostd_buf none = { NULL, 0 }, token = none;

	/* Nobody has to prove that he may end what there is not. */
	if (user_of(in, s).p == NULL)
		return answer_done(in, v, in->goodbye, none, none);
	if (api->get(host, s, KEY_CSRF, HOSTD_SESSION_TEXT, &token) !=
	    HOSTD_OK || !token_same(token_sent(in, v), token))
		return answer_error(in, v, 403, "This page is out of date; "
		    "load it again and try again.\n");
	if (api->destroy(host, s) != HOSTD_OK)
		return answer_error(in, v, 500,
		    "The session can't be ended.\n");
	return answer_done(in, v, in->goodbye, none, none);
}

int32_t
leave_whoami(struct hostd_inst *in, struct visit *v, hostd_session s)
{
	hostd_buf value = user_of(in, s), none = { NULL, 0 };

	if (value.p == NULL)
		return answer_who(in, v, none, none);
	/* If one has to be made, what was told before is no more. */
	(void)token_of_session(in, s);
	value = user_of(in, s);
	return answer_who(in, v, value, token_of_session(in, s));
}
