#!/usr/bin/env bash
# redis.sh COMMAND : a real redis-server on loopback. It appends to a file, so that what it held is there again after stop, start.
#   resolve   install the Debian package if redis-server is missing
#   start     start, wait until it answers PING
#   stop      TERM by recorded pid           kill9    KILL by recorded pid
#   restart   stop, start                    address  print host:port       pid   print the pid
# See common.sh for where things are kept.
set -euo pipefail
. "$(dirname "$0")/common.sh"
home=$dir/redis word=redis-server

resolve() {
  command -v redis-server >/dev/null && return 0
  command -v apt-get >/dev/null || die "redis-server is missing and there is no apt-get to install it with"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >/dev/null && apt-get install -y -qq --no-install-recommends redis-server >/dev/null ||
    die "apt-get could not install redis-server"
}

start() {
  resolve; mkdir -p "$home/data"
  running "$home" "$word" && return 0
  [ -f "$home/port" ] || free_port > "$home/port"
  local port; port=$(cat "$home/port"); echo "127.0.0.1:$port" > "$home/address"
  launch "$home" "$word" redis-server --dir "$home/data" --bind 127.0.0.1 --port "$port" --save '' --appendonly yes --daemonize no
  await "$home" "$word" 30 sh -c "redis-cli -p $port ping | grep -q PONG"
}

case ${1:-} in
  resolve) resolve ;;
  start) start ;;
  stop) end "$home" "$word" TERM ;;
  kill9) end "$home" "$word" KILL ;;
  restart) end "$home" "$word" TERM; start ;;
  address) cat "$home/address" ;;
  pid) cat "$home/pid" ;;
  *) sed -n '2,7s/^# //p' "$0" >&2; exit 2 ;;
esac
