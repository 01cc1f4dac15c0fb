/* SPDX-License-Identifier: BSD-2-Clause */
/* How long the certificates of a configuration are good for. */
#ifndef MASTER_CERTIFICATES_H
#define MASTER_CERTIFICATES_H

#include <jansson.h>
#include "config/model.h"

/* 1: within two weeks, and text says when: "ends in 3 days".  0: later. */
int	certificate_ends(const struct conf_certificate *, int64_t now,
	    char *text, size_t size);
/* [{"name": "a", "file": "/etc/ssl/a.pem", "not_after":
 * "2026-12-31T23:59:59Z", "ends_soon": false, "names": ["example.org"]}] */
json_t	*certificates_json(const struct conf *);

#endif
