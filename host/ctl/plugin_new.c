/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A new plugin: a directory that builds anywhere with make and pkg-config.  In
 * the texts below, @NAME@ stands for the plugin's name.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/plugin.h"

#define MAX_NAME 63

static const char source_text[] =
    "/*\n"
    " * @NAME@: a plugin for hostd.\n"
    " *\n"
    " * Answers every request of its route with a greeting from the\n"
    " * configuration.  <hostd/http.h> is the manual.\n"
    " */\n"
    "#include <hostd/easy.h>\n"
    "\n"
    "/* One configured instance.  There may be several: no globals. */\n"
    "struct hostd_inst {\n"
    "\tHOSTD_EASY_HEAD;\n"
    "\thostd_buf greeting;\n"
    "};\n"
    "\n"
    "static int32_t\n"
    "on_headers(struct hostd_inst *in, hostd_req req, void *d)\n"
    "{\n"
    "\t(void)d;\n"
    "\treturn hostd_respond_bytes(in, req, 200, \"text/plain\",\n"
    "\t    in->greeting.p, in->greeting.n);\n"
    "}\n"
    "\n"
    "static int32_t\n"
    "create(const struct hostd_host *host, const struct hostd_conf *conf,\n"
    "    struct hostd_inst **out, struct hostd_err *err)\n"
    "{\n"
    "\thostd_buf greeting;\n"
    "\tint32_t rc;\n"
    "\n"
    "\tif ((rc = conf->get_str(conf, \"greeting\", &greeting)) != HOSTD_OK)\n"
    "\t\treturn hostd_fail(err, rc, \"greeting can't be read\");\n"
    "\trc = hostd_easy_create(sizeof(**out), host, out, err);\n"
    "\tif (rc == HOSTD_OK)\n"
    "\t\t(*out)->greeting = greeting;\n"
    "\treturn rc;\n"
    "}\n"
    "\n"
    "static void\n"
    "destroy(struct hostd_inst *in)\n"
    "{\n"
    "\tfree(in);\n"
    "}\n"
    "\n"
    "static const struct hostd_key greeting_key = {\n"
    "\t.struct_size = sizeof(greeting_key),\n"
    "\t.type = HOSTD_KEY_STRING,\n"
    "\t.name = \"greeting\",\n"
    "\t.dflt = \"hello from @NAME@\",\n"
    "\t.help = \"Text of every answer.\",\n"
    "};\n"
    "static const struct hostd_key *const keys[] = { &greeting_key, NULL };\n"
    "\n"
    "static const struct hostd_http_ops ops = {\n"
    "\t.struct_size = sizeof(ops),\n"
    "\t.on_headers = on_headers,\n"
    "};\n"
    "static const struct hostd_provide provide = {\n"
    "\t.struct_size = sizeof(provide),\n"
    "\t.kind = HOSTD_KIND_HTTP_ROUTE,\n"
    "\t.ops = &ops,\n"
    "\t.route = \"/@NAME@\",\n"
    "};\n"
    "static const struct hostd_provide *const provides[] = { &provide, NULL };\n"
    "\n"
    "HOSTD_PLUGIN_ENTRY = {\n"
    "\tHOSTD_PREFIX(0),\n"
    "\t.id = \"@NAME@\",\n"
    "\t.version = \"0.1\",\n"
    "\t.built_with = HOSTD_SDK_VERSION,\n"
    "\t.provides = provides,\n"
    "\t.keys = keys,\n"
    "\t.create = create,\n"
    "\t.destroy = destroy,\n"
    "};\n";

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

static const char test_text[] =
    "#!/bin/sh\n"
    "# Usage: test HOSTCTL PLUGIN.  What make check runs.\n"
    "set -eu\n"
    "hostctl=$1 plugin=$2\n"
    "\n"
    "# Everything a hostile or clumsy host could do to it.\n"
    "\"$hostctl\" plugin check \"./$plugin\"\n"
    "\n"
    "# What belongs to this plugin alone: its keys.\n"
    "\"$hostctl\" plugin schema \"./$plugin\" | grep -q '#greeting = ' || {\n"
    "\techo \"test: the key greeting is not declared\" >&2\n"
    "\texit 1\n"
    "}\n"
    "\"$hostctl\" plugin check --set greeting=hi \"./$plugin\" >/dev/null\n";

