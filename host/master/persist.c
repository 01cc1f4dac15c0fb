/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "config/files.h"
#include "config/tree.h"
#include "master/persist.h"

#define MARK "# Written by hostctl upstream --persist, which writes it anew."
#define FILE_MAX (1 << 20)

void
persist_set(struct persist *p, const char *key, const char *value)
{
	struct persist_key *k = &p->keys[p->n++];

	k->name = key;
	(void)snprintf(k->value, sizeof(k->value), "%s", value);
}

void
persist_set_number(struct persist *p, const char *key, long long n)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", n);
	persist_set(p, key, text);
}

/* ---- reading ---- */

static char *
persist_path(const struct persist *p, const char *before, const char *after)
{
	return xasprintf("%s/%supstream_changes-%s.conf%s", p->dir, before,
	    p->group, after);
}

/* Its tree; one that is not there yet is empty.  NULL with a reason in why. */
static struct conf_node *
persist_read(const char *path, char *why, size_t size)
{
	struct conf_node *root = conf_root_new();
	struct conf_errors errors;
	size_t len = 0;
	char *text = conf_read_file(path, FILE_MAX, &len);

	if (text == NULL && errno == ENOENT)
		return root;
	conf_errors_init(&errors);
	if (text == NULL)
		(void)snprintf(why, size, "%s: %s", path, strerror(errno));
	else if (strncmp(text, MARK, strlen(MARK)) != 0)
		(void)snprintf(why, size, "%s was not written by hostctl, and "
		    "is left alone; rename it to have changes kept", path);
	else
		conf_parse(root, path, text, len, &errors);
	if (!TAILQ_EMPTY(&errors))
		(void)snprintf(why, size, "%s", TAILQ_FIRST(&errors)->text);
	if (text != NULL && strncmp(text, MARK, strlen(MARK)) == 0 &&
	    TAILQ_EMPTY(&errors)) {
		free(text);
		return root;
	}
	free(text);
	conf_errors_free(&errors);
	conf_node_free(root);
	return NULL;
}

static struct conf_node *
find_block(const struct conf_node *in, const char *name, const char *title)
{
	struct conf_node *n;

	TAILQ_FOREACH (n, &in->children, entry)
		if (n->is_block && n->title != NULL &&
		    strcmp(n->name, name) == 0 && strcmp(n->title, title) == 0)
			return n;
	return NULL;
}

static struct conf_node *
find_key(const struct conf_node *in, const char *name)
{
	struct conf_node *n;

	TAILQ_FOREACH (n, &in->children, entry)
		if (!n->is_block && n->nvalues == 1 &&
		    strcmp(n->name, name) == 0)
			return n;
	return NULL;
}

int
persist_adds(const struct persist *p)
{
	char *path = persist_path(p, "", ""), why[256];
	struct conf_node *root = persist_read(path, why, sizeof(why)), *n;
	const struct conf_node *key = NULL;
	int adds;

	n = root == NULL ? NULL :
	    find_block(root, "upstream_changes", p->group);
	n = n == NULL ? NULL : find_block(n, "server", p->server);
	if (n != NULL)
		key = find_key(n, "added");
	adds = key != NULL && strcmp(key->values[0].text, "on") == 0;
	if (root != NULL)
		conf_node_free(root);
	free(path);
	return adds;
}

/* ---- changing ---- */

static struct conf_node *
node_new(struct conf_node *in, const char *name, const char *title)
{
	struct conf_node *n = xcalloc(1, sizeof(*n));

	TAILQ_INIT(&n->children);
	n->name = xstrdup(name);
	n->is_block = title != NULL;
	n->title = title != NULL ? xstrdup(title) : NULL;
	TAILQ_INSERT_TAIL(&in->children, n, entry);
	return n;
}

static void
node_drop(struct conf_node *in, struct conf_node *n)
{
	TAILQ_REMOVE(&in->children, n, entry);
	conf_node_free(n);
}

static void
key_set(struct conf_node *in, const char *name, const char *value)
{
	struct conf_node *n = find_key(in, name);

	if (n == NULL) {
		n = node_new(in, name, NULL);
		n->values = xcalloc(1, sizeof(*n->values));
		n->nvalues = 1;
	}
	free(n->values[0].text);
	n->values[0].text = xstrdup(value);
}

