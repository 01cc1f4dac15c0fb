/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets of Socket.IO's protocol 5, without the '4' of Engine.IO: reading,
 * which is strict, and writing.  Pure; nothing is converted: JSON stays as it
 * was written.
 */
#ifndef SOCKETIO_PACKET_H
#define SOCKETIO_PACKET_H

#include <stdint.h>
#include <hostd/abi.h>

enum sio_type {
	SIO_CONNECT = 0,
	SIO_DISCONNECT = 1,
	SIO_EVENT = 2,
	SIO_ACK = 3,
	SIO_CONNECT_ERROR = 4,
	SIO_BINARY_EVENT = 5,
	SIO_BINARY_ACK = 6
};

#define SIO_ID_MAX	9007199254740991ull	/* 2^53 - 1 */

/* Slices, for as many values as a packet has.  Zeroed memory is empty. */
struct sio_values {
	hostd_buf *v;
	uint32_t n, size;
};

void	sio_values_free(struct sio_values *);

struct sio_packet {
	enum sio_type type;	/* EVENT and ACK for those with attachments */
	uint32_t nbins;		/* attachments that follow */
	int has_id;
	uint64_t id;
	hostd_buf nsp;		/* "/" when it says none */
	hostd_buf data;		/* JSON; n 0: none.  Of EVENT and ACK an array,
				   of CONNECT an object */
};

/*
 * Read one.  text is UTF-8.  Slices are of it; values are the elements of an
 * EVENT's and ACK's array: an EVENT's first is a name that it may have.  0; -1:
 * invalid, as the reference has it, or no memory; *why is a few words for the
 * log.
 */
int	sio_packet_parse(hostd_buf text, uint32_t max_bins,
	    struct sio_packet *, struct sio_values *, const char **why);

/* Names of events that are Socket.IO's own; NULL-ended. */
extern const char *const sio_reserved[];
/* May an event have this name (raw JSON: a string or a number)? */
int	sio_event_name_ok(hostd_buf raw);

/*
 * Do the placeholders of values fit nbins attachments?  Each has a num below
 * nbins.
 */
int	sio_placeholders_ok(hostd_buf json, uint32_t nbins);

/* What precedes the JSON: type, attachments, namespace and id.  room has
 * SIO_HEAD_MAX + nsp.n bytes.  Returns its length. */
#define SIO_HEAD_MAX	48
size_t	sio_head_write(char *room, enum sio_type, uint32_t nbins,
	    hostd_buf nsp, const uint64_t *id);

#endif
