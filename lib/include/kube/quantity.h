/* resource.Quantity of the Kubernetes API: "500m", "1.5", "64Mi", "1e3". */
#ifndef KUBE_QUANTITY_H
#define KUBE_QUANTITY_H

#include <kube/err.h>
#include <stdint.h>

KUBE_BEGIN_DECLS

/* In thousandths, rounded up (away from zero) where there are finer parts; what is beyond int64_t is its limit.
 * KUBE_E_PARSE. */
int kube_quantity_parse(const char *text, int64_t *ret_milli, struct kube_err *err);

KUBE_END_DECLS

#endif
