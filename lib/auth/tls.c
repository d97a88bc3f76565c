/* The certificates that connections are made with, and their files. */
#include "lib/auth/tls.h"

#include "lib/auth/file.h"
#include "lib/auth/pem.h"

#include <kube/mem.h>
#include <string.h>

struct kube_tls *kube_tls_ref(struct kube_tls *tls)
{
	tls->refs++;
	return tls;
}

void kube_tls_unref(struct kube_tls *tls)
{
	if (!tls || --tls->refs > 0)
		return;
	kube_wipe_str(&tls->client_key_pem);
	free(tls->client_cert_pem);
	free(tls->ca_pem);
	free(tls);
}

static bool copy(char **field, const char *text)
{
	*field = text ? strdup(text) : NULL;
	return !text || *field;
}

struct kube_tls *kube_tls_new(const char *ca_pem, const char *cert_pem, const char *key_pem)
{
	struct kube_tls *tls = calloc(1, sizeof(*tls));
	if (!tls)
		return NULL;
	tls->refs = 1;
	if (copy(&tls->ca_pem, ca_pem) && copy(&tls->client_cert_pem, cert_pem) && copy(&tls->client_key_pem, key_pem))
		return tls;
	kube_tls_unref(tls);
	return NULL;
}

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool kube_tls_same(const struct kube_tls *a, const struct kube_tls *b)
{
	return same(a->ca_pem, b->ca_pem) && same(a->client_cert_pem, b->client_cert_pem) &&
	       same(a->client_key_pem, b->client_key_pem);
}

int kube_tls_files_init(struct kube_tls_files *files, const struct kube_config *config, struct kube_err *err)
{
	if (copy(&files->ca, config->ca_file) && copy(&files->cert, config->client_cert_file) &&
	    copy(&files->key, config->client_key_file))
		return 0;
	kube_tls_files_finish(files);
	return kube_fail(err, KUBE_E_NOMEM, "out of memory for the credentials");
}

void kube_tls_files_finish(struct kube_tls_files *files)
{
	kube_freep(&files->ca);
	kube_freep(&files->cert);
	kube_freep(&files->key);
}

bool kube_tls_files_any(const struct kube_tls_files *files)
{
	return files->ca || files->cert || files->key;
}

static int read_file(const char *what, const char *path, char **ret_pem, struct kube_err *err)
{
	_cleanup_secret_buf_ struct kube_buf text = {0};
	if (!path)
		return 0;
	kube_buf_init(&text, KUBE_FILE_MAX_PEM);
	int rc = kube_file_read(what, path, &text, err);
	if (rc != 0)
		return rc;
	kube_wipe_str(ret_pem);
	return copy(ret_pem, text.data ? text.data : "") ? 0
	                                                 : kube_fail(err, KUBE_E_NOMEM, "out of memory for the %s", what);
}

/* In the middle of a rotation a certificate may stand beside the key of another one. */
static int check(const struct kube_tls *tls, struct kube_err *err)
{
	int rc = tls->ca_pem ? kube_pem_check_certs("CA certificate", tls->ca_pem, err) : 0;
	if (rc != 0 || !tls->client_cert_pem)
		return rc;
	rc = kube_pem_check_certs("client certificate", tls->client_cert_pem, err);
	return rc == 0 ? kube_pem_check_key("client key", tls->client_key_pem, tls->client_cert_pem, err) : rc;
}

int kube_tls_reread(const struct kube_tls_files *files, const struct kube_tls *old, struct kube_tls **ret_tls,
                    struct kube_err *err)
{
	struct kube_tls *tls = kube_tls_new(old->ca_pem, old->client_cert_pem, old->client_key_pem);
	if (!tls)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for the credentials");
	int rc = read_file("CA certificate", files->ca, &tls->ca_pem, err);
	if (rc == 0)
		rc = read_file("client certificate", files->cert, &tls->client_cert_pem, err);
	if (rc == 0)
		rc = read_file("client key", files->key, &tls->client_key_pem, err);
	bool changed = rc == 0 && !kube_tls_same(tls, old);
	if (changed)
		rc = check(tls, err);
	if (changed && rc == 0)
		*ret_tls = tls;
	else
		kube_tls_unref(tls);
	return rc;
}