static const char readme_text[] =
    "# @NAME@\n"
    "\n"
    "A plugin for hostd: answers `/@NAME@` with a greeting.\n"
    "\n"
    "    make                # builds @NAME@.so\n"
    "    make check          # tries it against a fake host\n"
    "    make install        # copies it to hostd's plugin directory\n"
    "\n"
    "hostd in a prefix of its own: set `PKG_CONFIG_PATH` to its\n"
    "`lib/pkgconfig`.\n"
    "\n"
    "To serve it, either drop `@NAME@.so` into `conf.d`, or add\n"
    "`conf.d/@NAME@.conf`:\n"
    "\n"
    "    plugin \"@NAME@\" {\n"
    "            module = \"@NAME@.so\"\n"
    "            greeting = \"hello\"\n"
    "    }\n"
    "    route \"/@NAME@\" { plugin = \"@NAME@\" }\n"
    "\n"
    "and run `hostctl reload`. `hostctl plugin schema @NAME@.so` prints all\n"
    "keys.\n";

static const char ignore_text[] = "*.so\n*.o\n";

static const struct {
	const char *file;	/* NULL: NAME.c */
	const char *text;
	mode_t mode;
} files[] = {
	{ NULL, source_text, 0666 },
	{ "Makefile", make_text, 0666 },
	{ "test", test_text, 0777 },
	{ "README.md", readme_text, 0666 },
	{ ".gitignore", ignore_text, 0666 },
};

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
make_file(const char *path, const char *text, mode_t mode, const char *name)
{
	FILE *f;
	int fd, rc;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd == -1 || (f = fdopen(fd, "w")) == NULL)
		return -1;
	rc = write_text(f, text, name);
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

static int
scaffold(const char *name, const char *parent)
{
	char dir[PATH_MAX - 80], path[PATH_MAX];
	size_t i;

	(void)snprintf(dir, sizeof(dir), "%s/%s", parent, name);
	if (mkdir(dir, 0777) == -1) {
		(void)fprintf(stderr, "%s: %s%s\n", dir, strerror(errno),
		    errno == EEXIST ? "; nothing was overwritten" : "");
		return PLUGIN_FAILED;
	}
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (files[i].file != NULL)
			(void)snprintf(path, sizeof(path), "%s/%s", dir,
			    files[i].file);
		else
			(void)snprintf(path, sizeof(path), "%s/%s.c", dir,
			    name);
		if (make_file(path, files[i].text, files[i].mode, name) == -1) {
			(void)fprintf(stderr, "%s: %s\n", path,
			    strerror(errno));
			return PLUGIN_FAILED;
		}
	}
	(void)printf("%s: a new plugin. Next: cd %s && make check\n", dir, dir);
	return PLUGIN_OK;
}

int
plugin_new(int argc, char **argv)
{
	static const char *const drafts[] = { "ws_handler", "balancer",
		"session_store", "pubsub_backend", NULL };
	size_t i;

	if (argc < 3 || argc > 4 || argv[1][0] == '-') {
		(void)fprintf(stderr,
		    "usage: hostctl plugin new KIND NAME [DIR]\n");
		return PLUGIN_USAGE;
	}
	for (i = 0; drafts[i] != NULL; i++)
		if (strcmp(argv[1], drafts[i]) == 0) {
			(void)fprintf(stderr, "%s: draft: not served by this "
			    "host yet\n", argv[1]);
			return PLUGIN_FAILED;
		}
	if (strcmp(argv[1], "http_route") != 0) {
		(void)fprintf(stderr, "%s: no such kind of plugin; there is: "
		    "http_route\n", argv[1]);
		return PLUGIN_USAGE;
	}
	if (!is_good_name(argv[2])) {
		(void)fprintf(stderr, "%s: a plugin's name is 1-%d of "
		    "[a-z0-9_] and starts with a letter\n", argv[2], MAX_NAME);
		return PLUGIN_USAGE;
	}
	return scaffold(argv[2], argc == 4 ? argv[3] : ".");
}
