//! Reads what clients push: `MetricsData` of OpenTelemetry's protocol (OTLP) as protocol buffers.
//!
//! ```text
//! MetricsData 1: ResourceMetrics 1: Resource 1: attribute
//!                                2: ScopeMetrics 2: Metric 1: name
//!                                                          5: Gauge 1: NumberDataPoint
//!                                                          7: Sum   1: NumberDataPoint
//!                                                                   2: temporality, 1 = delta
//! NumberDataPoint 4: double, 6: sfixed64, 7: attribute     attribute 1: key, 2: AnyValue
//! ```
//! Fields come in any order, unknown ones are passed over; of a field that comes twice the last
//! counts. Histograms and summaries, which Kafka's clients do not push, are counted as other.
//!
//! Kept true: nothing is copied and nothing allocated by what a length announces; the depth is the
//! picture's; every byte is looked at a bounded number of times.

use std::fmt::Write as _;

/// Bytes that are no such message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the metrics are no OTLP MetricsData")
    }
}

impl std::error::Error for Malformed {}

/// A measured value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    Int(i64),
    Double(f64),
}

/// One value of one series.
#[derive(Debug, Clone, PartialEq)]
pub struct Point<'b> {
    pub name: &'b str,
    /// As `key=value, …` in the order of the message.
    pub attributes: String,
    pub value: Number,
    /// The value is what was added since the point before.
    pub is_delta: bool,
}

/// What a message has besides points.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rest {
    /// Attributes of the last resource, as those of points are written.
    pub resource: String,
    /// Metrics that are neither gauges nor sums.
    pub other_metrics: usize,
}

/// Hands every point of a message to `take`.
pub fn read<'b>(message: &'b [u8], take: &mut dyn FnMut(Point<'b>)) -> Result<Rest, Malformed> {
    let mut rest = Rest::default();
    for resource_metrics in Fields(message).messages(1) {
        for field in Fields(resource_metrics?) {
            match field? {
                (1, Value::Bytes(resource)) => rest.resource = attributes(resource, 1)?,
                (2, Value::Bytes(scope_metrics)) => {
                    for metric in Fields(scope_metrics).messages(2) {
                        read_metric(metric?, take, &mut rest)?;
                    }
                }
                _ => {}
            }
        }
    }
    Ok(rest)
}

fn read_metric<'b>(
    metric: &'b [u8],
    take: &mut dyn FnMut(Point<'b>),
    rest: &mut Rest,
) -> Result<(), Malformed> {
    let (mut name, mut points, mut is_sum) = ("", None, false);
    for field in Fields(metric) {
        match field? {
            (1, Value::Bytes(bytes)) => name = text(bytes)?,
            (kind @ (5 | 7), Value::Bytes(bytes)) => (points, is_sum) = (Some(bytes), kind == 7),
            (9..=11, Value::Bytes(_)) => rest.other_metrics += 1,
            _ => {}
        }
    }
    let Some(points) = points else { return Ok(()) };
    let mut temporality = 0;
    for field in Fields(points) {
        if let (2, Value::Varint(number)) = field? {
            temporality = number;
        }
    }
    let is_delta = is_sum && temporality == 1;
    for point in Fields(points).messages(1) {
        let point = point?;
        let mut value = None;
        for field in Fields(point) {
            match field? {
                (4, Value::Fixed64(bits)) => value = Some(Number::Double(f64::from_bits(bits))),
                (6, Value::Fixed64(bits)) => value = Some(Number::Int(bits.cast_signed())),
                _ => {}
            }
        }
        if let Some(value) = value {
            take(Point { name, attributes: attributes(point, 7)?, value, is_delta });
        }
    }
    Ok(())
}

/// The attributes in the fields of this number.
fn attributes(message: &[u8], number: u64) -> Result<String, Malformed> {
    let mut all = String::new();
    for attribute in Fields(message).messages(number) {
        let (mut key, mut value) = ("", String::new());
        for field in Fields(attribute?) {
            match field? {
                (1, Value::Bytes(bytes)) => key = text(bytes)?,
                (2, Value::Bytes(any)) => value = any_value(any)?,
                _ => {}
            }
        }
        let comma = if all.is_empty() { "" } else { ", " };
        let _ = write!(all, "{comma}{key}={value}");
    }
    Ok(all)
}

/// A text, a truth or a number; lists and the like, which no client of Kafka's sends, are empty.
fn any_value(any: &[u8]) -> Result<String, Malformed> {
    let mut shown = String::new();
    for field in Fields(any) {
        match field? {
            (1, Value::Bytes(bytes)) => shown = text(bytes)?.to_owned(),
            (2, Value::Varint(truth)) => shown = (truth != 0).to_string(),
            (3, Value::Varint(number)) => shown = number.cast_signed().to_string(),
            (4, Value::Fixed64(bits)) => shown = f64::from_bits(bits).to_string(),
            _ => {}
        }
    }
    Ok(shown)
}

fn text(bytes: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(bytes).map_err(|_| Malformed)
}

/// The value of a field.
enum Value<'b> {
    Varint(u64),
    Fixed64(u64),
    Fixed32,
    Bytes(&'b [u8]),
}

/// The fields of a message that are left to read; ends with the first that is none.
#[derive(Clone, Copy)]
struct Fields<'b>(&'b [u8]);

