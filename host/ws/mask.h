/* SPDX-License-Identifier: BSD-2-Clause */
/* Masking of payload (RFC 6455 section 5.3). */
#ifndef WS_MASK_H
#define WS_MASK_H

#include <stddef.h>
#include <stdint.h>

/*
 * Unmask n bytes in place; offset is their place in the frame's payload (only
 * its two low bits count).
 */
void	ws_unmask(void *p, size_t n, const uint8_t key[4], size_t offset);

#endif
