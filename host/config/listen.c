/* SPDX-License-Identifier: BSD-2-Clause */
/* The block listen: an address, and what comes there. */
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "base/units.h"
#include "config/builder.h"
#include "config/server.h"

/* Keys that say nothing in the other mode. */
static const char *const http_keys[] = { "tls", "redirect_https", NULL };
static const char *const stream_keys[] = { "upstream", "idle_timeout", NULL };

static void
take_permissions(struct builder *b, struct conf_listen *l)
{
	const char *text = text_of(b, "permissions");
	char *end;

	l->permissions = (int)strtol(text, &end, 8);
	if (*end != '\0' || *text == '\0' || l->permissions < 0 ||
	    l->permissions > 0777)
		conf_error(b->errs, pos_of(b, "permissions"), "\"permissions\" "
		    "must be octal permissions, as 0660");
}

static void
take_address(struct builder *b, struct conf_listen *l)
{
	const char *why;

	l->address = copy_text(b, "address");
	if (l->address == NULL)
		return;
	if (addr_parse(l->address, &l->addr, &why) == -1) {
		conf_error(b->errs, pos_of(b, "address"), "address \"%s\": %s",
		    l->address, why);
		l->addr.len = 0;
	} else if (strncmp(l->address, "unix:", 5) == 0 &&
	    l->address[5] != '/') {
		conf_error(b->errs, pos_of(b, "address"), "address \"%s\": "
		    "the path does not start with \"/\"", l->address);
	}
}

static void
check_taken(struct builder *b, const struct conf_listen *l)
{
	const struct conf_listen *other;

	TAILQ_FOREACH(other, &b->conf->listens, entry)
		if (l->addr.len > 0 && other->addr.len == l->addr.len &&
		    memcmp(&other->addr.ss, &l->addr.ss, l->addr.len) == 0)
			conf_error(b->errs, &l->pos, "address \"%s\" is "
			    "already listened to by \"%s\" at %s:%d",
			    l->address, other->name, other->pos.file,
			    other->pos.line);
}

/* -- mode -- */

/* "on", a port, "host" or "host:port". */
static void
take_redirect(struct builder *b, struct conf_listen *l)
{
	const char *text = text_of(b, "redirect_https"), *colon, *why;
	char *host;
	int64_t port = 1;

	if (text == NULL || strcmp(text, "off") == 0)
		return;
	colon = strchr(text, ':');
	host = xstrndup(text, colon != NULL ? (size_t)(colon - text) :
	    strlen(text));
	why = l->tls != NULL ? "what comes here has come by TLS" : NULL;
	if (strcmp(text, "on") == 0)
		l->redirect_https = xstrdup("");
	else if (int_parse(text, &port) == 0)
		l->redirect_https = xasprintf(":%s", text);
	else if (is_host_name(host) && (colon == NULL ||
	    int_parse(colon + 1, &port) == 0))
		l->redirect_https = xstrdup(text);
	else
		why = "it is neither \"on\", \"off\", a port nor a host";
	if (why == NULL && (port < 1 || port > 65535))
		why = "there is no such port";
	if (why != NULL)
		conf_error(b->errs, pos_of(b, "redirect_https"),
		    "redirect_https = \"%s\": %s", text, why);
	free(host);
}

static void
take_mode(struct builder *b, struct conf_listen *l)
{
	const char *text = text_of(b, "mode");

	l->mode = (int)num_of(b, "mode");
	if (text != NULL && *text >= '0' && *text <= '9')
		conf_error(b->errs, pos_of(b, "mode"), "permissions of a unix "
		    "socket are the key \"permissions\"");
	l->proxy_protocol = (int)num_of(b, "proxy_protocol");
	if (is_set(b, "tls"))
		l->tls = find_tls(b, text_of(b, "tls"), pos_of(b, "tls"));
	take_redirect(b, l);
	l->idle_timeout = num_of(b, "idle_timeout");
	l->hello_timeout = num_of(b, "hello_timeout");
	if (is_set(b, "upstream"))
		l->upstream = find_upstream(b, text_of(b, "upstream"),
		    pos_of(b, "upstream"));
}

