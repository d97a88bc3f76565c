/*
 * Structured logs: one line an entry, as text (key=value) or JSON, to one sink.
 *
 * The library itself logs at debug level only; programs log what they decide. Values are strings; keys
 * and values come in pairs and the list ends with the first NULL: pass "" for a value that is absent. An
 * entry is at most 8 KiB; a longer one is cut and says so with cut=true. Control characters and what is
 * no UTF-8 are escaped. Secrets never go in here.
 */
#ifndef KUBE_LOG_H
#define KUBE_LOG_H

#include <kube/err.h>
#include <stdbool.h>
#include <stdio.h>

KUBE_BEGIN_DECLS

enum kube_log_level { KUBE_LOG_DEBUG, KUBE_LOG_INFO, KUBE_LOG_WARN, KUBE_LOG_ERROR };
enum kube_log_format { KUBE_LOG_TEXT, KUBE_LOG_JSON };

struct kube_log_config {
	enum kube_log_level level; /* entries below it are dropped */
	enum kube_log_format format;
	FILE *stream;                 /* borrowed; NULL: stderr */
	long long (*wall_ms)(void *); /* time for the entries, ms since the epoch; NULL: no time field */
	void *wall_arg;
};

/* The one process-wide setting; copies *config. Call before the first entry. */
void kube_log_setup(const struct kube_log_config *config);
bool kube_log_enabled(enum kube_log_level level);

/* kube_log(KUBE_LOG_INFO, "node cordoned", "node", name, "rollout", rollout, NULL) */
void kube_log(enum kube_log_level level, const char *message, ...) __attribute__((sentinel));

/* KUBE_E_INVALID for an unknown word. Levels: debug info warn error. Formats: text json. */
int kube_log_level_parse(const char *word, enum kube_log_level *ret_level, struct kube_err *err);
int kube_log_format_parse(const char *word, enum kube_log_format *ret_format, struct kube_err *err);

KUBE_END_DECLS

#endif
