#!/usr/bin/env bash
# run.sh [SUITE|CLASS-REGEX]: Apache Kafka's own integration tests, from its published test jars,
# against server processes. A suite is a file suites/SUITE: the class regex, then the regex of the
# Class.method to leave out; or a list passes/VERSION/SUITE, as `choice`. Default: tools.
#
#   run.sh fetch           only fetches the jars and compiles
#   SUT=gregor|stock       whose processes (gregor)
#   GREGOR=path            the binary (target/debug/gregor)
#   STOCK=VERSION          the stock broker's release (VERSION)
#   VERSION=4.3.1          whose tests (4.1.0 too); for the suite `streams` 3.9.1, the last one whose Streams
#                          test jar has the integration tests
#   OUT=file               for the lines `PASS|FAIL|SKIP Class.method reason`
#   METHODS=regex          only these, of Class.method
#   EXCLUDE=regex          these left out, of Class.method, when a class regex is given
#   ONLY=file              only those in the file's lines, whose second word is Class.method
#   SHAPES=one|both        a @ClusterTest of both shapes: separate controllers only, or both (one)
#   PROTOCOLS=classic|both group protocols: without KIP-848's, or with it (both)
#   LIMIT=seconds          in all (3600)
#   TEST_LIMIT=seconds     for each test (180)
#   NODE_LOGS=folder       keeps the servers' logs there
#   GREGOR_ORACLE=folder   the cache that the jars are fetched into
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
what=${1:-tools}
if [ "$what" = streams ] || [[ ${VERSION:-} == 3.* ]]; then
  VERSION=${VERSION:-3.9.1} tree=src-streams pom=pom-streams.xml
else
  VERSION=${VERSION:-4.3.1} tree=src-4 pom=pom-4.xml
fi
cache=${GREGOR_ORACLE:-${XDG_CACHE_HOME:-$HOME/.cache}/gregor-oracle}
export STOCK=${STOCK:-$([[ $VERSION == 3.* ]] && echo 4.3.1 || echo "$VERSION")}
export SUT=${SUT:-gregor} SHAPES=${SHAPES:-one} PROTOCOLS=${PROTOCOLS:-both}
export NODE_LOGS=${NODE_LOGS:-} STOCK_JARS="$cache/$STOCK"
export GREGOR=${GREGOR:-${CARGO_TARGET_DIR:-$here/../../target}/debug/gregor}
build=$cache/kafka-own/$VERSION
out=$(realpath -m "${OUT:-$build/out.$SUT}")
mkdir -p "$build" "$(dirname "$out")"

# Kafka's jars and test jars of that release, with all they depend on. Releases before 4.3 have not
# published all of them.
wanted=$(sed "s/@VERSION@/$VERSION/" "$here/$pom")
[[ $VERSION != 4.[012].* ]] || wanted=$(grep -v 'since 4.3' <<<"$wanted")
if [ "$(cat "$build/libs/pom.xml" 2>/dev/null)" != "$wanted" ]; then
  fresh=$(mktemp -d "$build/fetching.XXXXXX")
  echo "$wanted" >"$fresh/pom.xml"
  mvn -q -B -f "$fresh/pom.xml" dependency:copy-dependencies -DoutputDirectory="$fresh/libs" >&2
  mv "$fresh/pom.xml" "$fresh/libs"
  rm -rf "$build/libs"
  mv "$fresh/libs" "$build/libs"
  rm -r "$fresh"
fi

