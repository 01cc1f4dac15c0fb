/* SPDX-License-Identifier: BSD-2-Clause */
/* The block session: the cookie, its secrets, and where sessions are kept. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/buf.h"
#include "base/mem.h"
#include "config/builder.h"
#include "config/keys.h"
#include "config/files.h"

#define LETTERS	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789"
#define SECRETS_FILE_MAX	65536

static const char *const secures[] = { "off", "on", "auto", NULL };
static const char *const samesites[] = { "off", "lax", "strict", "none",
	NULL };
static const char *const priorities[] = { "off", "low", "medium", "high",
	NULL };
static const char *const on_errors[] = { "refuse", "anonymous", NULL };

static const struct hostd_key session_keys[] = {
	KEY("store", STRING, "session_lmdb", "Plugin that keeps them: the name "
	    "of a plugin block, or of a module in plugin_dir without its .so, "
	    "which then has its defaults."),
	KEY("name", STRING, "connect.sid", "Of the cookie."),
	KEY("path", STRING, "/", "Of the cookie.  Requests for what does not "
	    "begin with it have no session."),
	KEY("domain", STRING, NULL, "Of the cookie; default: none, so that "
	    "only the host that was asked gets it back."),
	KEY_ENUM("secure", "auto", secures, "The cookie goes by TLS only.  "
	    "\"on\": and is not sent at all to who comes without; "
	    "\"auto\": if that is how its request has come."),
	KEY("httponly", BOOL, "on", "Scripts of a page can't read the "
	    "cookie."),
	KEY_ENUM("samesite", "lax", samesites, "When browsers send the cookie "
	    "with what other sites ask for."),
	KEY("partitioned", BOOL, "off", "Browsers keep one cookie for each "
	    "site that the page is embedded in (CHIPS)."),
	KEY_ENUM("priority", "off", priorities, "Which cookies Chrome drops "
	    "last when it has too many."),
	KEY("secret", LIST, NULL, "What ids are signed with: the first signs, "
	    "all verify, so that a new one is put before the old.  Without "
	    "this and the two below, one is made once and kept in "
	    "state_dir."),
	KEY("secret_file", PATH, NULL, "A file with secrets, one in each "
	    "line."),
	KEY("secret_env", STRING, NULL, "A variable of hostd's environment "
	    "with secrets, one in each line."),
	KEY_RANGE("max_age", DURATION, "0", 0, 3650 * DAY, "How long a session "
	    "lives after it was used; 0: until the browser is closed, and at "
	    "most ttl."),
	KEY_RANGE("ttl", DURATION, "1d", 1000, 3650 * DAY, "How long the store "
	    "keeps one after it was used where max_age is 0."),
	KEY("rolling", BOOL, "off", "Each answer has the cookie, with a new "
	    "end.  Else only one that has changed the session."),
	KEY("resave", BOOL, "off", "Sessions are written when they were only "
	    "read."),
	KEY("save_uninitialized", BOOL, "off", "Sessions are written, and "
	    "their cookie sent, with nothing in them yet."),
	KEY_RANGE("max_size", SIZE, "64k", 256, 16 << 20, "Largest session, as "
	    "JSON."),
	KEY_RANGE("timeout", DURATION, "2s", 1, DAY, "How long the store may "
	    "take."),
	KEY_ENUM("on_error", "refuse", on_errors, "What a request gets that "
	    "needs a session which the store can't give: status 503, or none, "
	    "as if it had not logged in."),
	KEY("login", STRING, NULL, "Where browsers are sent that need a "
	    "session and have none (303): \"/login\"; default: nowhere (401).  "
	    "With \"=\" at its end, \"/login?next=\", what they have asked for "
	    "is appended, percent-encoded."),
	KEY_RANGE("required_key", STRING, NULL, 1, 255, "What has to be in a "
	    "session that is required, as \"user\"; default: any session "
	    "will do."),
};

const struct conf_rows session_rows = CONF_ROWS(session_keys);

struct conf_session *
find_session(struct builder *b, const char *name, const struct conf_pos *pos)
{
	const char *names[257];
	struct conf_session *s;
	size_t i = 0;

	if (name == NULL)
		return NULL;	/* it has no value, which has been said */
	TAILQ_FOREACH(s, &b->conf->sessions, entry) {
		if (strcmp(s->name, name) == 0)
			return s;
		if (i < 256)
			names[i++] = s->name;
	}
	names[i] = NULL;
	no_such(b, pos, "session", name, names);
	return NULL;
}

/* -- the cookie -- */

/* Labels of letters, digits and "-", as browsers want them. */
static int
is_domain(const char *s)
{
	size_t n;

	if (strlen(s) > 253)
		return 0;
	s += *s == '.';
	do {
		n = strspn(s, LETTERS "-");
		if (n == 0 || n > 63 || s[0] == '-' || s[n - 1] == '-')
			return 0;
		s += n;
	} while (*s++ == '.');
	return s[-1] == '\0';
}

