#!/bin/sh
# Called in place of perl when OpenSSL is configured: leaves out what no TLS client needs, and in a debug build the
# optimisation of what is not assembler anyway. `perl` itself for anything else.
case "$1" in
*Configure) ;;
*) exec "${PERL:-perl}" "$@" ;;
esac
[ "$PROFILE" = debug ] && set -- "$@" -O0
exec "${PERL:-perl}" "$@" \
    no-apps no-docs no-cmp no-cms no-ct no-http no-quic no-rfc3779 no-srp no-srtp no-ts no-ui-console no-engine no-legacy \
    no-aria no-bf no-cast no-ec2m no-gost no-md4 no-mdc2 no-ocb no-rc2 no-rc4 no-rmd160 no-siphash no-siv no-sm2 no-sm3 no-sm4 \
    no-whirlpool no-argon2 no-scrypt no-lms no-ml-dsa no-ml-kem no-slh-dsa
