/* The low-level calls need no allocation and thus cannot fail, unlike EVP, which OpenSSL recommends instead. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <kube/digest.h>
#include <openssl/sha.h>

const char *kube_sha256_hex(const void *bytes, size_t len, char out[KUBE_SHA256_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char digest[SHA256_DIGEST_LENGTH];
	SHA256_CTX context;

	SHA256_Init(&context);
	if (len)
		SHA256_Update(&context, bytes, len);
	SHA256_Final(digest, &context);
	for (size_t i = 0; i < sizeof(digest); i++) {
		out[2 * i] = digits[digest[i] >> 4];
		out[2 * i + 1] = digits[digest[i] & 0xF];
	}
	out[2 * sizeof(digest)] = '\0';
	return out;
}
