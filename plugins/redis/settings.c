/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <hostd/easy.h>
#include "settings.h"

#define PASSWORD_MAX	1024
#define REPLY_MAX	(64u << 20)	/* a message has 16 MiB at most */

REDIS_KEY(redis_key_url, "url", SECRET, NULL, 0, 1024,
    "Where Redis is: redis://[user[:password]@]host[:port][/db], rediss://... "
    "with TLS, or unix:///path/to/redis.sock[?db=N]; not set: REDIS_URL of the "
    "environment, else " REDIS_URL_DEFAULT ".");
REDIS_KEY(redis_key_ca, "tls_ca", PATH, NULL, 1, 4096,
    "A file with certificates, in PEM, of authorities that are trusted, "
    "instead of the system's.");
REDIS_KEY(redis_key_cert, "tls_certificate", PATH, NULL, 1, 4096,
    "A file with our own certificate, in PEM, and its private key, for a Redis "
    "that asks for it; workers must be able to read it.");
REDIS_KEY(redis_key_verify, "tls_verify", BOOL, "on", 0, 0,
    "The certificate must be of the host's name, and by an authority that is "
    "trusted.");
REDIS_KEY(redis_key_password, "password", SECRET, NULL, 0, PASSWORD_MAX,
    "The password, instead of the one in the URL.");
REDIS_KEY(redis_key_password_file, "password_file", PATH, NULL, 1, 4096,
    "A file that the password is in, instead, which workers can read, and not "
    "everybody; a line end at its end does not count.");
REDIS_KEY(redis_key_connect, "connect_timeout", DURATION, "5s", 100, 3600000,
    "How long a connection may take to come about.");
REDIS_KEY(redis_key_ping, "ping_interval", DURATION, "10s", 100, 3600000,
    "How long Redis may be silent before it is asked for a sign of life.");
REDIS_KEY(redis_key_answer, "ping_timeout", DURATION, "5s", 100, 3600000,
    "How long that, and the greeting, may take.");
REDIS_KEY(redis_key_retry, "retry_max", DURATION, "5s", 100, 3600000,
    "The longest time between two attempts to connect; it is random, and grows "
    "from 100ms.");

const void *
redis_table(const struct hostd_host *host, const char *name,
    struct hostd_err *err)
{
	const void *table = host->get_ext(host, name);

	if (table == NULL)
		(void)hostd_fail(err, HOSTD_E_NOTSUP,
		    "this host does not serve %s", name);
	return table;
}

int32_t
redis_bind(struct redis_host *h, const struct hostd_host *host,
    struct hostd_err *err)
{
	h->host = host;
	if ((h->net = redis_table(host, HOSTD_EXT_NET, err)) == NULL ||
	    (h->timers = redis_table(host, HOSTD_EXT_TIMER, err)) == NULL)
		return HOSTD_E_NOTSUP;
	return HOSTD_OK;
}

/* A text; NULL when it is not set, or empty. */
static const char *
text_key(const struct hostd_conf *conf, const char *name)
{
	hostd_buf b = { NULL, 0 };

	(void)conf->get_str(conf, name, &b);
	return b.n > 0 ? b.p : NULL;
}

int64_t
redis_number_key(const struct hostd_conf *conf, const char *name)
{
	int64_t n = 0;

	(void)conf->get_int(conf, name, &n);
	return n;
}

/* -- the password -- */

static int32_t
file_failed(struct hostd_err *err, const char *path, const char *why)
{
	return hostd_fail(err, HOSTD_E_INVAL, "password_file: %s: %s", path,
	    why);
}

