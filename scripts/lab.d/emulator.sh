# Runs the emulator, and watches it: it must show signs of life, and end.

# The time-stamp counter of Bochs counts instructions; the kernel must know how many make a second, for it cannot measure.
instructions_per_second=200000000

kernel_line() {
  # Without tsc=reliable the kernel holds the TSC of an emulator for unstable, and KVM lets those of vCPUs drift apart. On a busy
  # machine its timer may not tick in time for the kernel's check, which then panics.
  local line="console=ttyS0,115200 nokaslr mitigations=off nowatchdog random.trust_cpu=on panic=0 tsc=reliable no_timer_check quiet"
  [[ $host == svm ]] ||
    line+=" hpet=disable tsc_early_khz=$((instructions_per_second / 1000)) idle=halt"
  [[ $host == svm || $apicv == both ]] || kvm_is_module || line+=" kvm_intel.enable_apicv=$([[ $apicv == on ]] && echo 1 || echo 0)"
  [[ $host == svm || $ipiv == both ]] || kvm_is_module || line+=" kvm_intel.enable_ipiv=$([[ $ipiv == on ]] && echo 1 || echo 0)"
  echo "$line"
}

# How long nothing may be heard of the emulated host: seconds of the emulator's own processor time, which a busy machine
# does not stretch, and seconds on the clock, fewer where it uses no processor: a host that waits says every 5 seconds that it lives.
silence_limit=90
silence_limit_clock=400
silence_limit_idle=60

write_bochs_settings() {
  cat <<END
megs: 768
romimage: file=$(package bochsbios)/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=$(package vgabios)/usr/share/vgabios/vgabios.bin
cpu: model=corei7_skylake_x, count=1:$cpus:1, ips=$instructions_per_second, quantum=16, reset_on_triple_fault=0, ignore_bad_msrs=1
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=disk, path=$scratch/results.img, mode=flat
ata1: enabled=1, ioaddr1=0x170, ioaddr2=0x370, irq=15
ata1-master: type=cdrom, path=$scratch/lab.iso, status=inserted
boot: cdrom
clock: sync=none, time0=utc
com1: enabled=1, mode=file, dev=$scratch/console
com2: enabled=1, mode=file, dev=$scratch/progress
display_library: nogui
pci: enabled=1, chipset=i440fx
log: $scratch/emulator.log
panic: action=fatal
error: action=report
info: action=ignore
debug: action=ignore
END
}

# In a process group of its own, which can be ended as a whole.
start_emulator() {
  set -m
  case $host in
    vtx)
      write_bochs_settings >"$scratch/bochsrc"
      BXSHARE=$cache "$cache/$(bochs_entry)/bochs" -q -f "$scratch/bochsrc" >"$scratch/emulator.out" 2>&1 &
      ;;
    svm)
      qemu-system-x86_64 -machine pc,accel=tcg -cpu max,+svm -smp "$cpus" -m 768 -nodefaults -no-reboot -display none \
        -kernel "$(kernel_image)" -initrd "$scratch/initrd" -append "$(kernel_line)" \
        -serial "file:$scratch/console" -serial "file:$scratch/progress" \
        -drive "file=$scratch/results.img,format=raw,if=ide" >"$scratch/emulator.out" 2>&1 &
      ;;
  esac
  emulator=$!
  set +m
}

run_emulator() {
  : >"$scratch/console" >"$scratch/progress"
  say "starting the emulated host"
  start_emulator
  local heard=0 heard_at=$SECONDS heard_used=0 begun=$SECONDS size used silence
  while kill -0 "$emulator" 2>/dev/null; do
    sleep 0.2
    show_progress
    size=$(cat "$scratch/console" "$scratch/progress" | wc -c)
    ((size == heard)) || { heard=$size heard_at=$SECONDS heard_used=$(processor_seconds); }
    ! last_word done || { end_of_emulator && return; }
    ! last_word error || host_failed 70 "the emulated host gave up: $(sed -n 's/^error //p' "$scratch/progress" | head -n 1)"
    ! grep -aqE 'Kernel panic|BUG: |Oops: |general protection fault' "$scratch/console" ||
      host_failed 70 "the kernel of the emulated host crashed"
    ((SECONDS - begun < time_limit)) || host_failed 124 "it took longer than $time_limit s; --timeout allows more"
    used=$(($(processor_seconds) - heard_used)) silence=$((SECONDS - heard_at))
    ((used < silence_limit && silence < silence_limit_clock && (used > 1 || silence < silence_limit_idle))) ||
      host_failed 70 "the emulated host hangs: nothing was heard of it for $silence s, in which it used $used s of a processor"
  done
  wait "$emulator" || true
  emulator=''
  show_progress
  last_word done || host_failed 70 "the emulator ended before the emulated host was done"
}

# It is done, and is switching itself off.
end_of_emulator() {
  local tries
  for tries in {1..50}; do
    kill -0 "$emulator" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL -- "-$emulator" 2>/dev/null || true
  wait "$emulator" 2>/dev/null || true
  emulator=''
}

# A guest may have put anything into what the command said.
last_word() { [[ $(tail -n 1 "$scratch/progress" | tr -d '\r\0') == "$1"* ]]; }

# What the emulator has used so far, in whole seconds (proc(5), utime and stime).
processor_seconds() {
  local stat
  stat=$(cat "/proc/$emulator/stat" 2>/dev/null) || stat=''
  stat=${stat##*) }
  # shellcheck disable=SC2086 # fields
  set -- $stat
  echo $(((${12:-0} + ${13:-0}) / $(getconf CLK_TCK)))
}

shown=0 shown_at=0

# New phases at once, what the command says now and then.
show_progress() {
  local line lines said=''
  mapfile -t lines < <(tail -n +$((shown + 1)) "$scratch/progress" | tr -d '\r\0')
  shown=$(wc -l <"$scratch/progress")
  for line in "${lines[@]}"; do
    case $line in
      phase*) say "${line#phase }" && shown_at=$SECONDS ;;
      out\ * | err\ *) said=${line#??? } ;;
    esac
  done
  [[ -n $said ]] && ((SECONDS - shown_at >= 10)) || return 0
  shown_at=$SECONDS
  say "line $(grep -c '^\(out\|err\) ' "$scratch/progress"): ${said:0:100}"
}

host_failed() {
  local status=$1
  shift
  {
    echo "lab: the console's last words:"
    tail -n 20 "$scratch/console" | tr -d '\r'
    tail -n 5 "$scratch/emulator.out"
    [[ ! -s $scratch/emulator.log ]] || grep -aE 'PANIC|ERROR' "$scratch/emulator.log" | tail -n 5
    echo "lab: what the command said of failures, and the last words of it and of the first process:"
    grep -a '^out FAILED' "$scratch/progress" | cut -c1-200 | head -n 20
    tail -n 10 "$scratch/progress" | tr -d '\r'
  } >&2 || true
  keep_console
  fail "$status" "$@"
}
