/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "form.h"
#include "login.h"

#define PAGE_FILE_MAX	(1 << 20)

static const struct hostd_key key_users = {
	sizeof(struct hostd_key), HOSTD_KEY_STRING, HOSTD_KEY_REQUIRED, "users",
	NULL, "The auth block, of type basic, whose users may log in; no route "
	"needs to have it.", 1, 255, NULL
};
static const struct hostd_key key_key = {
	sizeof(struct hostd_key), HOSTD_KEY_STRING, 0, "key", "user",
	"The key of the session that has the user's name.", 1, 255, NULL
};
static const struct hostd_key key_home = {
	sizeof(struct hostd_key), HOSTD_KEY_STRING, 0, "home", "/",
	"Where browsers go after a login that does not say where.", 1, 2048,
	NULL
};
static const struct hostd_key key_goodbye = {
	sizeof(struct hostd_key), HOSTD_KEY_STRING, 0, "goodbye", "/",
	"Where browsers go after a logout that does not say where.", 1, 2048,
	NULL
};
static const struct hostd_key key_title = {
	sizeof(struct hostd_key), HOSTD_KEY_STRING, 0, "title", "Log in",
	"What the pages are called.", 1, 200, NULL
};
static const struct hostd_key key_page = {
	sizeof(struct hostd_key), HOSTD_KEY_PATH, 0, "page", NULL,
	"A file of HTML in place of the form, with {{csrf}} and, as wanted, "
	"{{message}}, {{next}}, {{remember}}, {{title}} and {{user}}.", 0, 0,
	NULL
};
static const struct hostd_key key_logout_page = {
	sizeof(struct hostd_key), HOSTD_KEY_PATH, 0, "logout_page", NULL,
	"The same in place of the page for who has logged in.", 0, 0, NULL
};
static const struct hostd_key key_remember = {
	sizeof(struct hostd_key), HOSTD_KEY_DURATION, 0, "remember", "30d",
	"How long a login lasts after it was used last, if that is asked for; "
	"0: it can't be.", 0, (int64_t)3650 * 86400 * 1000, NULL
};
static const struct hostd_key key_tries_user = {
	sizeof(struct hostd_key), HOSTD_KEY_INT, 0, "tries_user", "10",
	"Logins of one user that may fail within tries_time; 0: any number.",
	0, 1000000, NULL
};
static const struct hostd_key key_tries_address = {
	sizeof(struct hostd_key), HOSTD_KEY_INT, 0, "tries_address", "30",
	"Logins from one address, or from an IPv6 network of 64 bits, that may "
	"fail within tries_time; 0: any number.", 0, 1000000, NULL
};
static const struct hostd_key key_tries_time = {
	sizeof(struct hostd_key), HOSTD_KEY_DURATION, 0, "tries_time", "10m",
	"How long it takes until all of those are forgotten, one after the "
	"other.", 1000, 86400 * 1000, NULL
};
static const struct hostd_key key_secure = {
	sizeof(struct hostd_key), HOSTD_KEY_BOOL, 0, "secure", "off",
	"The form's cookie is for https alone, also where something in front "
	"of hostd does the TLS.", 0, 0, NULL
};
const struct hostd_key *const settings_keys[] = {
	&key_users, &key_key, &key_home, &key_goodbye, &key_title, &key_page,
	&key_logout_page, &key_remember, &key_tries_user, &key_tries_address,
	&key_tries_time, &key_secure, NULL
};

/* -- pages -- */

static int32_t
fail_page(struct hostd_err *err, const char *key, hostd_buf path,
    const char *why)
{
	return hostd_fail(err, HOSTD_E_INVAL, "%s: %.*s: %s", key,
	    (int)path.n, (const char *)path.p, why);
}

/* The whole file, malloced. */
static int32_t
read_file(hostd_buf path, const char *key, char **out, size_t *n,
    struct hostd_err *err)
{
	int fd = open(path.p, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	ssize_t got = -1;

	*out = NULL;
	if (fd == -1)
		return fail_page(err, key, path, strerror(errno));
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_size <= PAGE_FILE_MAX &&
	    (*out = malloc((size_t)st.st_size + 1)) != NULL)
		got = read(fd, *out, (size_t)st.st_size);
	close(fd);
	*n = got < 0 ? 0 : (size_t)got;
	if (got > 0 && form_is_utf8((hostd_buf){ *out, *n }))
		return HOSTD_OK;
	free(*out);
	*out = NULL;
	return fail_page(err, key, path, "it is no file of at most 1 MiB of "
	    "UTF-8");
}

