//! What the page shows of other brokers: asked of them as a client of the cluster, by the way that
//! brokers reach one another, and with this broker's own login.
//!
//! Kept true: one question at a time, each within [`CALL_MAX`], so that however many look at the
//! page the cluster is asked as by one; a broker that does not answer costs its own part alone.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use client::SecuritySettings;
use client::admin::{
    Admin, AdminError, AdminSettings, Bootstrap, GroupFilter, GroupListing, LogDir, OffsetSpec,
    TopicPartition,
};
use parking_lot::Mutex;
use raft::image::MetadataImage;
use tokio::sync::MutexGuard;

use crate::clock::monotonic;
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::metadata::metadata_cache::{MetadataCache, node_address};

/// How long one call may take with all its attempts.
const CALL_MAX: Duration = Duration::from_millis(2500);
const CONNECT_MAX: Duration = Duration::from_secs(1);
/// How long what was told of groups and of disks is told again.
const GROUPS_AGE_MAX: Duration = Duration::from_secs(2);
const DISKS_AGE_MAX: Duration = Duration::from_secs(10);
/// Partitions that are asked about for one answer; of what is beyond nothing is known.
const PARTITIONS_MAX: usize = 20_000;

/// Something that was told, and when.
#[derive(Debug)]
struct Told<T> {
    at: Duration,
    what: Arc<T>,
}

impl<T> Told<T> {
    fn now(what: T) -> Self {
        Self { at: monotonic(), what: Arc::new(what) }
    }

    fn within(told: &Mutex<Option<Self>>, age_max: Duration) -> Option<Arc<T>> {
        let told = told.lock();
        let told = told.as_ref().filter(|told| monotonic().saturating_sub(told.at) <= age_max)?;
        Some(Arc::clone(&told.what))
    }
}

/// The directories of each broker, or why they are not known.
pub(super) type Disks = BTreeMap<i32, Result<Vec<LogDir>, String>>;

/// A partition as it is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) partition: TopicPartition,
    pub(super) replicas: Vec<i32>,
    pub(super) has_leader: bool,
}

/// What is known of partitions.
#[derive(Debug, Default)]
pub(super) struct Figures {
    /// Bytes of all replicas that were found.
    pub(super) sizes: HashMap<TopicPartition, i64>,
    /// Where readers can get to.
    pub(super) ends: HashMap<TopicPartition, i64>,
    /// Why something is not known.
    pub(super) problem: Option<String>,
}

/// A client of the cluster.
pub(super) struct ClusterClient {
    config: Arc<DynamicBrokerConfig>,
    metadata: Arc<MetadataCache>,
    admin: tokio::sync::Mutex<Option<Admin>>,
    groups: Mutex<Option<Told<Vec<GroupListing>>>>,
    disks: Mutex<Option<Told<Disks>>>,
}

/// A client that nobody else asks meanwhile.
pub(super) struct Turn<'a>(MutexGuard<'a, Option<Admin>>);

impl Turn<'_> {
    pub(super) fn admin(&mut self) -> Result<&mut Admin, String> {
        // `ClusterClient::turn` has put it there.
        self.0.as_mut().ok_or_else(|| "there is no client of the cluster".to_owned())
    }
}

impl ClusterClient {
    pub(super) fn new(config: Arc<DynamicBrokerConfig>, metadata: Arc<MetadataCache>) -> Self {
        let admin = tokio::sync::Mutex::default();
        Self { config, metadata, admin, groups: Mutex::default(), disks: Mutex::default() }
    }

