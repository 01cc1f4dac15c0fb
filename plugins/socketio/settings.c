/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include "settings.h"

#define DAY		INT64_C(86400000)

#define KEY_OF(name, type, dflt, min, max, choices, help)		\
	&(const struct hostd_key){ sizeof(struct hostd_key),		\
		HOSTD_KEY_##type, 0, name, dflt, help, min, max, choices }
#define KEY(name, type, dflt, help)					\
	KEY_OF(name, type, dflt, 0, 0, NULL, help)
#define KEY_RANGE(name, type, dflt, min, max, help)			\
	KEY_OF(name, type, dflt, min, max, NULL, help)
#define KEY_ENUM(name, dflt, choices, help)				\
	KEY_OF(name, ENUM, dflt, 0, 0, choices, help)

static const char *const same_sites[] = {
	"unset", "lax", "strict", "none", NULL
};

const struct hostd_key *const sio_keys[] = {
	KEY_RANGE("ping_interval", DURATION, "25s", 10, DAY, "How long after a "
	    "pong, or the begin, a client is sent a ping."),
	KEY_RANGE("ping_timeout", DURATION, "20s", 10, DAY, "How long it has "
	    "to answer that."),
	KEY_RANGE("upgrade_timeout", DURATION, "10s", 10, DAY, "How long a "
	    "change from polling to WebSocket may take."),
	KEY_RANGE("connect_timeout", DURATION, "45s", 10, DAY, "A client that "
	    "no namespace has accepted by then is closed."),
	KEY_RANGE("max_http_buffer_size", SIZE, "1000000", 1, 16 << 20, "Bytes "
	    "of a body or a message that a client may send."),
	KEY_RANGE("max_output", SIZE, "4m", 1024, 1 << 30, "Bytes that may "
	    "wait for one client; one that has more is closed."),
	KEY_RANGE("max_attachments", INT, "10", 0, 1000, "Binary attachments "
	    "of one packet of a client."),
	KEY_RANGE("max_packet", SIZE, "0", 0, 1 << 30, "Bytes of one packet "
	    "of a client with all of its attachments, which are kept until the "
	    "last one has come; 0: max_http_buffer_size for it and for each of "
	    "max_attachments."),
	KEY_RANGE("max_acks", INT, "1000", 1, 1000000, "Acknowledgements that "
	    "one socket may owe."),
	KEY_RANGE("max_rooms", INT, "1000", 1, 1000000, "Rooms that one socket "
	    "may be in."),
	KEY_RANGE("max_namespaces", INT, "50", 1, 10000, "Namespaces that one "
	    "client may be in."),
	KEY_RANGE("max_handshakes", INT, "32768", 1, 10000000, "Clients of a "
	    "worker that no namespace has accepted yet; with one more, the "
	    "oldest of them is closed."),
	KEY("allow_upgrades", BOOL, "on", "Whether clients may change from "
	    "polling to WebSocket."),
	KEY("allow_eio3", BOOL, "off", "Whether clients of Socket.IO 2, which "
	    "speak revision 3 of Engine.IO, are served, too."),
	KEY_RANGE("max_disconnection_duration", DURATION, "0", 0, DAY, "How "
	    "long a socket that was cut off can come back and is sent what it "
	    "has missed; 0: not at all."),
	KEY("skip_middlewares", BOOL, "on", "Whether one that comes back is "
	    "not asked for again by on_connecting."),
	KEY_RANGE("requests_timeout", DURATION, "5s", 10, 3600000, "How long "
	    "other workers and nodes have to answer a question, and a worker "
	    "that is replaced stays for acknowledgements that are due."),
	KEY_RANGE("recovery_buffer", SIZE, "4m", 65536, 1 << 30, "Bytes of "
	    "events that a worker keeps for who comes back, or comes from "
	    "another worker; and of sockets that may."),
	KEY_RANGE("internal_address", STRING, "", 0, 255, "Where the other "
	    "machines reach this one, as \"10.0.0.1:8080\"."),
	KEY_RANGE("upstream", STRING, "", 0, 255, "The upstream block, with "
	    "any_server = on, by which requests for sessions of other machines "
	    "go to their internal_address; \"\": such requests are refused."),
	KEY("transports", LIST, "polling, websocket", "What clients may use: "
	    "polling, websocket."),
	KEY("client_dir", PATH, NULL, "The directory dist of the npm package "
	    "socket.io-client, whose files are served beside the engine, as "
	    "/socket.io/socket.io.js."),
	KEY_RANGE("user_key", STRING, "user", 0, 255, "The key of a session "
	    "that has the name of who has logged in, where the route has "
	    "sessions and no token says it; \"\": it is not asked."),
	KEY_RANGE("token_auth", STRING, "", 0, 255, "The auth block, type = "
	    "jwt, that judges a token in what a client says when it connects, "
	    "{ auth: { token } }: whose it is, or that it is not authorized."),
	KEY("cors_origin", LIST, NULL, "Origins whose pages may poll, \"*\" "
	    "stands for any text: https://*.example.com; \"*\" alone: any; "
	    "request: the one that asks; none: no headers of CORS."),
	KEY("cors_credentials", BOOL, "off", "Whether such pages may send "
	    "cookies."),
	KEY("cors_methods", LIST, "GET, HEAD, PUT, PATCH, POST, DELETE", "What "
	    "Access-Control-Allow-Methods says."),
	KEY("cors_allowed_headers", LIST, NULL, "What "
	    "Access-Control-Allow-Headers says; none: what was asked for."),
	KEY("cors_exposed_headers", LIST, NULL, "What "
	    "Access-Control-Expose-Headers says."),
	KEY_RANGE("cors_max_age", DURATION, "0", 0, 365 * DAY, "How long a "
	    "browser need not ask again; 0: as long as it likes."),
	KEY_RANGE("cookie", STRING, "", 0, 256, "Name of a cookie with the "
	    "session's id, for balancers in front; \"\": none."),
	KEY_RANGE("cookie_path", STRING, "/", 0, 256, "Its Path."),
	KEY_RANGE("cookie_domain", STRING, "", 0, 256, "Its Domain."),
	KEY_RANGE("cookie_max_age", DURATION, "0", 0, 365 * DAY, "Its Max-Age; "
	    "0: until the browser ends."),
	KEY("cookie_http_only", BOOL, "on", "Whether it is HttpOnly."),
	KEY("cookie_secure", BOOL, "off", "Whether it is Secure."),
	KEY_ENUM("cookie_same_site", "lax", same_sites, "Its SameSite."),
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
	o->max_packet = number(conf, "max_packet");
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
