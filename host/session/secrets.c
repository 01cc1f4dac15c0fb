/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/random.h>
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include "base/log.h"
#include "base/mem.h"
#include "session/secrets.h"

#define DIGEST	32	/* bytes of SHA-256 */
#define MADE	32	/* random bytes of a secret that we make */

/* Each is a MAC that has its key, and starts over for each text. */
struct secrets {
	EVP_MAC_CTX *v[SECRETS_MAX];
	size_t n;
};

/* -1, and why. */
static int __attribute__((format(printf, 3, 4)))
fail(char *why, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, size, fmt, ap);
	va_end(ap);
	return -1;
}

/* -- making a list -- */

static EVP_MAC_CTX *
mac_new(const char *key, size_t n)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest,
		    0),
		OSSL_PARAM_construct_end()
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *c = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;

	EVP_MAC_free(mac);
	if (c != NULL && EVP_MAC_init(c, (const unsigned char *)key, n,
	    params) == 1)
		return c;
	EVP_MAC_CTX_free(c);
	return NULL;
}

static int
add_line(struct secrets *s, const char *line, size_t n, char *why, size_t size)
{
	if (n > 0 && line[n - 1] == '\r')
		n--;
	if (n == 0)
		return 0;
	if (s->n == SECRETS_MAX)
		return fail(why, size, "there are more than %d secrets; remove "
		    "the oldest, which are the last", SECRETS_MAX);
	s->v[s->n] = mac_new(line, n);
	if (s->v[s->n] == NULL)
		return fail(why, size, "OpenSSL has no HMAC with SHA-256 for "
		    "us; look at its configuration (openssl.cnf)");
	s->n++;
	return 0;
}

struct secrets *
secrets_new(const char *text, size_t n, char *why, size_t size)
{
	struct secrets *s = xcalloc(1, sizeof(*s));
	const char *end = text + n, *line, *next;

	for (line = text; line < end; line = next + 1) {
		next = memchr(line, '\n', (size_t)(end - line));
		if (next == NULL)
			next = end;
		if (add_line(s, line, (size_t)(next - line), why, size) == -1)
			goto wrong;
	}
	if (s->n > 0)
		return s;
	(void)fail(why, size, "there is no secret in it; write one in a line, "
	    "for example from: openssl rand -base64 32");
wrong:
	secrets_free(s);
	return NULL;
}

void
secrets_free(struct secrets *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < s->n; i++)
		EVP_MAC_CTX_free(s->v[i]);	/* which wipes it */
	free(s);
}

/* -- files -- */

/* Nobody else may have had it in his hands. */
static int
check_private(const char *path, int fd, char *why, size_t size)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return fail(why, size, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fail(why, size, "%s is not a file", path);
	if ((st.st_mode & 077) != 0)
		return fail(why, size, "%s has mode %04o, so others could have "
		    "read it; remove it for a new one to be made (all sessions "
		    "end), or chmod 600 it if nobody has", path,
		    (unsigned)(st.st_mode & 07777));
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return fail(why, size, "%s belongs to user %u; chown it to the "
		    "user who starts hostd", path, (unsigned)st.st_uid);
	return 0;
}

static ssize_t
read_all(int fd, char *p, size_t room)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, p + len, room - len)) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		len += (size_t)n;
		if (len == room) {
			errno = EFBIG;
			return -1;
		}
	}
	return (ssize_t)len;
}

struct secrets *
secrets_read(const char *path, char *why, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct secrets *s = NULL;
	char *text, reason[512];
	ssize_t n;

	if (fd == -1) {
		(void)fail(why, size, "%s: %s", path, strerror(errno));
		return NULL;
	}
	text = xmalloc(SECRETS_TEXT_MAX + 1);
	if (check_private(path, fd, why, size) == -1)
		goto done;
	n = read_all(fd, text, SECRETS_TEXT_MAX + 1);
	if (n == -1) {
		(void)fail(why, size, "%s: %s", path, strerror(errno));
		goto done;
	}
	s = secrets_new(text, (size_t)n, reason, sizeof(reason));
	if (s == NULL)
		(void)fail(why, size, "%s: %s", path, reason);
done:
	OPENSSL_cleanse(text, SECRETS_TEXT_MAX + 1);
	free(text);
	(void)close(fd);
	return s;
}