static void
persist_apply(const struct persist *p, struct conf_node *root)
{
	struct conf_node *group, *server;
	size_t i;

	group = find_block(root, "upstream_changes", p->group);
	if (group == NULL)
		group = node_new(root, "upstream_changes", p->group);
	server = find_block(group, "server", p->server);
	if (server != NULL && (p->forget || p->anew)) {
		node_drop(group, server);
		server = NULL;
	}
	if (p->forget)
		return;
	if (server == NULL)
		server = node_new(group, "server", p->server);
	for (i = 0; i < p->n; i++)
		key_set(server, p->keys[i].name, p->keys[i].value);
}

/* ---- writing ---- */

static void
put_quoted(struct buf *b, const char *s)
{
	buf_puts(b, "\"");
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\' || *s == '$')
			buf_puts(b, "\\");
		buf_append(b, s, 1);
	}
	buf_puts(b, "\"");
}

static void
put_value(struct buf *b, const char *s)
{
	if (*s != '\0' && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789") ==
	    strlen(s))
		buf_puts(b, s);
	else
		put_quoted(b, s);
}

static void
put_server(struct buf *b, const struct conf_node *server)
{
	const struct conf_node *key;

	buf_puts(b, "\tserver ");
	put_quoted(b, server->title);
	buf_puts(b, " {\n");
	TAILQ_FOREACH (key, &server->children, entry)
		if (!key->is_block && key->nvalues == 1) {
			buf_printf(b, "\t\t%s = ", key->name);
			put_value(b, key->values[0].text);
			buf_puts(b, "\n");
		}
	buf_puts(b, "\t}\n");
}

/* How many servers there are. */
static int
put_group(struct buf *b, const struct persist *p, const struct conf_node *root)
{
	const struct conf_node *n, *group;
	int count = 0;

	group = find_block(root, "upstream_changes", p->group);
	buf_printf(b, "%s\nupstream_changes \"%s\" {\n", MARK, p->group);
	TAILQ_FOREACH (n, &group->children, entry)
		if (n->is_block && n->title != NULL) {
			put_server(b, n);
			count++;
		}
	buf_puts(b, "}\n");
	return count;
}

static int
write_all(int fd, const struct buf *b)
{
	size_t done = 0;
	ssize_t w;

	while (done < b->len) {
		w = write(fd, b->p + done, b->len - done);
		if (w == -1 && errno == EINTR)
			continue;
		if (w == -1)
			return -1;
		done += (size_t)w;
	}
	return fsync(fd);
}

/* What was renamed stays so when the power fails. */
static void
sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1)
		return;
	(void)fsync(fd);
	(void)close(fd);
}

static int
replace_file(const char *path, const char *tmp, const struct buf *b)
{
	int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW |
	    O_CLOEXEC, 0644);
	int rc, saved;

	if (fd == -1)
		return -1;
	rc = write_all(fd, b);
	saved = errno;
	if (close(fd) == 0 && rc == 0 && rename(tmp, path) == 0)
		return 0;
	if (rc != 0)
		errno = saved;
	saved = errno;
	(void)unlink(tmp);
	errno = saved;
	return -1;
}

int
persist_write(const struct persist *p, char *why, size_t size)
{
	char *path = persist_path(p, "", ""), *tmp = persist_path(p, ".",
	    ".new");
	struct conf_node *root = persist_read(path, why, size);
	struct buf b = {0};
	int rc = -1;

	if (root == NULL)
		goto out;
	persist_apply(p, root);
	if (put_group(&b, p, root) > 0)
		rc = replace_file(path, tmp, &b);
	else
		rc = unlink(path) == -1 && errno != ENOENT ? -1 : 0;
	if (rc == -1)
		(void)snprintf(why, size, "writing %s: %s", path,
		    strerror(errno));
	else
		sync_dir(p->dir);
	conf_node_free(root);
out:
	buf_free(&b);
	free(path);
	free(tmp);
	return rc;
}
