//! Draws the bodies of requests from the table of shapes.

use bytes::{BufMut, Bytes, BytesMut};
use protocol::api::Api;
use protocol::shape::{Element, Field, Fixed, Kind, shape_of};

/// Which of the forms that Kafka takes are drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Forms {
    /// As the general encoder writes them, so without tagged fields.
    Usual,
    /// Tagged fields known and unknown, invalid UTF-8, odd ways to say null, numbers with idle
    /// bytes.
    Unusual,
}

/// A generator of draws by xorshift.
#[derive(Clone)]
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        let mut draw = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        draw.next();
        draw
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 16) as usize % bound
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    /// The body after a few random cuts, insertions and changes.
    pub(crate) fn damage(&mut self, body: &Bytes) -> Bytes {
        let mut bytes = body.to_vec();
        for _ in 0..1 + self.below(4) {
            let at = self.below(bytes.len() + 1);
            match self.below(6) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, [0, 1, 0x7f, 0x80, 0xff][self.below(5)]),
                2 => {
                    let _ = (at < bytes.len()).then(|| bytes.remove(at));
                }
                _ if at < bytes.len() => {
                    bytes[at] = [0, 1, 0x7f, 0x80, 0xff, self.below(256) as u8][self.below(6)];
                }
                _ => {}
            }
        }
        Bytes::from(bytes)
    }
}

/// A body that Kafka's parser takes.
pub(crate) fn body(draw: &mut Draw, api: &Api, version: i16, forms: Forms) -> Bytes {
    let shape = shape_of(api.key);
    let flexible = version >= shape.first_flexible;
    let mut writer = Writer { draw, version, flexible, forms, out: BytesMut::new() };
    writer.structure(shape.fields);
    writer.out.freeze()
}

/// The body behind a request header.
pub(crate) fn frame(api: &Api, version: i16, body: &[u8]) -> Vec<u8> {
    let mut frame = BytesMut::new();
    frame.put_i16(api.key as i16);
    frame.put_i16(version);
    frame.put_i32(1);
    frame.put_slice(&[0, 2, b'm', b'e']);
    if api.request_header_version(version) >= 2 {
        frame.put_u8(0);
    }
    frame.put_slice(body);
    frame.into()
}

/// All lists in lists of this request, by the positions of their fields, and how many elements the
/// inner ones shall have.
pub(crate) fn nested_lists(api: &Api, version: i16) -> Vec<(Vec<usize>, usize)> {
    fn below(fields: &[Field], version: i16, path: &[usize], found: &mut Vec<Vec<usize>>) {
        for (position, field) in fields.iter().enumerate() {
            let Kind::Array(element) = &field.kind else {
                continue;
            };
            if !field.exists_in(version) || field.tag.is_some() {
                continue;
            }
            let path = [path, &[position]].concat();
            if let Element::Struct { fields, .. } = element {
                below(fields, version, &path, found);
            }
            found.push(path);
        }
    }
    let mut found = Vec::new();
    below(shape_of(api.key).fields, version, &[], &mut found);
    found.retain(|path| path.len() > 1);
    found.into_iter().flat_map(|path| [1, 300].map(|inner| (path.clone(), inner))).collect()
}

/// The beginning of a body of about `length` bytes whose lists on `path` are full: the outermost
/// has as many elements as `budget` lets it announce, the others `inner`. All else is empty.
pub(crate) fn crowd(
    api: &Api,
    version: i16,
    path: &[usize],
    inner: usize,
    length: usize,
    budget: usize,
) -> Bytes {
    let shape = shape_of(api.key);
    let flexible = version >= shape.first_flexible;
    let draw = &mut Draw::new(0);
    let mut writer = Writer { draw, version, flexible, forms: Forms::Usual, out: BytesMut::new() };
    let in_memory = match &shape.fields[path[0]].kind {
        Kind::Array(Element::Struct { in_memory, .. }) => *in_memory,
        _ => 1,
    };
    let outer = (budget / in_memory).saturating_sub(1);
    writer.crowd(shape.fields, path, &[outer, inner], length.min(2 * budget + 1024));
    writer.out.freeze()
}

struct Writer<'a> {
    draw: &'a mut Draw,
    version: i16,
    flexible: bool,
    forms: Forms,
    out: BytesMut,
}