static int
is_cookie_path(const char *s)
{
	if (*s == '\0')
		return 1;
	if (*s != '/' || strlen(s) > 1024)
		return 0;
	for (; *s >= 0x20 && *s < 0x7f && *s != ';' && *s != '<'; s++)
		;
	return *s == '\0';
}

/* What names promise to browsers, which drop cookies that do not keep it. */
static void
check_prefix(struct builder *b, const struct conf_session *s)
{
	int host = strncasecmp(s->cookie, "__Host-", 7) == 0;

	if (!host && strncasecmp(s->cookie, "__Secure-", 9) != 0)
		return;
	if (s->secure != CONF_SECURE_ON)
		conf_error(b->errs, pos_of(b, "name"), "a cookie of the name "
		    "\"%s\" needs secure = on", s->cookie);
	if (host && (s->domain != NULL || strcmp(s->path, "/") != 0))
		conf_error(b->errs, pos_of(b, "name"), "a cookie of the name "
		    "\"%s\" needs path = \"/\", and no domain", s->cookie);
}

static void
check_cookie(struct builder *b, const struct conf_session *s)
{
	size_t n = strlen(s->cookie);

	if (n == 0 || n > CONF_COOKIE_MAX ||
	    strspn(s->cookie, LETTERS "!#$%&'*+-.^_`|~") != n)
		conf_error(b->errs, pos_of(b, "name"), "name \"%s\" is not one "
		    "that a cookie may have: up to %d letters, digits, \"_\", "
		    "\"-\", \".\" ...", s->cookie, CONF_COOKIE_MAX);
	if (!is_cookie_path(s->path))
		conf_error(b->errs, pos_of(b, "path"), "path \"%s\" does not "
		    "start with \"/\", or has a byte that no cookie's path "
		    "may have", s->path);
	if (s->domain != NULL && !is_domain(s->domain))
		conf_error(b->errs, pos_of(b, "domain"), "domain \"%s\" is not "
		    "a host's name", s->domain);
	check_prefix(b, s);
	if (s->secure == CONF_SECURE_OFF && s->samesite == CONF_SAMESITE_NONE)
		conf_error(b->errs, pos_of(b, "samesite"), "browsers take "
		    "cookies with samesite = none only with secure = on or "
		    "auto");
	if (s->secure == CONF_SECURE_OFF && s->partitioned)
		conf_error(b->errs, pos_of(b, "partitioned"), "browsers take "
		    "partitioned cookies only with secure = on or auto");
}

static void
take_cookie(struct builder *b, struct conf_session *s)
{
	s->cookie = copy_text(b, "name");
	s->path = copy_text(b, "path");
	s->domain = copy_text(b, "domain");
	s->secure = (int)num_of(b, "secure");
	s->httponly = (int)num_of(b, "httponly");
	s->samesite = (int)num_of(b, "samesite");
	s->partitioned = (int)num_of(b, "partitioned");
	s->priority = (int)num_of(b, "priority");
	s->max_age = num_of(b, "max_age");
	check_cookie(b, s);
}

/* -- secrets -- */

static void
take_list(struct builder *b, struct conf_session *s)
{
	struct buf text = { NULL, 0, 0 };
	size_t i, n;
	char **list = copy_list(b, "secret", &n);

	for (i = 0; i < n; i++) {
		if (*list[i] == '\0' || strpbrk(list[i], "\r\n") != NULL)
			conf_error(b->errs, pos_of(b, "secret"), "a secret is "
			    "empty, or has more than one line");
		buf_puts(&text, list[i]);
		buf_puts(&text, "\n");
		explicit_bzero(list[i], strlen(list[i]));
		free(list[i]);
	}
	free(list);
	if (n == 0)
		conf_error(b->errs, pos_of(b, "secret"), "\"secret\" is empty; "
		    "leave it out for one to be made");
	buf_append(&text, "", 1);
	s->secrets = text.p;
}

static void
take_variable(struct builder *b, struct conf_session *s)
{
	const char *name = text_of(b, "secret_env"), *value;

	if (name == NULL)
		return;		/* it has no value, which has been said */
	value = getenv(name);
	if (value != NULL && *value != '\0')
		s->secrets = xstrdup(value);
	else
		conf_error(b->errs, pos_of(b, "secret_env"), "hostd's "
		    "environment has no variable \"%s\"", name);
}

static void
read_secrets(struct builder *b, struct conf_session *s)
{
	const char *copy = copy_of(b, s->secret_file);
	const char *path = copy != NULL ? copy : s->secret_file;
	const struct conf_pos *pos = pos_of(b, "secret_file");
	char why[512];
	size_t len;

	if (conf_file_trusted(path, why, sizeof(why)) == -1) {
		conf_error(b->errs, pos, "secret_file: %s", why);
		return;
	}
	s->secrets = conf_read_file(path, SECRETS_FILE_MAX, &len);
	if (s->secrets == NULL)
		conf_error(b->errs, pos, "secret_file %s: %s", s->secret_file,
		    strerror(errno));
	else if (strlen(s->secrets) != len ||
	    strspn(s->secrets, "\r\n") == len)
		conf_error(b->errs, pos, "secret_file %s: %s", s->secret_file,
		    strlen(s->secrets) != len ? "it has a byte 0" :
		    "there is no secret in it");
}

