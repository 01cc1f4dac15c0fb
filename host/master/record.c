/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "master/record.h"

#define HEAD "hostd-state "
#define FORMAT 1
#define SIZE_MAX_BYTES (256u * 1024 * 1024)

void
record_init(struct record *r)
{
	memset(r, 0, sizeof(*r));
	r->root = json_object();
}

void
record_free(struct record *r)
{
	json_decref(r->root);
	free(r->fds);
	free(r->taken);
	memset(r, 0, sizeof(*r));
}

/* ---- descriptors ---- */

void
record_carry(struct record *r, int fd)
{
	r->fds = xrealloc(r->fds, (r->nfds + 1) * sizeof(r->fds[0]));
	r->taken = xrealloc(r->taken, r->nfds + 1);
	r->fds[r->nfds] = fd;
	r->taken[r->nfds++] = 0;
}

json_t *
record_fd(struct record *r, int fd)
{
	if (fd > STDERR_FILENO)
		record_carry(r, fd);
	return json_integer(fd);
}

static void
fd_close_on_exec(int fd, int on)
{
	int flags = fcntl(fd, F_GETFD);

	if (flags == -1)
		return;
	flags = on ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC;
	(void)fcntl(fd, F_SETFD, flags);
}

void
record_pass(const struct record *r, int pass)
{
	size_t i;

	for (i = 0; i < r->nfds; i++)
		fd_close_on_exec(r->fds[i], !pass);
}

int
record_take(struct record *r, const json_t *value)
{
	int fd = json_is_integer(value) ? (int)json_integer_value(value) : -1;
	size_t i;

	if (fd < 0 || fcntl(fd, F_GETFD) == -1)
		return -1;
	if (fd <= STDERR_FILENO)
		return fd;
	for (i = 0; i < r->nfds; i++)
		if (r->fds[i] == fd && !r->taken[i]) {
			r->taken[i] = 1;
			return fd;
		}
	return -1;
}

int
record_take_fd(struct record *r, const json_t *o, const char *name)
{
	return record_take(r, json_object_get(o, name));
}

void
record_settle(const struct record *r)
{
	size_t i;

	for (i = 0; i < r->nfds; i++) {
		if (r->taken[i])
			fd_close_on_exec(r->fds[i], 1);
		else
			(void)close(r->fds[i]);
	}
}

/* ---- values ---- */

int64_t
record_int(const json_t *o, const char *name, int64_t otherwise)
{
	const json_t *v = json_object_get(o, name);

	return json_is_integer(v) ? json_integer_value(v) : otherwise;
}

int
record_flag(const json_t *o, const char *name)
{
	return json_is_true(json_object_get(o, name));
}

const char *
record_text(const json_t *o, const char *name, const char *otherwise)
{
	const json_t *v = json_object_get(o, name);

	return json_is_string(v) ? json_string_value(v) : otherwise;
}

