/* SPDX-License-Identifier: BSD-2-Clause */
/* Redirect targets with parts of the request in them. */
#ifndef HTTP_RESPOND_LOCATION_H
#define HTTP_RESPOND_LOCATION_H

#include <stddef.h>
#include <stdint.h>
#include <hostd/http.h>

#define LOCATION_MAX 8192

/* Does the template have only known variables and bytes of a URL? */
int	location_is_sound(const char *tmpl);

/*
 * Write the template with its variables filled in; paths are percent-encoded.
 * The length, or a negative code: too long, or what the client sent would lead
 * to another host than the template says.
 */
int32_t	location_expand(const char *tmpl, const struct hostd_request *,
	    char *out, size_t size);

#endif
