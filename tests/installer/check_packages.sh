#!/usr/bin/env bash
# Installs the packages that ./dev package made, each in a clean Debian 12 of its own, and uses them there without a network: asks
# the sample document on the command line, and in the window, offscreen and on an X server, whose picture is kept to be
# looked at. Of the folder PACKAGES it takes what is there. usage, as root: check_packages.sh [PACKAGES [RESULTS]]
#
# Roots are entered in mount, process and network namespaces of their own. Nothing of this machine is mounted in them: their
# devices are nodes made by mmdebstrap, their /proc shows only what runs in them.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
packages="$(realpath "${1:-$here/../../build/release/packages}")"
results="${2:-$packages/check}"
roots="${KVASIR_ROOTS:-/var/tmp/kvasir-roots}"
sample="$here/../../resources/sample/sample.json"
mkdir -p "$results" "$roots"

say() { printf '%s\n' "$*" >&2; }
fail() { say "check_packages: $*"; exit 1; }
[ "$(id -u)" = 0 ] || fail "only root can make and enter the roots"
command -v mmdebstrap >/dev/null || fail "mmdebstrap is missing: apt-get install --no-install-recommends mmdebstrap"
value() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$sample" "$1"; }
question="$(value question)"

# The last use of this root is over and nothing is mounted in it, or nothing is removed.
remove_root() {
  [ -d "$1" ] || return 0
  if grep -F " $1" /proc/mounts >&2; then fail "something is mounted in $1"; fi
  rm -rf --one-file-system "$1"
}

# A Debian 12 of essential packages and apt, with a user.
make_root() {
  local root="$1"
  if [ ! -f "$roots/base.tar" ]; then
    mmdebstrap --variant=minbase --mode=root --format=tar bookworm "$roots/base.tar.part" >&2
    mv "$roots/base.tar.part" "$roots/base.tar"
  fi
  remove_root "$root"
  mkdir -p "$root"
  tar -xpf "$roots/base.tar" -C "$root" --numeric-owner
  [ -c "$root/dev/null" ] || fail "$root has no devices"
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  in_root "$root" useradd --create-home --shell /bin/bash reader
}

# enter OPTIONS ROOT USER COMMAND…
enter() {
  local options="$1" root="$2" user="$3"
  shift 3
  # shellcheck disable=SC2086
  unshare --mount --pid --fork --kill-child $options --mount-proc="$root/proc" \
    chroot --userspec="$user" "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    HOME="$([ "$user" = root ] && echo /root || echo /home/reader)" DEBIAN_FRONTEND=noninteractive "$@"
}
in_root() { enter "" "$1" root "${@:2}"; }
offline() { enter --net "$1" reader "${@:2}"; }

install_in() {
  in_root "$1" apt-get -q update >"$results/apt.log" 2>&1 && in_root "$1" apt-get -q install -y "${@:2}" >>"$results/apt.log" 2>&1 ||
    { tail -n 20 "$results/apt.log" >&2; fail "apt-get install ${*:2}"; }
}

# ask NAME ROOT CLI SAMPLE: the answer and the page are those of the sample.
ask() {
  say "$1: kvasir-cli ask, without a network"
  offline "$2" "$3" ask "$4" "$question" --library /home/reader/window/library --json >"$results/$1-ask.json" 2>"$results/$1-ask.log" ||
    { cat "$results/$1-ask.log" >&2; fail "$1: kvasir-cli ask failed"; }
  python3 - "$results/$1-ask.json" "$sample" <<'PY' || fail "$1: not the sample's answer, see $results/$1-ask.json"
import json, sys
found, sample = (json.load(open(name)) for name in sys.argv[1:])
print("  answer:", found["answer"][:100], file=sys.stderr)
for row in found["evidence"][:2]:
    print("  evidence:", row["first_page"], row["section"], round(row["score"], 3), file=sys.stderr)
assert sample["answer"].split()[0] in found["answer"], "another answer"
assert any(sample["answer"].split()[0] in row["text"] for row in found["evidence"]), "no evidence for it"
PY
}

# window NAME ROOT PROGRAM SAMPLE: opens what was read, answers offscreen, closes at SIGTERM.
window() {
  say "$1: kvasir offscreen, without a network"
  offline "$2" bash -c '
    export QT_QPA_PLATFORM=offscreen
    "$1" --data-dir ~/window --ask "$2" "$3" & program=$!
    for ((second = 0; second < 900; ++second)); do
      if grep -qaF "$4" ~/window/library/conversations.sqlite* 2>/dev/null; then answered=1; break; fi
      kill -0 $program || { echo "it ended by itself"; exit 1; }
      sleep 1
    done
    kill -TERM $program
    wait $program || { echo "it did not close: $?"; exit 1; }
    [ "${answered:-}" = 1 ] || { echo "no answer in $second s"; exit 1; }
    echo "answered and closed"' window "$3" "$question" "$4" "$(value answer | cut -d" " -f1)" >"$results/$1-window.log" 2>&1 ||
    { cat "$results/$1-window.log" >&2; fail "$1: kvasir offscreen failed"; }
  say "  $(tail -n 1 "$results/$1-window.log")"
}

