/*
 * YAML as JSON: one document of the YAML 1.2 JSON schema, for kubeconfig files and for objects that people write.
 *
 * Aliases, tags other than !!str, duplicate keys, keys that are not scalars and further documents are refused: a short
 * file cannot become a large tree, and a file means what it says. "yes" and "on" are strings.
 */
#ifndef KUBE_AUTH_YAML_H
#define KUBE_AUTH_YAML_H

#include <cjson/cJSON.h>
#include <kube/err.h>
#include <stddef.h>

#define KUBE_YAML_MAX_BYTES ((size_t)4 << 20)
#define KUBE_YAML_MAX_NODES 100000
#define KUBE_YAML_MAX_MEMBERS 1000 /* members of one mapping */

/* An empty text gives JSON null. The caller owns the tree. Messages give the line and begin without a file's name.
 * KUBE_E_PARSE, KUBE_E_LIMIT, KUBE_E_NOMEM. */
int kube_yaml_parse(const char *text, size_t len, cJSON **ret_json, struct kube_err *err);

#endif