static int32_t
read_page(const struct hostd_conf *conf, const char *key, const char *builtin,
    char **text, struct page **page, struct hostd_err *err)
{
	hostd_buf path, from = hostd_str(builtin);
	char why[160];
	int32_t rc;

	if (conf->get_str(conf, key, &path) != HOSTD_OK)
		return hostd_fail(err, HOSTD_E_INVAL,
		    "the host does not know this plugin's keys");
	if (path.p != NULL && path.n > 0) {
		if ((rc = read_file(path, key, text, &from.n, err)) !=
		    HOSTD_OK)
			return rc;
		from.p = *text;
	}
	*page = page_new(from, why, sizeof(why));
	return *page != NULL ? HOSTD_OK : fail_page(err, key, path, why);
}

/* -- texts and numbers -- */

/* May it stand in a Location header? */
static int
is_location(hostd_buf b)
{
	const char *p = b.p;
	size_t i;

	for (i = 0; i < b.n; i++)
		if (p[i] <= ' ' || p[i] >= 0x7f)
			return 0;
	return 1;
}

static int32_t
read_texts(struct hostd_inst *in, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	const struct {
		const char *key;
		hostd_buf *to;
		int is_location;
	} texts[] = {
		{ "users", &in->users, 0 }, { "key", &in->key, 0 },
		{ "home", &in->home, 1 }, { "goodbye", &in->goodbye, 1 },
		{ "title", &in->title, 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (conf->get_str(conf, texts[i].key, texts[i].to) !=
		    HOSTD_OK || texts[i].to->p == NULL)
			return hostd_fail(err, HOSTD_E_INVAL, "%s is not set",
			    texts[i].key);
		if (texts[i].is_location && !is_location(*texts[i].to))
			return hostd_fail(err, HOSTD_E_INVAL, "%s: a blank, or "
			    "what is not ASCII, is to be written as %%XX",
			    texts[i].key);
	}
	if (strcmp(in->key.p, "cookie") == 0 ||
	    strcmp(in->key.p, KEY_CSRF) == 0 ||
	    strcmp(in->key.p, KEY_SINCE) == 0 ||
	    strcmp(in->key.p, KEY_REMEMBER) == 0)
		return hostd_fail(err, HOSTD_E_INVAL, "key: \"%s\" has another "
		    "meaning in sessions", (const char *)in->key.p);
	if (in->auth->has_users(in->easy.host, in->users.p) != HOSTD_OK)
		return hostd_fail(err, HOSTD_E_INVAL, "users: there is no auth "
		    "block \"%s\" of type basic", (const char *)in->users.p);
	return HOSTD_OK;
}

int32_t
settings_read(struct hostd_inst *in, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	int64_t user, address, time, secure;
	int32_t rc;

	if ((rc = read_texts(in, conf, err)) != HOSTD_OK ||
	    (rc = read_page(conf, "page", builtin_form, &in->form_text,
	    &in->form, err)) != HOSTD_OK ||
	    (rc = read_page(conf, "logout_page", builtin_inside,
	    &in->inside_text, &in->inside, err)) != HOSTD_OK)
		return rc;
	if (conf->get_int(conf, "remember", &in->remember_ms) != HOSTD_OK ||
	    conf->get_int(conf, "tries_user", &user) != HOSTD_OK ||
	    conf->get_int(conf, "tries_address", &address) != HOSTD_OK ||
	    conf->get_int(conf, "tries_time", &time) != HOSTD_OK ||
	    conf->get_int(conf, "secure", &secure) != HOSTD_OK)
		return hostd_fail(err, HOSTD_E_INVAL,
		    "the host does not know this plugin's keys");
	in->of_user = (struct rate_limit){ (uint64_t)user, (uint64_t)time };
	in->of_address = (struct rate_limit){ (uint64_t)address,
		(uint64_t)time };
	in->secure = (int)secure;
	return HOSTD_OK;
}
