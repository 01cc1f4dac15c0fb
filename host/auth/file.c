/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "auth/file.h"
#include "config/files.h"

#define LOOK_MS	1000

int
auth_file_changed(struct auth_file *f, uint64_t now_ms)
{
	struct stat st;

	if (f->path == NULL || now_ms - f->looked_ms < LOOK_MS)
		return 0;
	f->looked_ms = now_ms;
	if (stat(f->path, &st) == -1)
		memset(&st, 0, sizeof(st));
	return st.st_dev != f->dev || st.st_ino != f->ino ||
	    st.st_size != f->size ||
	    st.st_ctim.tv_sec != f->changed.tv_sec ||
	    st.st_ctim.tv_nsec != f->changed.tv_nsec;
}

char *
auth_file_read(struct auth_file *f, size_t *n, char *why, size_t size)
{
	struct stat st;
	char *text = NULL;
	int rc = stat(f->path, &st);

	if (rc == -1)
		memset(&st, 0, sizeof(st));
	/* Before it is read: what changes meanwhile is seen next time. */
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	f->size = st.st_size;
	f->changed = st.st_ctim;
	if (rc == 0 && (st.st_mode & S_IWOTH) != 0) {
		(void)snprintf(why, size, "everybody may write it; chmod o-w");
		return NULL;
	}
	if (rc == 0)
		text = conf_read_file(f->path, AUTH_FILE_MAX, n);
	if (text == NULL)
		(void)snprintf(why, size, "%s%s", strerror(errno),
		    errno == EACCES ? "; workers read it, as the configured "
		    "user" : "");
	return text;
}
