/* What an answer means for a gate. Pure; nothing of what a source has sent stands in a message but numbers. */
#ifndef OBSERVE_VERDICT_H
#define OBSERVE_VERDICT_H

#include "controller/model/gate.h"
#include "controller/model/rollout.h"

struct verdict {
	int verdict; /* enum gate_verdict; never UNKNOWN */
	char message[256];
};

struct verdict verdict_open(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
struct verdict verdict_closed(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
struct verdict verdict_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The answer to POST <address>/api/v1/query. Each series must be within the bounds. */
struct verdict verdict_of_prometheus(const struct gate_spec *gate, int status, const char *body, size_t len);
struct verdict verdict_of_http(const struct gate_spec *gate, int status, const char *body, size_t len);
/* How many pods there are that match and are not done, and how many of them are Ready. */
struct verdict verdict_of_pods(const struct gate_spec *gate, int64_t matching, int64_t ready);
/* The object as the API server shows it. */
struct verdict verdict_of_resource(const struct gate_spec *gate, const cJSON *object);

#endif