impl Writer<'_> {
    fn odd(&mut self, one_in: usize) -> bool {
        self.forms == Forms::Unusual && self.draw.one_in(one_in)
    }

    fn crowd(&mut self, fields: &[Field], path: &[usize], counts: &[usize], enough: usize) {
        for (position, field) in fields.iter().enumerate() {
            if field.tag.is_some() || !field.exists_in(self.version) {
                continue;
            }
            let nullable = field.nullable_in(self.version);
            match &field.kind {
                Kind::Array(element) if path.first() == Some(&position) => {
                    self.length(counts[0]);
                    let inner = &counts[counts.len() - 1..];
                    for _ in 0..counts[0] {
                        if self.out.len() > enough {
                            return;
                        }
                        match element {
                            Element::Fixed(fixed) => self.out.put_bytes(0, fixed.size()),
                            Element::String => self.empty_string(),
                            Element::Struct { fields, .. } => {
                                self.crowd(fields, &path[1..], inner, enough);
                            }
                        }
                    }
                }
                Kind::Array(_) | Kind::Bytes | Kind::Records if nullable => self.null(4),
                Kind::Array(_) | Kind::Bytes | Kind::Records => self.length(0),
                Kind::Fixed(fixed) => self.out.put_bytes(0, fixed.size()),
                Kind::String => self.empty_string(),
                Kind::Struct(_) if nullable => self.out.put_u8(0xff),
                Kind::Struct(fields) => self.crowd(fields, &[], counts, enough),
            }
        }
        if self.flexible {
            self.out.put_u8(0);
        }
    }

    fn empty_string(&mut self) {
        if self.flexible {
            self.varint(1);
        } else {
            self.out.put_i16(0);
        }
    }

    fn structure(&mut self, fields: &[Field]) {
        for field in fields {
            if field.tag.is_none() && field.exists_in(self.version) {
                self.field(field);
            }
        }
        if self.flexible {
            self.tags(fields);
        }
    }

    fn tags(&mut self, fields: &[Field]) {
        if self.forms == Forms::Usual {
            return self.out.put_u8(0);
        }
        if self.odd(20) {
            // A negative count is none.
            return self.out.put_slice(&[0xff, 0xff, 0xff, 0xff, 0x0f]);
        }
        let version = self.version;
        let mut known: Vec<_> =
            fields.iter().filter(|field| field.tag.is_some() && field.exists_in(version)).collect();
        known.retain(|_| !self.draw.one_in(3));
        let unknown = if self.odd(3) { self.draw.below(30) } else { 0 };
        self.varint((known.len() + unknown) as u32);
        for field in known {
            self.varint(field.tag.unwrap_or(0));
            // Nobody looks at the size of a known field.
            let size = self.draw.below(300);
            self.varint(size as u32);
            self.field(field);
        }
        for _ in 0..unknown {
            let tag = 100 + self.draw.below(200);
            self.varint(tag as u32);
            let size = self.draw.below(5);
            self.varint(size as u32);
            self.random(size);
        }
    }

    fn field(&mut self, field: &Field) {
        let null = field.nullable_in(self.version) && self.draw.one_in(3);
        match &field.kind {
            Kind::Fixed(fixed) => self.fixed(*fixed),
            Kind::String if null => self.null(2),
            Kind::String => self.string(),
            Kind::Bytes | Kind::Records if null => self.null(4),
            Kind::Bytes | Kind::Records => {
                let length = self.draw.below(50);
                self.length(length);
                self.random(length);
            }
            Kind::Struct(_) if null => {
                let mark = if self.odd(2) { 0x80 + self.draw.below(128) as u8 } else { 0xff };
                self.out.put_u8(mark);
            }
            Kind::Struct(fields) => {
                if field.nullable_in(self.version) {
                    let mark = if self.odd(2) { self.draw.below(128) as u8 } else { 1 };
                    self.out.put_u8(mark);
                }
                self.structure(fields);
            }
            Kind::Array(_) if null => self.null(4),
            Kind::Array(element) => self.elements(element),
        }
    }

    fn elements(&mut self, element: &Element) {
        let count = self.draw.below(5);
        self.length(count);
        for _ in 0..count {
            match element {
                Element::Fixed(fixed) => self.fixed(*fixed),
                Element::String => self.string(),
                Element::Struct { fields, .. } => self.structure(fields),
            }
        }
    }

    fn fixed(&mut self, fixed: Fixed) {
        match fixed {
            // Any other byte means true as well, but isn't written so.
            Fixed::Boolean if self.forms == Forms::Usual => {
                let value = self.draw.below(2);
                self.out.put_u8(value as u8);
            }
            _ => self.random(fixed.size()),
        }
    }

    fn string(&mut self) {
        let mut text: Vec<u8> =
            (0..self.draw.below(40)).map(|index| b'a' + index as u8 % 26).collect();
        if self.odd(3) {
            let at = self.draw.below(text.len() + 1);
            text.insert(at, 0x80 + self.draw.below(128) as u8);
        }
        if self.flexible {
            self.varint(text.len() as u32 + 1);
        } else {
            self.out.put_i16(text.len() as i16);
        }
        self.out.put_slice(&text);
    }

    fn null(&mut self, width: usize) {
        let odd = self.odd(2);
        if self.flexible {
            let below_zero = u32::MAX - self.draw.below(1000) as u32;
            self.varint(if odd { below_zero } else { 0 });
        } else if odd {
            self.out.put_u8(0xff - self.draw.below(100) as u8);
            self.random(width - 1);
        } else {
            self.out.put_bytes(0xff, width);
        }
    }

    fn length(&mut self, length: usize) {
        if self.flexible {
            self.varint(length as u32 + 1);
        } else {
            self.out.put_i32(length as i32);
        }
    }

    fn varint(&mut self, mut value: u32) {
        let least = if self.odd(10) { 1 + self.draw.below(5) } else { 1 };
        let mut written = 1;
        while value >= 0x80 || written < least {
            self.out.put_u8(value as u8 | 0x80);
            value >>= 7;
            written += 1;
        }
        self.out.put_u8(value as u8);
    }

    fn random(&mut self, length: usize) {
        for _ in 0..length {
            let byte = self.draw.below(256) as u8;
            self.out.put_u8(byte);
        }
    }
}
