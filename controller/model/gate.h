/* spec.gates, decoded: what must hold for new work to start. What they mean is decided in controller/plan/gate.c. */
#ifndef MODEL_GATE_H
#define MODEL_GATE_H

#include <kube/json.h>
#include <kube/selector.h>

#define MAX_GATES 8
#define GATE_PLACEHOLDER_ACTIVE "{{active}}" /* in a query: the nodes in work, as a regular expression */

enum gate_type { GATE_PROMETHEUS, GATE_HTTP, GATE_PODS, GATE_RESOURCE };
enum gate_at { GATE_AT_ROLLOUT = 1, GATE_AT_WAVE = 2, GATE_AT_NODE = 4 }; /* bits */
enum gate_on_error { GATE_ON_ERROR_WAIT, GATE_ON_ERROR_FAIL };

struct gate_spec {
	const char *name;
	unsigned at; /* enum gate_at */
	int type;    /* enum gate_type: which of the four is meant */
	struct {
		const char *address, *query;
		const char *min, *max; /* decimal numbers; NULL: no such bound */
		const char *secret;    /* NULL: none */
	} prometheus;
	struct {
		const char *url;
		int64_t status;
		const char *field, *value; /* a dotted path in a JSON answer, and what must stand there; NULL: no matter */
		const char *secret;
	} http;
	struct {
		const char *namespace_;
		struct kube_selector selector;
		struct kube_intstr min_ready; /* of those that match */
	} pods;
	struct {
		const char *api_version, *kind, *namespace_, *name; /* namespace_ NULL: of the cluster */
		const char *condition, *status;
	} resource;
	int on_error; /* enum gate_on_error */
	int64_t timeout_ms, interval_ms;
};

/* With all texts but the selector, which stays empty. KUBE_E_NOMEM. */
int gate_copy(const struct gate_spec *gate, struct kube_arena *arena, struct gate_spec *ret_copy, struct kube_err *err);

#endif
