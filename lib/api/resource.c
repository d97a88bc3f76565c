#include <kube/resource.h>
#include <string.h>

#define SUBDOMAIN_MAX_LEN 253
#define LABEL_MAX_LEN 63

const struct kube_resource kube_nodes = {.group = "", .version = "v1", .plural = "nodes", .kind = "Node"};
const struct kube_resource kube_pods = {
    .group = "", .version = "v1", .plural = "pods", .kind = "Pod", .namespaced = true};
const struct kube_resource kube_pdbs = {.group = "policy",
                                        .version = "v1",
                                        .plural = "poddisruptionbudgets",
                                        .kind = "PodDisruptionBudget",
                                        .namespaced = true};
const struct kube_resource kube_namespaces = {
    .group = "", .version = "v1", .plural = "namespaces", .kind = "Namespace"};
const struct kube_resource kube_controller_revisions = {.group = "apps",
                                                        .version = "v1",
                                                        .plural = "controllerrevisions",
                                                        .kind = "ControllerRevision",
                                                        .namespaced = true};
const struct kube_resource kube_leases = {
    .group = "coordination.k8s.io", .version = "v1", .plural = "leases", .kind = "Lease", .namespaced = true};
const struct kube_resource kube_events = {
    .group = "events.k8s.io", .version = "v1", .plural = "events", .kind = "Event", .namespaced = true};
const struct kube_resource kube_replica_sets = {
    .group = "apps", .version = "v1", .plural = "replicasets", .kind = "ReplicaSet", .namespaced = true};
const struct kube_resource kube_daemon_sets = {
    .group = "apps", .version = "v1", .plural = "daemonsets", .kind = "DaemonSet", .namespaced = true};
const struct kube_resource kube_persistent_volumes = {
    .group = "", .version = "v1", .plural = "persistentvolumes", .kind = "PersistentVolume"};
const struct kube_resource kube_volume_attachments = {
    .group = "storage.k8s.io", .version = "v1", .plural = "volumeattachments", .kind = "VolumeAttachment"};

const struct kube_resource kube_config_maps = {
    .group = "", .version = "v1", .plural = "configmaps", .kind = "ConfigMap", .namespaced = true};

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* DNS-1123: labels of lower-case letters, digits and inner "-", joined by dots. No "..", no "/", no "%". */
static bool is_subdomain(const char *s)
{
	size_t len = strlen(s);

	if (len == 0 || len > SUBDOMAIN_MAX_LEN)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool at_edge = i == 0 || s[i - 1] == '.' || s[i + 1] == '.' || s[i + 1] == '\0';
		bool inner = s[i] == '-' || (s[i] == '.' && i > 0);
		if (!is_alnum(s[i]) && (at_edge || !inner))
			return false;
	}
	return true;
}

static bool is_label(const char *s)
{
	return strlen(s) <= LABEL_MAX_LEN && !strchr(s, '.') && is_subdomain(s);
}

static int check(const struct kube_resource *resource, const char *namespace_, const char *name,
                 const char *subresource, struct kube_err *err)
{
	if (namespace_ && !resource->namespaced)
		return kube_fail(err, KUBE_E_INVALID, "a %s has no namespace, but \"%s\" was given", resource->kind,
		                 namespace_);
	if (namespace_ && !is_label(namespace_))
		return kube_fail(err, KUBE_E_INVALID, "\"%s\" is no valid namespace", namespace_);
	if (name && !is_subdomain(name))
		return kube_fail(err, KUBE_E_INVALID, "\"%s\" is no valid name of a %s", name, resource->kind);
	if (name && resource->namespaced && !namespace_)
		return kube_fail(err, KUBE_E_INVALID, "%s \"%s\" is given without its namespace", resource->kind, name);
	if (subresource && (!name || !is_label(subresource)))
		return kube_fail(err, KUBE_E_INVALID, "\"%s\" is no valid subresource of a %s", subresource, resource->kind);
	return 0;
}

static int append(struct kube_buf *out, const char *before, const char *part)
{
	return part ? kube_buf_addf(out, "%s%s", before, part) : out->failed;
}

int kube_resource_path(struct kube_buf *out, const struct kube_resource *resource, const char *namespace_,
                       const char *name, const char *subresource, struct kube_err *err)
{
	if (namespace_ && !*namespace_) /* what kube_object.namespace_ says of cluster-scoped objects */
		namespace_ = NULL;
	int rc = check(resource, namespace_, name, subresource, err);
	if (rc)
		return rc;
	append(out, *resource->group ? "/apis/" : "/api", resource->group);
	append(out, "/", resource->version);
	append(out, "/namespaces/", namespace_);
	append(out, "/", resource->plural);
	append(out, "/", name);
	rc = append(out, "/", subresource);
	return rc ? kube_fail(err, rc, "no room for the path of a %s", resource->kind) : 0;
}

int kube_resource_api_version(struct kube_buf *out, const struct kube_resource *resource)
{
	if (*resource->group)
		kube_buf_addf(out, "%s/", resource->group);
	return kube_buf_adds(out, resource->version);
}