# picture NAME ROOT PROGRAM SAMPLE: the same window on an X server, where it finds again what was asked.
picture() {
  say "$1: kvasir under Xvfb"
  offline "$2" bash -c '
    mkdir -p ~/screen
    Xvfb :7 -screen 0 1600x1000x24 -fbdir ~/screen >/dev/null 2>&1 & server=$!
    for ((tenth = 0; tenth < 100; ++tenth)); do [ -S /tmp/.X11-unix/X7 ] && break; sleep 0.1; done
    DISPLAY=:7 QT_QPA_PLATFORM=xcb "$1" --data-dir ~/window "$2" & program=$!
    before=none after=
    for ((second = 0; second < 90; ++second)); do  # until the picture stands still
      sleep 3
      after="$(cksum <~/screen/Xvfb_screen0)"
      kill -0 $program || { echo "it ended by itself"; exit 1; }
      [ "$second" -gt 3 ] && [ "$before" = "$after" ] && break
      before="$after"
    done
    cp ~/screen/Xvfb_screen0 ~/picture.xwd
    kill -TERM $program
    wait $program || { echo "it did not close: $?"; exit 1; }
    kill $server' picture "$3" "$4" >"$results/$1-picture.log" 2>&1 ||
    { cat "$results/$1-picture.log" >&2; fail "$1: kvasir under Xvfb failed"; }
  python3 "$here/xwd_to_png.py" "$2/home/reader/picture.xwd" "$results/$1.png" || fail "$1: the screen is empty"
  say "  look at $results/$1.png"
}

check_deb() {
  local root="$roots/deb"
  make_root "$root"
  cp "$packages"/kvasir_*.deb "$root/tmp/kvasir.deb"
  say "deb: apt-get install, with what it depends on and recommends"
  install_in "$root" /tmp/kvasir.deb
  ask deb "$root" kvasir-cli /usr/share/kvasir/sample/opm_report_2014.pdf
  window deb "$root" kvasir /usr/share/kvasir/sample/opm_report_2014.pdf
  install_in "$root" xvfb
  picture deb "$root" kvasir /usr/share/kvasir/sample/opm_report_2014.pdf
  say "deb: apt-get purge"
  in_root "$root" apt-get -q purge -y kvasir >>"$results/apt.log" 2>&1
  [ ! -e "$root/usr/lib/kvasir" ] && [ ! -e "$root/usr/share/kvasir" ] || fail "deb: purging leaves files"
  remove_root "$root"
}

# Every library is the archive's own but for those of glibc and GCC.
check_libraries() {
  local found strangers
  found="$(offline "$1" bash -c 'cd "$1" && { ldd -r bin/kvasir bin/kvasir-cli
    LD_LIBRARY_PATH="$PWD/lib/kvasir" ldd lib/kvasir/*.so* lib/kvasir/plugins/*/*.so; } 2>&1' libraries "$2")"
  grep -q "libQt6XcbQpa.so.6 => $2" <<<"$found" || fail "tar: ldd says nothing of Qt"
  strangers="$(grep -E 'not found|undefined symbol|=> /(usr/)?lib' <<<"$found" |
    grep -vE '^\s*lib(c|m|dl|rt|pthread|util|resolv|stdc\+\+|gcc_s)\.so' | sort -u)" || true
  [ -z "$strangers" ] || fail "tar: these come from elsewhere, or from nowhere:
$strangers"
}

check_tar() {
  local root="$roots/tar" name
  make_root "$root"
  say "tar: unpacked in a home folder"
  tar -xf "$packages"/kvasir-*.tar.xz -C "$root/home/reader" --no-same-owner
  name="$(basename "$packages"/kvasir-*.tar.xz .tar.xz)"
  check_libraries "$root" "/home/reader/$name"
  ask tar "$root" "/home/reader/$name/bin/kvasir-cli" "/home/reader/$name/share/kvasir/sample/opm_report_2014.pdf"
  mv "$root/home/reader/$name" "$root/home/reader/moved elsewhere"
  local moved="/home/reader/moved elsewhere"
  window tar "$root" "$moved/bin/kvasir" "$moved/share/kvasir/sample/opm_report_2014.pdf"
  # What a desktop has: an X server and fonts.
  install_in "$root" --no-install-recommends xvfb fonts-dejavu-core fontconfig-config
  picture tar "$root" "$moved/bin/kvasir" "$moved/share/kvasir/sample/opm_report_2014.pdf"
  remove_root "$root"
}

checked=()
if compgen -G "$packages/kvasir_*.deb" >/dev/null; then check_deb; checked+=(deb); fi
if compgen -G "$packages/kvasir-*.tar.xz" >/dev/null; then check_tar; checked+=(tar); fi
[ ${#checked[@]} -gt 0 ] || fail "$packages holds no package; ./dev package makes them"
say "Installed and used: ${checked[*]}"
