/* SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/mem.h"
#include "sandbox/sandbox.h"

static void
rule_add(struct sandbox *s, const char *real, unsigned access)
{
	struct sandbox_rule *r;
	size_t i;

	for (i = 0; i < s->nrules; i++)
		if (strcmp(s->rules[i].path, real) == 0) {
			s->rules[i].access |= access;
			return;
		}
	s->rules = xrealloc(s->rules, (s->nrules + 1) * sizeof(*s->rules));
	r = &s->rules[s->nrules++];
	r->path = xstrdup(real);
	r->access = access;
}

void
sandbox_allow(struct sandbox *s, const char *path, unsigned access)
{
	char real[PATH_MAX];

	/* What can't be found is for whoever needs it to complain about. */
	if (realpath(path, real) != NULL)
		rule_add(s, real, access);
	else if (path[0] == '/')
		rule_add(s, path, access);
}

/* Where everybody keeps things: what is beside a file there is not its
 * owner's. */
static int
is_shared(const char *dir)
{
	static const char *const shared[] = { "/", "/bin", "/boot", "/dev",
		"/etc", "/home", "/lib", "/media", "/mnt", "/opt", "/proc",
		"/root", "/run", "/sbin", "/srv", "/sys", "/tmp", "/usr",
		"/usr/local", "/var", "/var/cache", "/var/lib", "/var/run",
		"/var/tmp", NULL };
	size_t i;

	for (i = 0; shared[i] != NULL; i++)
		if (strcmp(dir, shared[i]) == 0)
			return 1;
	return 0;
}

/* The directory that path is in. */
static void
allow_beside(struct sandbox *s, const char *path, unsigned access)
{
	char dir[PATH_MAX], *slash;

	if (realpath(path, dir) == NULL ||
	    (slash = strrchr(dir, '/')) == NULL)
		return;
	*slash = '\0';
	if (!is_shared(dir[0] == '\0' ? "/" : dir))
		rule_add(s, dir, access);
}

void
sandbox_allow_named(struct sandbox *s, const char *path, unsigned access)
{
	struct stat st, link;

	sandbox_allow(s, path, access);
	if (stat(path, &st) == -1)
		return;
	/* A link is turned to what is beside the one that it leads to. */
	if (!S_ISDIR(st.st_mode) ||
	    (lstat(path, &link) == 0 && S_ISLNK(link.st_mode)))
		allow_beside(s, path, access);
}

void
sandbox_allow_system(struct sandbox *s)
{
	static const char *const reads[] = {
		/* libraries, and what they read by themselves */
		"/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32",
		"/usr/lib64", "/usr/libexec", "/usr/local/lib",
		"/etc/ld.so.cache", "/etc/ld.so.preload",
		"/etc/localtime", "/usr/share/zoneinfo", "/usr/share/locale",
		/* names */
		"/etc/resolv.conf", "/etc/hosts", "/etc/host.conf",
		"/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services",
		"/etc/protocols", "/run/systemd/resolve",
		/* TLS */
		"/etc/ssl", "/etc/pki", "/etc/crypto-policies",
		"/usr/share/ca-certificates",
		"/usr/local/share/ca-certificates",
		"/usr/share/crypto-policies",
		/* the machine */
		"/proc/self", "/proc/sys", "/proc/cpuinfo", "/proc/filesystems",
		"/proc/loadavg", "/proc/meminfo", "/proc/stat",
		"/proc/uptime", "/sys/devices/system/cpu",
		"/sys/devices/system/node", "/sys/fs/cgroup",
		"/sys/kernel/mm/transparent_hugepage",
		"/dev/random", "/dev/urandom", NULL };
	static const char *const writes[] = { "/dev/full", "/dev/null",
		"/dev/zero", NULL };
	size_t i;

	for (i = 0; reads[i] != NULL; i++)
		sandbox_allow(s, reads[i], SANDBOX_READ);
	for (i = 0; writes[i] != NULL; i++)
		sandbox_allow(s, writes[i], SANDBOX_READ | SANDBOX_WRITE);
}

void
sandbox_allow_programs(struct sandbox *s)
{
	static const char *const dirs[] = { "/bin", "/sbin", "/usr/bin",
		"/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/lib",
		"/lib64", "/usr/lib", "/usr/libexec", NULL };
	size_t i;

	for (i = 0; dirs[i] != NULL; i++)
		sandbox_allow(s, dirs[i], SANDBOX_READ | SANDBOX_EXEC);
}

int
sandbox_permits(const struct sandbox *s, const char *path, unsigned access)
{
	const struct sandbox_rule *r;
	unsigned allowed = 0;
	size_t i, n;

	for (i = 0; i < s->nrules; i++) {
		r = &s->rules[i];
		n = strlen(r->path);
		if (strncmp(path, r->path, n) == 0 &&
		    (path[n] == '\0' || path[n] == '/' || n == 1))
			allowed |= r->access;
	}
	return (access & ~allowed) == 0;
}

void
sandbox_free(struct sandbox *s)
{
	while (s->nrules > 0)
		free(s->rules[--s->nrules].path);
	free(s->rules);
	while (s->ncalls > 0)
		free(s->calls[--s->ncalls]);
	free(s->calls);
	memset(s, 0, sizeof(*s));
}
