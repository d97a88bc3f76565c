#include "lib/auth/exec.h"

#include "lib/base/strv.h"

#include <kube/mem.h>
#include <string.h>

static bool copy(char **field, const char *text)
{
	*field = text ? strdup(text) : NULL;
	return !text || *field;
}

int kube_exec_copy(const struct kube_exec *exec, struct kube_exec **ret_copy, struct kube_err *err)
{
	struct kube_exec *made = calloc(1, sizeof(*made));
	if (!made)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for an exec plugin");
	made->terminal = exec->terminal;
	made->argv = kube_strv_copy((const char *const *)exec->argv);
	made->env = kube_strv_copy((const char *const *)exec->env);
	if (made->argv && made->env && copy(&made->api_version, exec->api_version) &&
	    copy(&made->install_hint, exec->install_hint) && copy(&made->cluster, exec->cluster) &&
	    copy(&made->user, exec->user)) {
		*ret_copy = made;
		return 0;
	}
	kube_exec_free(made);
	return kube_fail(err, KUBE_E_NOMEM, "out of memory for an exec plugin");
}

void kube_exec_free(struct kube_exec *exec)
{
	if (!exec)
		return;
	kube_strv_free(exec->argv);
	kube_strv_free(exec->env);
	free(exec->api_version);
	free(exec->install_hint);
	free(exec->cluster);
	free(exec->user);
	free(exec);
}
