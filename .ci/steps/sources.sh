# What is checked of the sources: their form, that they build without warnings, their tests, and packages that are made of them.

check_format() {
  local folders=()
  for folder in Sources Tests Guests Plugins Benchmarks; do
    [[ -d $folder ]] && folders+=("$folder")
  done
  swift format lint --strict --parallel -r "${folders[@]}" Package.swift
}

check_documented_guest() {
  diff <(scripts/document-file Guests/hello.swift docs/writing-guests.md) Guests/hello.swift
}

# Builds, and takes a warning for a failure. Only what is compiled now can warn; a fresh clone compiles all.
build() {
  local log=$logs/build-$1.log
  swift build -c "$@" 2>&1 | tee "$log"
  if grep -nE '(warning|error):' "$log"; then
    echo "the build has warnings" >&2
    return 1
  fi
}

# The command that README.md gives, so that the two cannot drift apart.
readme_command() {
  local command
  command=$(grep -m1 -E "^$1( |\$)" README.md) || { echo "README.md has no command that starts '$1'" >&2; return 1; }
  echo "$command"
}

run_tests() {
  local command
  command=$(readme_command 'swift test')
  echo "$command"
  timeout 1200 bash -c "$command" 2>&1 | tee "$logs/test.log"
}

# consumer NAME DOCUMENT FOLDER: the package that a document shows, in release, where the flags of the static link must not
# reach it.
consumer() {
  local name=$1 document=$2 folder=$3 file
  [[ -e $folder/lapwing ]] || ln -s "$root" "$folder/lapwing"
  mkdir -p "$folder/$name/Sources/$name"
  while read -r file; do scripts/document-file "$file" "$document" >"$folder/$name/$file"; done < <(
    sed -nE "s,^<!-- file: (Package.swift|Sources/$name/.*) -->$,\\1,p" "$document"
  )
  swift build -c release --package-path "$folder/$name" --scratch-path "$folder/$name.build"
}

build_consumers() {
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  consumer watch docs/libraries.md "$folder"
  consumer doorbell-tests docs/own-suite.md "$folder"
  has_kvm || skip "the packages that use the libraries were built and not run: there is no usable /dev/kvm"
  "$folder/watch.build/release/watch"
  local suite=$folder/doorbell-tests.build/release/doorbell-tests
  "$suite"
  # A suite whose scenarios look at nothing would pass without their stimulus.
  "$suite" --sabotage --ktap | tee "$folder/ktap"
  grep -qE '^# Totals: pass:4 fail:0' "$folder/ktap"
}

# Whatever bytes from outside reach, each for a few seconds.
fuzz() { scripts/fuzz 5; }

# What is unpacked runs where nothing else is.
check_package() {
  local dist=$logs/dist root=$logs/dist/empty
  rm -rf "$dist"
  scripts/package --program "$program" "$dist"
  mkdir -p "$root"
  tar -xzf "$dist"/lapwing-*.tar.gz -C "$root" --strip-components=1
  [[ $(chroot "$root" /bin/lapwing --version) == "$("$program" --version)" ]]
  gzip -dc "$root/share/man/man1/lapwing.run.1.gz" | grep -q '^\.It Fl -trace'
  dpkg-deb --info "$dist"/lapwing_*.deb
  # Makes one of the same bytes again.
  scripts/package --program "$program" "$dist-again"
  cmp "$dist"/lapwing_*.deb "$dist-again"/lapwing_*.deb
}
