/* SPDX-License-Identifier: BSD-2-Clause */
/* What stream.c needs of stream_output.c; everybody else's is in stream.h. */
#ifndef NET_STREAM_OUTPUT_H
#define NET_STREAM_OUTPUT_H

#include "net/stream.h"

/* Of what was queued nothing more will be sent. */
void	stream_drop_queue(struct stream *);
/* It can't be sent any more. */
void	stream_fail(struct stream *, int error);
/* The stream's flush. */
void	stream_flush_run(struct loop_task *);

#endif
