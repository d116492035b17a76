/* SPDX-License-Identifier: Apache-2.0 */

/* What else is loaded in this process. */
#ifndef ZK_QUIRKS_H
#define ZK_QUIRKS_H

/* Counts the objects loaded so far; as long as it is the same, so are the answers below. */
unsigned long long zk_objects_loaded(void);

/* Whether a libp11 before 0.4.17 is loaded, by itself or as OpenSSL's engine. */
int zk_old_libp11(void);

/* Whether the program is OpenSSH's ssh-pkcs11-helper. */
int zk_in_ssh_helper(void);

/* Whether the program is written in Go and built with crypto11. */
int zk_has_crypto11(void);

/* Whether p11-kit is loaded, which loads the modules of the system for its programs. */
int zk_has_p11_kit(void);

/* Whether the program is haproxy. */
int zk_in_haproxy(void);

#endif
