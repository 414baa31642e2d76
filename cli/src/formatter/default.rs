//! Keys, values and what stands around them, as the properties ask for.
//!
//! Kept true: a record's parts are appended one after the other, so that what stood before a part
//! that cannot be deserialized is printed, as Kafka prints it. Answers to
//! `DefaultMessageFormatter`; the tools that it formats for hand it no epochs.

use config::Properties;
use protocol::batch::TimestampType;

use super::deserializer::{Deserializer, UnknownDeserializer};
use super::{FormatError, Printable};

/// What is printed, and between what.
#[derive(Debug)]
pub(crate) struct DefaultFormatter {
    prints: Prints,
    key_separator: Vec<u8>,
    line_separator: Vec<u8>,
    headers_separator: Vec<u8>,
    null_literal: Vec<u8>,
    key_deserializer: Option<Deserializer>,
    value_deserializer: Option<Deserializer>,
    headers_deserializer: Option<Deserializer>,
}

#[derive(Debug, Default)]
struct Prints {
    timestamp: bool,
    partition: bool,
    offset: bool,
    delivery: bool,
    epoch: bool,
    headers: bool,
    key: bool,
    value: bool,
}

impl Default for DefaultFormatter {
    fn default() -> Self {
        Self {
            prints: Prints { value: true, ..Prints::default() },
            key_separator: b"\t".to_vec(),
            line_separator: b"\n".to_vec(),
            headers_separator: b",".to_vec(),
            null_literal: b"null".to_vec(),
            key_deserializer: None,
            value_deserializer: None,
            headers_deserializer: None,
        }
    }
}

impl DefaultFormatter {
    /// Takes the properties; deserializers that are none are named with what is wrong, and left
    /// out.
    pub(super) fn configure(&mut self, settings: &Properties) -> Vec<(String, String)> {
        let prints = &mut self.prints;
        for (name, switch) in [
            ("print.timestamp", &mut prints.timestamp),
            ("print.partition", &mut prints.partition),
            ("print.offset", &mut prints.offset),
            ("print.delivery", &mut prints.delivery),
            ("print.epoch", &mut prints.epoch),
            ("print.headers", &mut prints.headers),
            ("print.key", &mut prints.key),
            ("print.value", &mut prints.value),
        ] {
            if let Some(value) = settings.get(name) {
                *switch = value.trim().eq_ignore_ascii_case("true");
            }
        }
        for (name, bytes) in [
            ("key.separator", &mut self.key_separator),
            ("line.separator", &mut self.line_separator),
            ("headers.separator", &mut self.headers_separator),
            ("null.literal", &mut self.null_literal),
        ] {
            if let Some(value) = settings.get(name) {
                *bytes = value.as_bytes().to_vec();
            }
        }
        let mut problems = Vec::new();
        for (name, deserializer) in [
            ("key.deserializer", &mut self.key_deserializer),
            ("value.deserializer", &mut self.value_deserializer),
            ("headers.deserializer", &mut self.headers_deserializer),
        ] {
            let Some(class) = settings.get(name) else { continue };
            let prefix = format!("{name}.");
            let of_it = settings
                .iter()
                .filter_map(|(key, value)| Some((key.strip_prefix(&prefix)?, value)))
                .collect::<Vec<_>>();
            match Deserializer::of_class(class, name == "key.deserializer", &of_it) {
                Ok(found) => *deserializer = Some(found),
                Err(UnknownDeserializer { exception }) => {
                    problems.push((class.to_owned(), exception));
                }
            }
        }
        problems
    }

    #[inline]
    pub(super) fn write(
        &self,
        printable: &Printable<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), FormatError> {
        let Prints { key, value, .. } = self.prints;
        self.write_position(printable, out);
        if self.prints.headers {
            self.write_headers(printable, out)?;
            self.separate(out, key || value);
        }
        if key {
            self.deserialize(self.key_deserializer.as_ref(), printable.record.key, out)?;
            self.separate(out, value);
        }
        if value {
            self.deserialize(self.value_deserializer.as_ref(), printable.record.value, out)?;
            out.extend_from_slice(&self.line_separator);
        }
        Ok(())
    }

    fn separate(&self, out: &mut Vec<u8>, more: bool) {
        out.extend_from_slice(if more { &self.key_separator } else { &self.line_separator });
    }

    /// What says where a record stands.
    fn write_position(&self, printable: &Printable<'_>, out: &mut Vec<u8>) {
        let Prints { timestamp, partition, offset, delivery, epoch, headers, key, value } =
            self.prints;
        let record = &printable.record;
        let parts = [
            (timestamp, partition || offset || delivery || epoch),
            (partition, offset || delivery || epoch),
            (offset, delivery || epoch),
            (delivery, epoch),
            (epoch, false),
        ];
        for (at, (is_printed, more)) in parts.into_iter().enumerate() {
            if !is_printed {
                continue;
            }
            let text = match (at, printable.timestamp_type) {
                (0, TimestampType::CreateTime) => format!("CreateTime:{}", record.timestamp),
                (0, TimestampType::LogAppendTime) => {
                    format!("LogAppendTime:{}", record.timestamp)
                }
                (1, _) => format!("Partition:{}", printable.partition),
                (2, _) => format!("Offset:{}", record.offset),
                (3, _) => match printable.delivery_count {
                    Some(count) => format!("Delivery:{count}"),
                    None => "Delivery:NOT_PRESENT".to_owned(),
                },
                _ => "Epoch:NOT_PRESENT".to_owned(),
            };
            out.extend_from_slice(text.as_bytes());
            self.separate(out, more || headers || key || value);
        }
    }

