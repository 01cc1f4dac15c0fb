/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include "settings.h"

static const struct hostd_key key_ping_interval = {
	sizeof(struct hostd_key), HOSTD_KEY_DURATION, 0, "ping_interval", "25s",
	"How long after a pong, or the begin, a client is sent a ping.",
	10, 86400000, NULL
};
static const struct hostd_key key_ping_timeout = {
	sizeof(struct hostd_key), HOSTD_KEY_DURATION, 0, "ping_timeout", "20s",
	"How long it has to answer that.", 10, 86400000, NULL
};
static const struct hostd_key key_upgrade_timeout = {
	sizeof(struct hostd_key), HOSTD_KEY_DURATION, 0,
	"upgrade_timeout", "10s",
	"How long a change from polling to WebSocket may take.",
	10, 86400000, NULL
};
static const struct hostd_key key_connect_timeout = {
	sizeof(struct hostd_key), HOSTD_KEY_DURATION, 0,
	"connect_timeout", "45s",
	"A client that no namespace has accepted by then is closed.",
	10, 86400000, NULL
};
static const struct hostd_key key_max_http_buffer_size = {
	sizeof(struct hostd_key), HOSTD_KEY_SIZE, 0,
	"max_http_buffer_size", "1000000",
	"Bytes of a body or a message that a client may send.",
	1, 16777216, NULL
};
static const struct hostd_key key_max_output = {
	sizeof(struct hostd_key), HOSTD_KEY_SIZE, 0, "max_output", "4m",
	"Bytes that may wait for one client; one that has more is closed.",
	1024, 1073741824, NULL
};
static const struct hostd_key key_max_attachments = {
	sizeof(struct hostd_key), HOSTD_KEY_INT, 0, "max_attachments", "10",
	"Binary attachments of one packet of a client.", 0, 1000, NULL
};
static const struct hostd_key key_max_acks = {
	sizeof(struct hostd_key), HOSTD_KEY_INT, 0, "max_acks", "1000",
	"Acknowledgements that one socket may owe.", 1, 1000000, NULL
};
static const struct hostd_key key_max_rooms = {
	sizeof(struct hostd_key), HOSTD_KEY_INT, 0, "max_rooms", "1000",
	"Rooms that one socket may be in.", 1, 1000000, NULL
};
static const struct hostd_key key_max_namespaces = {
	sizeof(struct hostd_key), HOSTD_KEY_INT, 0, "max_namespaces", "50",
	"Namespaces that one client may be in.", 1, 10000, NULL
};
static const struct hostd_key key_max_handshakes = {
	sizeof(struct hostd_key), HOSTD_KEY_INT, 0, "max_handshakes", "32768",
	"Clients of a worker that no namespace has accepted yet; with one more, "
	"the oldest of them is closed.", 1, 10000000, NULL
};
static const struct hostd_key key_allow_upgrades = {
	sizeof(struct hostd_key), HOSTD_KEY_BOOL, 0, "allow_upgrades", "on",
	"Whether clients may change from polling to WebSocket.", 0, 0, NULL
};
static const struct hostd_key key_allow_eio3 = {
	sizeof(struct hostd_key), HOSTD_KEY_BOOL, 0, "allow_eio3", "off",
	"Whether clients of Socket.IO 2, which speak revision 3 of Engine.IO, "
	"are served, too.", 0, 0, NULL
};
static const struct hostd_key key_max_disconnection_duration = {
	sizeof(struct hostd_key), HOSTD_KEY_DURATION, 0,
	"max_disconnection_duration", "0",
	"How long a socket that was cut off can come back and is sent what "
	"it has missed; 0: not at all.", 0, 86400000, NULL
};
static const struct hostd_key key_skip_middlewares = {
	sizeof(struct hostd_key), HOSTD_KEY_BOOL, 0, "skip_middlewares", "on",
	"Whether one that comes back is not asked for again by "
	"on_connecting.", 0, 0, NULL
};
static const struct hostd_key key_requests_timeout = {
	sizeof(struct hostd_key), HOSTD_KEY_DURATION, 0,
	"requests_timeout", "5s",
	"How long other workers and nodes have to answer a question, and a "
	"worker that is replaced stays for acknowledgements that are due.",
	10, 3600000, NULL
};
static const struct hostd_key key_recovery_buffer = {
	sizeof(struct hostd_key), HOSTD_KEY_SIZE, 0, "recovery_buffer", "4m",
	"Bytes of events that a worker keeps for who comes back, or comes "
	"from another worker; and of sockets that may.", 65536, 1073741824,
	NULL
};
static const struct hostd_key key_internal_address = {
	sizeof(struct hostd_key), HOSTD_KEY_STRING, 0, "internal_address", "",
	"Where the other machines reach this one, as \"10.0.0.1:8080\".",
	0, 255, NULL
};
static const struct hostd_key key_upstream = {
	sizeof(struct hostd_key), HOSTD_KEY_STRING, 0, "upstream", "",
	"The upstream block, with any_server = on, by which requests for "
	"sessions of other machines go to their internal_address; \"\": such "
	"requests are refused.", 0, 255, NULL
};
static const struct hostd_key key_transports = {
	sizeof(struct hostd_key), HOSTD_KEY_LIST, 0, "transports",
	"polling, websocket", "What clients may use: polling, websocket.",
	0, 0, NULL
};
static const struct hostd_key key_client_dir = {
	sizeof(struct hostd_key), HOSTD_KEY_PATH, 0, "client_dir", NULL,
	"The directory dist of the npm package socket.io-client, whose files "
	"are served beside the engine, as /socket.io/socket.io.js.", 0, 0, NULL
};
static const struct hostd_key key_user_key = {
	sizeof(struct hostd_key), HOSTD_KEY_STRING, 0, "user_key", "user",
	"The key of a session that has the name of who has logged in, where "
	"the route has sessions and no token says it; \"\": it is not asked.",
	0, 255, NULL
};