static int32_t
read_all(int fd, const char *path, char *text, struct hostd_err *err)
{
	size_t n = 0;
	ssize_t k;

	while (n <= PASSWORD_MAX && (k = read(fd, text + n,
	    PASSWORD_MAX + 1 - n)) != 0) {
		if (k == -1)
			return file_failed(err, path, strerror(errno));
		n += (size_t)k;
	}
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		n--;
	if (n == 0 || n > PASSWORD_MAX)
		return file_failed(err, path, n == 0 ? "it is empty" :
		    "it is longer than 1024 bytes");
	text[n] = '\0';
	if (memchr(text, '\0', n) != NULL || strchr(text, '\n') != NULL)
		return file_failed(err, path, "it is not one line of text");
	return HOSTD_OK;
}

static int32_t
read_open_file(int fd, const char *path, char *text, struct hostd_err *err)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return file_failed(err, path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return file_failed(err, path, "it is not a file");
	if ((st.st_mode & 07) != 0)
		return file_failed(err, path, "everybody may read or write it; "
		    "make that mode 0640, or 0600");
	return read_all(fd, path, text, err);
}

static int32_t
read_password_file(struct redis_settings *s, const char *path,
    struct hostd_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int32_t rc;

	if (fd == -1)
		return file_failed(err, path, strerror(errno));
	if ((s->password = calloc(1, PASSWORD_MAX + 2)) == NULL)
		rc = hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	else
		rc = read_open_file(fd, path, s->password, err);
	(void)close(fd);
	return rc;
}

static int32_t
read_password(struct redis_settings *s, struct redis_host *h,
    const struct hostd_conf *conf, struct hostd_err *err)
{
	const char *file = text_key(conf, "password_file");
	int32_t rc;

	h->password = text_key(conf, "password");
	if (file != NULL && h->password != NULL)
		return hostd_fail(err, HOSTD_E_INVAL, "set either password or "
		    "password_file");
	if (file != NULL) {
		if ((rc = read_password_file(s, file, err)) != HOSTD_OK)
			return rc;
		h->password = s->password;
	}
	if (h->password == NULL)
		h->password = s->url.password;
	return HOSTD_OK;
}

/* -- all of them -- */

static void
take_tls(const struct redis_settings *s, struct redis_host *h,
    const struct hostd_conf *conf)
{
	if (!s->url.tls)
		return;
	h->tls = redis_number_key(conf, "tls_verify") ? HOSTD_NET_TLS :
	    HOSTD_NET_TLS_UNCHECKED;
	h->tls_ca = text_key(conf, "tls_ca");
	h->tls_cert = text_key(conf, "tls_certificate");
}

int32_t
redis_settings_read(struct redis_settings *s, struct redis_host *h,
    const struct hostd_conf *conf, int is_cluster, struct hostd_err *err)
{
	const char *url = text_key(conf, "url"), *from = "url", *why;

	if (url == NULL && (url = getenv("REDIS_URL")) != NULL)
		from = "REDIS_URL of the environment";
	if (url == NULL || url[0] == '\0')
		url = REDIS_URL_DEFAULT;
	if (redis_url_parse(url, &s->url, &why) == -1)
		return hostd_fail(err, HOSTD_E_INVAL, "%s: %s", from, why);
	take_tls(s, h, conf);
	h->user = s->url.user;
	h->db = s->url.db;
	if (is_cluster && h->db != 0)
		return hostd_fail(err, HOSTD_E_INVAL, "%s: a cluster has no "
		    "database but 0", from);
	h->connect_ms = (uint32_t)redis_number_key(conf, "connect_timeout");
	h->ping_ms = (uint32_t)redis_number_key(conf, "ping_interval");
	h->answer_ms = (uint32_t)redis_number_key(conf, "ping_timeout");
	h->retry_ms = (uint32_t)redis_number_key(conf, "retry_max");
	h->max_pending = (size_t)redis_number_key(conf, "max_pending");
	h->max_reply = REPLY_MAX;
	return read_password(s, h, conf, err);
}

void
redis_settings_free(struct redis_settings *s)
{
	redis_url_free(&s->url);
	if (s->password != NULL)
		explicit_bzero(s->password, PASSWORD_MAX + 2);
	free(s->password);
	s->password = NULL;
}