    fn write_headers(
        &self,
        printable: &Printable<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), FormatError> {
        let headers = printable.record.headers;
        if headers.is_empty() {
            out.extend_from_slice(b"NO_HEADERS");
        }
        for (at, header) in headers.enumerate() {
            if at > 0 {
                out.extend_from_slice(&self.headers_separator);
            }
            // Java makes text of a header's name.
            out.extend_from_slice(String::from_utf8_lossy(header.key).as_bytes());
            out.push(b':');
            self.deserialize(self.headers_deserializer.as_ref(), header.value, out)?;
        }
        Ok(())
    }

    /// What is null is what the null literal's bytes mean to the deserializer.
    #[inline]
    fn deserialize(
        &self,
        deserializer: Option<&Deserializer>,
        bytes: Option<&[u8]>,
        out: &mut Vec<u8>,
    ) -> Result<(), FormatError> {
        let bytes = bytes.unwrap_or(&self.null_literal);
        match deserializer {
            None => {
                out.extend_from_slice(bytes);
                Ok(())
            }
            Some(deserializer) => deserializer.write(bytes, out),
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::batch::{BatchBuilder, BatchView};

    use super::*;

    fn printed(settings: &[(&str, &str)], key: Option<&[u8]>, value: Option<&[u8]>) -> String {
        let mut formatter = DefaultFormatter::default();
        let settings: Properties = settings.iter().copied().collect();
        assert_eq!(formatter.configure(&settings), []);
        let mut builder = BatchBuilder::new(42);
        let headers = [("h", Some(&b"1"[..])), ("i", None)];
        let headers = if key.is_some() { &headers[..] } else { &[] };
        builder.append_with_headers(1234, key, value, headers);
        let batch = builder.build();
        let view = BatchView::parse(&batch).unwrap();
        let record = view.records().unwrap().next().unwrap().unwrap();
        let timestamp_type = view.timestamp_type();
        let mut out = Vec::new();
        let printable = Printable { partition: 3, timestamp_type, record, delivery_count: None };
        let ended = formatter.write(&printable, &mut out);
        let text = String::from_utf8(out).unwrap();
        match ended {
            Ok(()) => text,
            Err(error) => format!("{text}!{error}"),
        }
    }

    #[test]
    fn a_value_alone_is_a_line() {
        assert_eq!(printed(&[], Some(b"k"), Some(b"v")), "v\n");
        assert_eq!(printed(&[], None, None), "null\n");
        assert_eq!(printed(&[("print.value", "false")], None, None), "");
        let key = [("print.value", "False"), ("print.key", " TRUE ")];
        assert_eq!(printed(&key, Some(b"k"), None), "k\n");
    }

    #[test]
    fn everything_is_printed_in_kafkas_order_between_the_separators() {
        let mut all = vec![
            ("print.timestamp", "true"),
            ("print.partition", "true"),
            ("print.offset", "true"),
            ("print.delivery", "true"),
            ("print.epoch", "true"),
            ("print.headers", "true"),
            ("print.key", "true"),
        ];
        let place = "CreateTime:1234\tPartition:3\tOffset:42\tDelivery:NOT_PRESENT\t\
                     Epoch:NOT_PRESENT\t";
        assert_eq!(printed(&all, Some(b"k"), Some(b"v")), format!("{place}h:1,i:null\tk\tv\n"));
        assert_eq!(printed(&all, None, None), format!("{place}NO_HEADERS\tnull\tnull\n"));
        all.extend([
            ("key.separator", "|"),
            ("line.separator", ";"),
            ("headers.separator", "&"),
            ("null.literal", "-"),
        ]);
        let place = place.replace('\t', "|");
        assert_eq!(printed(&all, Some(b"k"), None), format!("{place}h:1&i:-|k|-;"));
    }

    #[test]
    fn a_record_of_a_share_group_has_a_delivery_count() {
        let mut builder = BatchBuilder::new(42);
        builder.append(1234, None, Some(b"v"));
        let batch = builder.build();
        let view = BatchView::parse(&batch).unwrap();
        let record = view.records().unwrap().next().unwrap().unwrap();
        let timestamp_type = view.timestamp_type();
        let printable = Printable { partition: 3, timestamp_type, record, delivery_count: Some(2) };
        let mut formatter = DefaultFormatter::default();
        formatter.configure(&[("print.delivery", "true")].into_iter().collect());
        let mut out = Vec::new();
        formatter.write(&printable, &mut out).unwrap();
        assert_eq!(out, b"Delivery:2\tv\n");
    }

    #[test]
    fn what_stands_before_a_wrong_part_is_printed() {
        let settings = [
            ("print.key", "true"),
            ("value.deserializer", "org.apache.kafka.common.serialization.IntegerDeserializer"),
        ];
        let number = 7_i32.to_be_bytes();
        assert_eq!(printed(&settings, Some(b"k"), Some(&number)), "k\t7\n");
        let words = "k\t!Size of data received by IntegerDeserializer is not 4";
        assert_eq!(printed(&settings, Some(b"k"), Some(b"seven")), words);
        // The null literal is four bytes long.
        assert_eq!(printed(&settings, None, None), "null\t1853189228\n");
    }
}
