/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "sandbox/landlock.h"

/* Younger than the headers that we may be built with. */
#define FS_REFER	(1ull << 13)	/* version 2 */
#define FS_TRUNCATE	(1ull << 14)	/* 3 */
#define FS_IOCTL_DEV	(1ull << 15)	/* 5 */

#define FS_READ	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_MAKE	(LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR | \
	LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_MAKE_SOCK |	\
	LANDLOCK_ACCESS_FS_MAKE_FIFO)
#define FS_REMOVE (LANDLOCK_ACCESS_FS_REMOVE_FILE |			\
	LANDLOCK_ACCESS_FS_REMOVE_DIR)
#define FS_NEVER (LANDLOCK_ACCESS_FS_MAKE_CHAR |			\
	LANDLOCK_ACCESS_FS_MAKE_BLOCK)
#define FS_WRITE (LANDLOCK_ACCESS_FS_WRITE_FILE | FS_MAKE | FS_REMOVE |	\
	FS_REFER | FS_TRUNCATE)
/* What makes sense for what is no directory. */
#define FS_OF_FILE (LANDLOCK_ACCESS_FS_EXECUTE |			\
	LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |	\
	FS_TRUNCATE)

int
landlock_version(void)
{
	long v = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);

	return v < 0 ? 0 : (int)v;
}

static uint64_t
rights_handled(int version)
{
	uint64_t r = LANDLOCK_ACCESS_FS_EXECUTE | FS_READ | FS_WRITE |
	    FS_NEVER | FS_IOCTL_DEV;

	if (version < 2)
		r &= ~FS_REFER;
	if (version < 3)
		r &= ~FS_TRUNCATE;
	if (version < 5)
		r &= ~FS_IOCTL_DEV;
	return r;
}

static uint64_t
rights_of(unsigned access)
{
	uint64_t r = 0;

	if (access & SANDBOX_READ)
		r |= FS_READ;
	if (access & SANDBOX_WRITE)
		r |= FS_WRITE;
	if (access & SANDBOX_EXEC)
		r |= LANDLOCK_ACCESS_FS_EXECUTE;
	return r;
}

/* What is not there any more needs no rule. */
static int
add_rule(int ruleset, const struct sandbox_rule *rule, uint64_t handled)
{
	struct landlock_path_beneath_attr attr = {
		.allowed_access = rights_of(rule->access) & handled };
	struct stat st;
	int rc, saved;

	attr.parent_fd = open(rule->path, O_PATH | O_CLOEXEC);
	if (attr.parent_fd == -1)
		return errno == ENOENT || errno == EACCES ? 0 : -1;
	if (fstat(attr.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
		attr.allowed_access &= FS_OF_FILE;
	rc = (int)syscall(SYS_landlock_add_rule, ruleset,
	    LANDLOCK_RULE_PATH_BENEATH, &attr, 0);
	saved = errno;
	(void)close(attr.parent_fd);
	errno = saved;
	return rc;
}

int
landlock_enter(const struct sandbox *s)
{
	struct landlock_ruleset_attr attr = {
		.handled_access_fs = rights_handled(landlock_version()) };
	int fd, saved, rc = 0;
	size_t i;

	fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (fd == -1)
		return -1;
	for (i = 0; rc == 0 && i < s->nrules; i++)
		rc = add_rule(fd, &s->rules[i], attr.handled_access_fs);
	if (rc == 0)
		rc = (int)syscall(SYS_landlock_restrict_self, fd, 0);
	saved = errno;
	(void)close(fd);
	errno = saved;
	return rc;
}
