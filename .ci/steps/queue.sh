# How steps are carried out: one after the other, or where one does not need what another does, two at the same time, since an
# emulated host uses one processor. Verdicts and what went wrong are kept in files, which both lanes write.

logs=$root/.build/ci
skipped=77
lanes=$(($(nproc) > 1 ? 2 : 1))
declare -a waiting=()

skip() {
  printf '\n!!! SKIPPED: %s\n\n' "$*"
  exit "$skipped"
}

open_queue() {
  mkdir -p "$logs/steps"
  rm -rf "$logs/claims" "$logs/summary" "$logs/failures"
  mkdir "$logs/claims"
  : >"$logs/summary" >"$logs/failures"
}

# step NAME COMMAND...: now, while what it says is shown.
step() {
  local name=$1 began=$SECONDS log status
  shift
  log=$(step_log "$name")
  printf '\n=== %s\n' "$name"
  # A subshell of its own, where errexit holds: `if "$@"` would switch it off.
  (
    set -e
    "$@"
  ) 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  conclude "$name" "$status" $((SECONDS - began)) "$log"
}

# later NAME COMMAND...: once run_waiting is called. The command's words have no blanks.
later() { waiting+=("$1"$'\t'"${*:2}"); }

# Carries out what waits, from both ends of the list at the same time. A step's output is shown when it has ended, so that those of two do
# not mix.
run_waiting() {
  local last=$((${#waiting[@]} - 1)) other=''
  if ((lanes > 1)); then
    run_lane $(seq "$last" -1 0) &
    other=$!
  fi
  run_lane $(seq 0 "$last")
  [[ -z $other ]] || wait "$other" || echo "the second lane ended early" >>"$logs/failures"
}

run_lane() {
  local number name words
  for number; do
    # Who makes the folder has the step.
    mkdir "$logs/claims/$number" 2>/dev/null || continue
    IFS=$'\t' read -r name words <<<"${waiting[number]}"
    # shellcheck disable=SC2086
    run_quietly "$name" $words
  done
}

run_quietly() {
  local name=$1 began=$SECONDS log status
  shift
  log=$(step_log "$name")
  printf '... %s\n' "$name"
  (
    set -e
    "$@"
  ) >"$log" 2>&1
  status=$?
  {
    flock 8
    printf '\n=== %s\n' "$name"
    cat "$log"
    conclude "$name" "$status" $((SECONDS - began)) "$log"
  } 8>"$logs/claims/output"
}

step_log() { echo "$logs/steps/${1//[^A-Za-z0-9]/-}.log"; }

# conclude NAME STATUS SECONDS LOG
conclude() {
  local verdict
  case $2 in
    0) verdict=ok ;;
    "$skipped") verdict=SKIPPED ;;
    *)
      verdict=FAILED
      # Beside the verdict, whatever came between, and once more at the end.
      {
        printf -- '\n--- %s: exit status %d; what went wrong in it:\n' "$1" "$2"
        grep -aE -A 2 '^FAILED|✘|error:' "$4" | cut -c1-300 | tail -n 40
      } | tee -a "$logs/failures"
      ;;
  esac
  printf -- '--- %s: %s, %d s\n' "$1" "$verdict" "$3"
  printf '%-8s %4d s  %s\n' "$verdict" "$3" "$1" >>"$logs/summary"
}

# Whether something failed.
has_failures() { [[ -s $logs/failures ]]; }
