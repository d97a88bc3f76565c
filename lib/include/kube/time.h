/*
 * Times and durations as the Kubernetes API writes them. Nothing in here reads a clock.
 *
 * Times are int64_t milliseconds since the epoch (UTC), KUBE_TIME_NONE when absent. Durations are
 * int64_t milliseconds.
 */
#ifndef KUBE_TIME_H
#define KUBE_TIME_H

#include <kube/err.h>
#include <stddef.h>
#include <stdint.h>

KUBE_BEGIN_DECLS

#define KUBE_TIME_NONE INT64_MIN
#define KUBE_TIME_TEXT_SIZE 32 /* fits every text that the functions below write */
#define KUBE_DURATION_TEXT_SIZE 40

/* RFC 3339, with an optional fraction (cut to milliseconds) and any offset. KUBE_E_PARSE. */
int kube_time_parse(const char *text, int64_t *ret_ms, struct kube_err *err);
/* metav1.Time: "2026-11-21T11:22:38Z". Returns out. KUBE_TIME_NONE gives "". */
const char *kube_time_format(int64_t ms, char out[KUBE_TIME_TEXT_SIZE]);
/* metav1.MicroTime: "2026-11-21T11:22:38.123000Z". */
const char *kube_time_format_micro(int64_t ms, char out[KUBE_TIME_TEXT_SIZE]);
/* The IMF-fixdate of an HTTP Date header (RFC 9110 5.6.7): "Sat, 21 Nov 2026 11:22:38 GMT". KUBE_E_PARSE. */
int kube_time_parse_http(const char *text, int64_t *ret_ms, struct kube_err *err);

/*
 * Go's time.ParseDuration for values >= 0: "90s", "1h30m", "1.5h", "250ms", "0". Units h m s ms us µs ns; what is
 * finer than a millisecond is cut. KUBE_E_PARSE for anything else, KUBE_E_LIMIT beyond 10 years.
 */
int kube_duration_parse(const char *text, int64_t *ret_ms, struct kube_err *err);
/* "1h30m", "15m", "1m30s", "1.5s", "0s": the shortest exact form. Returns out. */
const char *kube_duration_format(int64_t ms, char out[KUBE_DURATION_TEXT_SIZE]);

KUBE_END_DECLS

#endif