    /// Waits for its turn to ask.
    pub(super) async fn turn(&self) -> Result<Turn<'_>, String> {
        let mut admin = self.admin.lock().await;
        if admin.is_none() {
            *admin = Some(self.connect()?);
        }
        Ok(Turn(admin))
    }

    fn connect(&self) -> Result<Admin, String> {
        let config = self.config.current();
        if !config.process_roles.broker {
            return Err("A controller does not ask brokers: open the page of a broker.".to_owned());
        }
        let listener = &config.inter_broker_listener_name;
        let image = self.metadata.image();
        let own = node_address(&image, config.node_id, listener)
            .ok_or("This broker is not in the cluster yet.")?;
        let login = config.sasl.inter_broker.clone();
        let settings = AdminSettings {
            client_id: format!("page-{}", config.node_id),
            call_timeout: CALL_MAX,
            request_timeout: CALL_MAX,
            connect_timeout: CONNECT_MAX,
            security: SecuritySettings::of_node(self.config.to_brokers(), login),
            ..AdminSettings::default()
        };
        // What cannot be reached is told by the answer.
        Ok(Admin::new(Bootstrap::Servers, vec![own], settings, Box::new(|_, _| {})))
    }

    /// All groups by name.
    pub(super) async fn groups(&self) -> Result<Arc<Vec<GroupListing>>, String> {
        if let Some(told) = Told::within(&self.groups, GROUPS_AGE_MAX) {
            return Ok(told);
        }
        let mut turn = self.turn().await?;
        // Whoever had the turn before may have asked the same.
        if let Some(told) = Told::within(&self.groups, GROUPS_AGE_MAX) {
            return Ok(told);
        }
        let listed = turn.admin()?.list_groups(&GroupFilter::default()).await;
        let mut listed = listed.map_err(|error| error.to_string())?;
        listed.sort_by(|one, other| one.group.cmp(&other.group));
        let told = Told::now(listed);
        let groups = Arc::clone(&told.what);
        *self.groups.lock() = Some(told);
        Ok(groups)
    }

    /// The directories of brokers that are up.
    pub(super) async fn disks(&self, image: &MetadataImage) -> Result<Arc<Disks>, String> {
        if let Some(told) = Told::within(&self.disks, DISKS_AGE_MAX) {
            return Ok(told);
        }
        let mut turn = self.turn().await?;
        if let Some(told) = Told::within(&self.disks, DISKS_AGE_MAX) {
            return Ok(told);
        }
        let mut disks = Disks::new();
        for broker in image.cluster().brokers().filter(|broker| !broker.fenced) {
            let id = broker.broker_id;
            let dirs = turn.admin()?.describe_replica_log_dirs(id, &[]).await;
            disks.insert(id, dirs.map_err(|error| error.to_string()));
        }
        let told = Told::now(disks);
        let disks = Arc::clone(&told.what);
        *self.disks.lock() = Some(told);
        Ok(disks)
    }

    /// Sizes and ends of partitions.
    pub(super) async fn figures(&self, image: &MetadataImage, placed: &[Placed]) -> Figures {
        let mut figures = Figures::default();
        let placed = &placed[..placed.len().min(PARTITIONS_MAX)];
        if placed.is_empty() {
            return figures;
        }
        let told = async {
            let mut turn = self.turn().await?;
            let admin = turn.admin()?;
            let sized = sizes(admin, image, placed, &mut figures.sizes).await;
            let led = placed.iter().filter(|placed| placed.has_leader);
            let led: Vec<TopicPartition> = led.map(|placed| placed.partition.clone()).collect();
            let ended = ends(admin, &led, &mut figures.ends).await;
            sized.and(ended).map_err(|error| error.to_string())
        };
        let told: Result<(), String> = told.await;
        figures.problem = told.err();
        figures
    }
}

/// Adds up what each broker has of these partitions; the first broker that fails is named.
async fn sizes(
    admin: &mut Admin,
    image: &MetadataImage,
    placed: &[Placed],
    sizes: &mut HashMap<TopicPartition, i64>,
) -> Result<(), AdminError> {
    let mut by_broker: BTreeMap<i32, Vec<(String, i32)>> = BTreeMap::new();
    for Placed { partition, replicas, .. } in placed {
        for broker in replicas.iter().filter(|id| image.cluster().is_active(**id)) {
            let place = (partition.topic.clone(), partition.partition);
            by_broker.entry(*broker).or_default().push(place);
        }
    }
    let mut failed = Ok(());
    for (broker, places) in by_broker {
        match admin.describe_replica_log_dirs(broker, &places).await {
            Ok(dirs) => {
                for replica in dirs.into_iter().flat_map(|dir| dir.replicas) {
                    let (topic, partition) = (replica.topic, replica.partition);
                    *sizes.entry(TopicPartition { topic, partition }).or_default() += replica.size;
                }
            }
            Err(error) => failed = failed.and(Err(error)),
        }
    }
    failed
}

/// Adds where partitions end as their leaders say; the first that fails is named.
pub(super) async fn ends(
    admin: &mut Admin,
    partitions: &[TopicPartition],
    ends: &mut HashMap<TopicPartition, i64>,
) -> Result<(), AdminError> {
    let mut failed = Ok(());
    if partitions.is_empty() {
        return failed;
    }
    for (partition, listed) in admin.list_offsets(partitions, OffsetSpec::Latest).await {
        match listed {
            Ok(listed) => _ = ends.insert(partition, listed.offset),
            Err(error) => failed = failed.and(Err(error)),
        }
    }
    failed
}
