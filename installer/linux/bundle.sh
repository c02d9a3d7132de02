#!/usr/bin/env bash
# Makes an installation self-contained: copies Qt's plug-ins, poppler's encoding tables and every library of Debian that they and
# the programs need, but for the C and C++ run time, with copyright files and a list of sources.
# usage: bundle.sh PREFIX QMAKE PROGRAM…
set -euo pipefail
prefix="$1" qmake="$2"
shift 2
libraries="$prefix/lib/kvasir" documents="$prefix/share/doc/kvasir"
plugins=(
  platforms/libqxcb.so platforms/libqwayland-generic.so platforms/libqoffscreen.so
  wayland-shell-integration/libxdg-shell.so wayland-decoration-client/libbradient.so
  platforminputcontexts/libcomposeplatforminputcontextplugin.so
  platforminputcontexts/libibusplatforminputcontextplugin.so
  platformthemes/libqxdgdesktopportal.so
  imageformats/libqsvg.so imageformats/libqjpeg.so imageformats/libqgif.so iconengines/libqsvgicon.so)
# The host's: glibc and, as they must be no older than what the host's own drivers want, GCC's libraries.
of_host='^(ld-linux-x86-64|lib(c|m|dl|rt|pthread|util|resolv|nsl|anl|stdc\+\+|gcc_s))\.so'

# What the program brings itself, wherever it was built.
of_program='^lib(torch_cpu|c10|gomp|cudart|cupti)\.so'

fail() { echo "bundle.sh: $*" >&2; exit 1; }

# Prints name and path of each library that the files need and that a Debian package brings.
needed_libraries() {
  local found
  found="$(for file in "$@"; do ldd "$file"; done)"
  if grep 'not found' <<<"$found" >&2; then fail "the libraries above are missing"; fi
  awk '$2 == "=>" && $3 ~ /^\/(usr\/)?lib/ { print $1, $3 }' <<<"$found" | sort -u
}

# The Debian package of a file: since /lib became a link to /usr/lib, its name may have either beginning.
package_of() {
  local path
  path="$(realpath "$1")"
  { dpkg -S "$path" 2>/dev/null || dpkg -S "${path#/usr}" 2>/dev/null; } | head -n 1 | cut -d: -f1
}

folder="$("$qmake" -query QT_INSTALL_PLUGINS)"
for plugin in "${plugins[@]}"; do
  [ -f "$folder/$plugin" ] || fail "$folder/$plugin is missing; ./dev package installs what is needed"
  install -D -m 644 "$folder/$plugin" "$libraries/plugins/$plugin"
done

packages=()
while read -r name path; do
  if [[ "$name" =~ $of_host || "$name" =~ $of_program ]]; then continue; fi
  package="$(package_of "$path")"
  [ -n "$package" ] || fail "no Debian package brings $path, so its licence is unknown"
  install -D -m 644 "$(realpath "$path")" "$libraries/$name"
  packages+=("$package")
done < <(needed_libraries "$@" "${plugins[@]/#/$folder/}")
mkdir -p "$prefix/share/kvasir"  # the archive installs its parts apart
cp -r --no-preserve=mode,ownership /usr/share/poppler "$prefix/share/kvasir/poppler"
packages+=(poppler-data)
for plugin in "${plugins[@]}"; do packages+=("$(package_of "$folder/$plugin")"); done
mapfile -t packages < <(printf '%s\n' "${packages[@]}" | sort -u)

for package in "${packages[@]}"; do
  install -D -m 644 "/usr/share/doc/$package/copyright" "$documents/licences/debian/$package"
done
for licence in Artistic BSD GFDL-1.2 GFDL-1.3 GPL-1 GPL-2 GPL-3 LGPL-2 LGPL-2.1 LGPL-3 MPL-1.1 MPL-2.0; do
  install -D -m 644 "/usr/share/common-licenses/$licence" "$documents/licences/common/$licence"
done
{
  cat <<'TEXT'
The libraries in lib/kvasir but for LibTorch's (libtorch_cpu, libc10, libgomp) and the stand-ins of Kvasir's own sources (libcudart,
libcupti) are those of Debian 12, unchanged. Their licences are in licences/debian, by package; the texts these name as
/usr/share/common-licenses are in licences/common. All are linked dynamically: put your own build of a library in place of the file.

Each source package below can be had from https://snapshot.debian.org/package/NAME/VERSION/ or, on Debian 12 with deb-src lines,
by `apt-get source NAME=VERSION`. Whoever passes this archive on passes on these sources as well, or an offer of them,
as the GNU licences ask.

TEXT
  dpkg-query -W -f '${source:Package} ${source:Version}\n' "${packages[@]}" | sort -u
} >"$documents/SOURCES.txt"
