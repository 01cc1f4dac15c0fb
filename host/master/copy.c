/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/evp.h>

#include "master/copy.h"

#define COPY_BUFFER 65536

/* One copy being made. */
struct copy {
	int in, out;
	EVP_MD_CTX *md; /* NULL: no hash wanted */
	struct stat st; /* of the original, before */
	char tmp[4096];
	char *why;
	size_t why_size;
};

static int
copy_fail(struct copy *c, const char *what)
{
	(void)snprintf(c->why, c->why_size, "%s: %s", what, strerror(errno));
	return -1;
}

static int
copy_failx(struct copy *c, const char *what)
{
	(void)snprintf(c->why, c->why_size, "%s", what);
	return -1;
}

/* What to do about it. */
static const char *
write_hint(int e)
{
	switch (e) {
	case ENOSPC:
	case EDQUOT:
		return "; make room there, or choose another run_dir";
	case EFBIG:
		return "; the limit on the size of files is too low (ulimit "
		    "-f)";
	case EACCES:
	case EPERM:
	case EROFS:
		return "; hostd must be able to write there";
	default:
		return "";
	}
}

/* The name of a copy says nothing to anybody, its directory does. */
static int
copy_fail_writing(struct copy *c)
{
	const char *slash = strrchr(c->tmp, '/');
	int e = errno;

	(void)snprintf(c->why, c->why_size, "copying to %.*s: %s%s",
	    slash == NULL ? 0 : (int)(slash - c->tmp), c->tmp, strerror(e),
	    write_hint(e));
	return -1;
}

static int
copy_open(struct copy *c, const char *from)
{
	/* Not to hang on a FIFO. */
	c->in = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (c->in == -1)
		return copy_failx(c, strerror(errno));
	if (fstat(c->in, &c->st) == -1)
		return copy_failx(c, strerror(errno));
	if (!S_ISREG(c->st.st_mode))
		return copy_failx(c, "not a regular file");
	return 0;
}

static int
copy_create(struct copy *c, const char *dir)
{
	if ((size_t)snprintf(c->tmp, sizeof(c->tmp), "%s/.new.XXXXXX", dir) >=
	    sizeof(c->tmp)) {
		c->tmp[0] = '\0';
		return copy_failx(c,
		    "the name of the run directory is too "
		    "long");
	}
	c->out = mkostemp(c->tmp, O_CLOEXEC);
	if (c->out == -1) {
		copy_fail_writing(c);
		c->tmp[0] = '\0';
		return -1;
	}
	return 0;
}

static int
copy_write(struct copy *c, const char *p, size_t n)
{
	ssize_t w;

	while (n > 0) {
		w = write(c->out, p, n);
		if (w == -1 && errno == EINTR)
			continue;
		if (w == -1)
			return copy_fail_writing(c);
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

static int
copy_bytes(struct copy *c)
{
	static char buf[COPY_BUFFER];
	struct stat st;
	off_t total = 0;
	ssize_t n;

	while ((n = read(c->in, buf, sizeof(buf))) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return copy_fail(c, "reading");
		if (c->md != NULL && !EVP_DigestUpdate(c->md, buf, (size_t)n))
			return copy_failx(c, "hashing failed");
		if (copy_write(c, buf, (size_t)n) == -1)
			return -1;
		total += n;
	}
	if (fstat(c->in, &st) == -1 || total != c->st.st_size ||
	    st.st_size != c->st.st_size ||
	    st.st_mtim.tv_sec != c->st.st_mtim.tv_sec ||
	    st.st_mtim.tv_nsec != c->st.st_mtim.tv_nsec)
		return copy_failx(c, "it changed while it was read; try again");
	return 0;
}

/* Give the copy its name. */
static int
copy_finish(struct copy *c, const char *to, mode_t mode)
{
	int out = c->out;

	if (fchmod(out, mode) == -1)
		return copy_fail_writing(c);
	c->out = -1;
	if (close(out) == -1 || rename(c->tmp, to) == -1)
		return copy_fail_writing(c);
	c->tmp[0] = '\0';
	return 0;
}

static void
copy_close(struct copy *c)
{
	if (c->in != -1)
		(void)close(c->in);
	if (c->out != -1)
		(void)close(c->out);
	if (c->tmp[0] != '\0')
		(void)unlink(c->tmp);
	EVP_MD_CTX_free(c->md);
}

static void
parent_of(char *buf, size_t size, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		(void)snprintf(buf, size, ".");
	else
		(void)snprintf(buf, size, "%.*s", (int)(slash - path), path);
}

int
copy_file(const char *from, const char *to, mode_t mode, char *why, size_t size)
{
	struct copy c = {.in = -1, .out = -1, .why = why, .why_size = size};
	char dir[4096];
	int rc = -1;

	parent_of(dir, sizeof(dir), to);
	if (copy_open(&c, from) == 0 && copy_create(&c, dir) == 0 &&
	    copy_bytes(&c) == 0 && copy_finish(&c, to, mode) == 0)
		rc = 0;
	copy_close(&c);
	return rc;
}

static int
hash_name(struct copy *c, const char *suffix, char name[COPY_NAME_MAX])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0, i;

	if (!EVP_DigestFinal_ex(c->md, digest, &len) || len != 32)
		return copy_failx(c, "hashing failed");
	for (i = 0; i < len; i++)
		(void)snprintf(name + 2 * i, 3, "%02x", digest[i]);
	(void)snprintf(name + 2 * len, COPY_NAME_MAX - 2 * len, "%s", suffix);
	return 0;
}

static int
has_copy(const char *path, off_t size)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_size == size;
}

int
copy_hashed(const char *from, const char *dir, const char *suffix,
    char name[COPY_NAME_MAX], char *why, size_t size)
{
	struct copy c = {.in = -1, .out = -1, .why = why, .why_size = size};
	char to[4096];
	int rc = -1;

	if (copy_open(&c, from) == -1)
		goto out;
	if (c.st.st_size == 0) {
		(void)copy_failx(&c, "the file is empty");
		goto out;
	}
	c.md = EVP_MD_CTX_new();
	if (c.md == NULL || !EVP_DigestInit_ex(c.md, EVP_sha256(), NULL)) {
		(void)copy_failx(&c, "hashing failed");
		goto out;
	}
	if (copy_create(&c, dir) == -1 || copy_bytes(&c) == -1 ||
	    hash_name(&c, suffix, name) == -1)
		goto out;
	(void)snprintf(to, sizeof(to), "%s/%s", dir, name);
	rc = has_copy(to, c.st.st_size) ? 0 : copy_finish(&c, to, 0444);
out:
	copy_close(&c);
	return rc;
}
