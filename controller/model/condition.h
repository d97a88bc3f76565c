/* metav1.Condition lists, read as kstatus reads them: Reconciling and Stalled are present only when True. */
#ifndef MODEL_CONDITION_H
#define MODEL_CONDITION_H

#include <kube/json.h>
#include <stdbool.h>
#include <stdint.h>

enum condition_status { CONDITION_FALSE, CONDITION_TRUE, CONDITION_UNKNOWN };
extern const char *const condition_status_names[]; /* "False" "True" "Unknown", NULL */

struct condition {
	const char *type;
	int status;          /* enum condition_status */
	const char *reason;  /* CamelCase, never empty */
	const char *message; /* one sentence; "" allowed */
	int64_t observed_generation;
	int64_t last_transition_ms;
};

struct conditions {
	struct condition *items;
	size_t count;
};

extern const struct kube_json_field condition_table[];

const struct condition *condition_get(const struct conditions *conditions, const char *type); /* NULL when absent */
bool condition_true(const struct conditions *conditions, const char *type);

#endif
