/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/mem.h"
#include "config/files.h"

char *
conf_read_file(const char *path, size_t max, size_t *len)
{
	struct buf b = { NULL, 0, 0 };
	ssize_t n;
	int fd, saved;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) == -1)
		return NULL;
	while ((n = read(fd, buf_reserve(&b, 4096), 4096)) > 0) {
		b.len += (size_t)n;
		if (b.len > max) {
			n = -1;
			errno = EFBIG;
			break;
		}
	}
	saved = errno;
	close(fd);
	if (n < 0) {
		buf_free(&b);
		errno = saved;
		return NULL;
	}
	*len = b.len;
	buf_append(&b, "", 1);
	return b.p;
}

int
conf_parse_file(struct conf_node *root, const char *name, const char *path,
    struct conf_errors *errs)
{
	size_t len;
	char *text = conf_read_file(path, CONF_FILE_MAX, &len);

	if (text == NULL) {
		conf_error(errs, NULL, "%s: %s", name, strerror(errno));
		return -1;
	}
	conf_parse(root, name, text, len, errs);
	free(text);
	return 0;
}

char *
conf_path(const char *main_file, const char *path)
{
	const char *slash = strrchr(main_file, '/');

	if (path[0] == '/')
		return xstrdup(path);
	if (slash == NULL)
		return xasprintf("./%s", path);
	return xasprintf("%.*s/%s", (int)(slash - main_file), main_file, path);
}
