/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "worker/privilege.h"

static int
privilege_fail(char *why, size_t size, const char *what, const char *name)
{
	(void)snprintf(why, size, "%s \"%s\": %s", what, name,
	    errno == 0 ? "not known on this machine" : strerror(errno));
	return -1;
}

static int
privilege_ids(const char *user, const char *group, uid_t *uid, gid_t *gid,
    char *why, size_t size)
{
	struct passwd *pw;
	struct group *gr;

	errno = 0;
	if ((pw = getpwnam(user)) == NULL)
		return privilege_fail(why, size, "user", user);
	*uid = pw->pw_uid;
	*gid = pw->pw_gid;
	if (group == NULL)
		return 0;
	errno = 0;
	if ((gr = getgrnam(group)) == NULL)
		return privilege_fail(why, size, "group", group);
	*gid = gr->gr_gid;
	return 0;
}

int
privilege_drop(const char *user, const char *group, const char *root,
    char *why, size_t size)
{
	uid_t uid;
	gid_t gid;

	if (geteuid() == 0) {
		if (privilege_ids(user, group, &uid, &gid, why, size) == -1)
			return -1;
		/* Groups are looked up in files that root may not have. */
		if (initgroups(user, gid) == -1 ||
		    setresgid(gid, gid, gid) == -1)
			return privilege_fail(why, size, "becoming user", user);
		if (root != NULL && (chroot(root) == -1 || chdir("/") == -1))
			return privilege_fail(why, size, "chroot", root);
		if (setresuid(uid, uid, uid) == -1)
			return privilege_fail(why, size, "becoming user", user);
		/* Without this the kernel gives no core and no /proc. */
		(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return privilege_fail(
		    why, size, "no_new_privs for user", user);
	return 0;
}
