/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DRAFT: may change until it leaves hostd/draft/.
 *
 * hostd.channel/1: channels for plugins that have no sockets in them, such as
 * one that publishes for back-ends, keeps a history, or streams a channel as
 * server-sent events.  Channels and delivery are those of <hostd/draft/ws.h>.
 */
#ifndef HOSTD_DRAFT_CHANNEL_H
#define HOSTD_DRAFT_CHANNEL_H

#include <hostd/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOSTD_EXT_CHANNEL "hostd.channel/1"

/* One subscription of an instance. */
typedef struct {
	uint64_t id;
} hostd_sub;

/* What happens on a channel. */
enum {
	HOSTD_CHANNEL_MESSAGE = 1,
	HOSTD_CHANNEL_GAP = 2	/* messages from elsewhere may be missing here;
				   seq and msg are empty */
};

struct hostd_channel_event {
	uint32_t struct_size;
	uint32_t type;		/* HOSTD_CHANNEL_* */
	uint32_t flags;		/* HOSTD_WS_TEXT or HOSTD_WS_BINARY */
	uint32_t reserved;
	uint64_t node, seq;	/* who published, and its message number: a name
				   of this message everywhere */
	hostd_buf channel, msg;	/* [call] */
};

struct hostd_channel_api {
	uint32_t struct_size;
	uint32_t reserved;

	/* [loop] As publish of hostd.ws/1.  This instance's own subscriptions
	 * get it too, later in the turn. */
	int32_t (*publish)(const struct hostd_host *, hostd_buf channel,
	    hostd_buf msg, uint32_t flags);

	/*
	 * [loop] Call fn(inst, sub, arg, event) for each event.  fn is [loop].
	 * Errors: E_INVAL, E_FULL (65536 subscriptions), E_THREAD.
	 */
	int32_t (*subscribe)(const struct hostd_host *, hostd_buf channel,
	    void (*fn)(struct hostd_inst *, hostd_sub, void *arg,
	    const struct hostd_channel_event *), void *arg, hostd_sub *out);
	/* [loop] fn is not called any more.  Errors: E_GONE, E_THREAD. */
	int32_t (*unsubscribe)(const struct hostd_host *, hostd_sub);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_DRAFT_CHANNEL_H */
