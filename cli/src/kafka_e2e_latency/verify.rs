//! What was read against what was sent. Answers to `EndToEndLatency.validate`: its checks in its
//! order.

use client::consumer::{Fetched, FetchedError};

use super::payload::Payload;

/// What was read is not what was sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unexpected {
    #[error("{0}")]
    Mismatch(String),
    #[error("{0}")]
    Fetched(#[from] FetchedError),
}

/// Whether what came is what was sent, and it alone.
pub(super) fn verify(sent: &Payload, fetched: Vec<Fetched>) -> Result<(), Unexpected> {
    let mut count = 0_usize;
    for mut one in fetched {
        let partition = one.partition.clone();
        while let Some(batch) = one.next_batch()? {
            for record in batch {
                let record = record.map_err(|cause| FetchedError::Batch {
                    partition: partition.clone(),
                    offset: 0,
                    cause,
                })?;
                count += 1;
                if count == 1 {
                    let headers = record.headers.map(|header| (header.key, header.value));
                    compare(sent, record.key, record.value, &headers.collect::<Vec<_>>())
                        .map_err(Unexpected::Mismatch)?;
                }
            }
        }
    }
    match count {
        0 => Err(Unexpected::Mismatch(
            "poll() timed out before finding a result (timeout:[60000ms])".to_owned(),
        )),
        1 => Ok(()),
        _ => Err(Unexpected::Mismatch(format!(
            "Only one result was expected during this test. We found [{count}]"
        ))),
    }
}

type Headers<'a> = [(&'a [u8], Option<&'a [u8]>)];

/// The record that was read against the one that was sent, in the order of Kafka's checks.
fn compare(
    sent: &Payload,
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    headers: &Headers<'_>,
) -> Result<(), String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let read = text(value.unwrap_or_default());
    let expected = text(&sent.value);
    if read != expected {
        return Err(format!(
            "The message value read [{read}] did not match the message value sent [{expected}]"
        ));
    }
    match (key.map(text), sent.key.as_deref().map(text)) {
        (None, Some(_)) => return Err("Expected message key but received null".to_owned()),
        (Some(read), None) => {
            return Err(format!("Expected null message key but received [{read}]"));
        }
        (Some(read), Some(expected)) if read != expected => {
            return Err(format!(
                "The message key read [{read}] did not match the message key sent [{expected}]"
            ));
        }
        _ => {}
    }
    if headers.is_empty() && !sent.headers.is_empty() {
        return Err("Expected message headers but received none".to_owned());
    }
    for ((key, value), (sent_key, sent_value)) in headers.iter().zip(&sent.headers) {
        if *key != sent_key.as_slice() || *value != sent_value.as_deref() {
            return Err(format!(
                "The message header read [{}:{}] did not match the message header sent [{}:{}]",
                text(key),
                array(*value),
                text(sent_key),
                array(sent_value.as_deref())
            ));
        }
    }
    match sent.headers.is_empty() || headers.len() == sent.headers.len() {
        true => Ok(()),
        false => Err("Header count mismatch between sent and received messages".to_owned()),
    }
}

/// `Arrays.toString`
fn array(bytes: Option<&[u8]>) -> String {
    match bytes {
        None => "null".to_owned(),
        Some(bytes) => {
            let numbers = bytes.iter().map(|byte| byte.cast_signed().to_string());
            format!("[{}]", numbers.collect::<Vec<_>>().join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_said_in_the_order_of_kafkas_checks() {
        let sent = Payload {
            key: Some(b"K".to_vec()),
            value: b"VV".to_vec(),
            headers: vec![(b"H".to_vec(), Some(b"X".to_vec())), (b"I".to_vec(), None)],
        };
        let same: &Headers<'_> = &[(b"H", Some(b"X")), (b"I", None)];
        let (key, value): (Option<&[u8]>, Option<&[u8]>) = (Some(b"K"), Some(b"VV"));
        assert_eq!(compare(&sent, key, value, same), Ok(()));
        type Row<'a> = (Option<&'a [u8]>, Option<&'a [u8]>, &'a Headers<'a>, &'a str);
        let table: [Row<'_>; 6] = [
            (key, Some(b"V"), same, "value read [V] did not match the message value sent [VV]"),
            (None, value, same, "Expected message key but received null"),
            (Some(b"L"), value, same, "key read [L] did not match the message key sent [K]"),
            (key, value, &[], "Expected message headers but received none"),
            (
                key,
                value,
                &[(b"H", None)],
                "read [H:null] did not match the message header sent [H:",
            ),
            (key, value, &[(b"H", Some(b"X"))], "Header count mismatch"),
        ];
        for (key, value, headers, problem) in table {
            let said = compare(&sent, key, value, headers).unwrap_err();
            assert!(said.contains(problem), "{said}");
        }
    }
}