struct secrets *
secrets_of(const struct conf_session *c, char *why, size_t size)
{
	if (c->secrets == NULL)
		return secrets_read(c->secret_file, why, size);
	return secrets_new(c->secrets, strlen(c->secrets), why, size);
}

/* -- one that is made once -- */

/* A line of hexadecimal digits. */
static int
random_line(char line[2 * MADE + 1])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char raw[MADE];
	unsigned i;

	if (getrandom(raw, MADE, 0) != MADE)
		return -1;
	for (i = 0; i < MADE; i++) {
		line[2 * i] = digits[raw[i] >> 4];
		line[2 * i + 1] = digits[raw[i] & 15];
	}
	line[2 * MADE] = '\n';
	OPENSSL_cleanse(raw, sizeof(raw));
	return 0;
}

/* The file is whole when it has its name, whenever we end. */
static int
write_new(const char *name)
{
	char line[2 * MADE + 1];
	int fd, rc = -1, saved;

	(void)unlink(name);
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (fd == -1)
		return -1;
	if (random_line(line) == 0 && fchmod(fd, 0600) == 0 &&
	    write(fd, line, sizeof(line)) == (ssize_t)sizeof(line) &&
	    fsync(fd) == 0)
		rc = 0;
	saved = errno;
	OPENSSL_cleanse(line, sizeof(line));
	(void)close(fd);
	errno = saved;
	return rc;
}

/* link, not rename: whoever was first has made it. */
static int
make_file(const char *path, char *why, size_t size)
{
	char *new = xasprintf("%s.new", path);
	int rc = 0;

	if (write_new(new) == -1 || (link(new, path) == -1 && errno != EEXIST))
		rc = fail(why, size, "%s, for a secret that is made once: %s; "
		    "have the directory writable for hostd, or set "
		    "secret_file", new, strerror(errno));
	else
		log_info("%s: made a secret for sessions", path);
	(void)unlink(new);
	free(new);
	return rc;
}

int
secrets_make(const char *path, char *why, size_t size)
{
	struct secrets *s;

	if (access(path, F_OK) == -1 && errno == ENOENT &&
	    make_file(path, why, size) == -1)
		return -1;
	s = secrets_read(path, why, size);
	if (s == NULL)
		return -1;
	secrets_free(s);
	return 0;
}

/* -- using it -- */

size_t
secrets_count(const struct secrets *s)
{
	return s->n;
}

static void
sign_by(EVP_MAC_CTX *c, const void *text, size_t n, char mac[SECRETS_MAC_LEN])
{
	unsigned char raw[DIGEST];
	char text64[SECRETS_MAC_LEN + 2];	/* with "=" and NUL */
	size_t len;

	if (EVP_MAC_init(c, NULL, 0, NULL) != 1 ||
	    EVP_MAC_update(c, text, n) != 1 ||
	    EVP_MAC_final(c, raw, &len, sizeof(raw)) != 1 || len != DIGEST)
		fatalx("HMAC of a session's cookie");
	(void)EVP_EncodeBlock((unsigned char *)text64, raw, DIGEST);
	memcpy(mac, text64, SECRETS_MAC_LEN);
}

void
secrets_sign(struct secrets *s, const void *text, size_t n,
    char mac[SECRETS_MAC_LEN])
{
	sign_by(s->v[0], text, n, mac);
}

int
secrets_verify(struct secrets *s, const void *text, size_t n, const char *mac,
    size_t mac_len)
{
	char want[SECRETS_MAC_LEN];
	size_t i;
	int found = -1;

	if (mac_len != SECRETS_MAC_LEN)
		return -1;
	for (i = 0; i < s->n && found == -1; i++) {
		sign_by(s->v[i], text, n, want);
		if (CRYPTO_memcmp(want, mac, SECRETS_MAC_LEN) == 0)
			found = (int)i;
	}
	return found;
}