impl<'b> Fields<'b> {
    /// The messages in the fields of this number.
    fn messages(self, number: u64) -> impl Iterator<Item = Result<&'b [u8], Malformed>> {
        self.filter_map(move |field| match field {
            Ok((found, Value::Bytes(message))) if found == number => Some(Ok(message)),
            Ok(_) => None,
            Err(malformed) => Some(Err(malformed)),
        })
    }

    fn take(&mut self, count: usize) -> Result<&'b [u8], Malformed> {
        let (taken, left) = self.0.split_at_checked(count).ok_or(Malformed)?;
        self.0 = left;
        Ok(taken)
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut number = 0;
        for at in 0..10 {
            let byte = *self.take(1)?.first().ok_or(Malformed)?;
            number |= u64::from(byte & 0x7f) << (7 * at);
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Malformed)
    }

    fn field(&mut self) -> Result<(u64, Value<'b>), Malformed> {
        let tag = self.varint()?;
        let number = tag >> 3;
        if number == 0 {
            return Err(Malformed);
        }
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => {
                let bytes = self.take(8)?.try_into().map_err(|_| Malformed)?;
                Value::Fixed64(u64::from_le_bytes(bytes))
            }
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| Malformed)?;
                Value::Bytes(self.take(length)?)
            }
            5 => {
                self.take(4)?;
                Value::Fixed32
            }
            // Groups are no part of this protocol.
            _ => return Err(Malformed),
        };
        Ok((number, value))
    }
}

impl<'b> Iterator for Fields<'b> {
    type Item = Result<(u64, Value<'b>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let mut out = vec![number << 3 | 2];
        let mut length = bytes.len();
        while length >= 0x80 {
            out.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
            length >>= 7;
        }
        out.push(u8::try_from(length).unwrap());
        out.extend_from_slice(bytes);
        out
    }

    fn attribute(number: u8, key: &str, value: &[u8]) -> Vec<u8> {
        field(number, &[field(1, key.as_bytes()), field(2, value)].concat())
    }

    fn double(value: f64) -> Vec<u8> {
        [&[4 << 3 | 1][..], &value.to_bits().to_le_bytes()].concat()
    }

    fn int(value: i64) -> Vec<u8> {
        [&[6 << 3 | 1][..], &value.to_le_bytes()].concat()
    }

    fn metrics(all: &[Vec<u8>]) -> Vec<u8> {
        let scope: Vec<u8> = all.iter().flat_map(|metric| field(2, metric)).collect();
        let resource = field(1, &attribute(1, "client_rack", &field(1, b"r1")));
        field(1, &[field(2, &scope), resource].concat())
    }

    fn points(message: &[u8]) -> Result<(Vec<Point<'_>>, Rest), Malformed> {
        let mut points = Vec::new();
        let rest = read(message, &mut |point| points.push(point))?;
        Ok((points, rest))
    }

    fn message() -> Vec<u8> {
        let labels = [attribute(7, "node_id", &field(1, b"1")), attribute(7, "n", &[3 << 3, 7])];
        let gauge = field(1, &[double(1.5), labels.concat()].concat());
        let sum = [field(1, &int(-3)), vec![2 << 3, 1]].concat();
        let cumulative = [vec![2 << 3, 2], field(1, &int(9)), field(1, &[])].concat();
        metrics(&[
            // The name behind the values, and a field that nobody knows.
            [field(5, &gauge), field(1, b"a.gauge"), field(15, b"?")].concat(),
            [field(1, b"a.delta"), field(7, &sum)].concat(),
            [field(1, b"a.total"), field(7, &cumulative)].concat(),
            [field(1, b"a.histogram"), field(9, &[])].concat(),
        ])
    }

    #[test]
    fn gauges_and_sums_are_read_with_their_attributes() {
        let message = message();
        let (points, rest) = points(&message).unwrap();
        let point = |name, attributes: &str, value, is_delta| Point {
            name,
            attributes: attributes.to_owned(),
            value,
            is_delta,
        };
        assert_eq!(
            points,
            [
                point("a.gauge", "node_id=1, n=7", Number::Double(1.5), false),
                point("a.delta", "", Number::Int(-3), true),
                point("a.total", "", Number::Int(9), false),
            ]
        );
        assert_eq!(rest, Rest { resource: "client_rack=r1".to_owned(), other_metrics: 1 });
    }

    #[test]
    fn nothing_is_a_message_without_metrics() {
        assert_eq!(points(&[]), Ok((Vec::new(), Rest::default())));
    }

    #[test]
    fn what_is_cut_or_changed_anywhere_is_malformed_or_read_and_never_more() {
        let message = message();
        let whole = points(&message).unwrap().0.len();
        for end in 0..message.len() {
            if let Ok((read, _)) = points(&message[..end]) {
                assert!(read.len() <= whole);
            }
            for bit in 0..8 {
                let mut changed = message.clone();
                changed[end] ^= 1 << bit;
                let _ = points(&changed);
            }
        }
    }

    #[test]
    fn what_is_no_message_is_malformed() {
        for bytes in [
            &[0x0a][..],
            &[0x0a, 0x05, 0x00],
            &[0x00, 0x00],
            &[0x0b],
            &[0x0c],
            &[0x0f, 0x00],
            &[0xff; 11],
            &[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        ] {
            assert_eq!(points(bytes), Err(Malformed), "{bytes:?}");
        }
        let name = metrics(&[field(1, &[0xff])]);
        assert_eq!(points(&name), Err(Malformed), "a name that is no text");
    }
}
