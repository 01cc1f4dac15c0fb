/* SPDX-License-Identifier: BSD-2-Clause */
/* What operators may ask of it and have done: hostctl sio, hostctl plugin
 * call. */
#ifndef SOCKETIO_CMD_H
#define SOCKETIO_CMD_H

#include <hostd/cmd.h>

extern const struct hostd_cmd *const sio_cmds[];

#endif