# Our classes, which stand before Kafka's on the class path.
stamp=$(cd "$here" && find src "$tree" moved-since-4.1.sed -type f -exec sha1sum {} + | sort | sha1sum)
if [ "$(cat "$build/stamp" 2>/dev/null)" != "$stamp" ]; then
  rm -rf "$build/classes" "$build/sources" "$build/stamp"
  mkdir -p "$build/classes" "$build/sources"
  cp -r "$here/src" "$here/$tree" "$build/sources"
  cd "$build/sources"
  # They are written for 4.1's class names.
  [[ $VERSION == 4.1.* || $VERSION == 3.* ]] \
    || find "$tree" -type f -exec sed -i -f "$here/moved-since-4.1.sed" {} +
  mapfile -t sources < <(find src "$tree" -name '*.java')
  javac -nowarn -d "$build/classes" -cp "$build/libs/*" "${sources[@]}"
  libs=$(printf '%s:' "$build"/libs/*.jar)
  while read -r scala; do
    java -Xmx1g -cp "$libs" scala.tools.nsc.Main -nowarn -d "$build/classes" \
      -cp "$build/classes:$libs" "$scala"
  done < <(find "$tree" -name '*.scala')
  cp -r src/META-INF src/quiet.properties "$build/classes"
  echo "$stamp" >"$build/stamp"
fi
[ "$what" != fetch ] || exit 0

# Which classes, which methods of them, and which not.
methods=${METHODS:-.} exclude=${EXCLUDE:-} classes=$what name=tests only=${ONLY:-}
if [ -f "$here/suites/$what" ]; then
  classes=$(sed -n 1p "$here/suites/$what") exclude=$(sed -n 2p "$here/suites/$what") name=$what
elif [ -f "$here/passes/$VERSION/$what" ]; then
  only=$here/passes/$VERSION/$what name=$what
  classes="[.]($(sed 's/[.].*//' "$only" | sort -u | paste -sd'|'))\$"
fi
if [ -n "$only" ]; then
  names=$(awk '{print (NF > 1 ? $2 : $1)}' "$only" | sed -E 's/[[#].*//' | sort -u | paste -sd'|')
  methods="^($names)\$"
fi
jars=()
for jar in kafka-tools kafka_2.13 kafka-server kafka-storage kafka-clients \
  kafka-clients-integration-tests connect-runtime kafka-streams; do
  [ -f "$build/libs/$jar-$VERSION-test.jar" ] && jars+=("$build/libs/$jar-$VERSION-test.jar")
done
# The Scala compiler is not on the class path of the tests, which look for Scala's library.
libs=$(find "$build/libs/" -name '*.jar' ! -name 'scala-compiler*' | sort | tr '\n' ':')

export TMPDIR
TMPDIR=$(mktemp -d "${TMPDIR:-/tmp}/kafka-own.XXXXXX")
# Servers that a JVM which was stopped early has left: their files are in our folder.
clean() {
  local pid
  for pid in $(pgrep -f "$TMPDIR/kafka-own-nod[e]-"); do kill -9 "$pid" 2>/dev/null || true; done
  rm -rf "$TMPDIR"
}
trap clean EXIT

# An archive of the classes that a stock node loads, written when one ends: it halves the start.
stock_archive() {
  local node=$TMPDIR/archive pid
  mkdir "$node"
  printf '%s\n' process.roles=broker,controller node.id=1 \
    controller.quorum.voters=1@localhost:19093 \
    listeners=PLAINTEXT://localhost:19092,CONTROLLER://localhost:19093 \
    controller.listener.names=CONTROLLER "log.dirs=$node/data" >"$node/properties"
  java -cp "$STOCK_JARS/*" kafka.tools.StorageTool format -t abcdefghijklmnopqrstuv \
    -c "$node/properties" >"$node/format.log" 2>&1
  # shellcheck disable=SC2086 # words
  java -Xmx256m $STOCK_JVM_OPTS "-XX:ArchiveClassesAtExit=$1" -cp "$STOCK_JARS/*" kafka.Kafka \
    "$node/properties" >"$node/log" 2>&1 &
  pid=$!
  until (: </dev/tcp/localhost/19092) 2>/dev/null; do
    kill -0 "$pid" || { tail -n 20 "$node/log" >&2; return 1; }
    sleep 0.5
  done
  sleep 3
  kill "$pid"
  wait "$pid" || true
}

if [ "$SUT" = stock ]; then
  export STOCK_JVM_OPTS="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
  archive=${build%/*}/stock-$STOCK.jsa
  [ -f "$archive" ] || stock_archive "$archive"
  STOCK_JVM_OPTS+=" -XX:SharedArchiveFile=$archive"
fi
cd "$TMPDIR" # some tests' log directories are relative
status=0
timeout -k 10 "${LIMIT:-3600}" java -Xmx1g -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
  -Djava.io.tmpdir="$TMPDIR" -Dlog4j2.configurationFile="$build/classes/quiet.properties" \
  -XX:+EnableDynamicAgentLoading -cp "$build/classes:$libs" \
  kafkaown.Run "$out" "$classes" "$methods" "$exclude" "${jars[@]}" \
  >"$out.console" 2>&1 || status=$?
[ "$status" = 0 ] || { tail -n 20 "$out.console"; echo "stopped early (exit $status)"; } >&2
awk -v name="Kafka's $name of $VERSION on $SUT" '{count[$1]++} END {
  printf "%s: %d passed, %d failed, %d skipped\n", name, count["PASS"], count["FAIL"], count["SKIP"]
}' "$out"
exit "$status"
