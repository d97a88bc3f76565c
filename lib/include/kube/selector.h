/* metav1.LabelSelector: decoding, checking, matching (apimachinery pkg/labels). */
#ifndef KUBE_SELECTOR_H
#define KUBE_SELECTOR_H

#include <kube/json.h>

KUBE_BEGIN_DECLS

enum kube_selector_operator { KUBE_SELECT_IN, KUBE_SELECT_NOT_IN, KUBE_SELECT_EXISTS, KUBE_SELECT_DOES_NOT_EXIST };

struct kube_selector {
	struct kube_strmap match_labels;
	struct {
		struct kube_requirement {
			const char *key;
			int op; /* enum kube_selector_operator */
			struct kube_strlist values;
		} * items;
		size_t count;
	} match_expressions;
};

extern const struct kube_json_field kube_selector_table[];

/* With all texts. KUBE_E_NOMEM. */
int kube_selector_copy(const struct kube_selector *selector, struct kube_arena *arena, struct kube_selector *ret_copy);
/* No requirement at all: matches everything in Kubernetes; callers that mean "nothing" or "refused" ask here. */
bool kube_selector_empty(const struct kube_selector *selector);
/* In/NotIn need values, Exists/DoesNotExist must have none. KUBE_E_INVALID. */
int kube_selector_check(const struct kube_selector *selector, struct kube_err *err);
bool kube_selector_matches(const struct kube_selector *selector, const struct kube_strmap *labels);
/* "pool=workers,zone in (a,b)" for messages; cut at size. */
const char *kube_selector_format(const struct kube_selector *selector, char *out, size_t size);

KUBE_END_DECLS

#endif
