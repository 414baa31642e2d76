//! How a record is printed: the formatters of Kafka's console consumers by the names of their
//! classes.
//!
//! `default` prints keys, values and what stands around them; `coordinator` prints the records of
//! Kafka's own topics as JSON, and `coordinator_text` as 3.7 has them. Answers to
//! `MessageFormatter`.

mod coordinator;
mod coordinator_text;
mod default;
mod deserializer;

use config::Properties;
use protocol::batch::{Record, TimestampType};

use self::coordinator::CoordinatorFormatter;
use self::default::DefaultFormatter;
use crate::log_line;
use crate::release::CliRelease;

/// Why there is no formatter: the message of Java's exception, which is the class's name alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FormatterError {
    #[error("{0}")]
    NoClass(String),
}

/// Why a record could not be printed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct FormatError {
    /// Java's exception.
    pub(crate) class: &'static str,
    pub(crate) message: String,
}

/// A record and where it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Printable<'a> {
    pub(crate) partition: i32,
    pub(crate) timestamp_type: TimestampType,
    pub(crate) record: Record<'a>,
    /// How often a share group's members were given it; nothing outside of share groups.
    pub(crate) delivery_count: Option<i16>,
}

/// A formatter, set up.
#[derive(Debug)]
pub(crate) enum Formatter {
    Default(Box<DefaultFormatter>),
    Coordinator(CliRelease, CoordinatorFormatter),
    /// Prints nothing.
    NoOp,
}

const PACKAGE: &str = "org.apache.kafka.tools.consumer.";

impl Formatter {
    /// The class that prints where none is named.
    pub(crate) const fn default_class(release: CliRelease) -> &'static str {
        release.either(
            "kafka.tools.DefaultMessageFormatter",
            "org.apache.kafka.tools.consumer.DefaultMessageFormatter",
        )
    }

    /// By the name of Kafka's class.
    pub(crate) fn of_class(release: CliRelease, class: &str) -> Result<Self, FormatterError> {
        let unknown = || FormatterError::NoClass(class.to_owned());
        if release.is_3_7() {
            return Self::of_old_class(class).ok_or_else(unknown);
        }
        Ok(match class.strip_prefix(PACKAGE).ok_or_else(unknown)? {
            // The second logs each record too, at a level that its tool does not show.
            "DefaultMessageFormatter" | "LoggingMessageFormatter" => Self::Default(Box::default()),
            "NoOpMessageFormatter" => Self::NoOp,
            "OffsetsMessageFormatter" => Self::Coordinator(release, CoordinatorFormatter::Offsets),
            "GroupMetadataMessageFormatter" => {
                Self::Coordinator(release, CoordinatorFormatter::GroupMetadata)
            }
            "TransactionLogMessageFormatter" => {
                Self::Coordinator(release, CoordinatorFormatter::TransactionLog)
            }
            "ShareGroupMessageFormatter" => {
                Self::Coordinator(release, CoordinatorFormatter::ShareGroup)
            }
            "group.share.ShareGroupStateMessageFormatter" => {
                Self::Coordinator(release, CoordinatorFormatter::ShareGroupState)
            }
            _ => return Err(unknown()),
        })
    }

    /// By the name that 3.7 has for it.
    fn of_old_class(class: &str) -> Option<Self> {
        let coordinator = |kind| Some(Self::Coordinator(CliRelease::V3_7, kind));
        let coordinators = class.strip_prefix("kafka.coordinator.").and_then(|class| match class {
            "group.GroupMetadataManager$OffsetsMessageFormatter" => {
                coordinator(CoordinatorFormatter::Offsets)
            }
            "group.GroupMetadataManager$GroupMetadataMessageFormatter" => {
                coordinator(CoordinatorFormatter::GroupMetadata)
            }
            "transaction.TransactionLog$TransactionLogMessageFormatter" => {
                coordinator(CoordinatorFormatter::TransactionLog)
            }
            _ => None,
        });
        if coordinators.is_some() {
            return coordinators;
        }
        match class.strip_prefix("kafka.tools.")? {
            "DefaultMessageFormatter" | "LoggingMessageFormatter" => {
                Some(Self::Default(Box::default()))
            }
            "NoOpMessageFormatter" => Some(Self::NoOp),
            _ => None,
        }
    }

    /// Takes the properties that are meant for it.
    pub(crate) fn configure(&mut self, settings: &Properties) {
        if let Self::Default(default) = self {
            for (class, problem) in default.configure(settings) {
                log_line::error(
                    "org.apache.kafka.tools.consumer.DefaultMessageFormatter",
                    &format!("Unable to instantiate a deserializer from {class}"),
                    &problem,
                );
            }
        }
    }

    /// Appends what is printed of a record; what was appended before an error stays.
    #[inline]
    pub(crate) fn write(
        &self,
        printable: &Printable<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), FormatError> {
        match self {
            Self::Default(default) => default.write(printable, out),
            Self::Coordinator(release, coordinator) => {
                coordinator.write(*release, &printable.record, out)
            }
            Self::NoOp => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formatters_go_by_the_names_of_kafkas_classes() {
        for name in [
            "Default",
            "Logging",
            "NoOp",
            "Offsets",
            "GroupMetadata",
            "TransactionLog",
            "ShareGroup",
            "group.share.ShareGroupState",
        ] {
            let class = format!("{PACKAGE}{name}MessageFormatter");
            assert!(Formatter::of_class(CliRelease::V4_3, &class).is_ok(), "{class}");
        }
        for class in [
            "kafka.tools.DefaultMessageFormatter",
            "org.apache.kafka.tools.consumer.X",
            "org.apache.kafka.tools.consumer.ShareGroupStateMessageFormatter",
            "org.apache.kafka.tools.consumer.group.share.ShareGroupMessageFormatter",
        ] {
            let refused = Formatter::of_class(CliRelease::V4_3, class).unwrap_err();
            assert_eq!(refused.to_string(), class);
        }
        for (class, is_there) in [
            ("kafka.tools.DefaultMessageFormatter", true),
            ("kafka.tools.NoOpMessageFormatter", true),
            ("kafka.coordinator.group.GroupMetadataManager$OffsetsMessageFormatter", true),
            ("kafka.coordinator.group.GroupMetadataManager$GroupMetadataMessageFormatter", true),
            ("kafka.coordinator.transaction.TransactionLog$TransactionLogMessageFormatter", true),
            ("kafka.coordinator.group.OffsetsMessageFormatter", false),
            ("org.apache.kafka.tools.consumer.DefaultMessageFormatter", false),
        ] {
            assert_eq!(Formatter::of_class(CliRelease::V3_7, class).is_ok(), is_there, "{class}");
        }
    }
}
