//! The host: whom it wakes, and when.

use std::time::Instant;

use protocol::records::metadata::{BrokerRegistrationChangeRecord, RegisterBrokerRecord};
use raft::image::MetadataDelta;

use super::*;

/// Brokers 1 and 2.
fn both() -> Arc<MetadataImage> {
    let mut delta = MetadataDelta::new(&MetadataImage::default());
    for broker_id in [1, 2] {
        let registered = RegisterBrokerRecord {
            broker_id,
            broker_epoch: 7,
            fenced: false,
            ..Default::default()
        };
        delta.replay(&registered.into()).unwrap();
    }
    Arc::new(delta.after().clone())
}

/// The same with broker 1 fenced.
fn one() -> Arc<MetadataImage> {
    let mut delta = MetadataDelta::new(&both());
    let fenced = BrokerRegistrationChangeRecord {
        broker_id: 1,
        broker_epoch: 7,
        fenced: 1,
        ..Default::default()
    };
    delta.replay(&fenced.into()).unwrap();
    Arc::new(delta.after().clone())
}

/// Names broker 1 for as long as it is up.
fn leaders(image: &MetadataImage) -> Vec<i32> {
    if image.cluster().is_active(1) { vec![1] } else { vec![2] }
}

/// Brokers under suspicion, the image that is seen, and an answer that waits.
fn waiting() -> (Arc<SuspectedBrokers>, Arc<Mutex<Arc<MetadataImage>>>, Answer) {
    let suspects = Arc::new(SuspectedBrokers::new(9_000));
    let seen = Arc::new(Mutex::new(both()));
    suspects.lost(1, both().cluster());
    let (asked, looks_at) = (Arc::clone(&suspects), Arc::clone(&seen));
    let answer = tokio::spawn(async move {
        let began = Instant::now();
        let image = asked.settled(|| Arc::clone(&looks_at.lock()), leaders).await;
        (image, began.elapsed())
    });
    (suspects, seen, answer)
}

type Answer = tokio::task::JoinHandle<(Arc<MetadataImage>, Duration)>;

async fn until_it_waits(suspects: &SuspectedBrokers) {
    while suspects.waiting.load(Ordering::Acquire) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn an_answer_waits_for_the_image_that_names_another_leader() {
    let (suspects, seen, answer) = waiting();
    until_it_waits(&suspects).await;
    assert!(!suspects.is_listed(1), "it is not fenced");
    suspects.moving_on(both().cluster(), one().cluster());
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!answer.is_finished(), "it would be given from before");
    *seen.lock() = one();
    suspects.moved_on(one().cluster());
    let (image, _) = answer.await.unwrap();
    assert!(!image.cluster().is_active(1));
    assert!(suspects.is_listed(1) && !suspects.is_listed(2));
    assert_eq!(suspects.waiting.load(Ordering::Acquire), 0, "its place is free");
}

#[tokio::test]
async fn an_answer_is_given_as_it_is_known_when_its_time_is_up_or_the_broker_is_heard() {
    let (suspects, _, answer) = waiting();
    until_it_waits(&suspects).await;
    let (image, took) = answer.await.unwrap();
    assert!(image.cluster().is_active(1));
    assert!(took >= Duration::from_millis(240), "{took:?}");

    let (suspects, _, answer) = waiting();
    until_it_waits(&suspects).await;
    suspects.heard(&suspects.contact(1, Liveness::default()));
    let (image, _) = answer.await.unwrap();
    assert!(image.cluster().is_active(1));
    assert!(!suspects.is_any.load(Ordering::Acquire), "who asks next reads one flag");
}

#[tokio::test]
async fn nothing_is_waited_for_on_a_node_that_stops_or_has_too_many_waiting() {
    let (suspects, _, answer) = waiting();
    until_it_waits(&suspects).await;
    suspects.stop();
    let _ = answer.await.unwrap();
    let image = suspects.settled(both, leaders).await;
    assert!(image.cluster().is_active(1));

    let full = SuspectedBrokers::new(9_000);
    full.lost(1, both().cluster());
    full.waiting.store(WAITING_MAX, Ordering::Release);
    let _ = full.settled(both, leaders).await;
    assert_eq!(full.waiting.load(Ordering::Acquire), WAITING_MAX);
}

#[tokio::test]
async fn what_news_may_bring_is_waited_for_and_no_longer_than_the_controllers_word() {
    let suspects = Arc::new(SuspectedBrokers::new(9_000));
    let is_there = Arc::new(AtomicBool::new(false));
    let (waits, looks_at) = (Arc::clone(&suspects), Arc::clone(&is_there));
    let waiting =
        tokio::spawn(async move { waits.until(|| looks_at.load(Ordering::Acquire)).await });
    until_it_waits(&suspects).await;
    suspects.moved_on(both().cluster());
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!waiting.is_finished(), "that was other news");
    is_there.store(true, Ordering::Release);
    suspects.moved_on(both().cluster());
    waiting.await.unwrap();
    assert_eq!(suspects.waiting.load(Ordering::Acquire), 0, "its place is free");

    let began = Instant::now();
    suspects.until(|| false).await;
    assert!(began.elapsed() >= Duration::from_millis(240), "{:?}", began.elapsed());
    suspects.stop();
    let began = Instant::now();
    suspects.until(|| false).await;
    assert!(began.elapsed() < Duration::from_millis(240), "nothing is waited for any more");
}

#[tokio::test]
async fn who_names_nobody_that_is_lost_is_answered_at_once() {
    let suspects = SuspectedBrokers::new(9_000);
    suspects.lost(1, both().cluster());
    let image = suspects.settled(both, |_| [2, -1]).await;
    assert!(image.cluster().is_active(1));
}

#[tokio::test]
async fn who_is_asked_nothing_counts_as_heard_when_it_is_fenced() {
    let suspects = SuspectedBrokers::new(500);
    let contact = suspects.contact(1, Liveness::default());
    suspects.heard(&contact);
    tokio::time::sleep(Duration::from_millis(550)).await;
    suspects.moving_on(both().cluster(), one().cluster());
    assert!(!suspects.is_listed(1), "it was asked, and silent for its whole session");
    drop(contact);
    suspects.moving_on(both().cluster(), one().cluster());
    assert!(suspects.is_listed(1));
    tokio::time::sleep(Duration::from_millis(550)).await;
    assert!(!suspects.is_listed(1));
}
