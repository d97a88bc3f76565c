# shellcheck shell=bash
# The cluster's own keys and certificates. The state folder is made with umask 077: every key is 0600.

make_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1"; }

# make_ca NAME
make_ca() {
	make_key "$PKI/$1.key"
	openssl req -x509 -new -key "$PKI/$1.key" -sha256 -days 365 -subj "/CN=$1" -out "$PKI/$1.crt"
}

# make_cert CA NAME SUBJECT [SUBJECT_ALT_NAMES]
make_cert() {
	local ca=$1 name=$2 subject=$3 names=${4:-}
	make_key "$PKI/$name.key"
	{
		echo "keyUsage=critical,digitalSignature"
		echo "extendedKeyUsage=clientAuth,serverAuth"
		[ -z "$names" ] || echo "subjectAltName=$names"
	} >"$PKI/$name.ext"
	openssl req -new -key "$PKI/$name.key" -subj "$subject" -out "$PKI/$name.csr"
	openssl x509 -req -in "$PKI/$name.csr" -CA "$PKI/$ca.crt" -CAkey "$PKI/$ca.key" -CAcreateserial \
		-sha256 -days 365 -extfile "$PKI/$name.ext" -out "$PKI/$name.crt" 2>/dev/null
	rm -f "$PKI/$name.csr" "$PKI/$name.ext"
}

make_certs() {
	local local_names="IP:127.0.0.1,DNS:localhost"
	# etcd trusts a CA of its own: a client of the API server must not get past it.
	make_ca etcd-ca
	make_cert etcd-ca etcd /CN=etcd "$local_names"
	make_cert etcd-ca etcd-client /CN=kube-apiserver
	make_ca ca
	make_cert ca serving /CN=kube-apiserver \
		"$local_names,IP:10.96.0.1,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local"
	make_cert ca admin /O=system:masters/CN=kubernetes-admin
	make_cert ca controller-manager /CN=system:kube-controller-manager
	make_cert ca scheduler /CN=system:kube-scheduler
	make_cert ca kwok /O=system:masters/CN=kwok
	make_key "$PKI/service-accounts.key"
}

base64_of() { openssl base64 -A -in "$1"; }

# make_kubeconfig USER FILE: self-contained, so that it may be copied elsewhere.
make_kubeconfig() {
	cat >"$2" <<-END
		apiVersion: v1
		kind: Config
		clusters:
		- name: $CLUSTER
		  cluster:
		    server: https://127.0.0.1:$PORT_APISERVER
		    certificate-authority-data: $(base64_of "$PKI/ca.crt")
		users:
		- name: $1
		  user:
		    client-certificate-data: $(base64_of "$PKI/$1.crt")
		    client-key-data: $(base64_of "$PKI/$1.key")
		contexts:
		- name: $CLUSTER
		  context:
		    cluster: $CLUSTER
		    user: $1
		current-context: $CLUSTER
	END
}

make_kubeconfigs() {
	make_kubeconfig admin "$KUBECONFIG_ADMIN"
	local user
	for user in controller-manager scheduler kwok; do
		make_kubeconfig "$user" "$STATE/$user.kubeconfig"
	done
}