json_t *
record_bytes(const void *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *from = p;
	char *text = xmalloc(n * 2 + 1);
	json_t *v;
	size_t i;

	for (i = 0; i < n; i++) {
		text[i * 2] = digits[from[i] >> 4];
		text[i * 2 + 1] = digits[from[i] & 15];
	}
	text[n * 2] = '\0';
	v = json_string(text);
	free(text);
	return v;
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void
record_get_bytes(const json_t *o, const char *name, struct buf *out)
{
	const char *p = record_text(o, name, "");
	int high, low;
	char c;

	for (; p[0] != '\0'; p += 2) {
		high = hex_value(p[0]);
		low = hex_value(p[1]);
		if (high == -1 || low == -1)
			return;
		c = (char)(high << 4 | low);
		buf_append(out, &c, 1);
	}
}

char *
record_get_text(const json_t *o, const char *name)
{
	struct buf b = {0};
	char *text;

	if (json_object_get(o, name) == NULL)
		return NULL;
	record_get_bytes(o, name, &b);
	text = xstrndup(b.len > 0 ? b.p : "", b.len);
	buf_free(&b);
	return text;
}

/* ---- the memfd ---- */

static int
write_all(int fd, const char *p, size_t n)
{
	ssize_t w;

	for (; n > 0; p += w, n -= (size_t)w) {
		w = write(fd, p, n);
		if (w == -1 && errno == EINTR)
			w = 0;
		else if (w <= 0)
			return -1;
	}
	return 0;
}

static int
record_write_fd(const char *text)
{
	int fd = memfd_create("hostd state", MFD_CLOEXEC);

	if (fd == -1)
		return -1;
	if (dprintf(fd, HEAD "%d %zu\n", FORMAT, strlen(text)) > 0 &&
	    write_all(fd, text, strlen(text)) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

int
record_write(struct record *r, char *why, size_t size)
{
	json_t *list = json_array();
	char *text = NULL;
	size_t i;
	int fd;

	for (i = 0; i < r->nfds; i++)
		(void)json_array_append_new(list, json_integer(r->fds[i]));
	if (json_object_set_new(r->root, "fds", list) == 0)
		text = json_dumps(r->root, JSON_COMPACT);
	if (text == NULL) {
		(void)snprintf(why, size, "the state can't be put in words");
		return -1;
	}
	fd = record_write_fd(text);
	if (fd == -1)
		(void)snprintf(
		    why, size, "writing down the state: %s", strerror(errno));
	free(text);
	return fd;
}

static int
read_all(int fd, struct buf *b)
{
	char space[65536];
	off_t at = 0;
	ssize_t n;

	/* From the start, wherever others that share the file have been. */
	while ((n = pread(fd, space, sizeof(space), at)) > 0) {
		buf_append(b, space, (size_t)n);
		at += n;
		if (b->len > SIZE_MAX_BYTES) {
			errno = EFBIG;
			return -1;
		}
	}
	return n == -1 ? -1 : 0;
}

/* The object's text behind its first line; NULL with a reason in why. */
static const char *
record_body(const struct buf *b, size_t *len, char *why, size_t size)
{
	const char *nl = b->len > 0 ? memchr(b->p, '\n', b->len) : NULL;
	unsigned format;
	char line[64];
	size_t n;

	n = nl != NULL ? (size_t)(nl - b->p) : sizeof(line);
	if (n >= sizeof(line)) {
		(void)snprintf(why, size, "it is no state of a hostd");
		return NULL;
	}
	memcpy(line, b->p, n);
	line[n] = '\0';
	if (sscanf(line, HEAD "%u %zu", &format, len) != 2) {
		(void)snprintf(why, size, "it is no state of a hostd");
	} else if (format != FORMAT) {
		(void)snprintf(why, size,
		    "the state's format is %u, this hostd knows %d", format,
		    FORMAT);
	} else if (*len != b->len - n - 1) {
		(void)snprintf(why, size,
		    "the state is cut off: %zu bytes of %zu", b->len - n - 1,
		    *len);
	} else {
		return nl + 1;
	}
	return NULL;
}

static int
record_parse(struct record *r, const struct buf *b, char *why, size_t size)
{
	json_error_t e;
	const json_t *v;
	const char *text;
	size_t len, i;

	text = record_body(b, &len, why, size);
	if (text == NULL)
		return -1;
	r->root = json_loadb(text, len, 0, &e);
	if (!json_is_object(r->root)) {
		(void)snprintf(why, size, "the state can't be read: %s",
		    r->root == NULL ? e.text : "it is no object");
		return -1;
	}
	json_array_foreach(json_object_get(r->root, "fds"), i, v)
		if (json_integer_value(v) > STDERR_FILENO)
			record_carry(r, (int)json_integer_value(v));
	return 0;
}

int
record_read(struct record *r, int fd, char *why, size_t size)
{
	struct buf b = {0};
	int rc = -1;

	memset(r, 0, sizeof(*r));
	if (read_all(fd, &b) == -1)
		(void)snprintf(
		    why, size, "reading the state: %s", strerror(errno));
	else
		rc = record_parse(r, &b, why, size);
	buf_free(&b);
	if (rc == -1)
		record_free(r);
	return rc;
}
