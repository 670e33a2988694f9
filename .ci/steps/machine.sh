# The machine that all is checked on: what it is, and what it lacks.

has_kvm() { [[ -c /dev/kvm && -r /dev/kvm && -w /dev/kvm ]]; }

show_machine() {
  uname -srm
  echo "cores: $(nproc), memory: $(awk '/MemTotal/ { print int($2 / 1024) }' /proc/meminfo) MiB"
  if has_kvm; then
    ls -l /dev/kvm
    lsmod 2>/dev/null | grep '^kvm' || ls -d /sys/module/kvm* 2>/dev/null || true
  else
    printf '\n!!! THERE IS NO USABLE /dev/kvm: NO GUEST RUNS, AND TESTS THAT NEED ONE ARE SKIPPED\n\n'
  fi
  swift --version
}

# Without gdb the tests that need it say that they are skipped; without the headers nothing is built.
install_packages() {
  local packages=()
  [[ -e /usr/include/linux/kvm.h ]] || packages+=(linux-libc-dev)
  command -v gdb >/dev/null || packages+=(gdb)
  command -v qemu-system-x86_64 >/dev/null || packages+=(qemu-system-x86)
  ((${#packages[@]} > 0)) || { echo "linux/kvm.h, gdb and QEMU are there"; return; }
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  apt-get install -q -y --no-install-recommends "${packages[@]}"
}
