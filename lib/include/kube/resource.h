/* Names of API resources and the URL paths that lead to them. */
#ifndef KUBE_RESOURCE_H
#define KUBE_RESOURCE_H

#include <kube/buf.h>
#include <kube/err.h>
#include <stdbool.h>

KUBE_BEGIN_DECLS

struct kube_resource {
	const char *group;   /* "" for the core group */
	const char *version; /* "v1" */
	const char *plural;  /* "nodes" */
	const char *kind;    /* "Node" */
	bool namespaced;
};

extern const struct kube_resource kube_nodes, kube_pods, kube_pdbs, kube_namespaces, kube_controller_revisions,
    kube_leases, kube_events, kube_replica_sets, kube_daemon_sets, kube_persistent_volumes, kube_volume_attachments,
    kube_config_maps;

/*
 * Appends the path of a collection (name NULL) or of an object, and of its subresource when given. namespace_ NULL: all
 * namespaces. Names are checked: what is no DNS-1123 subdomain (or has a '/') is KUBE_E_INVALID, so that no path is
 * built from data.
 */
int kube_resource_path(struct kube_buf *out, const struct kube_resource *resource, const char *namespace_,
                       const char *name, const char *subresource, struct kube_err *err);

/* "patchwright.io/v1alpha1", or "v1" for the core group, appended. */
int kube_resource_api_version(struct kube_buf *out, const struct kube_resource *resource);

KUBE_END_DECLS

#endif
