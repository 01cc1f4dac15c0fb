/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's own files, /socket.io/socket.io.js and so on, for pages that
 * load them from where they connect to. */
#ifndef SOCKETIO_FILES_H
#define SOCKETIO_FILES_H

#include "sio.h"

/* What is in client_dir is read once: socket.io.js has to be there. */
int32_t	files_create(struct hostd_inst *, const struct hostd_conf *,
	    struct hostd_err *);
void	files_destroy(struct hostd_inst *);

/* Is the request for one of them?  Then it was answered, and *rc is what
 * on_headers returns. */
int	client_file(struct hostd_inst *, hostd_req,
	    const struct hostd_request *, int32_t *rc);

#endif
