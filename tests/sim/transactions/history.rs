//! Every transaction that a client began: what it wrote, what it asked for, what it was told. Only
//! clients say what goes in here, so that it owes nothing to who is judged by it.

use super::shared::TIMEOUT_MS;

/// A transaction, by its number.
pub(crate) type Serial = usize;

/// A record of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written {
    pub(crate) partition: usize,
    pub(crate) value: u64,
    pub(crate) is_acknowledged: bool,
    /// Where what it copies stands.
    pub(crate) copied: Option<i64>,
}

#[derive(Debug)]
pub(crate) struct Transaction {
    pub(crate) transactional_id: &'static str,
    began_us: i64,
    pub(crate) written: Vec<Written>,
    /// The offset that it commits for the group.
    pub(crate) offset: Option<i64>,
    /// Whether its producer asked for a commit, once it has asked.
    pub(crate) asked: Option<bool>,
    pub(crate) told: Option<bool>,
}

#[derive(Debug, Default)]
pub(crate) struct History {
    pub(crate) transactions: Vec<Transaction>,
    /// When somebody's InitProducerId reached a coordinator.
    inits: Vec<(&'static str, i64)>,
    /// The highest offset that a group was told to have committed.
    pub(crate) committed_offset: Option<i64>,
    pub(crate) violation: Option<String>,
    pub(crate) fenced: u64,
}

/// Records of one transaction at most.
const RECORDS: u64 = 1 << 12;

/// The transaction that wrote a value.
pub(crate) fn serial_of(value: u64) -> Serial {
    (value / RECORDS) as usize - 1
}

impl History {
    pub(crate) fn begin(&mut self, transactional_id: &'static str, now_us: i64) -> Serial {
        self.transactions.push(Transaction {
            transactional_id,
            began_us: now_us,
            written: Vec::new(),
            offset: None,
            asked: None,
            told: None,
        });
        self.transactions.len() - 1
    }

    /// A value for the next record of a transaction.
    pub(crate) fn write(&mut self, serial: Serial, partition: usize, copied: Option<i64>) -> u64 {
        let written = &mut self.transactions[serial].written;
        let value = (serial as u64 + 1) * RECORDS + written.len() as u64;
        written.push(Written { partition, value, is_acknowledged: false, copied });
        value
    }

    pub(crate) fn acknowledged(&mut self, serial: Serial, value: u64) {
        let written = self.transactions[serial].written.iter_mut();
        written.filter(|w| w.value == value).for_each(|w| w.is_acknowledged = true);
    }

    pub(crate) fn asked(&mut self, serial: Serial, is_commit: bool) {
        self.transactions[serial].asked = Some(is_commit);
    }

    pub(crate) fn told(&mut self, serial: Serial, is_commit: bool) {
        let transaction = &mut self.transactions[serial];
        transaction.told = Some(is_commit);
        if is_commit && let Some(offset) = transaction.offset {
            self.committed_offset = self.committed_offset.max(Some(offset));
        }
    }

    /// InitProducerId has reached a coordinator.
    pub(crate) fn initializes(&mut self, transactional_id: &'static str, now_us: i64) {
        self.inits.push((transactional_id, now_us));
    }

    /// 18: Nobody loses a transaction but to another instance, or to time. Its producer first asked
    /// for its epoch at `init_us`.
    pub(crate) fn refused(&mut self, serial: Serial, init_us: i64, now_us: i64) {
        self.fenced += 1;
        let Transaction { transactional_id, began_us, .. } = self.transactions[serial];
        let inits = self.inits.iter().filter(|(id, at)| *id == transactional_id && *at >= init_us);
        let is_timed_out = now_us - began_us > i64::from(TIMEOUT_MS) * 900;
        // One is its own.
        if inits.count() < 2 && !is_timed_out {
            let transaction = &self.transactions[serial];
            self.violate(format!("nobody ended transaction {serial}: {transaction:?}"));
        }
    }

    /// 20: What a group has committed does not go back.
    pub(crate) fn fetched(&mut self, offset: Option<i64>) {
        if offset < self.committed_offset {
            let committed = self.committed_offset;
            self.violate(format!("the group's offset is {offset:?}, and {committed:?} was told"));
        }
    }

    pub(crate) fn violate(&mut self, what: String) {
        self.violation.get_or_insert(what);
    }
}
