/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include "waiting.h"

int
waiting_add(struct waiting_list *list, hostd_buf name, int again)
{
	struct waiting *w = malloc(sizeof(*w) + name.n);

	if (w == NULL)
		return -1;
	w->again = again;
	w->n = name.n;
	memcpy(w->name, name.p, name.n);
	STAILQ_INSERT_TAIL(list, w, link);
	return 0;
}

int
waiting_remove(struct waiting_list *list, hostd_buf name)
{
	struct waiting_list rest = STAILQ_HEAD_INITIALIZER(rest);
	struct waiting *w;
	int found = 0;

	while ((w = STAILQ_FIRST(list)) != NULL) {
		STAILQ_REMOVE_HEAD(list, link);
		if (w->n == name.n && memcmp(w->name, name.p, name.n) == 0) {
			free(w);
			found = 1;
		} else {
			STAILQ_INSERT_TAIL(&rest, w, link);
		}
	}
	STAILQ_CONCAT(list, &rest);
	return found;
}

void
waiting_clear(struct waiting_list *list)
{
	struct waiting *w;

	while ((w = STAILQ_FIRST(list)) != NULL) {
		STAILQ_REMOVE_HEAD(list, link);
		free(w);
	}
}
