/* SPDX-License-Identifier: BSD-2-Clause */
/* The keys, and rules as they are read. */
#include "rules.h"

#define KEY(var, type, name, dflt, help, choices)			\
	static const struct hostd_key var = { sizeof(struct hostd_key),	\
	    HOSTD_KEY_##type, 0, name, dflt, help, 0, 0, choices }
#define BLOCK(var, name, help, max)					\
	static const struct hostd_key_block block_##var = { {		\
	    sizeof(struct hostd_key_block), HOSTD_KEY_BLOCK, 0, name,	\
	    NULL, help, (max) > 0, max, NULL }, var }

static const char *const actions[] = { "nothing", "join", "leave", "emit",
	"broadcast", "reply", "set", "publish", "disconnect", NULL };

KEY(key_action, ENUM, "action", "nothing",
    "What is done: join or leave rooms; emit, to rooms or to all; broadcast, "
    "the same but to this socket; reply, to this socket; set its data; publish "
    "to a channel; disconnect it.", actions);
KEY(key_room, LIST, "room", NULL,
    "Which rooms, with places as $0; \"$rooms\" are all that the socket is in.",
    NULL);
KEY(key_except, LIST, "except", NULL, "And who is in one of these is not "
    "meant.", NULL);
KEY(key_as, STRING, "as", NULL,
    "The name of the event that is sent; without it that of the one that came.",
    NULL);
KEY(key_args, LIST, "args", NULL,
    "Its arguments, each JSON with places; without it all that came.  Of set "
    "the data.", NULL);
KEY(key_ack, LIST, "ack", NULL,
    "What a client that asked for it has acknowledged, JSON with places; "
    "without it {\"ok\":true}.", NULL);
KEY(key_require, LIST, "require", NULL,
    "user: only of who has logged in; room: only of who is in the first of the "
    "rooms.", NULL);
KEY(key_volatile, BOOL, "volatile", "off",
    "Whether a slow client may miss it.", NULL);
KEY(key_channel, STRING, "channel", NULL,
    "Where publish does it, with places as $0.", NULL);
KEY(key_message, STRING, "message", NULL,
    "What it publishes, JSON with places; without it an object with nsp, "
    "event, id, user and args.", NULL);

static const struct hostd_key *const of_event[] = { &key_action, &key_room,
	&key_except, &key_as, &key_args, &key_ack, &key_require,
	&key_volatile, &key_channel, &key_message, NULL };
static const struct hostd_key *const of_socket[] = { &key_action, &key_room,
	&key_except, &key_as, &key_args, &key_require, &key_volatile,
	&key_channel, &key_message, NULL };
static const struct hostd_key *const of_channel[] = { &key_room, &key_except,
	&key_as, &key_args, &key_volatile, NULL };

BLOCK(of_event, "event",
    "What is done for an event of that name, \"*\" for any that has no block; "
    "of several one after the other, until one can't be done.", 255);
static const struct hostd_key_block block_connect = { {
	sizeof(struct hostd_key_block), HOSTD_KEY_BLOCK, 0, "on_connect", NULL,
	"What is done when a socket has connected.", 0, 0, NULL }, of_socket };
static const struct hostd_key_block block_disconnect = { {
	sizeof(struct hostd_key_block), HOSTD_KEY_BLOCK, 0, "on_disconnect",
	NULL, "What is done when it goes, and still is in its rooms.", 0, 0,
	NULL }, of_socket };
BLOCK(of_channel, "channel",
    "What is published to the channel of that name, by http_publish or "
    "anybody, is sent to sockets: $0 is the message.", 255);
KEY(key_namespaces, LIST, "namespaces", "/",
    "Which namespaces this is for; \"*\" in one is any characters.", NULL);
KEY(key_require_user, BOOL, "require_user", "off",
    "Whether who has not logged in is refused with \"not authorized\".", NULL);

const struct hostd_key *const rules_keys[] = { &key_namespaces,
	&key_require_user, &block_connect.key, &block_of_event.key,
	&block_disconnect.key, &block_of_channel.key, NULL };

/* -- reading one -- */

struct reader {
	const struct hostd_conf *conf;	/* of the block */
	const char *block;		/* its name */
	hostd_buf title;
	struct rule *rule;
	struct hostd_err *err;
};

static int32_t wrong(const struct reader *, const char *fmt, ...)
    HOSTD_PRINTF(2, 3);

