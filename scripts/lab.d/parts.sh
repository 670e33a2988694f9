# The suite in parts, each in an emulator of its own: an emulator uses one processor, whatever it emulates.

# Only the suite can be run in parts, and only where nobody has chosen one.
choose_emulators() {
  local word most=2
  [[ -z $emulators ]] || most=$emulators
  emulators=1
  [[ ${command[0]} == test ]] || return 0
  for word in "${command[@]:1}"; do
    case $word in --shard* | --list | --compare* | --format* | --output* | -o* | --help | -h) return 0 ;; esac
  done
  emulators=$(($(nproc) < most ? $(nproc) : most))
}

run_in_parts() {
  local number options=(--cpus "$cpus" --kernel "$kernel" --program "$program" --timeout "$time_limit" --emulators 1) file
  [[ $host == svm ]] || options+=(--apicv "$apicv" --ipiv "$ipiv")
  [[ -z $quiet ]] || options+=(--quiet)
  [[ -z $modules_given ]] || options+=(--modules "$modules_given")
  for file in "${files[@]}"; do options+=(--file "$file"); done
  for ((number = 1; number <= emulators; number++)); do
    "$here/lab" "$host" "${options[@]}" --output "$scratch/part-$number" -- "${command[@]}" --shard "$number/$emulators" \
      >"$scratch/out-$number" 2> >(sed -u "s/^lab:/lab, part $number:/" >&2) &
    runs_of_parts+=($!)
  done
  show_parts
}

show_parts() {
  local number status=0 one
  for ((number = 1; number <= emulators; number++)); do
    one=0
    wait "${runs_of_parts[number - 1]}" || one=$?
    ((status != 0)) || status=$one
    printf '=== part %d of %d\n' "$number" "$emulators"
    cat "$scratch/out-$number"
    [[ -z $output ]] || { mkdir -p "$output" && cp -r "$scratch/part-$number" "$output/"; } ||
      fail 69 "nothing can be written in $output"
  done
  runs_of_parts=()
  awk '{ sub(/^sabotage, [^:]*: /, "") }
    /^[0-9]+ passed, .* of [0-9]+ cases?[, ]/ { passed += $1; failed += $3; skipped += $5 }
    END { printf "=== in all: %d passed, %d failed, %d skipped\n", passed, failed, skipped }' "$scratch"/out-*
  if [[ -n $baseline ]]; then
    "$program" report merge "$scratch"/part-*/"$(runs)"/files/report.json --format json --output "$scratch/report.json" >/dev/null ||
      (($? == 1)) || fail 70 "the reports of the parts cannot be merged"
    compare_with_baseline "$scratch/report.json" "$status" && status=0 || status=$?
  fi
  say "the results are there"
  exit "$status"
}
