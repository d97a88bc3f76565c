#include "test/unit/check_main.h"
#include <kube/digest.h>
#include <kube/mem.h>
#include <string.h>

/* The examples of FIPS 180-4 (NIST's SHA-256 test vectors). */
START_TEST(known_digests)
{
	static const struct {
		const char *text, *hex;
	} rows[] = {
	    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		char out[KUBE_SHA256_HEX_SIZE];
		ck_assert_ptr_eq(kube_sha256_hex(rows[i].text, strlen(rows[i].text), out), out);
		ck_assert_str_eq(out, rows[i].hex);
	}
}
END_TEST

START_TEST(no_bytes_may_be_null)
{
	char out[KUBE_SHA256_HEX_SIZE];

	ck_assert_str_eq(kube_sha256_hex(NULL, 0, out), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}
END_TEST

START_TEST(a_million_letters)
{
	static char text[1000000];
	char out[KUBE_SHA256_HEX_SIZE];

	memset(text, 'a', sizeof(text));
	ck_assert_str_eq(kube_sha256_hex(text, sizeof(text), out),
	                 "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
END_TEST

CHECK_MAIN("digest", known_digests, no_bytes_may_be_null, a_million_letters)
