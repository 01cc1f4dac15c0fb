/* SPDX-License-Identifier: BSD-2-Clause */
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"
#include "master/dir.h"
#include "master/plugin_state.h"

/* What workers will be.  A user that is not known is theirs to complain
 * about. */
static int
find_ids(const struct conf *conf, uid_t *uid, gid_t *gid)
{
	const struct passwd *pw = getpwnam(conf->user);
	const struct group *gr;

	if (pw == NULL)
		return -1;
	*uid = pw->pw_uid;
	*gid = pw->pw_gid;
	if (conf->group == NULL)
		return 0;
	if ((gr = getgrnam(conf->group)) == NULL)
		return -1;
	*gid = gr->gr_gid;
	return 0;
}

static void
make_parents(const char *path)
{
	char why[512], *parent = xstrdup(path);

	*strrchr(parent, '/') = '\0';
	if (*parent != '\0')
		(void)dir_make(parent, 0755, why, sizeof(why));
	free(parent);
}

void
plugin_state_make(const struct conf *conf, const char *path)
{
	struct stat st;
	uid_t uid;
	gid_t gid;

	if (lstat(path, &st) == -1) {
		make_parents(path);
		if (mkdir(path, 0700) == -1 || lstat(path, &st) == -1)
			return;
	}
	/* Somebody else's stays so: another hostd may be using it. */
	if (geteuid() == 0 && S_ISDIR(st.st_mode) && st.st_uid == 0 &&
	    find_ids(conf, &uid, &gid) == 0 && lchown(path, uid, gid) == -1)
		return;
}
