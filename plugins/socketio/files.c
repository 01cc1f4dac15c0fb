/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "files.h"

#define SIZE_MOST	(8 << 20)

static const char *const names[] = {
	"socket.io.js", "socket.io.js.map",
	"socket.io.min.js", "socket.io.min.js.map",
	"socket.io.esm.min.js", "socket.io.esm.min.js.map",
	"socket.io.msgpack.min.js", "socket.io.msgpack.min.js.map"
};

#define NAMES (sizeof(names) / sizeof(names[0]))

struct sio_files {
	struct {
		char *p;		/* NULL: it is not there */
		size_t n;
		char etag[24];
	} of[NAMES];
};

/* FNV-1a. */
static uint64_t
hash(const char *p, size_t n)
{
	uint64_t h = 0xcbf29ce484222325u;

	while (n-- > 0)
		h = (h ^ (unsigned char)*p++) * 0x100000001b3u;
	return h;
}

static int
read_all(int fd, char *p, size_t n)
{
	ssize_t got;

	for (; n > 0; p += got, n -= (size_t)got)
		if ((got = read(fd, p, n)) <= 0) {
			errno = got == 0 ? EIO : errno;
			return -1;
		}
	return 0;
}

/* 0, or -1 with errno. */
static int
load(const char *path, char **out, size_t *n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd == -1)
		return -1;
	errno = EINVAL;
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    st.st_size > SIZE_MOST)
		goto fail;
	*n = (size_t)st.st_size;
	if ((*out = malloc(*n + 1)) == NULL)
		goto fail;
	if (read_all(fd, *out, *n) == 0) {
		(void)close(fd);
		return 0;
	}
	free(*out);
	*out = NULL;
fail:
	(void)close(fd);
	return -1;
}

static int32_t
file_add(struct sio_files *f, size_t i, const char *dir, struct hostd_err *err)
{
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, names[i]) >=
	    sizeof(path))
		return hostd_fail(err, HOSTD_E_INVAL, "client_dir: too long");
	if (load(path, &f->of[i].p, &f->of[i].n) == -1) {
		if (i > 0 && errno == ENOENT)
			return HOSTD_OK;
		return hostd_fail(err, HOSTD_E_IO, "client_dir: %s: %s; it is "
		    "the directory dist of the npm package socket.io-client",
		    path, strerror(errno));
	}
	(void)snprintf(f->of[i].etag, sizeof(f->of[i].etag), "\"%016" PRIx64
	    "\"", hash(f->of[i].p, f->of[i].n));
	return HOSTD_OK;
}

int32_t
files_create(struct hostd_inst *in, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	int32_t rc = HOSTD_OK;
	hostd_buf dir;
	size_t i;

	(void)conf->get_str(conf, "client_dir", &dir);
	if (dir.n == 0)
		return HOSTD_OK;
	if ((in->files = calloc(1, sizeof(*in->files))) == NULL)
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	for (i = 0; i < NAMES && rc == HOSTD_OK; i++)
		rc = file_add(in->files, i, dir.p, err);
	return rc;
}

void
files_destroy(struct hostd_inst *in)
{
	size_t i;

	if (in->files == NULL)
		return;
	for (i = 0; i < NAMES; i++)
		free(in->files->of[i].p);
	free(in->files);
	in->files = NULL;
}

/* Does If-None-Match have it?  A weak one is as good. */
static int
is_known(struct hostd_inst *in, hostd_req req, const char *etag)
{
	hostd_buf h;

	return in->easy.http->header(in->easy.host, req, "If-None-Match",
	    &h) == HOSTD_OK && (memmem(h.p, h.n, etag, strlen(etag)) != NULL ||
	    (h.n == 1 && *(const char *)h.p == '*'));
}

static int32_t
send_file(struct hostd_inst *in, hostd_req req, const struct hostd_request *r,
    size_t i)
{
	const struct hostd_easy *e = &in->easy;
	hostd_buf body = { in->files->of[i].p, in->files->of[i].n };
	int is_map = strstr(names[i], ".map") != NULL;
	hostd_hdr h[3];

	if (r->method != HOSTD_METHOD_GET && r->method != HOSTD_METHOD_HEAD)
		return hostd_refuse_method(in, req, "GET, HEAD, OPTIONS");
	h[0] = hostd_header("ETag", in->files->of[i].etag);
	h[1] = hostd_header("Cache-Control", "public, max-age=0");
	h[2] = hostd_header("Content-Type", is_map ?
	    "application/json; charset=utf-8" :
	    "application/javascript; charset=utf-8");
	if (!is_known(in, req, in->files->of[i].etag))
		return e->http->respond(e->host, req, 200, h, 3, body);
	body.n = 0;
	return e->http->respond(e->host, req, 304, h, 2, body);
}

int
client_file(struct hostd_inst *in, hostd_req req,
    const struct hostd_request *r, int32_t *rc)
{
	size_t i, n;

	if (in->files == NULL)
		return 0;
	for (i = 0; i < NAMES; i++) {
		n = strlen(names[i]);
		if (in->files->of[i].p != NULL && r->path.n > n &&
		    memcmp((const char *)r->path.p + r->path.n - n - 1, "/",
		    1) == 0 && memcmp((const char *)r->path.p + r->path.n - n,
		    names[i], n) == 0) {
			*rc = send_file(in, req, r, i);
			return 1;
		}
	}
	return 0;
}
