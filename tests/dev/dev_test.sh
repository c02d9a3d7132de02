#!/usr/bin/env bash
# What ./dev promises about downloads and counting, with an index of packages on this machine that holds one small file.
# usage: dev_test.sh SOURCE_FOLDER
set -uo pipefail
source_folder="$1"
scratch="$(mktemp -d)"
trap 'kill "$server" 2>/dev/null; rm -rf "$scratch"' EXIT
export KVASIR_CACHE="$scratch/cache" XDG_CACHE_HOME="$scratch" no_proxy=127.0.0.1 PIP_RETRIES=0
failures=0

check() {
  local what="$1"
  shift
  if "$@"; then echo "ok: $what"; return; fi
  echo "failed: $what"
  failures=$((failures + 1))
}

mkdir -p "$scratch/tree/cmake"
python3 "$source_folder/tests/dev/package_index.py" "$scratch/requests" >"$scratch/port" &
server=$!
for _ in $(seq 100); do
  if [ -s "$scratch/port" ]; then break; fi
  sleep 0.1
done
port="$(cat "$scratch/port")"
part="$KVASIR_CACHE/downloads/part-1.0.whl.part"

# The script's functions, in a folder of their own with a list of one download.
cp "$source_folder/dev" "$scratch/tree/dev"
cp "$source_folder/cmake/fetch_wheel.py" "$scratch/tree/cmake/"
echo "run part==1.0 7 $(printf 'the wheel' | sha256sum | cut -d' ' -f1)" >"$scratch/tree/cmake/downloads.txt"
# fetch HOW: as package_index.py says, `offline` or `untrusted`; prints the wheel's path to $scratch/out and the messages to
# $scratch/err.
fetch() {
  local url="http://127.0.0.1:$port/$1"
  if [ "$1" = offline ]; then url="http://127.0.0.1:9"; fi
  if [ "$1" = untrusted ]; then url="https://127.0.0.1:$port/good"; fi
  : >"$scratch/requests"
  PIP_INDEX_URL="$url" bash -c 'source "$1"; fetch_wheel part' fetch "$scratch/tree/dev" >"$scratch/out" 2>"$scratch/err"
}
# Takes away what was fetched; with an argument, leaves that of a download.
begin_with() {
  rm -rf "$KVASIR_CACHE/downloads"
  mkdir -p "$KVASIR_CACHE/downloads"
  if [ $# -gt 0 ]; then printf '%s' "$1" >"$part"; fi
}
fetched() { [ "$(cat "$(cat "$scratch/out")" 2>/dev/null)" = "the wheel" ]; }
requested() { [ "$(grep -v html "$scratch/requests")" = "$(printf '%s\n' "$@")" ]; }
is_empty_folder() { [ -z "$(ls -A "$1" 2>/dev/null)" ]; }

fetch offline && status=0 || status=1
check "no network ends with an error" [ "$status" = 1 ]
check "no network is said, with what is needed and how large" \
  grep -q "Kvasir needs part==1.0 (7 MB) once; there is no network" "$scratch/err"
begin_with "the w"
fetch offline
check "without a network what is there stays" [ "$(cat "$part")" = "the w" ]

begin_with
fetch missing && status=0 || status=1
check "another failure is not called a missing network" grep -q "once; it could not be fetched" "$scratch/err"

begin_with
fetch untrusted
check "a connection that is not trusted is not called a missing network" grep -q "once; no connection could be trusted" "$scratch/err"

begin_with
fetch good
check "a good file is kept" fetched
check "and is fetched in one" requested "all"
fetch offline && status=0 || status=1
check "a file that is there is used again, without a network" [ "$status" = 0 ]
printf 'spoilt' >"$(cat "$scratch/out")"
fetch good
check "a spoilt file is fetched again" fetched

begin_with "the w"
fetch good
check "a cut download goes on where it was cut" fetched
check "and what is there is not fetched again" requested "from 5"
begin_with
fetch cut
check "a connection that is cut again and again still brings the file" fetched
check "each time going on" requested "all" "from 2" "from 4" "from 6" "from 8"
begin_with
fetch silent && status=0 || status=1
check "a connection that brings nothing ends with an error" [ "$status" = 1 ]
begin_with "the wheel"
fetch good
check "a whole part is only checked" requested ""
begin_with "spoi"
fetch good
check "a spoilt part is fetched from its start" fetched
begin_with "longer than the wheel"
fetch good
check "a part that is too long is fetched from its start" fetched
begin_with "the w"
fetch whole
check "a server that knows no ranges sends it from its start" fetched

begin_with
fetch wrong && status=0 || status=1
check "a file with another sha256 is refused" [ "$status" = 1 ]
check "the refusal says why" grep -q "is not the file Kvasir was tested with" "$scratch/err"
check "a refused file is removed" is_empty_folder "$KVASIR_CACHE/downloads"

# Debian packages, with an apt that installs by noting a name, but none of `provided`, which another package stands for.
mkdir -p "$scratch/bin" "$scratch/installed"
cat >"$scratch/bin/dpkg-query" <<SH
#!/bin/sh
[ -e "$scratch/installed/\$3" ] && printf "installed\ninstalled\n"  # for two architectures
SH
cat >"$scratch/bin/apt-get" <<SH
#!/bin/sh
echo "\$*" >>"$scratch/asked"
case "\$*" in *install*) for name in real other; do case "\$*" in *\$name*) touch "$scratch/installed/\$name" ;; esac; done ;; esac
SH
printf '#!/bin/sh\nexec "$@"\n' >"$scratch/bin/sudo"
chmod +x "$scratch/bin/"*
install_listed() {
  printf 'build %s\n' "$@" >"$scratch/tree/cmake/debian-packages.txt"
  : >"$scratch/asked"
  PATH="$scratch/bin:$PATH" bash -c 'source "$1"; install_packages build' install "$scratch/tree/dev" >"$scratch/out" 2>"$scratch/err"
}
install_listed real other
check "missing packages are installed" grep -q "install .*real other" "$scratch/asked"
install_listed real other
check "packages that are there are not asked for again" [ ! -s "$scratch/asked" ]
install_listed real provided && status=0 || status=1
check "a name that is no package of its own is an error" [ "$status" = 1 ]
check "and is named" grep -q "names provided, which is no package of its own" "$scratch/err"

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