static const struct hostd_key key_cors_origin = {
	sizeof(struct hostd_key), HOSTD_KEY_LIST, 0, "cors_origin", NULL,
	"Origins whose pages may poll, \"*\" stands for any text: "
	"https://*.example.com; \"*\" alone: any; request: the one that asks; "
	"none: no headers of CORS.", 0, 0, NULL
};
static const struct hostd_key key_cors_credentials = {
	sizeof(struct hostd_key), HOSTD_KEY_BOOL, 0, "cors_credentials", "off",
	"Whether such pages may send cookies.", 0, 0, NULL
};
static const struct hostd_key key_cors_methods = {
	sizeof(struct hostd_key), HOSTD_KEY_LIST, 0, "cors_methods",
	"GET, HEAD, PUT, PATCH, POST, DELETE",
	"What Access-Control-Allow-Methods says.", 0, 0, NULL
};
static const struct hostd_key key_cors_allowed_headers = {
	sizeof(struct hostd_key), HOSTD_KEY_LIST, 0, "cors_allowed_headers",
	NULL, "What Access-Control-Allow-Headers says; none: what was asked "
	"for.", 0, 0, NULL
};
static const struct hostd_key key_cors_exposed_headers = {
	sizeof(struct hostd_key), HOSTD_KEY_LIST, 0, "cors_exposed_headers",
	NULL, "What Access-Control-Expose-Headers says.", 0, 0, NULL
};
static const struct hostd_key key_cors_max_age = {
	sizeof(struct hostd_key), HOSTD_KEY_DURATION, 0, "cors_max_age", "0",
	"How long a browser need not ask again; 0: as long as it likes.",
	0, 31536000000, NULL
};
static const struct hostd_key key_cookie = {
	sizeof(struct hostd_key), HOSTD_KEY_STRING, 0, "cookie", "",
	"Name of a cookie with the session's id, for balancers in front; "
	"\"\": none.", 0, 256, NULL
};
static const struct hostd_key key_cookie_path = {
	sizeof(struct hostd_key), HOSTD_KEY_STRING, 0, "cookie_path", "/",
	"Its Path.", 0, 256, NULL
};
static const struct hostd_key key_cookie_domain = {
	sizeof(struct hostd_key), HOSTD_KEY_STRING, 0, "cookie_domain", "",
	"Its Domain.", 0, 256, NULL
};
static const struct hostd_key key_cookie_max_age = {
	sizeof(struct hostd_key), HOSTD_KEY_DURATION, 0, "cookie_max_age", "0",
	"Its Max-Age; 0: until the browser ends.", 0, 31536000000, NULL
};
static const struct hostd_key key_cookie_http_only = {
	sizeof(struct hostd_key), HOSTD_KEY_BOOL, 0, "cookie_http_only", "on",
	"Whether it is HttpOnly.", 0, 0, NULL
};
static const struct hostd_key key_cookie_secure = {
	sizeof(struct hostd_key), HOSTD_KEY_BOOL, 0, "cookie_secure", "off",
	"Whether it is Secure.", 0, 0, NULL
};
static const char *const same_sites[] = {
	"unset", "lax", "strict", "none", NULL
};
static const struct hostd_key key_cookie_same_site = {
	sizeof(struct hostd_key), HOSTD_KEY_ENUM, 0, "cookie_same_site", "lax",
	"Its SameSite.", 0, 0, same_sites
};
static const struct hostd_key key_token_auth = {
	sizeof(struct hostd_key), HOSTD_KEY_STRING, 0, "token_auth", "",
	"The auth block, type = jwt, that judges a token in what a client says "
	"when it connects, { auth: { token } }: whose it is, or that it is not "
	"authorized.", 0, 255, NULL
};

