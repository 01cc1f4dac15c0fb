/* SPDX-License-Identifier: BSD-2-Clause */
#include "login.h"

#define HEAD \
	"<!DOCTYPE html>\n" \
	"<html lang=\"en\">\n" \
	"<head>\n" \
	"<meta charset=\"utf-8\">\n" \
	"<meta name=\"viewport\" content=\"width=device-width, " \
	"initial-scale=1\">\n" \
	"<meta name=\"color-scheme\" content=\"light dark\">\n" \
	"<title>{{title}}</title>\n" \
	"<style>\n" \
	"body { font: 1rem/1.5 system-ui, sans-serif; max-width: 22rem; " \
	"margin: 10vh auto; padding: 0 1rem }\n" \
	"label, input, button { font: inherit; display: block; " \
	"width: 100%; box-sizing: border-box; min-height: 2.75rem }\n" \
	"label { min-height: 0; margin-top: 1rem }\n" \
	".check { display: flex; align-items: center; gap: .5rem }\n" \
	".check input { width: 1.5rem }\n" \
	"button { margin-top: 1.5rem; cursor: pointer }\n" \
	"[role=alert] { color: #a3160d; font-weight: bold }\n" \
	"[role=alert]:empty { display: none }\n" \
	"@media (prefers-color-scheme: dark) { [role=alert] " \
	"{ color: #ff9a8f } }\n" \
	"</style>\n" \
	"</head>\n" \
	"<body>\n" \
	"<main>\n" \
	"<h1>{{title}}</h1>\n"

#define END \
	"</main>\n" \
	"</body>\n" \
	"</html>\n"

#define HIDDEN \
	"<input type=\"hidden\" name=\"csrf\" value=\"{{csrf}}\">\n" \
	"<input type=\"hidden\" name=\"next\" value=\"{{next}}\">\n"

const char builtin_form[] = HEAD
	"<p id=\"problem\" role=\"alert\">{{message}}</p>\n"
	"<form method=\"post\" accept-charset=\"utf-8\">\n"
	HIDDEN
	"<label for=\"user\">User</label>\n"
	"<input id=\"user\" name=\"user\" value=\"{{user}}\" required "
	"maxlength=\"255\" autocomplete=\"username\" autocapitalize=\"none\" "
	"spellcheck=\"false\" aria-describedby=\"problem\">\n"
	"<label for=\"password\">Password</label>\n"
	"<input id=\"password\" name=\"password\" type=\"password\" required "
	"maxlength=\"500\" autocomplete=\"current-password\" "
	"aria-describedby=\"problem\">\n"
	"{{remember}}"
	"<button>Log in</button>\n"
	"</form>\n"
	END;

const char builtin_remember[] =
	"<label class=\"check\"><input type=\"checkbox\" name=\"remember\" "
	"value=\"1\"> Remember me here</label>\n";

/* "logout" is beside this page, whatever it is called. */
const char builtin_inside[] = HEAD
	"<p>You are logged in as <strong>{{user}}</strong>.</p>\n"
	"<p><a href=\"{{next}}\">Go on</a></p>\n"
	"<form method=\"post\" action=\"logout\" accept-charset=\"utf-8\">\n"
	"<input type=\"hidden\" name=\"csrf\" value=\"{{csrf}}\">\n"
	"<button>Log out</button>\n"
	"</form>\n"
	END;
