//! The ZooKeeper service of three images.

use super::{Case, case};

pub(crate) const ZOOKEEPER: &[Case] = &[
    case(
        "cp-zookeeper alone, by the entry path that cp-kafka has too",
        "cp-kafka",
        "ZOOKEEPER_CLIENT_PORT=2181\nZOOKEEPER_TICK_TIME=2000",
        "written to /etc/kafka/zookeeper.properties
         clientPort=2181
         tickTime=2000
         dataDir=/var/lib/zookeeper/data
         dataLogDir=/var/lib/zookeeper/log
         !server.1",
    ),
    case(
        "three servers of cp-zookeeper",
        "zookeeper",
        "ZOOKEEPER_SERVER_ID=2\nZOOKEEPER_CLIENT_PORT=22181
         ZOOKEEPER_SERVERS=a:22888:23888;b:32888:33888;c:42888:43888",
        "server.1=a:22888:23888
         server.2=b:32888:33888
         server.3=c:42888:43888
         clientPort=22181
         initLimit=10
         syncLimit=5
         marker /var/lib/zookeeper/data/myid=2",
    ),
    case(
        "cp-zookeeper without a port",
        "zookeeper",
        "ZOOKEEPER_TICK_TIME=2000",
        "refused ZOOKEEPER_CLIENT_PORT is required",
    ),
    case(
        "servers of cp-zookeeper, and none of them is this one",
        "zookeeper",
        "ZOOKEEPER_CLIENT_PORT=2181\nZOOKEEPER_SERVERS=a:2888:3888;b:2888:3888",
        "refused ZOOKEEPER_SERVER_ID is required",
    ),
    case(
        "a port that is none",
        "zookeeper",
        "ZOOKEEPER_CLIENT_PORT=zk",
        "refused ZOOKEEPER_CLIENT_PORT is \"zk\": a port is expected",
    ),
    case(
        "a secured port",
        "zookeeper",
        "ZOOKEEPER_CLIENT_PORT=2181\nZOOKEEPER_SECURE_CLIENT_PORT=2182",
        "refused ZOOKEEPER_SECURE_CLIENT_PORT=2182 asks for a secured connection",
    ),
    case(
        "bitnami/zookeeper",
        "zookeeper",
        "ALLOW_ANONYMOUS_LOGIN=yes",
        "clientPort=2181
         dataDir=/bitnami/zookeeper/data
         tickTime=2000
         marker /bitnami/zookeeper/data/myid=1",
    ),
    case(
        "three servers of bitnami/zookeeper",
        "zookeeper",
        "ALLOW_ANONYMOUS_LOGIN=yes\nZOO_SERVER_ID=3\nZOO_PORT_NUMBER=2182
         ZOO_SERVERS=a:2888:3888,b:2888:3888::7 c:2888:3888",
        "server.1=a:2888:3888
         server.7=b:2888:3888
         server.3=c:2888:3888
         clientPort=2182
         marker /bitnami/zookeeper/data/myid=3",
    ),
    case(
        "bitnami/zookeeper lets nobody in unless told",
        "zookeeper",
        "ZOO_SERVER_ID=1",
        "refused Set ALLOW_ANONYMOUS_LOGIN=yes",
    ),
    case(
        "bitnami/zookeeper with users",
        "zookeeper",
        "ZOO_ENABLE_AUTH=yes\nZOO_SERVER_USERS=me",
        "refused ZOO_ENABLE_AUTH=yes asks for a secured connection",
    ),
    case(
        "the official image",
        "zookeeper",
        "ZOO_MY_ID=1",
        "clientPort=2181
         dataDir=/data
         dataLogDir=/datalog
         initLimit=5
         server.1=localhost:2888:3888;2181
         marker /data/myid=1",
    ),
    case(
        "three servers of the official image",
        "zookeeper",
        "ZOO_MY_ID=2\nZOO_TICK_TIME=3000\nZOO_CFG_EXTRA=quorumListenOnAllIPs=true a=b
         ZOO_SERVERS=server.1=a:2888:3888;2181 server.2=b:2888:3888;0.0.0.0:2182",
        "server.1=a:2888:3888;2181
         clientPort=2182
         tickTime=3000
         quorumListenOnAllIPs=true
         marker /data/myid=2",
    ),
    case(
        "an id that is none",
        "zookeeper",
        "ZOO_MY_ID=0",
        "refused ZOO_MY_ID is \"0\": a number from 1 to 255 is expected",
    ),
    case(
        "servers without numbers",
        "zookeeper",
        "ZOO_MY_ID=1\nZOO_SERVERS=a:2888:3888",
        "refused ZOO_SERVERS is",
    ),
    case(
        "a mounted zoo.cfg counts alone",
        "zookeeper",
        "ZOO_MY_ID=4\nZOO_TICK_TIME=1
         /conf/zoo.cfg:
         clientPort=2199
         dataDir=/elsewhere",
        "clientPort=2199
         !tickTime
         marker /elsewhere/myid=4
         -- /conf/zoo.cfg is mounted",
    ),
];
