#!/usr/bin/env bash
# kafka.sh COMMAND : a real Apache Kafka broker (KRaft, broker and controller in one process) on loopback, from Maven jars.
#   resolve   fetch the jars (once)          start    configure and format if needed, start, wait until ready
#   stop      TERM by recorded pid           kill9    KILL by recorded pid
#   restart   stop, start                    address  print host:port       pid   print the pid
# KAFKA_HEAP overrides the heap. See common.sh for where things are kept.
set -euo pipefail
. "$(dirname "$0")/common.sh"
home=$dir/kafka libs=$cache/kafka-libs word=kafka.Kafka

resolve() {
  [ ! -f "$libs/.complete" ] || return 0
  command -v mvn >/dev/null || die "Maven is needed to fetch the broker's jars"
  mvn -q -B -f "$scripts/pom.xml" dependency:copy-dependencies -DoutputDirectory="$libs" -DincludeScope=runtime
  touch "$libs/.complete"
}

configure() { # ports are chosen once and kept, so that clients find the broker again after a restart
  [ ! -f "$home/server.properties" ] || return 0
  mkdir -p "$home"; rm -rf "$home/data" # what an interrupted attempt left
  local port ctl; port=$(free_port); ctl=$(free_port)
  [ "$port" != "$ctl" ] || ctl=$((port + 1))
  echo "127.0.0.1:$port" > "$home/address"
  cat > "$home/properties.new" <<P
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$ctl
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$ctl
advertised.listeners=PLAINTEXT://127.0.0.1:$port
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs=$home/data
num.partitions=4
auto.create.topics.enable=false
# one node: every internal topic has one replica
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=8
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# room for a record of 12 MB and a bit: the tests send large ones
message.max.bytes=16777216
replica.fetch.max.bytes=16777216
socket.request.max.bytes=104857600
# short timeouts, so that tests of failure are quick
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
group.consumer.min.session.timeout.ms=1000
group.consumer.min.heartbeat.interval.ms=200
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
log.cleaner.backoff.ms=1000
# looks at retention at once and often, as a broker that has run for long: what it would delete is then missed by a test
log.initial.task.delay.ms=1000
log.retention.check.interval.ms=2000
num.network.threads=2
num.io.threads=4
P
  local id; id=$(java -cp "$libs/*" kafka.tools.StorageTool random-uuid 2>/dev/null)
  java -cp "$libs/*" kafka.tools.StorageTool format -t "$id" -c "$home/properties.new" > "$home/format.log" 2>&1 ||
    { tail -n 20 "$home/format.log" >&2; die "formatting the storage failed"; }
  mv "$home/properties.new" "$home/server.properties"
}

started() { [ "$(grep -c 'Kafka Server started' "$home/log" 2>/dev/null || true)" -ge "$1" ]; }

start() {
  resolve; configure
  running "$home" "$word" && return 0
  # The line appears once a start, so a restart waits for one more of it.
  local n; n=$(grep -c 'Kafka Server started' "$home/log" 2>/dev/null || true)
  # shellcheck disable=SC2086
  launch "$home" "$word" java ${KAFKA_HEAP:--Xms256m -Xmx512m} -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -Djava.awt.headless=true \
    -Dlog4j2.configurationFile="$scripts/log4j2.yaml" -cp "$libs/*" "$word" "$home/server.properties"
  await "$home" "$word" 120 started $((n + 1))
}

case ${1:-} in
  resolve) resolve ;;
  start) start ;;
  stop) end "$home" "$word" TERM ;;
  kill9) end "$home" "$word" KILL ;;
  restart) end "$home" "$word" TERM; start ;;
  address) cat "$home/address" ;;
  pid) cat "$home/pid" ;;
  *) sed -n '2,6s/^# //p' "$0" >&2; exit 2 ;;
esac
