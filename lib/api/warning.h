/* Warning headers (RFC 7234 5.5), which Kubernetes uses to say that an API or a field is deprecated. */
#ifndef LIB_API_WARNING_H
#define LIB_API_WARNING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WARNING_TEXT_SIZE 512
#define WARNINGS_REMEMBERED 64
#define WARNING_REPEAT_MS (60 * 60 * 1000) /* the same text is told again after this long */

/* The text of the next warning of code 299 in *list, unquoted, cut, with '?' for control characters; *list is moved
 * behind it. False at the end, or where the list cannot be read on. */
bool warning_next(const char **list, char out[WARNING_TEXT_SIZE]);

/* Texts that were told, and when: a ring. Zeroed at first. */
struct warnings {
	struct {
		uint64_t hash;
		int64_t told_ms;
		bool used;
	} told[WARNINGS_REMEMBERED];
	unsigned next;
};

/* True when the text has not been told for a while; from then on it has. */
bool warnings_note(struct warnings *warnings, const char *text, int64_t mono_ms);

#endif
