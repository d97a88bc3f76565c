/*
 * Metrics in Prometheus' text exposition format 0.0.4: counters, gauges and histograms with up to 3 labels.
 * A family belongs to the registry; series appear when they are first touched, up to KUBE_METRICS_MAX_SERIES a family
 * (more are dropped).
 */
#ifndef KUBE_METRICS_H
#define KUBE_METRICS_H

#include <kube/buf.h>
#include <kube/err.h>

KUBE_BEGIN_DECLS

#define KUBE_METRICS_MAX_SERIES 2000
#define KUBE_METRICS_MAX_LABELS 3

struct kube_metrics;
struct kube_family;

enum kube_family_type { KUBE_COUNTER, KUBE_GAUGE, KUBE_HISTOGRAM };

int kube_metrics_new(struct kube_metrics **ret_metrics, struct kube_err *err);
void kube_metrics_free(struct kube_metrics *metrics);

/* labels: comma-separated names ("code,method"), "" for none. bounds: a histogram's upper bounds, ascending, without
 * +Inf. Strings and bounds are static. NULL when out of memory. */
struct kube_family *kube_metrics_family(struct kube_metrics *metrics, enum kube_family_type type, const char *name,
                                        const char *help, const char *labels, const double *bounds, size_t bound_count);
/* As many label values as the family has labels, then NULL. All are harmless on a NULL family. */
void kube_metric_add(struct kube_family *family, double value, ...) __attribute__((sentinel));
void kube_metric_set(struct kube_family *family, double value, ...) __attribute__((sentinel));
void kube_metric_observe(struct kube_family *family, double value, ...) __attribute__((sentinel));
/* Removes all series of a gauge (before they are set anew). */
void kube_metric_clear(struct kube_family *family);

/* Appends the exposition. process_* (CPU, RSS, start time, fds) are added from /proc/self. */
int kube_metrics_write(const struct kube_metrics *metrics, struct kube_buf *out);

KUBE_END_DECLS

#endif
