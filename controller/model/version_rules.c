#include "controller/model/version.h"

#include <kube/mem.h>

/* Within a stage the first rule that matches is taken; of suffixes, the one that begins first. */
const struct version_rule version_rules[] = {
    {VERSION_TRIM, NULL, false, " 1.7.27\n", "1.7.27",
     "a ConfigMap or a file that holds a version often ends its line"},
    {VERSION_WORDS, NULL, false, "Ubuntu 22.04.3 LTS", "22.04.3", "an osImage is a sentence around its version"},
    {VERSION_WORDS, NULL, false, "SUSE Linux Enterprise Server 15 SP5", "15.5",
     "SUSE's own VERSION_ID; without the service pack SP4 and SP5 would be one version"},

    {VERSION_SCHEME, "containerd://", false, "containerd://1.7.27", "1.7.27", "nodeInfo names the runtime as a scheme"},
    {VERSION_SCHEME, "cri-o://", false, "cri-o://1.30.4", "1.30.4", "nodeInfo names the runtime as a scheme"},
    {VERSION_SCHEME, "docker://", false, "docker://24.0.7", "24.0.7", "nodeInfo names the runtime as a scheme"},

    {VERSION_EPOCH, "#:", false, "5:24.0.7", "24.0.7", "a Debian epoch orders packages; no program reports it"},
    {VERSION_LEAD, "v", false, "v1.34.4", "1.34.4", "Go programs tag their releases so, packages do not"},

    {VERSION_SUFFIX, "+k3s#", true, "v1.34.4+k3s1", "1.34.4", "k3s counts its builds of one Kubernetes version"},
    {VERSION_SUFFIX, "-k3s#", true, "containerd://1.7.11-k3s2", "1.7.11", "k3s counts its builds of containerd"},
    {VERSION_SUFFIX, "+rke2r#", true, "v1.28.5+rke2r1", "1.28.5", "RKE2 counts its builds of one Kubernetes version"},
    {VERSION_SUFFIX, "+k0s", true, "v1.27.4+k0s.0", "1.27.4", "k0s counts its builds; its kubelet reports +k0s only"},
    {VERSION_SUFFIX, "+vmware.#", true, "v1.26.9+vmware.1", "1.26.9", "Tanzu counts its builds"},
    {VERSION_SUFFIX, "-gke.#", true, "v1.27.3-gke.100", "1.27.3", "GKE counts its builds of one Kubernetes version"},
    {VERSION_SUFFIX, "-aliyun.#", true, "v1.26.3-aliyun.1", "1.26.3", "ACK counts its builds"},
    {VERSION_SUFFIX, "-tke.#", true, "v1.26.1-tke.3", "1.26.1", "TKE counts its builds"},
    {VERSION_SUFFIX, "-eks-", false, "v1.30.2-eks-1552ad0", "1.30.2", "EKS adds a commit, which has no order"},

    {VERSION_SUFFIX, "~ds#", true, "1.6.20~ds1-1", "1.6.20",
     "Debian repacked the source; containerd reports 1.6.20~ds1"},
    {VERSION_SUFFIX, "+ds#", true, "1.7.2+ds1-1", "1.7.2", "Debian repacked the source"},
    {VERSION_SUFFIX, "+dfsg#", true, "docker://20.10.24+dfsg1", "20.10.24", "Debian took non-free parts out"},
    {VERSION_SUFFIX, "+deb#u#", true, "1.20.2+deb12u1", "1.20.2", "the count of Debian's security updates"},
    {VERSION_SUFFIX, "-#ubuntu", true, "1.7.2-1ubuntu0.22.04.1", "1.7.2",
     "Ubuntu's package revision; the program reports the upstream version"},
    {VERSION_SUFFIX, "-#~ubuntu", true, "5:24.0.7-1~ubuntu.22.04~jammy", "24.0.7", "Docker's packages for Ubuntu"},
    {VERSION_SUFFIX, "-#~debian", true, "5:24.0.7-1~debian.12~bookworm", "24.0.7", "Docker's packages for Debian"},
    {VERSION_SUFFIX, "-#~deb#", true, "1.6.20-1~deb12u1", "1.6.20", "Debian's package revision of a stable update"},
    {VERSION_SUFFIX, "-#~bpo#", true, "1.6.20-1~bpo11+1", "1.6.20", "Debian's package revision of a backport"},
    {VERSION_SUFFIX, "-#.rhaos#", true, "cri-o://1.25.1-3.rhaos4.12.git6005903.el8", "1.25.1",
     "OpenShift's package revision, which its CRI-O reports"},

    {VERSION_SUFFIX, "-amd64$", false, "6.1.0-18-amd64", "6.1.0-18",
     "an architecture is no version; pools may mix them"},
    {VERSION_SUFFIX, "-arm64$", false, "6.1.0-18-arm64", "6.1.0-18",
     "an architecture is no version; pools may mix them"},
    {VERSION_SUFFIX, ".x86_64$", false, "4.18.0-372.9.1.el8.x86_64", "4.18.0-372.9.1.el8",
     "an architecture is no version"},
    {VERSION_SUFFIX, ".aarch64$", false, "5.10.205-195.807.amzn2.aarch64", "5.10.205-195.807.amzn2",
     "an architecture is no version"},

    /* Last: whatever the rules above did not name. */
    {VERSION_SUFFIX, "+", false, "v1.27.6+f67aeb3", "1.27.6",
     "semver 2.0.0 item 10: build metadata has no order; kernels mark a changed source by a bare +"},
};

const size_t version_rule_count = KUBE_ARRAY_LEN(version_rules);
