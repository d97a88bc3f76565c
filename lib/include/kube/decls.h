/*
 * What surrounds the declarations of each public header: C linkage for C++, and the only visible symbols of libkube.so,
 * which is built with everything else hidden.
 */
#ifndef KUBE_DECLS_H
#define KUBE_DECLS_H

#ifdef __cplusplus
#define KUBE_EXTERN_C_BEGIN extern "C" {
#define KUBE_EXTERN_C_END }
#else
#define KUBE_EXTERN_C_BEGIN
#define KUBE_EXTERN_C_END
#endif

#define KUBE_BEGIN_DECLS _Pragma("GCC visibility push(default)") KUBE_EXTERN_C_BEGIN
#define KUBE_END_DECLS KUBE_EXTERN_C_END _Pragma("GCC visibility pop")

#endif