static void
check_mode(struct builder *b, const struct conf_node *n,
    const struct conf_listen *l)
{
	const struct conf_node *c;
	size_t i;

	if (l->mode == CONF_MODE_HTTP)
		for (i = 0; stream_keys[i] != NULL; i++)
			if (is_set(b, stream_keys[i]))
				conf_error(b->errs, pos_of(b, stream_keys[i]),
				    "\"%s\" is for mode = stream; routes say "
				    "where requests go", stream_keys[i]);
	if (l->mode == CONF_MODE_STREAM)
		for (i = 0; http_keys[i] != NULL; i++)
			if (is_set(b, http_keys[i]))
				conf_error(b->errs, pos_of(b, http_keys[i]),
				    "\"%s\" is for mode = http; streams go "
				    "through to a server as they are",
				    http_keys[i]);
	TAILQ_FOREACH(c, &n->children, entry)
		if (strcmp(c->name, "sni") == 0)
			break;
	if (l->mode == CONF_MODE_HTTP && c != NULL)
		conf_error(b->errs, &c->pos, "\"sni\" is for mode = stream; "
		    "a route's \"host\" is what requests are told apart by");
	if (l->mode == CONF_MODE_STREAM && c == NULL && !is_set(b, "upstream"))
		conf_error(b->errs, &l->pos, "listen \"%s\" needs the key "
		    "\"upstream\", or sni blocks, to know where streams go",
		    l->name);
}

/* -- sni -- */

static void
check_sni(struct builder *b, const struct conf_listen *l,
    const struct conf_sni *s)
{
	const char *name = strncmp(s->name, "*.", 2) == 0 ? s->name + 2 :
	    s->name;
	const struct conf_sni *other;

	if (!is_host_name(name))
		conf_error(b->errs, &s->pos, "sni \"%s\" is neither a name nor "
		    "\"*.name\"", s->name);
	TAILQ_FOREACH(other, &l->snis, entry)
		if (strcmp(other->name, s->name) == 0)
			conf_error(b->errs, &s->pos, "sni \"%s\" is already "
			    "defined at %s:%d", s->name, other->pos.file,
			    other->pos.line);
}

/* As names in hellos are compared: in lower case, without the root's dot. */
static char *
sni_name(const char *title)
{
	char *name = xstrdup(title), *p;

	for (p = name; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p |= 0x20;
	if (p > name + 1 && p[-1] == '.' && p[-2] != '.')
		p[-1] = '\0';
	return name;
}

static void
build_sni(struct builder *b, struct conf_listen *l, const struct conf_node *n)
{
	struct conf_sni *s;

	if (!n->is_block || n->title == NULL) {
		conf_error(b->errs, &n->pos, "\"sni\" is a block with a title: "
		    "sni \"name\" { ... }");
		return;
	}
	enter_block(b, n, NULL);
	s = xcalloc(1, sizeof(*s));
	s->pos = n->pos;
	s->name = sni_name(n->title);
	if (text_of(b, "upstream") != NULL)
		s->upstream = find_upstream(b, text_of(b, "upstream"),
		    pos_of(b, "upstream"));
	check_sni(b, l, s);
	TAILQ_INSERT_TAIL(&l->snis, s, entry);
}

void
build_listen(struct builder *b, const struct conf_node *n)
{
	struct conf_listen *l = xcalloc(1, sizeof(*l));
	const struct conf_node *c;

	TAILQ_INIT(&l->snis);
	l->pos = n->pos;
	l->name = xstrdup(n->title);
	l->pool = find_pool(b, text_of(b, "pool"), pos_of(b, "pool"));
	l->backlog = (int)num_of(b, "backlog");
	l->v6only = (int)num_of(b, "v6only");
	l->max_per_address = is_set(b, "max_connections_per_address") ?
	    num_of(b, "max_connections_per_address") :
	    b->conf->http.max_per_address;
	build_access(b, &l->access);
	take_permissions(b, l);
	take_address(b, l);
	take_mode(b, l);
	check_mode(b, n, l);
	check_taken(b, l);
	TAILQ_INSERT_TAIL(&b->conf->listens, l, entry);
	TAILQ_FOREACH(c, &n->children, entry)
		if (strcmp(c->name, "sni") == 0)
			build_sni(b, l, c);
}
