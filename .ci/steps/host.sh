# What the program does on this machine's own KVM.

check_program() {
  "$program" --version
  "$program" list
  local status=0
  "$program" doctor || status=$?
  has_kvm || ((status == 69))
  # Static, as the README says.
  [[ $(ldd "$program" 2>&1 || true) == *'not a dynamic executable'* ]]
}

run_first_command() {
  local command status=0
  command=$(readme_command 'swift run lapwing')
  command="$program ${command#swift run lapwing }"
  echo "$command"
  timeout 60 bash -c "$command" || status=$?
  has_kvm && return "$status"
  ((status == 69)) || { echo "without /dev/kvm it should end with status 69, not $status" >&2; return 1; }
  skip "the README's first command ran no guest: there is no usable /dev/kvm"
}

# Every case on this host's KVM; what it cannot run is skipped with the host's reason and counted.
run_suite() {
  has_kvm || skip "the interrupt suite ran no guest: there is no usable /dev/kvm"
  timeout 600 "$program" test --jobs 2 "$@"
}

# A minute each, from a fixed seed and from a fresh one, which is printed.
explore_here() {
  has_kvm || skip "nothing was explored: there is no usable /dev/kvm"
  PATH=$root/.build/release:$PATH RESULTS=$logs timeout 300 .ci/explore 60s
}

# Guests that try all kinds of things on the machine, from a fresh seed, which is printed.
attack_machine() {
  has_kvm || skip "no hostile guest ran: there is no usable /dev/kvm"
  timeout 120 .build/debug/hostile-guests --for 30
}

# An image as a file, which no command of lapwing writes.
write_image() {
  swift build -c release --product floor
  .build/release/floor image multiboot-hello >"$logs/multiboot-hello.flat"
}

tour_here() {
  write_image
  has_kvm || skip "the tour ran no guest: there is no usable /dev/kvm"
  mkdir -p "$logs/tour"
  cd "$logs"
  PATH=$root/.build/release:$PATH RESULTS=$logs/tour timeout 300 "$root/.ci/tour"
}

check_commands() {
  has_kvm || skip "the commands of the documents ran no guest: there is no usable /dev/kvm"
  scripts/check-commands "$program"
}

# LAVA's schema is Debian's alone; without it the check says that it is skipped.
check_fleets() {
  /usr/bin/python3 -c 'import lava_common' 2>/dev/null || [[ $(id -u) != 0 ]] ||
    { apt-get update -q && apt-get install -q -y --no-install-recommends lava-common; } || true
  [[ -x /usr/bin/python3 ]] || skip "the files for fleets were not checked: there is no /usr/bin/python3"
  scripts/check-fleets "$program"
}

# Healthy guests at random moments, and what the real QEMU saves and prints.
check_states() {
  local status=0
  scripts/check-healthy "$program" 100 || return
  scripts/check-qemu "$program" || status=$?
  ((status != skipped)) || skip "QEMU's streams are not read: there is no qemu-system-x86_64"
  return "$status"
}
