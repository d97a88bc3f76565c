/* Certificates made on the spot: a CA, and leaves that it signs. Keys are P-256. */
#ifndef TEST_UNIT_HTTP_CERTS_H
#define TEST_UNIT_HTTP_CERTS_H

#include <check.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

struct test_cert {
	EVP_PKEY *key;
	X509 *cert;
	char *cert_pem, *key_pem;
};

static inline char *test_bio_text(BIO *bio)
{
	char *data = NULL;
	long len = BIO_get_mem_data(bio, &data);
	char *text = strndup(data, (size_t)len);
	BIO_free(bio);
	return text;
}

static inline void test_cert_extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ck_assert_ptr_nonnull(extension);
	X509_add_ext(cert, extension, -1);
	X509_EXTENSION_free(extension);
}

/* A certificate for san ("DNS:localhost,IP:127.0.0.1"), or a CA when san is NULL; signed by issuer, or by itself when
 * that is NULL. Valid from an hour ago for valid_s seconds, which may be negative. */
static inline struct test_cert test_cert_new(const char *name, const char *san, const struct test_cert *issuer,
                                             long valid_s)
{
	static long serial = 1;
	struct test_cert made = {.key = EVP_EC_gen("P-256"), .cert = X509_new()};
	X509 *issuer_cert = issuer ? issuer->cert : made.cert;
	X509_set_version(made.cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(made.cert), serial++);
	X509_gmtime_adj(X509_getm_notBefore(made.cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(made.cert), valid_s);
	X509_set_pubkey(made.cert, made.key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(made.cert), "CN", MBSTRING_UTF8, (const unsigned char *)name, -1,
	                           -1, 0);
	X509_set_issuer_name(made.cert, X509_get_subject_name(issuer_cert));
	test_cert_extend(made.cert, issuer_cert, NID_basic_constraints, san ? "CA:FALSE" : "critical,CA:TRUE");
	if (san)
		test_cert_extend(made.cert, issuer_cert, NID_subject_alt_name, san);
	ck_assert_int_gt(X509_sign(made.cert, issuer ? issuer->key : made.key, EVP_sha256()), 0);
	BIO *cert_bio = BIO_new(BIO_s_mem()), *key_bio = BIO_new(BIO_s_mem());
	PEM_write_bio_X509(cert_bio, made.cert);
	PEM_write_bio_PrivateKey(key_bio, made.key, NULL, NULL, 0, NULL, NULL);
	made.cert_pem = test_bio_text(cert_bio);
	made.key_pem = test_bio_text(key_bio);
	return made;
}

static inline void test_cert_free(struct test_cert *cert)
{
	EVP_PKEY_free(cert->key);
	X509_free(cert->cert);
	free(cert->cert_pem);
	free(cert->key_pem);
}

/* base64 without line breaks; the caller frees. */
static inline char *test_base64(const char *text)
{
	size_t len = strlen(text);
	char *out = malloc(len * 4 / 3 + 8);
	EVP_EncodeBlock((unsigned char *)out, (const unsigned char *)text, (int)len);
	return out;
}

#endif
