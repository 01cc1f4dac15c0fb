/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CONFIG_SERVER_H
#define CONFIG_SERVER_H

/* "app.example.com": labels of letters, digits, "-" and "_". */
int	is_host_name(const char *);

#endif
