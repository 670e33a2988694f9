# Gets the results off the disk of the emulated host: a block that says how long they are and what their SHA-256 is, then
# a tar archive with a folder for each run.

results_size=64M

fetch_results() {
  local header size sum
  header=$(head -c 512 "$scratch/results.img" | tr -d '\0')
  [[ $header =~ ^lapwing-lab\ 1\ ([0-9]{1,9})\ ([0-9a-f]{64})$ ]] || host_failed 70 "there are no results on its disk"
  size=${BASH_REMATCH[1]} sum=${BASH_REMATCH[2]}
  tail -c +513 "$scratch/results.img" | head -c "$size" >"$scratch/results.tar" || true
  [[ $(sha256sum <"$scratch/results.tar") == "$sum "* ]] || host_failed 70 "the results are damaged"
  mkdir "$scratch/results"
  tar -xf "$scratch/results.tar" -C "$scratch/results" --no-same-owner --touch || host_failed 70 "the results cannot be unpacked"
  keep_results
}

keep_results() {
  [[ -n $output ]] || return 0
  mkdir -p "$output" && cp -r "$scratch/results/." "$output/" || fail 69 "nothing can be written in $output"
  keep_console
}

keep_console() {
  [[ -n $output ]] || return 0
  mkdir -p "$output" && cp "$scratch/console" "$scratch/progress" "$output/" || true
}

# What the command wrote, as it wrote it, and its status.
show_results() {
  local run status=0 folder
  for run in $(runs); do
    folder=$scratch/results/$run
    [[ $(runs) == "$run" ]] || printf '=== %s\n' "$(title "$run")"
    cat "$folder/stdout"
    cat "$folder/stderr" >&2
    ((status != 0)) || status=$(<"$folder/status")
  done
  compare_results
  if [[ -n $baseline ]]; then
    compare_with_baseline "$scratch/results/$(runs)/files/report.json" "$status" && status=0 || status=$?
  fi
  say "posted-interrupt vectors outside of guests: $(notifications)"
  exit "$status"
}

title() {
  case $1 in
    ipiv-*) echo "IPI virtualization ${1#ipiv-}" ;;
    *) echo "APICv $1" ;;
  esac
}

# The suite with APICv, or IPI virtualization, and without, side by side. Its status is in theirs.
compare_results() {
  local on off
  read -r on off < <(runs)
  [[ ${command[1]:-} == test && -n $off && -s $scratch/results/$on/files/report.json &&
    -s $scratch/results/$off/files/report.json ]] || return 0
  printf '=== side by side\n'
  "$program" compare "$scratch/results/$on/files/report.json" "$scratch/results/$off/files/report.json" \
    --names "$(title "$on"),$(title "$off")" --all || true
}

# compare_with_baseline REPORT STATUS: what has changed since the baseline. What the suite found is what is compared; a suite
# that ended in another way has its own status.
compare_with_baseline() {
  (($2 <= 1)) || return "$2"
  [[ -s $1 ]] || fail 70 "the suite has written no report"
  printf '=== since the baseline\n'
  "$program" compare "$baseline" "$1" --names 'baseline,now'
}

# How the counts of the host's posted-interrupt vectors grew, by run.
notifications() {
  local run row
  for run in $(runs); do
    printf '%s:' "$run"
    for row in PIN PIW; do
      printf ' %s %s' "$row" $(($(row_sum "$row" "$run" after) - $(row_sum "$row" "$run" before)))
    done
    printf '; '
  done
}

row_sum() {
  awk -v row="$1:" '$1 == row { for (i = 2; $i ~ /^[0-9]+$/; i++) sum += $i } END { print sum + 0 }' \
    "$scratch/results/$2/interrupts-$3"
}
