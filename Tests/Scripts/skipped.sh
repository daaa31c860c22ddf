#!/usr/bin/env bash
# Lists the tests that did not run, as the tests themselves noted it in .build/skipped.txt; in CI (CI=true) they are a failure.
set -euo pipefail
cd "$(dirname "$0")/../.."
list=${MYRIAD_SKIPPED:-.build/skipped.txt}
if [ ! -s "$list" ]; then
    echo "every test ran: nothing was skipped"
    exit 0
fi
echo "not run on this machine:"
sort -u "$list"
case ${CI:-} in
"" | 0 | false) ;;
*)
    echo "CI is $CI: what is skipped is not tested, and fails" >&2
    exit 1
    ;;
esac
