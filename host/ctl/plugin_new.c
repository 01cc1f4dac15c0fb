/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A new plugin: a directory that builds anywhere with make and pkg-config.  In
 * the texts, @NAME@ stands for the plugin's name.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/plugin.h"
#include "ctl/plugin_new.h"
#include "ctl/words.h"

#define MAX_NAME 63

static const char make_text[] =
    "# Builds @NAME@.so with the hostd SDK that pkg-config finds.  hostd\n"
    "# installed elsewhere: make PKG_CONFIG_PATH=/prefix/lib/pkgconfig\n"
    "\n"
    "NAME = @NAME@\n"
    "CC = cc\n"
    "CFLAGS = -O2 -g -Wall -Wextra\n"
    "PKG_CONFIG = PKG_CONFIG_PATH=\"$(PKG_CONFIG_PATH)\" pkg-config\n"
    "\n"
    "SDK_CFLAGS != $(PKG_CONFIG) --cflags hostd-sdk\n"
    "PLUGIN_CFLAGS != $(PKG_CONFIG) --variable=plugin_cflags hostd-sdk\n"
    "PLUGIN_LDFLAGS != $(PKG_CONFIG) --variable=plugin_ldflags hostd-sdk\n"
    "PLUGINDIR != $(PKG_CONFIG) --variable=plugindir hostd-sdk\n"
    "HOSTCTL != $(PKG_CONFIG) --variable=checker hostd-sdk\n"
    "\n"
    "all: $(NAME).so\n"
    "\n"
    "$(NAME).so: $(NAME).c\n"
    "\t@$(PKG_CONFIG) --exists --print-errors hostd-sdk\n"
    "\t$(CC) $(CPPFLAGS) $(SDK_CFLAGS) $(PLUGIN_CFLAGS) $(CFLAGS) \\\n"
    "\t    $(PLUGIN_LDFLAGS) $(LDFLAGS) -o $@ $(NAME).c\n"
    "\n"
    "check: $(NAME).so\n"
    "\t./test $(HOSTCTL) $(NAME).so\n"
    "\n"
    "install: $(NAME).so\n"
    "\tmkdir -p $(DESTDIR)$(PLUGINDIR)\n"
    "\tcp $(NAME).so $(DESTDIR)$(PLUGINDIR)/.$(NAME).so.new\n"
    "\tmv $(DESTDIR)$(PLUGINDIR)/.$(NAME).so.new \\\n"
    "\t    $(DESTDIR)$(PLUGINDIR)/$(NAME).so\n"
    "\n"
    "uninstall:\n"
    "\trm -f $(DESTDIR)$(PLUGINDIR)/$(NAME).so\n"
    "\n"
    "clean:\n"
    "\trm -f $(NAME).so\n"
    "\n"
    ".PHONY: all check install uninstall clean\n";

static const char ignore_text[] = "*.so\n*.o\n";

const char new_test_head[] =
    "#!/bin/sh\n"
    "# Usage: test HOSTCTL PLUGIN.  What make check runs.\n"
    "set -eu\n"
    "hostctl=$1 plugin=$2\n"
    "\n";

const char new_test_greeting[] =
    "\n"
    "# What belongs to this plugin alone: its keys.\n"
    "\"$hostctl\" plugin schema \"./$plugin\" | grep -q '#greeting = ' || {\n"
    "\techo \"test: the key greeting is not declared\" >&2\n"
    "\texit 1\n"
    "}\n"
    "\"$hostctl\" plugin check --set greeting=hi \"./$plugin\" >/dev/null\n";

const char new_readme_make[] =
    "\n"
    "    make                # builds @NAME@.so\n"
    "    make check          # tries it against a fake host\n"
    "    make install        # copies it to hostd's plugin directory\n"
    "\n"
    "hostd in a prefix of its own: set `PKG_CONFIG_PATH` to its\n"
    "`lib/pkgconfig`.\n"
    "\n";

static const struct new_kind *const kinds[] = {
    &new_route, &new_ws, &new_backend, &new_balancer, &new_store,
    &new_sio, NULL};

