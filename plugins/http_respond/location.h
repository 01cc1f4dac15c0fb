/* SPDX-License-Identifier: BSD-2-Clause */
/* Redirect targets with parts of the request in them. */
#ifndef HTTP_RESPOND_LOCATION_H
#define HTTP_RESPOND_LOCATION_H

#include <stddef.h>
#include <stdint.h>
#include <hostd/http.h>

#define LOCATION_MAX 8192

/*
 * Does the template have only known variables and bytes of a URL, and none of
 * the client's where a host or a scheme is named?
 */
int	location_is_sound(const char *tmpl);

/*
 * Write the template with its variables filled in; paths are percent-encoded.
 * The length, or a negative code: E_FULL, too long; E_INVAL, the client named
 * no host, or what it sent would lead to another than the template says.
 */
int32_t	location_expand(const char *tmpl, const struct hostd_request *,
	    char *out, size_t size);

#endif
