/* SPDX-License-Identifier: BSD-2-Clause */
/* Telling the service manager how we are, as sd_notify(3) does. */
#ifndef MASTER_NOTIFY_H
#define MASTER_NOTIFY_H

/* Take NOTIFY_SOCKET out of the environment, so that children don't get it. */
void	notify_init(void);
/* For a master's successor: the same again; NULL: nobody has asked. */
const char *notify_socket(void);
void	notify_use(const char *path);
/* Lines of VARIABLE=value; nothing happens when nobody has asked. */
void	notify(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void	notify_reloading(void);

#endif