static int32_t
wrong(const struct reader *r, const char *fmt, ...)
{
	char text[160];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return hostd_fail(r->err, HOSTD_E_INVAL, "%.60s:%u: %s \"%.40s\": %s",
	    (const char *)r->rule->place.p, r->rule->line, r->block,
	    r->title.p == NULL ? "" : (const char *)r->title.p, text);
}

static int32_t
read_text(const struct reader *r, const char *key, int is_json,
    struct template *out, int *has)
{
	char why[120];
	hostd_buf text = { NULL, 0 };

	if (r->conf->get_str(r->conf, key, &text) != HOSTD_OK || text.n == 0)
		return HOSTD_OK;
	*has = 1;
	return template_read(out, text, is_json, why, sizeof(why)) == 0 ?
	    HOSTD_OK : wrong(r, "%s: %s", key, why);
}

static int32_t
read_list(const struct reader *r, const char *key, int is_json,
    struct templates *out)
{
	char why[120];
	hostd_buf text;
	uint32_t i;

	for (i = 0; r->conf->get_item(r->conf, key, i, &text) == HOSTD_OK;
	    i++) {
		if (strcmp(key, "room") == 0 && strcmp(text.p, "$rooms") == 0) {
			r->rule->of_all_rooms = 1;
			continue;
		}
		if (out->n == MAX_TEMPLATES)
			return wrong(r, "%s has more than %d", key,
			    MAX_TEMPLATES);
		if (template_read(&out->v[out->n++], text, is_json, why,
		    sizeof(why)) == -1)
			return wrong(r, "%s: %s", key, why);
	}
	return HOSTD_OK;
}

static int32_t
read_require(const struct reader *r)
{
	hostd_buf word;
	uint32_t i;

	for (i = 0; r->conf->get_item(r->conf, "require", i, &word) ==
	    HOSTD_OK; i++)
		if (strcmp(word.p, "user") == 0)
			r->rule->needs_user = 1;
		else if (strcmp(word.p, "room") == 0)
			r->rule->needs_room = 1;
		else
			return wrong(r, "require: say user, room or both, not "
			    "\"%.40s\"", (const char *)word.p);
	return HOSTD_OK;
}

/* Does what it says make sense? */
static int32_t
check_rule(const struct reader *r)
{
	const struct rule *rule = r->rule;
	int has_room = rule->rooms.n > 0 || rule->of_all_rooms;
	int sends = rule->action == ACTION_EMIT ||
	    rule->action == ACTION_BROADCAST || rule->action == ACTION_REPLY;

	if ((rule->action == ACTION_JOIN || rule->action == ACTION_LEAVE) &&
	    !has_room)
		return wrong(r, "it needs the key \"room\"");
	if (rule->action == ACTION_JOIN && rule->of_all_rooms)
		return wrong(r, "join: \"$rooms\" are joined already");
	if (rule->needs_room && rule->rooms.n == 0)
		return wrong(r, "require = room needs the key \"room\"");
	if (rule->action == ACTION_PUBLISH && !rule->has_channel)
		return wrong(r, "publish needs the key \"channel\"");
	if (rule->action == ACTION_SET && rule->args.n != 1)
		return wrong(r, "set takes one of \"args\"");
	if (sends && !rule->has_as && rule->event.p == NULL)
		return wrong(r, "it needs the key \"as\"");
	return HOSTD_OK;
}

static int32_t
read_rule(const struct reader *r)
{
	struct rule *rule = r->rule;
	int64_t v = 0;
	int32_t rc;

	if (r->conf->get_int(r->conf, "action", &v) == HOSTD_OK)
		rule->action = (enum action)v;
	else
		rule->action = ACTION_EMIT;	/* of a channel */
	if (r->conf->get_int(r->conf, "volatile", &v) == HOSTD_OK)
		rule->is_volatile = v != 0;
	if ((rc = read_list(r, "room", 0, &rule->rooms)) != HOSTD_OK ||
	    (rc = read_list(r, "except", 0, &rule->except)) != HOSTD_OK ||
	    (rc = read_list(r, "args", 1, &rule->args)) != HOSTD_OK ||
	    (rc = read_text(r, "as", 0, &rule->as, &rule->has_as)) !=
	    HOSTD_OK)
		return rc;
	if (rule->event.p != NULL && (rc = read_list(r, "ack", 1,
	    &rule->ack)) != HOSTD_OK)
		return rc;
	rule->has_ack = rule->ack.n > 0;
	if (strcmp(r->block, "channel") != 0 &&
	    ((rc = read_require(r)) != HOSTD_OK ||
	    (rc = read_text(r, "channel", 0, &rule->channel,
	    &rule->has_channel)) != HOSTD_OK ||
	    (rc = read_text(r, "message", 1, &rule->message,
	    &rule->has_message)) != HOSTD_OK))
		return rc;
	return check_rule(r);
}