static int
write_text(FILE *f, const char *text, const char *name)
{
	static const char mark[] = "@NAME@";
	const char *next;

	while ((next = strstr(text, mark)) != NULL) {
		(void)fwrite(text, 1, (size_t)(next - text), f);
		(void)fputs(name, f);
		text = next + sizeof(mark) - 1;
	}
	(void)fputs(text, f);
	return ferror(f) ? -1 : 0;
}

static int
make_file(
    const char *path, const char *const *text, mode_t mode, const char *name)
{
	FILE *f;
	int fd, rc;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd == -1 || (f = fdopen(fd, "w")) == NULL)
		return -1;
	for (rc = 0; *text != NULL && rc == 0; text++)
		rc = write_text(f, *text, name);
	return fclose(f) == 0 ? rc : -1;
}

/* The same rule as for a plugin's id, but it must not begin with a digit:
 * it is a file's name and may become a C identifier. */
static int
is_good_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_");

	return n > 0 && n <= MAX_NAME && s[n] == '\0' &&
	    strchr("0123456789_", s[0]) == NULL;
}

struct new_file {
	const char *file; /* NULL: NAME.c */
	const char *const *text;
	mode_t mode;
};

static int
make_files(
    const char *dir, const char *name, const struct new_file *file, size_t n)
{
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < n; i++) {
		if (file[i].file != NULL)
			(void)snprintf(
			    path, sizeof(path), "%s/%s", dir, file[i].file);
		else
			(void)snprintf(
			    path, sizeof(path), "%s/%s.c", dir, name);
		if (make_file(path, file[i].text, file[i].mode, name) == -1) {
			(void)fprintf(
			    stderr, "%s: %s\n", path, strerror(errno));
			return PLUGIN_FAILED;
		}
	}
	(void)printf("%s: a new plugin. Next: cd %s && make check\n", dir, dir);
	return PLUGIN_OK;
}

static int
scaffold(const struct new_kind *k, const char *name, const char *parent)
{
	static const char *const make[] = {make_text, NULL};
	static const char *const ignore[] = {ignore_text, NULL};
	const struct new_file files[] = {
	    {NULL, k->source, 0666},
	    {"Makefile", make, 0666},
	    {"test", k->test, 0777},
	    {"README.md", k->readme, 0666},
	    {".gitignore", ignore, 0666},
	};
	char dir[PATH_MAX - 80];

	(void)snprintf(dir, sizeof(dir), "%s/%s", parent, name);
	if (mkdir(dir, 0777) == -1) {
		(void)fprintf(stderr, "%s: %s%s\n", dir, strerror(errno),
		    errno == EEXIST ? "; nothing was overwritten" : "");
		return PLUGIN_FAILED;
	}
	return make_files(dir, name, files, sizeof(files) / sizeof(files[0]));
}

static int
refuse_kind(const char *kind)
{
	size_t i;

	(void)fprintf(stderr, "%s: no such kind of plugin; there are:", kind);
	for (i = 0; kinds[i] != NULL; i++)
		(void)fprintf(stderr, " %s", kinds[i]->kind);
	(void)fputc('\n', stderr);
	return PLUGIN_USAGE;
}

int
plugin_new(int argc, char **argv)
{
	const struct new_kind *const *k;
	int n = words_take(argc, argv, NULL, NULL);

	if (n < 2 || n > 3) {
		(void)fprintf(
		    stderr, "usage: hostctl plugin new KIND NAME [DIR]\n");
		return PLUGIN_USAGE;
	}
	for (k = kinds; *k != NULL && strcmp((*k)->kind, argv[1]) != 0; k++)
		;
	if (*k == NULL)
		return refuse_kind(argv[1]);
	if (!is_good_name(argv[2])) {
		(void)fprintf(stderr,
		    "%s: a plugin's name is 1-%d of "
		    "[a-z0-9_] and starts with a letter\n",
		    argv[2], MAX_NAME);
		return PLUGIN_USAGE;
	}
	return scaffold(*k, argv[2], n == 3 ? argv[3] : ".");
}
