//! What the walk lets pass, the general decoder takes, in the memory that was counted; what it is
//! asked about a frame's beginning agrees with what it says of the whole.
//!
//! Bodies are drawn from the table of shapes, for all APIs and versions, in usual and in unusual
//! forms, and damaged at random. The draws are seeded: a failure names its seed.

#![allow(clippy::unwrap_used)]

mod counted;
mod drawn;
mod every_request;

use bytes::Bytes;
use counted::peak_of;
use drawn::{Draw, Forms, body};
use protocol::api::{self, Api};
use protocol::shape::{DECODED_BUDGET, Refusal, Verdict, check_body, check_prefix};

/// What decoding takes beside what is counted: a `Bytes` becomes a shared one.
const SLACK: usize = 256;

fn for_each_version(mut test: impl FnMut(&'static Api, i16)) {
    for api in api::all() {
        for version in api.min_version..=api.max_version {
            test(api, version);
        }
    }
}

/// The least budget at which the body passes, and what then is to be decoded.
fn least_budget(api: &Api, version: i16, body: &Bytes) -> Result<(usize, Bytes), Refusal> {
    let mut budget = 0;
    loop {
        match check_body(api, version, body.clone(), budget) {
            Ok(checked) => return Ok((budget, checked)),
            Err(Refusal::OverBudget { needed, allowed }) => {
                assert!(needed > allowed && allowed == budget);
                budget = needed;
            }
            Err(refusal) => return Err(refusal),
        }
    }
}

#[test]
fn messages_of_all_apis_and_versions_pass_and_decode_within_what_was_counted() {
    for_each_version(|api, version| {
        for seed in 0..20 {
            let drawn = body(&mut Draw::new(seed), api, version, Forms::Usual);
            let (budget, checked) = least_budget(api, version, &drawn).unwrap();
            assert_eq!(checked.as_ptr(), drawn.as_ptr(), "{} {version} {seed}", api.name);
            let whole = every_request::round_trip(api.key, version, drawn.clone()).unwrap();
            assert!(whole.left.is_empty(), "{} {version} {seed}", api.name);
            assert_eq!(whole.encoded.unwrap(), drawn, "{} {version} {seed}", api.name);
            let peak = peak_of(|| every_request::decode(api.key, version, drawn).unwrap());
            assert!(peak <= budget + SLACK, "{} {version} {seed}: {peak} {budget}", api.name);
        }
    });
}

#[test]
fn unusual_forms_that_kafka_takes_are_mended_and_decode() {
    let mut mended = 0;
    for_each_version(|api, version| {
        for seed in 0..40 {
            let drawn = body(&mut Draw::new(seed), api, version, Forms::Unusual);
            let (budget, checked) = least_budget(api, version, &drawn).unwrap();
            mended += usize::from(checked != drawn);
            let whole = every_request::round_trip(api.key, version, checked.clone()).unwrap();
            assert!(whole.left.is_empty(), "{} {version} {seed}", api.name);
            let peak = peak_of(|| every_request::decode(api.key, version, checked).unwrap());
            assert!(peak <= budget + SLACK, "{} {version} {seed}: {peak} {budget}", api.name);
            let peak = peak_of(|| check_body(api, version, drawn.clone(), budget).unwrap());
            assert!(peak <= budget + SLACK, "{} {version} {seed}: {peak} {budget}", api.name);
        }
    });
    assert!(mended > 1000, "{mended}");
}

#[test]
fn damaged_messages_never_panic_and_never_take_more_than_the_budget() {
    const BUDGET: usize = 64 << 10;
    let (mut passed, mut refused) = (0, 0);
    for_each_version(|api, version| {
        for seed in 0..150 {
            let mut draw = Draw::new(seed);
            let damaged = draw.damage(&body(&mut draw.clone(), api, version, Forms::Unusual));
            let length = damaged.len();
            let mut outcome = None;
            let peak = peak_of(|| {
                outcome = Some(check_body(api, version, damaged, BUDGET));
            });
            assert!(peak <= BUDGET + SLACK, "{} {version} {seed}: {peak}", api.name);
            match outcome.unwrap() {
                Err(_) => refused += 1,
                Ok(checked) => {
                    passed += 1;
                    let peak = peak_of(|| {
                        let decoded = every_request::decode(api.key, version, checked.clone());
                        decoded.unwrap_or_else(|error| {
                            panic!("{} {version} {seed} {length} bytes: {error}", api.name)
                        });
                    });
                    assert!(peak <= BUDGET + SLACK, "{} {version} {seed}: {peak}", api.name);
                }
            }
        }
    });
    assert!(passed > 1000 && refused > 1000, "{passed} {refused}");
}

#[test]
fn what_is_said_of_a_beginning_agrees_with_what_is_said_of_the_whole() {
    const BUDGET: usize = 1 << 20;
    for_each_version(|api, version| {
        for seed in 0..3 {
            let mut draw = Draw::new(seed);
            let good = body(&mut draw, api, version, Forms::Unusual);
            let damaged = draw.damage(&good);
            for (body, is_good) in [(good, true), (damaged, false)] {
                let frame = drawn::frame(api, version, &body);
                let whole = check_prefix(frame.len(), &frame, BUDGET);
                let alone = check_body(api, version, body, BUDGET);
                assert_eq!(whole.is_ok(), alone.is_ok(), "{} {version} {seed}", api.name);
                assert!(whole != Ok(Verdict::NeedMore) && (whole.is_ok() || !is_good));
                for length in 0..frame.len() {
                    let so_far = check_prefix(frame.len(), &frame[..length], BUDGET);
                    assert!(
                        so_far == Ok(Verdict::NeedMore) || so_far == whole,
                        "{} {version} {seed} {length}: {so_far:?}, then {whole:?}",
                        api.name
                    );
                }
            }
        }
    });
}

/// Lists of lists of nothing, no count of which is beyond the budget: frames as full of elements as
/// can be, that arrive in doubling pieces. Scaled down by 16.
#[test]
fn frames_full_of_tiny_elements_are_refused_before_twice_the_budget_arrived() {
    const FRAME: usize = 100 << 16;
    let mut crowds = 0;
    for_each_version(|api, version| {
        for (path, inner) in drawn::nested_lists(api, version) {
            crowds += 1;
            let what = format!("{} {version} {path:?} {inner}", api.name);
            let body = drawn::crowd(api, version, &path, inner, FRAME, DECODED_BUDGET / 16);
            let frame = drawn::frame(api, version, &body);
            let mut arrived = 4096;
            let refusal = loop {
                assert!(arrived <= DECODED_BUDGET / 8 && arrived <= frame.len(), "{what}");
                match check_prefix(FRAME, &frame[..arrived], DECODED_BUDGET / 16) {
                    Ok(Verdict::NeedMore) => arrived *= 2,
                    outcome => break outcome,
                }
            };
            assert!(matches!(refusal, Err(Refusal::OverBudget { .. })), "{what}: {refusal:?}");
        }
    });
    assert!(crowds > 200, "{crowds}");
}

/// The head of a frame of 100 MiB that announces as much as its place can tell, at every count and
/// length of every request.
#[test]
fn whatever_a_great_frame_announces_its_first_pages_take_no_memory() {
    const FRAME: usize = 100 << 20;
    const BUDGET: usize = 1 << 20;
    for_each_version(|api, version| {
        for seed in 0..3 {
            let good =
                drawn::frame(api, version, &body(&mut Draw::new(seed), api, version, Forms::Usual));
            for at in 8..good.len() {
                for announced in [&[0x7f, 0xff, 0xff, 0xff][..], &[0xff, 0xff, 0xff, 0xff, 7]] {
                    let mut frame = good[..at].to_vec();
                    frame.extend_from_slice(announced);
                    frame.resize(frame.len() + 4096, 0);
                    let mut outcome = Ok(Verdict::NeedMore);
                    let peak = peak_of(|| outcome = check_prefix(FRAME, &frame, BUDGET));
                    assert!(peak <= BUDGET + SLACK, "{} {version} {at}: {peak}", api.name);
                }
            }
        }
    });
}
