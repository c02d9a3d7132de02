#!/usr/bin/env bash
# What ./dev promises about downloads and counting, with a pip that fetches nothing. usage: dev_test.sh SOURCE_FOLDER
set -uo pipefail
source_folder="$1"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
export KVASIR_CACHE="$scratch/cache" XDG_CACHE_HOME="$scratch" FAKE_PIP_LOG="$scratch/pip.log"
failures=0

check() {
  local what="$1"
  shift
  if "$@"; then echo "ok: $what"; return; fi
  echo "failed: $what"
  failures=$((failures + 1))
}

# python3 -m pip download … --dest FOLDER REQUIREMENT, as FAKE_PIP says: good, wrong or offline.
mkdir -p "$scratch/bin"
cat >"$scratch/bin/python3" <<'FAKE'
#!/usr/bin/env bash
case "$*" in *--version* | *--help*) exit 0 ;; esac
echo "$*" >>"$FAKE_PIP_LOG"
while [ $# -gt 1 ]; do
  if [ "$1" = --dest ]; then folder="$2"; fi
  shift
done
case "$FAKE_PIP" in
  good) printf 'the wheel' >"$folder/part-1.0-py3-none-any.whl" ;;
  wrong) printf 'another wheel' >"$folder/part-1.0-py3-none-any.whl" ;;
  offline)
    echo "WARNING: Retrying: NewConnectionError: Temporary failure in name resolution" >&2
    echo "ERROR: No matching distribution found for part==1.0" >&2
    exit 1 ;;
  refused)
    echo "ERROR: No matching distribution found for part==1.0" >&2
    exit 1 ;;
esac
FAKE
chmod +x "$scratch/bin/python3"

# The script's functions, in a folder of their own with a list of one download.
mkdir -p "$scratch/tree/cmake"
cp "$source_folder/dev" "$scratch/tree/dev"
echo "run part==1.0 7 $(printf 'the wheel' | sha256sum | cut -d' ' -f1)" >"$scratch/tree/cmake/downloads.txt"
# fetch HOW: prints the wheel's path to $scratch/out and the messages to $scratch/err.
fetch() {
  FAKE_PIP="$1" PATH="$scratch/bin:$PATH" bash -c 'source "$1"; fetch_wheel part' fetch "$scratch/tree/dev" \
    >"$scratch/out" 2>"$scratch/err"
}
pip_calls() { if [ -f "$FAKE_PIP_LOG" ]; then wc -l <"$FAKE_PIP_LOG"; else echo 0; fi; }
is_empty_folder() { [ -z "$(ls -A "$1" 2>/dev/null)" ]; }

fetch offline && status=0 || status=1
check "no network ends with an error" [ "$status" = 1 ]
check "no network is said, with what is needed and how large" \
  grep -q "Kvasir needs part==1.0 (7 MB) once; there is no network" "$scratch/err"
check "nothing half fetched is left" is_empty_folder "$KVASIR_CACHE/downloads"

fetch refused && status=0 || status=1
check "another failure is not called a missing network" grep -q "once; it could not be fetched" "$scratch/err"

fetch wrong && status=0 || status=1
check "a file with another sha256 is refused" [ "$status" = 1 ]
check "the refusal says why" grep -q "is not the file Kvasir was tested with" "$scratch/err"
check "a refused file is removed" is_empty_folder "$KVASIR_CACHE/downloads"

fetch good
check "a good file is kept" [ "$(cat "$(cat "$scratch/out")")" = "the wheel" ]
before="$(pip_calls)"
fetch offline && status=0 || status=1
check "a file that is there is used again, without a network" [ "$status" = 0 ]
check "and pip is not asked" [ "$(pip_calls)" = "$before" ]
printf 'spoilt' >"$(cat "$scratch/out")"
fetch good
check "a spoilt file is fetched again" [ "$(cat "$(cat "$scratch/out")")" = "the wheel" ]

# Every command that main knows is in the help.
unnamed() {
  local command
  for command in $(sed -n '/^main()/,$s/^    \([a-z]*\)[ |)].*/\1/p' "$source_folder/dev"); do
    [ "$command" = help ] || bash "$source_folder/dev" help | grep -q "^\./dev $command" || echo "$command"
  done
}
check "help names every command" [ -z "$(unnamed)" ]

# Counting: cases of a report, a crash without one, a test that is no GoogleTest.
reports="$scratch/reports"
mkdir -p "$reports"
cat >"$reports/ctest.junit" <<'XML'
<testsuite><testcase name="fine_test" status="run"/><testcase name="crashed_test" status="fail"/>
<testcase name="script" status="run"/></testsuite>
XML
cat >"$reports/fine_test.xml" <<'XML'
<testsuites><testsuite><testcase name="A" classname="X" status="run" result="completed"/>
<testcase name="B" classname="X" status="run" result="skipped"><skipped/></testcase></testsuite></testsuites>
XML
count() { python3 "$source_folder/tests/dev/count_tests.py" "$reports" 2>/dev/null | tail -n 1; }
check "cases and crashes are counted" [ "$(count)" = "2 passed, 1 failed" ]
rm "$reports/ctest.junit"
check "no test at all is a failure" [ "$(count)" = "0 passed, 1 failed" ]

[ "$failures" = 0 ]
