# Debian's packages, fetched by apt and unpacked into the cache: nothing of them is installed, and the machine's own
# package lists stay as they are. What builds Bochs, and QEMU, must be installed.

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

prepare_packages() {
  if [[ $host == vtx ]]; then
    bochs_is_built || need_installed g++:g++ make:make
    need_unpacked bochsbios vgabios isolinux syslinux-common genisoimage libmagic1
  else
    need_installed qemu-system-x86_64:qemu-system-x86
  fi
  need_unpacked busybox-static
  [[ -n $kernel_file ]] || need_unpacked "linux-image-$kernel"
}

package() { echo "$cache/packages/$1"; }

# Each COMMAND:PACKAGE, installed where this is root.
need_installed() {
  local pair missing=()
  for pair in "$@"; do command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}"); done
  ((${#missing[@]} > 0)) || return 0
  local line="apt-get install --no-install-recommends ${missing[*]}"
  ((EUID == 0)) || fail 69 "missing: ${missing[*]}" "as root: $line"
  say "installing ${missing[*]}"
  if ! { apt-get update -q && DEBIAN_FRONTEND=noninteractive $line -q -y; } >"$scratch/install.log" 2>&1; then
    tail -n 15 "$scratch/install.log" >&2
    fail 69 "'$line' failed; its last words are above"
  fi
}

need_unpacked() {
  local name
  for name in "$@"; do
    [[ ! -d $(package "$name") ]] || continue
    update_lists
    say "fetching $name"
    cached "packages/$name" unpack "$name"
  done
}

unpack() {
  local name
  name=$(real_name "$1")
  private_apt download "$name"
  dpkg-deb -x ./*.deb .
  rm ./*.deb
}

# The kernel has its release in its name; the package without it says which is the newest.
real_name() {
  case $1 in
    linux-image-*) kernel_package "${1#linux-image-}" ;;
    *) echo "$1" ;;
  esac
}

private_options() {
  printf -- '-o\n%s\n' "Dir::Etc::SourceList=$cache/apt/sources.list" Dir::Etc::SourceParts=- \
    "Dir::State::Lists=$cache/apt/lists" "Dir::Cache=$cache/apt/cache" APT::Sandbox::User= \
    Acquire::Retries=3 APT::Get::List-Cleanup=false
}

private_apt() { mapfile -t options < <(private_options) && apt-get -q "${options[@]}" "$@"; }
private_apt_cache() { mapfile -t options < <(private_options) && apt-cache "${options[@]}" "$@"; }

# private_indexes SUITE: the package list of a suite.
private_indexes() {
  private_apt indextargets 'Created-By: Packages' "Release: $1" --format '$(FILENAME)' |
    while IFS= read -r file; do /usr/lib/apt/apt-helper cat-file "$file"; done
}

# The mirror that this machine itself uses for Debian, and Debian's own where it uses none.
mirror() {
  local found
  found=$(apt-get indextargets --no-release-info 'Created-By: Packages' --format '$(REPO_URI)' 2>/dev/null |
    grep -m 1 -E '/debian/?$' || true)
  echo "${LAPWING_LAB_MIRROR:-${found:-http://deb.debian.org/debian}}"
}

update_lists() {
  [[ -z ${lists_are_new:-} ]] || return 0
  [[ -r $keyring ]] || fail 69 "$keyring is missing" "as root: apt-get install debian-archive-keyring"
  local from
  from=$(mirror)
  say "reading Debian's package lists from $from"
  mkdir -p "$cache/apt/lists/partial" "$cache/apt/cache/archives/partial"
  printf "%s [signed-by=$keyring] $from %s main\n" deb-src trixie \
    $(printf 'deb %s ' $(suites_of "$kernel")) >"$cache/apt/sources.list"
  if ! private_apt update >"$scratch/update.log" 2>&1 || grep -q '^[EW]: Failed to fetch' "$scratch/update.log"; then
    tail -n 15 "$scratch/update.log" >&2
    fail 69 "the package lists cannot be read from $from; LAPWING_LAB_MIRROR may name another"
  fi
  lists_are_new=1
}
