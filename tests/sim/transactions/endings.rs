//! What must hold when all faults are over and every client has stopped.

use std::collections::BTreeSet;

use super::history::{History, serial_of};
use super::shared::{INPUT, OTHER, OUTPUT};
use super::views::Views;

/// 17: All records of a transaction are shown or none, as it was told.
pub(crate) fn transactions_are_whole(views: &Views, history: &History) -> Result<u64, String> {
    let shown: BTreeSet<u64> = [INPUT, OTHER, OUTPUT]
        .iter()
        .filter_map(|partition| views.partitions.get(partition))
        .flat_map(|view| view.shown.iter().map(|(_, value)| *value))
        .collect();
    for (serial, transaction) in history.transactions.iter().enumerate() {
        let count = transaction.written.iter().filter(|w| shown.contains(&w.value)).count();
        let all = transaction.written.len();
        if count != 0 && count != all {
            return Err(format!("{count} of {all} records of {serial} are shown: {transaction:?}"));
        }
        let is_wrong = match transaction.told {
            Some(true) => count != all,
            Some(false) => count != 0,
            None => count != 0 && transaction.asked != Some(true),
        };
        if is_wrong {
            return Err(format!("{count} records of {serial} are shown: {transaction:?}"));
        }
    }
    Ok(history.transactions.len() as u64)
}

/// 21: The group's offset is that of the last committed copy, and what was copied is what stands
/// before it: each once, in order.
pub(crate) fn copies_are_exact(
    views: &Views,
    history: &History,
    offset: Option<i64>,
) -> Result<u64, String> {
    let Some(output) = views.partitions.get(&OUTPUT) else { return Ok(0) };
    let input = views.partitions.get(&INPUT).map_or(&[][..], |view| &view.shown);
    let copied: Vec<i64> = output
        .shown
        .iter()
        .filter_map(|(_, value)| {
            let written = &history.transactions[serial_of(*value)].written;
            written.iter().find(|w| w.value == *value)?.copied
        })
        .collect();
    let expected: Vec<i64> = input.iter().map(|(at, _)| *at).take(copied.len()).collect();
    if copied != expected {
        return Err(format!("copied {copied:?} of {input:?}"));
    }
    let behind = copied.last().map(|last| last + 1);
    if offset != behind {
        return Err(format!("the group's offset is {offset:?}, and copied is up to {behind:?}"));
    }
    Ok(copied.len() as u64)
}
