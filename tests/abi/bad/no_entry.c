/* SPDX-License-Identifier: BSD-2-Clause */
/* refused: exports no hostd_plugin_v1; is it a hostd plugin? */
extern __attribute__((visibility("default"))) int some_library;
int some_library = 1;
