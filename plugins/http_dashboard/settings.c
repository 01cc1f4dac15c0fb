/* SPDX-License-Identifier: BSD-2-Clause */
#include "dashboard.h"

static const struct hostd_key key_title = { sizeof(struct hostd_key),
	HOSTD_KEY_STRING, 0, "title", "hostd", "What the page is called; the "
	"node's name is behind it.", 1, 100, NULL };
static const struct hostd_key key_public = { sizeof(struct hostd_key),
	HOSTD_KEY_BOOL, 0, "public", "off", "Anybody may look, also where the "
	"route has neither auth nor sessions.", 0, 0, NULL };
static const struct hostd_key key_users = { sizeof(struct hostd_key),
	HOSTD_KEY_LIST, 0, "users", NULL, "Who may look; default: whoever the "
	"route's auth lets in, or has logged in.", 1, USER_MAX, NULL };
static const struct hostd_key key_user_key = { sizeof(struct hostd_key),
	HOSTD_KEY_STRING, 0, "user_key", "user", "The key of a session that "
	"has the name of who has logged in; \"\": sessions say nothing.", 0,
	255, NULL };
static const struct hostd_key key_actions = { sizeof(struct hostd_key),
	HOSTD_KEY_BOOL, 0, "actions", "off", "The page can reload, drain, "
	"scale and restart; the plugin has to be one of the \"controllers\".",
	0, 0, NULL };
static const struct hostd_key key_operators = { sizeof(struct hostd_key),
	HOSTD_KEY_LIST, 0, "operators", NULL, "Of those who may look, who may "
	"do that; default: all.", 1, USER_MAX, NULL };
static const struct hostd_key key_origins = { sizeof(struct hostd_key),
	HOSTD_KEY_LIST, 0, "origins", NULL, "How browsers call this site, as "
	"\"https://status.example.com\", where something in front of hostd "
	"changes the Host header.", 1, 255, NULL };

const struct hostd_key *const settings_keys[] = { &key_title, &key_public,
	&key_users, &key_user_key, &key_actions, &key_operators, &key_origins,
	NULL };

static int32_t
read_words(const struct hostd_conf *conf, const char *key, struct words *w)
{
	uint32_t i;

	if (conf->get_count(conf, key, &w->n) != HOSTD_OK)
		return HOSTD_E_INVAL;
	if (w->n > 0 && (w->v = calloc(w->n, sizeof(*w->v))) == NULL)
		return HOSTD_E_NOMEM;
	for (i = 0; i < w->n; i++)
		if (conf->get_item(conf, key, i, &w->v[i]) != HOSTD_OK)
			return HOSTD_E_INVAL;
	return HOSTD_OK;
}

int32_t
settings_read(struct hostd_inst *in, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	int64_t is_public, acts;

	if (conf->get_str(conf, "title", &in->title) != HOSTD_OK ||
	    conf->get_str(conf, "user_key", &in->user_key) != HOSTD_OK ||
	    conf->get_int(conf, "public", &is_public) != HOSTD_OK ||
	    conf->get_int(conf, "actions", &acts) != HOSTD_OK ||
	    read_words(conf, "users", &in->users) != HOSTD_OK ||
	    read_words(conf, "operators", &in->operators) != HOSTD_OK ||
	    read_words(conf, "origins", &in->origins) != HOSTD_OK)
		return hostd_fail(err, HOSTD_E_INVAL,
		    "the host does not know this plugin's keys");
	in->is_public = is_public != 0;
	in->acts = acts != 0;
	if (in->is_public && in->users.n > 0)
		return hostd_fail(err, HOSTD_E_INVAL, "public = on lets "
		    "everybody look, users only some; take one of them away");
	if (in->is_public && in->acts)
		return hostd_fail(err, HOSTD_E_INVAL, "with public = on and "
		    "actions = on anybody could reload and drain this hostd; "
		    "take one of them away");
	return HOSTD_OK;
}

void
settings_free(struct hostd_inst *in)
{
	free(in->users.v);
	free(in->operators.v);
	free(in->origins.v);
}