static void
take_secrets(struct builder *b, struct conf_session *s)
{
	static const char *const keys[] = { "secret", "secret_file",
		"secret_env" };
	unsigned i, n = 0;

	for (i = 0; i < 3; i++)
		if (is_set(b, keys[i]) && n++ > 0)
			conf_error(b->errs, pos_of(b, keys[i]), "session "
			    "\"%s\" has its secrets of one place: \"secret\", "
			    "\"secret_file\" or \"secret_env\"", s->name);
	if (is_set(b, "secret"))
		take_list(b, s);
	else if (is_set(b, "secret_env"))
		take_variable(b, s);
	else if (is_set(b, "secret_file")) {
		s->secret_file = path_of(b, "secret_file");
		if (s->secret_file != NULL)
			read_secrets(b, s);
	} else {
		s->secret_is_made = 1;
		s->secret_file = xasprintf("%s/session-%s.secret",
		    b->conf->state_dir, s->name);
		if (copy_of(b, s->secret_file) != NULL)
			read_secrets(b, s);
	}
}

/* -- the whole -- */

/* It becomes a Location. */
static void
take_login(struct builder *b, struct conf_session *s)
{
	const char *p;

	s->login = copy_text(b, "login");
	if (s->login == NULL)
		return;
	for (p = s->login; *p > 0x20 && *p < 0x7f; p++)
		;
	if (*p != '\0' || (*s->login != '/' &&
	    strncasecmp(s->login, "https://", 8) != 0 &&
	    strncasecmp(s->login, "http://", 7) != 0))
		conf_error(b->errs, pos_of(b, "login"), "login \"%s\" is "
		    "neither a path that starts with \"/\" nor \"https://\" "
		    "and so on, with all other bytes escaped with %%",
		    s->login);
}

/* Two with one cookie would each take the other's for forged. */
static void
check_others(struct builder *b, const struct conf_session *s)
{
	const struct conf_session *o;

	TAILQ_FOREACH(o, &b->conf->sessions, entry)
		if (strcmp(o->cookie, s->cookie) == 0 &&
		    strcmp(o->path, s->path) == 0 &&
		    (o->domain == NULL) == (s->domain == NULL) &&
		    (o->domain == NULL ||
		    strcasecmp(o->domain, s->domain) == 0))
			conf_error(b->errs, &s->pos, "session \"%s\" has the "
			    "cookie of session \"%s\" at %s:%d; give it "
			    "another name, or path", s->name, o->name,
			    o->pos.file, o->pos.line);
}

void
build_session(struct builder *b, const struct conf_node *n)
{
	struct conf_session *s = xcalloc(1, sizeof(*s));
	size_t len = strlen(n->title);

	s->pos = n->pos;
	s->name = xstrdup(n->title);
	if (len == 0 || len > CONF_SESSION_MAX ||
	    strspn(s->name, LETTERS "_-") != len)
		conf_error(b->errs, &s->pos, "the name of session \"%s\" may "
		    "have up to %d letters, digits, \"_\" and \"-\"", s->name,
		    CONF_SESSION_MAX);
	s->store_name = copy_text(b, "store");
	s->store_pos = *pos_of(b, "store");
	take_cookie(b, s);
	take_secrets(b, s);
	take_login(b, s);
	s->ttl = num_of(b, "ttl");
	s->rolling = (int)num_of(b, "rolling");
	s->resave = (int)num_of(b, "resave");
	s->save_uninitialized = (int)num_of(b, "save_uninitialized");
	s->max_size = num_of(b, "max_size");
	s->timeout = num_of(b, "timeout");
	s->anonymous = num_of(b, "on_error") == 1;
	s->required_key = copy_text(b, "required_key");
	check_others(b, s);
	TAILQ_INSERT_TAIL(&b->conf->sessions, s, entry);
}

void
finish_sessions(struct builder *b)
{
	struct conf_session *s;

	TAILQ_FOREACH(s, &b->conf->sessions, entry)
		s->store = plugin_or_module(b, s->store_name, &s->store_pos);
}

void
build_route_session(struct builder *b, struct conf_route *r)
{
	r->session = (int)num_of(b, "session");
	if (is_set(b, "sessions"))
		r->sessions = find_session(b, text_of(b, "sessions"),
		    pos_of(b, "sessions"));
	else if (r->session == CONF_SESSION_REQUIRED && r->sessions == NULL)
		conf_error(b->errs, pos_of(b, "session"), "there is no session "
		    "block; add session \"main\" { }");
}
