/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: its hostd_plugin_v1 is not constant data */
extern __attribute__((visibility("default"))) int hostd_plugin_v1(void);

int
hostd_plugin_v1(void)
{
	return 0;
}