static int32_t
read_block(const struct hostd_conf *conf, const char *block, uint32_t i,
    struct rule *rule, hostd_buf *title, struct hostd_err *err)
{
	struct reader r = { .block = block, .rule = rule, .err = err };
	int32_t rc = conf->get_block(conf, block, i, title, &r.conf);

	if (rc != HOSTD_OK)
		return hostd_fail(err, rc, "%s: can't be read", block);
	r.title = *title;
	(void)r.conf->get_place(r.conf, &rule->place, &rule->line);
	if (strcmp(block, "event") == 0)
		rule->event = *title;
	return read_rule(&r);
}

/* -- all of them -- */

static void
templates_free(struct templates *t)
{
	while (t->n > 0)
		template_free(&t->v[--t->n]);
}

static void
rule_free(struct rule *r)
{
	templates_free(&r->rooms);
	templates_free(&r->except);
	templates_free(&r->args);
	templates_free(&r->ack);
	template_free(&r->as);
	template_free(&r->channel);
	template_free(&r->message);
}

static int32_t
read_blocks(const struct hostd_conf *conf, const char *block,
    struct rules *out, struct hostd_err *err)
{
	int32_t rc = HOSTD_OK;
	hostd_buf title;
	uint32_t n = 0;

	(void)conf->get_blocks(conf, block, &n);
	if (n > 0 && (out->v = calloc(n, sizeof(*out->v))) == NULL)
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	for (; out->n < n && rc == HOSTD_OK; out->n++)
		rc = read_block(conf, block, out->n, &out->v[out->n], &title,
		    err);
	return rc;
}

static int32_t
read_relays(struct hostd_inst *in, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	int32_t rc = HOSTD_OK;
	struct relay *r;
	uint32_t n = 0;

	(void)conf->get_blocks(conf, "channel", &n);
	if (n > 0 && (in->relays = calloc(n, sizeof(*in->relays))) == NULL)
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	for (; in->nrelays < n && rc == HOSTD_OK; in->nrelays++) {
		r = &in->relays[in->nrelays];
		r->in = in;
		rc = read_block(conf, "channel", in->nrelays, &r->rule,
		    &r->channel, err);
	}
	return rc;
}

static int32_t
read_namespaces(struct hostd_inst *in, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	uint32_t i, n = 0;
	hostd_buf name;

	(void)conf->get_count(conf, "namespaces", &n);
	if ((in->namespaces = calloc(n + 1, sizeof(*in->namespaces))) == NULL)
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	for (i = 0; i < n; i++) {
		(void)conf->get_item(conf, "namespaces", i, &name);
		in->namespaces[i] = name.p;
		if (name.n == 0 || *in->namespaces[i] != '/' ||
		    strchr(name.p, ',') != NULL || name.n > 255)
			return hostd_fail(err, HOSTD_E_INVAL, "namespaces: "
			    "\"%.100s\" is none: it begins with \"/\", and "
			    "has no comma", in->namespaces[i]);
	}
	return HOSTD_OK;
}

int32_t
rules_read(struct hostd_inst *in, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	int64_t v = 0;
	int32_t rc;

	(void)conf->get_int(conf, "require_user", &v);
	in->require_user = v != 0;
	if ((rc = read_namespaces(in, conf, err)) != HOSTD_OK ||
	    (rc = read_blocks(conf, "event", &in->events, err)) != HOSTD_OK ||
	    (rc = read_blocks(conf, "on_connect", &in->connects, err)) !=
	    HOSTD_OK || (rc = read_blocks(conf, "on_disconnect",
	    &in->disconnects, err)) != HOSTD_OK)
		return rc;
	return read_relays(in, conf, err);
}

static void
list_free(struct rules *r)
{
	while (r->n > 0)
		rule_free(&r->v[--r->n]);
	free(r->v);
}

void
rules_free(struct hostd_inst *in)
{
	list_free(&in->events);
	list_free(&in->connects);
	list_free(&in->disconnects);
	while (in->nrelays > 0)
		rule_free(&in->relays[--in->nrelays].rule);
	free(in->relays);
	free(in->namespaces);
}
