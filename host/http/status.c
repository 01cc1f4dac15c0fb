/* SPDX-License-Identifier: BSD-2-Clause */
/* Reason phrases (RFC 9110 section 15, and the IANA registry). */
#include <stddef.h>
#include "http/response.h"

static const char *const reasons_1xx[] = {
	"Continue", "Switching Protocols", "Processing", "Early Hints"
};
static const char *const reasons_2xx[] = {
	"OK", "Created", "Accepted", "Non-Authoritative Information",
	"No Content", "Reset Content", "Partial Content", "Multi-Status",
	"Already Reported"
};
static const char *const reasons_3xx[] = {
	"Multiple Choices", "Moved Permanently", "Found", "See Other",
	"Not Modified", "Use Proxy", NULL, "Temporary Redirect",
	"Permanent Redirect"
};
static const char *const reasons_4xx[] = {
	"Bad Request", "Unauthorized", "Payment Required", "Forbidden",
	"Not Found", "Method Not Allowed", "Not Acceptable",
	"Proxy Authentication Required", "Request Timeout", "Conflict",
	"Gone", "Length Required", "Precondition Failed", "Content Too Large",
	"URI Too Long", "Unsupported Media Type", "Range Not Satisfiable",
	"Expectation Failed", NULL, NULL, NULL, "Misdirected Request",
	"Unprocessable Content", "Locked", "Failed Dependency", "Too Early",
	"Upgrade Required", NULL, "Precondition Required", "Too Many Requests",
	NULL, "Request Header Fields Too Large"
};
static const char *const reasons_5xx[] = {
	"Internal Server Error", "Not Implemented", "Bad Gateway",
	"Service Unavailable", "Gateway Timeout",
	"HTTP Version Not Supported", "Variant Also Negotiates",
	"Insufficient Storage", "Loop Detected", NULL, NULL,
	"Network Authentication Required"
};

#define ROW(t) { t, sizeof(t) / sizeof((t)[0]) }

static const struct {
	const char *const *names;
	size_t n;
} reasons[] = {
	ROW(reasons_1xx), ROW(reasons_2xx), ROW(reasons_3xx), ROW(reasons_4xx),
	ROW(reasons_5xx)
};

const char *
status_reason(int status)
{
	size_t row = (size_t)(status / 100 - 1), i = (size_t)(status % 100);

	if (row < sizeof(reasons) / sizeof(reasons[0]) && i < reasons[row].n &&
	    reasons[row].names[i] != NULL)
		return reasons[row].names[i];
	return status == 451 ? "Unavailable For Legal Reasons" : "Unknown";
}
