# common.sh : what the service scripts share. Sourced, never run.
#
# FRESHET_SERVICES_DIR    data, logs, ports and pids of the services       (default ${TMPDIR:-/tmp}/freshet-services)
# FRESHET_SERVICES_CACHE  jars and runtimes, kept between runs             (default $FRESHET_SERVICES_DIR/cache)
#
# Every wait is bounded; every signal goes to a pid that these scripts wrote down and whose command line still matches.

scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=${FRESHET_SERVICES_DIR:-${TMPDIR:-/tmp}/freshet-services}
mkdir -p "$dir"; dir=$(cd "$dir" && pwd)
cache=${FRESHET_SERVICES_CACHE:-$dir/cache}
mkdir -p "$cache"; cache=$(cd "$cache" && pwd)

die() { echo "$(basename "$0"): $*" >&2; exit 1; }

# free_port prints a port that nobody listens on. Below the ephemeral range, so that an outgoing connection cannot take the
# port while a service is down between stop and start.
free_port() {
  local p try
  for try in $(seq 200); do
    p=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
    (exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null || { echo "$p"; return 0; }
  done
  die "no free port in 20000..31999 after 200 tries"
}

# running HOME WORD : true while the recorded process lives and is ours (WORD is on its command line).
running() {
  local pid; pid=$(cat "$1/pid" 2>/dev/null) || return 1
  [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null || return 1
  [ ! -r "/proc/$pid/cmdline" ] || tr '\0' ' ' < "/proc/$pid/cmdline" | grep -qF -- "$2"
}

# launch HOME WORD COMMAND... : start in the background, detached from the caller's pipes and terminal; append to HOME/log. Returns once
# the new process has its command line: between fork and exec it has this script's, and `running` would take it for another one.
launch() {
  local home=$1 word=$2 k; shift 2
  LANG=C setsid "$@" >> "$home/log" 2>&1 < /dev/null &
  echo $! > "$home/pid"
  for k in $(seq 100); do
    if running "$home" "$word" || ! kill -0 "$(cat "$home/pid")" 2>/dev/null; then break; fi
    sleep 0.05
  done
}

# end HOME WORD SIGNAL : signal the recorded process, wait up to 30 s, then KILL.
end() {
  local pid k; running "$1" "$2" || { rm -f "$1/pid"; return 0; }
  pid=$(cat "$1/pid"); kill -"$3" "$pid" 2>/dev/null || true
  for k in $(seq 300); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
  ! kill -0 "$pid" 2>/dev/null || kill -KILL "$pid" 2>/dev/null || true
  rm -f "$1/pid"
}

# await HOME WORD SECONDS COMMAND... : until COMMAND succeeds; fails early, with the end of the log, if the process dies.
await() {
  local home=$1 word=$2 k n=$(($3 * 5)); shift 3
  for k in $(seq "$n"); do
    if "$@" >/dev/null 2>&1; then return 0; fi
    running "$home" "$word" || { tail -n 30 "$home/log" >&2; die "died while starting (log above)"; }
    sleep 0.2
  done
  tail -n 30 "$home/log" >&2; die "not ready after $((n / 5)) s (log above)"
}
