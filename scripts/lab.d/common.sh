# What all parts of scripts/lab use: messages, the cache, what is to be cleaned up.

started=$SECONDS

say() { [[ -n $quiet ]] || printf 'lab: %3d s  %s\n' $((SECONDS - started)) "$*" >&2; }

fail() {
  local status=$1
  shift
  printf 'lab: error: %s\n' "$@" >&2
  exit "$status"
}

wrong_usage() { fail 64 "$1" "see scripts/lab --help"; }

one_of() {
  local option=$1 value=$2 allowed
  shift 2
  for allowed in "$@"; do [[ $value != "$allowed" ]] || return 0; done
  wrong_usage "$option takes one of: $*"
}

# Free space, in MiB, that a run and an empty cache need.
space_needed=300
space_needed_cold=1500

check_machine() {
  [[ $(uname -sm) == 'Linux x86_64' ]] || fail 69 "the lab needs Linux on x86-64"
  local tool missing=()
  for tool in apt-get apt-cache dpkg-deb flock patch gzip sha256sum tar xz; do
    command -v "$tool" >/dev/null || missing+=("$tool")
  done
  ((${#missing[@]} == 0)) || fail 69 "missing: ${missing[*]}" "the lab is made of Debian's packages, by Debian's tools"
}

open_cache() {
  cache=${LAPWING_LAB_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/lapwing/lab}
  mkdir -p "$cache/packages" 2>/dev/null || fail 69 "the cache $cache cannot be made; LAPWING_LAB_CACHE may name another"
  cache=$(cd "$cache" && pwd)
  local needed=$space_needed free
  compgen -G "$cache/base-*" >/dev/null || needed=$space_needed_cold
  free=$(df -Pm "$cache" | awk 'NR == 2 { print $4 }')
  ((free >= needed)) || fail 69 "$cache has $free MiB left on its disk, and $needed are needed"
  scratch=$(mktemp -d "$cache/run.XXXXXX") || fail 69 "nothing can be written in $cache"
  # Held for as long as this run, or its emulator, lives.
  exec 8>"$scratch/lock"
  flock 8
  remove_leftovers
  trap clean_up EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

# What runs that were killed have left: nobody holds the lock.
remove_leftovers() {
  local left
  while IFS= read -r left; do
    (! flock -n 7 || rm -rf "$left") 7>>"$left/lock" || true
  done < <(find "$cache" -maxdepth 1 -name 'run.*' -mmin +1)
}

emulator='' builder='' # process groups, while they run
runs_of_parts=()       # labs that run a part each, and clean up after themselves

clean_up() {
  local group lab
  for lab in "${runs_of_parts[@]}"; do kill -TERM "$lab" 2>/dev/null || true; done
  for lab in "${runs_of_parts[@]}"; do wait "$lab" 2>/dev/null || true; done
  for group in $emulator $builder; do
    kill -KILL -- "-$group" 2>/dev/null || true
    wait "$group" 2>/dev/null || true
  done
  [[ -z ${scratch:-} ]] || rm -rf "$scratch"
}

# Makes the entry $1 of the cache by running the rest in an empty folder, unless it is there. Nobody sees half an entry.
cached() {
  local entry=$cache/$1 log=$scratch/build.log
  shift
  [[ ! -d $entry ]] || return 0
  local new
  new=$(mktemp -d "$scratch/new.XXXXXX")
  # In the background, so that a signal ends it at once, with all that it started.
  set -m
  (set -e && cd "$new" && "$@") >"$log" 2>&1 9>&- &
  builder=$!
  set +m
  local status=0
  wait "$builder" || status=$?
  builder=''
  if ((status != 0)); then
    tail -n 25 "$log" >&2
    fail 69 "'$*' failed; its last words are above ($(df -Pm "$cache" | awk 'NR == 2 { print $4 }') MiB are free)"
  fi
  mkdir -p "$(dirname "$entry")"
  mv -T "$new" "$entry"
}

# A key for what these files and words make.
key() {
  local word
  for word in "$@"; do
    if [[ -f $word ]]; then cat "$word"; else printf '%s\0' "$word"; fi
  done | sha256sum | cut -c1-16
}
