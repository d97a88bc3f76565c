/* PEM over OpenSSL. Checked at load time, so that a broken file is named by its name and not by a failed TLS
 * handshake. */
#include "lib/auth/pem.h"

#include <errno.h>
#include <kube/mem.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

static void free_bio(BIO **bio)
{
	BIO_free(*bio);
}

static void free_cert(X509 **cert)
{
	X509_free(*cert);
}

static void free_key(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static int no_memory(const char *what, struct kube_err *err)
{
	ERR_clear_error();
	return kube_fail(err, KUBE_E_NOMEM, "out of memory for the %s", what);
}

/* Whether OpenSSL failed for want of memory, which it does not always say; errno was 0 before. Empties its queue. */
static bool ran_out_of_memory(void)
{
	bool found = errno == ENOMEM;
	for (unsigned long code; (code = ERR_get_error()) != 0;)
		found |= ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;
	return found;
}

/* Refuses: there is nobody to ask for a password, and OpenSSL would ask the terminal. */
static int no_password(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	*(bool *)arg = true;
	return -1;
}

static BIO *open_pem(const char *pem)
{
	return BIO_new_mem_buf(pem, -1);
}

int kube_pem_check_certs(const char *what, const char *pem, struct kube_err *err)
{
	_cleanup_(free_bio) BIO *bio = open_pem(pem);
	if (!bio)
		return no_memory(what, err);
	int count = 0;
	errno = 0;
	for (;; count++) {
		_cleanup_(free_cert) X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
		if (!cert)
			break;
	}
	/* Reading beyond the last one always fails; NO_START_LINE says that nothing was left. */
	bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
	if (ran_out_of_memory())
		return no_memory(what, err);
	if (count == 0 || !at_end)
		return kube_fail(err, KUBE_E_PARSE, "the %s is not a PEM certificate (-----BEGIN CERTIFICATE-----)", what);
	return 0;
}

int kube_pem_check_key(const char *what, const char *key_pem, const char *cert_pem, struct kube_err *err)
{
	bool encrypted = false;
	_cleanup_(free_bio) BIO *key_bio = open_pem(key_pem);
	_cleanup_(free_bio) BIO *cert_bio = open_pem(cert_pem);
	if (!key_bio || !cert_bio)
		return no_memory(what, err);
	errno = 0;
	_cleanup_(free_key) EVP_PKEY *key = PEM_read_bio_PrivateKey(key_bio, NULL, no_password, &encrypted);
	_cleanup_(free_cert) X509 *cert = PEM_read_bio_X509(cert_bio, NULL, NULL, NULL);
	bool matches = key && cert && X509_check_private_key(cert, key) == 1;
	bool no_room = ran_out_of_memory();
	if (!matches && no_room)
		return no_memory(what, err);
	if (encrypted)
		return kube_fail(err, KUBE_E_AUTH, "the %s is protected by a password: give one that is not", what);
	if (!key)
		return kube_fail(err, KUBE_E_PARSE, "the %s is not a PEM private key", what);
	if (!matches)
		return kube_fail(err, KUBE_E_AUTH, "the %s does not belong to the client certificate beside it", what);
	return 0;
}
