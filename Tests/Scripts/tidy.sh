#!/usr/bin/env bash
# House rules that a formatter does not know: lengths, words, and who imports whom.
set -euo pipefail
cd "$(dirname "$0")/../.."
bad=0
complain() {
    echo "tidy: $1" >&2
    bad=1
}

while read -r file; do
    lines=$(wc -l <"$file")
    [ "$lines" -le 350 ] || complain "$file has $lines lines, more than 350"
    # A function ends at the brace that stands as deep as its first line.
    awk -v file="$file" '
        /^ *(@[a-zA-Z]+ )*(package |public |private |static |mutating |final |override )*(func|init)[ (<?]/ && !start {
            match($0, /^ */); depth = RLENGTH; start = NR }
        start && NR > start { match($0, /^ */)
            if (RLENGTH == depth && $0 ~ /^ *}/) {
                if (NR - start + 1 > 70) { print file ":" start ": a function of " NR - start + 1 " lines, more than 70"; found = 1 }
                start = 0 }
            else if (RLENGTH <= depth && NF && $0 !~ /^ *[)}\]>]/ && $0 !~ /^ *(where|throws)/) start = 0 }
        END { exit found }' "$file" || bad=1
done < <(git ls-files 'Sources/*.swift' 'Tests/*.swift')

words='try!|fatalError|TODO|FIXME|for now\b|placeholder'
if git grep -nE "$words" -- 'Sources/*.swift'; then complain "a word that does not belong into finished code"; fi
if git grep -nE '\bprint\(' -- 'Sources/*.swift' ':!Sources/myriad'; then complain "print outside the program"; fi

if git grep -nE '\bProcess\(\)' -- 'Sources/*.swift' 'Tests/*.swift'; then complain "Foundation's Process: it can miss an end (Processes)"; fi
if git grep -nE 'posix_spawn\(' -- 'Sources/*.swift' ':!Sources/Processes'; then complain "a process that Processes does not start"; fi

for role in Server Worker Scheduler; do
    for other in Server Worker Scheduler; do
        [ "$role" = "$other" ] && continue
        if git grep -nE "^(package )?import $other\$" -- "Sources/$role"; then complain "role $role imports role $other"; fi
    done
done
exit $bad