const struct hostd_key *const sio_keys[] = {
	&key_ping_interval,
	&key_ping_timeout,
	&key_upgrade_timeout,
	&key_connect_timeout,
	&key_max_http_buffer_size,
	&key_max_output,
	&key_max_attachments,
	&key_max_acks,
	&key_max_rooms,
	&key_max_namespaces,
	&key_max_handshakes,
	&key_allow_upgrades,
	&key_allow_eio3,
	&key_max_disconnection_duration,
	&key_skip_middlewares,
	&key_requests_timeout,
	&key_recovery_buffer,
	&key_internal_address,
	&key_upstream,
	&key_transports,
	&key_client_dir,
	&key_user_key,
	&key_token_auth,
	&key_cors_origin,
	&key_cors_credentials,
	&key_cors_methods,
	&key_cors_allowed_headers,
	&key_cors_exposed_headers,
	&key_cors_max_age,
	&key_cookie,
	&key_cookie_path,
	&key_cookie_domain,
	&key_cookie_max_age,
	&key_cookie_http_only,
	&key_cookie_secure,
	&key_cookie_same_site,
	NULL
};

static uint64_t
number(const struct hostd_conf *conf, const char *key)
{
	int64_t v = 0;

	(void)conf->get_int(conf, key, &v);
	return (uint64_t)v;
}

static int32_t
read_transports(struct hostd_inst *in, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	hostd_buf word;
	uint32_t i;

	for (i = 0; conf->get_item(conf, "transports", i, &word) == HOSTD_OK;
	    i++) {
		if (strcmp(word.p, "polling") == 0)
			in->opt.polling = 1;
		else if (strcmp(word.p, "websocket") == 0)
			in->opt.websocket = 1;
		else
			return hostd_fail(err, HOSTD_E_INVAL, "transports: "
			    "\"%s\" is none; say polling or websocket",
			    (const char *)word.p);
	}
	return i > 0 ? HOSTD_OK : hostd_fail(err, HOSTD_E_INVAL,
	    "transports: say polling, websocket or both");
}

int32_t
settings_read(struct hostd_inst *in, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	struct sio_options *o = &in->opt;

	o->ping_interval = (uint32_t)number(conf, "ping_interval");
	o->ping_timeout = (uint32_t)number(conf, "ping_timeout");
	o->upgrade_timeout = (uint32_t)number(conf, "upgrade_timeout");
	o->connect_timeout = (uint32_t)number(conf, "connect_timeout");
	o->max_disconnection = (uint32_t)number(conf,
	    "max_disconnection_duration");
	o->max_payload = number(conf, "max_http_buffer_size");
	o->max_output = number(conf, "max_output");
	o->max_attachments = (uint32_t)number(conf, "max_attachments");
	o->max_acks = (uint32_t)number(conf, "max_acks");
	o->max_rooms = (uint32_t)number(conf, "max_rooms");
	o->max_namespaces = (uint32_t)number(conf, "max_namespaces");
	o->max_handshakes = (uint32_t)number(conf, "max_handshakes");
	o->allow_upgrades = number(conf, "allow_upgrades") != 0;
	o->allow_eio3 = number(conf, "allow_eio3") != 0;
	o->skip_middlewares = number(conf, "skip_middlewares") != 0;
	o->requests_timeout = (uint32_t)number(conf, "requests_timeout");
	(void)conf->get_str(conf, "user_key", &o->user_key);
	(void)conf->get_str(conf, "token_auth", &o->token_auth);
	(void)conf->get_str(conf, "upstream", &o->upstream);
	return read_transports(in, conf, err);
}
