# What the program does on emulated hosts.

# run_lab NAME HOST [argument of scripts/lab...], the name being that of its results. The emulated hosts run guests
# wherever this runs, so there is no excuse not to: a run in which no guest ran fails. An emulator that hangs or ends is
# tried once more, and says so; what the suite finds is not. There is one emulator a lane.
run_lab() {
  local host=$2 folder=$logs/lab-$1 status=0
  shift 2
  rm -rf "$folder" "$folder-first"
  scripts/lab "$host" --program "$program" --output "$folder" --timeout 2000 --emulators 1 "$@" || status=$?
  if ((status == 70 || status == 124)); then
    printf '\n!!! THE EMULATED HOST FAILED (STATUS %d, SEE ABOVE) AND IS TRIED ONCE MORE\n\n' "$status"
    [[ ! -d $folder ]] || mv "$folder" "$folder-first"
    status=0
    scripts/lab "$host" --program "$program" --output "$folder" --timeout 2000 --emulators 1 "$@" || status=$?
  fi
  ((status == 0)) || return "$status"
  find "$folder" -name parameters -exec head -n 50 {} +
  find "$folder" -name interrupts-after -exec grep -HE '^ *(PIN|PIW):' {} + || true
}

# IPIs that processors send themselves, which an emulated processor alone has so far. All of them skipped would prove nothing.
virtualize_ipis() {
  run_lab ipiv vtx --ipiv on -- test --timeout 60s ipiv. ipi.
  grep -rqE --include=stdout '^ok +ipiv.running' "$logs/lab-ipiv" || { echo "no IPI was virtualized" >&2 && return 1; }
}

# Cases that demand posted interrupts, whose vCPU is held out of the guest at the stimulus: none may count as posted. All of
# them skipped would prove nothing.
sabotage_path() {
  run_lab path vtx -- test --sabotage=path --timeout 60s apicv.posted ipi.running msi.running msi.irqfd msi.burst
  grep -rqE --include=stdout ': [1-9][0-9]* passed' "$logs/lab-path" || {
    echo "no case was sabotaged" >&2
    return 1
  }
}

# check_healthy_in HOST COUNT [explore LENGTH]: the same in a lab, where KVM tells other things of a vCPU; random histories first, where
# they are wanted.
check_healthy_in() {
  local host=$1 count=$2
  shift 2
  run_lab "healthy-$host" "$host" --file .ci/explore --file scripts/check-healthy -- "$@" ./check-healthy lapwing "$count"
}

# Debian's kernel as the lab keeps it, unpacked.
lab_kernel=${LAPWING_LAB_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/lapwing/lab}/packages/linux-image-6.1

# The suite; then a kernel that is a file, its modules beside it, against what the suite came to: Debian's kernel that the lab has, with
# itself.
check_svm() {
  local status=0 reports
  run_lab svm svm || status=$?
  mapfile -t reports < <(find "$logs/lab-svm" -name report.json)
  ((${#reports[@]} == 1)) || { echo "the suite left ${#reports[@]} reports" >&2 && return 1; }
  run_lab kernel svm --kernel "$(echo "$lab_kernel"/boot/vmlinuz-*)" --modules "$lab_kernel/lib/modules" \
    --baseline "${reports[0]}" -- test --timeout 60s ipi.self. timer.one-shot
  return "$status"
}

# linux_guest HOPS HOST [argument of scripts/lab...]: a Debian kernel as a guest, whose first program counts its own interrupts; then saved
# and restored on its way. The kernel and its modules are those that the lab itself has.
linux_guest() {
  local hops=$1 host=$2 folder=$logs/linux-$2 name
  shift 2
  scripts/lab "$host" --prepare
  rm -rf "$folder"
  mkdir -p "$folder/modules"
  clang -O2 -static -Wall -Wextra -Werror -o "$folder/init" Tests/LinuxInit/init.c
  cp "$(echo "$lab_kernel"/boot/vmlinuz-*)" "$folder/vmlinuz"
  for name in virtio virtio_ring virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio-rng virtio_blk; do
    find "$lab_kernel" -name "$name.ko" -exec cp -t "$folder/modules" {} +
  done
  run_lab "linux-guest-$host" "$host" "$@" --file "$folder/vmlinuz" --file "$folder/init" --file "$folder/modules" --file .ci/linux \
    -- ./linux "$hops"
}

# One lapwing watches another: what it counts is what the other counts. On the VT-x host behind random histories, since it has APICv on
# and off here.
watch_lab() { run_lab "$@" --file .ci/watch -- ./watch; }
explore_and_watch_lab() { run_lab "$@" --file .ci/explore --file .ci/watch -- ./explore 8s ./watch; }

# Interrupts from outside and a debugger, where a vCPU need not leave the guest for an interrupt.
check_outside() {
  local file=$logs/spin.flat
  # A Multiboot image whose header has its addresses: it enables its xAPIC and interrupts and jumps to itself; its handler of
  # vector 0x40 writes 0 to the debug exit (Tests/TestImages/InterruptingGuest.swift has the instructions). It uses its stack once
  # before, so that the delivery meets no page that the host has not mapped yet.
  printf '\x02\xb0\xad\x1b\x00\x00\x01\x00\xfe\x4f\x51\xe4\x00\x00\x10\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00' >"$file"
  printf '\x20\x00\x10\x00\xbc\x00\x80\x00\x00\x0f\x01\x15\x94\x00\x10\x00\xea\x33\x00\x10\x00\x08\x00\xb8\x7d\x00\x10\x00' >>"$file"
  printf '\x89\xc2\x25\xff\xff\x00\x00\x0d\x00\x00\x08\x00\x3e\xa3\x00\x92\x00\x00\x81\xe2\x00\x00\xff\xff\x81\xca\x00\x8e' >>"$file"
  printf '\x00\x00\x3e\x89\x15\x04\x92\x00\x00\x0f\x01\x1d\x8e\x00\x10\x00\x3e\xc7\x05\xf0\x00\xe0\xfe\xff\x01\x00\x00\xfb' >>"$file"
  printf '\x50\x58\x90\x90\x90\x90\x90\x90\x90\x90\x90\xeb\xfe\x3e\xc7\x05\xb0\x00\xe0\xfe\x00\x00\x00\x00\xb0\x00\xe6\xf4' >>"$file"
  printf '\xeb\xfe\xff\x07\x00\x90\x00\x00\x0f\x00\x9a\x00\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x00\x00\x00\x9b' >>"$file"
  printf '\xcf\x00' >>"$file"
  run_lab outside vtx --file .ci/outside --file "$file" -- ./outside
}
