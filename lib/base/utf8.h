/* UTF-8 (RFC 3629), as far as texts that are cut or escaped need it. Internal to the library. */
#ifndef KUBE_BASE_UTF8_H
#define KUBE_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

#define UTF8_REPLACEMENT 0xFFFDU /* stands for a byte that is no UTF-8 */

/* Reads one code point of s (len > 0 bytes) and returns how many bytes it took; 1 and UTF8_REPLACEMENT for a bad one.
 */
size_t utf8_next(const char *s, size_t len, uint32_t *ret_point);

/* The longest length <= n at which s may be cut without splitting a code point. */
size_t utf8_floor(const char *s, size_t n);

#endif
