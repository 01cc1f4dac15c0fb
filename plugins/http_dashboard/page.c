/* SPDX-License-Identifier: BSD-2-Clause */
/* The page's files, which are a part of the plugin, and other answers. */
#include "dashboard.h"

#define POLICY "default-src 'none'; script-src 'self'; style-src 'self'; " \
    "connect-src 'self'; img-src 'self' data:; base-uri 'none'; " \
    "form-action 'none'; frame-ancestors 'none'"

/* files.c, which is made of the files beside it. */
extern const unsigned char file_page_html[], file_app_js[], file_chart_js[],
    file_style_css[], file_icon_svg[];
extern const size_t file_page_html_n, file_app_js_n, file_chart_js_n,
    file_style_css_n, file_icon_svg_n;

static const struct file files[] = {
	{ "", "text/html; charset=utf-8", file_page_html, &file_page_html_n },
	{ "app.js", "text/javascript; charset=utf-8", file_app_js,
	    &file_app_js_n },
	{ "chart.js", "text/javascript; charset=utf-8", file_chart_js,
	    &file_chart_js_n },
	{ "style.css", "text/css; charset=utf-8", file_style_css,
	    &file_style_css_n },
	{ "icon.svg", "image/svg+xml", file_icon_svg, &file_icon_svg_n },
};

const struct file *
file_find(hostd_buf name)
{
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (strlen(files[i].name) == name.n && (name.n == 0 ||
		    memcmp(files[i].name, name.p, name.n) == 0))
			return &files[i];
	return NULL;
}

#define HEADERS_MAX	6

static uint32_t
headers_common(hostd_hdr h[HEADERS_MAX], const char *type)
{
	h[0] = hostd_header("Content-Type", type);
	h[1] = hostd_header("Cache-Control", "no-store");
	h[2] = hostd_header("Content-Security-Policy", POLICY);
	h[3] = hostd_header("Referrer-Policy", "no-referrer");
	h[4] = hostd_header("X-Content-Type-Options", "nosniff");
	return 5;
}

int32_t
answer_file(struct hostd_inst *in, hostd_req req, const struct file *f)
{
	char token[TOKEN_SIZE], cookie[320];
	hostd_hdr h[HEADERS_MAX];
	uint32_t n = headers_common(h, f->type);
	hostd_buf body = { f->bytes, *f->n };

	if (f->name[0] == '\0' && !token_of_cookie(in, req, token)) {
		if (token_make(token) == -1)
			return answer_text(in, req, 500,
			    "There are no random numbers.\n");
		token_cookie(in, req, token, cookie, sizeof(cookie));
		h[n++] = hostd_header("Set-Cookie", cookie);
	}
	return in->easy.http->respond(in->easy.host, req, 200, h, n, body);
}

int32_t
answer_text(struct hostd_inst *in, hostd_req req, int32_t status,
    const char *text)
{
	hostd_hdr h[HEADERS_MAX];
	uint32_t n = headers_common(h, "text/plain; charset=utf-8");

	return in->easy.http->respond(in->easy.host, req, status, h, n,
	    hostd_str(text));
}

int32_t
answer_json(struct hostd_inst *in, hostd_req req, int32_t status,
    hostd_buf text)
{
	hostd_hdr h[HEADERS_MAX];
	uint32_t n = headers_common(h, "application/json");
	json_t *o = json_pack("{s:b,s:s%}", "ok", status < 300, "text",
	    text.n > 0 ? (const char *)text.p : "", text.n);
	char *body = json_dumps(o, JSON_COMPACT);
	int32_t rc = HOSTD_E_NOMEM;

	if (body != NULL)
		rc = in->easy.http->respond(in->easy.host, req, status, h, n,
		    hostd_str(body));
	free(body);
	json_decref(o);
	return rc;
}
