//! Fields of a record that was read as JSON. A field that is not there has its default, which is
//! nothing: 0, no text, an empty list.

use protocol::record_json::Json;

pub(super) trait Fields {
    fn int(&self, name: &str) -> i64;
    fn double(&self, name: &str) -> f64;
    fn bool(&self, name: &str) -> bool;
    fn text(&self, name: &str) -> String;
    fn nullable_text(&self, name: &str) -> Option<String>;
    fn items(&self, name: &str) -> &[Json];
    /// The numbers of a list; `None` where it is null or left out.
    fn ints(&self, name: &str) -> Option<Vec<i64>>;
    /// The texts of a list, in the same way.
    fn texts(&self, name: &str) -> Option<Vec<String>>;
    fn bytes(&self, name: &str) -> &[u8];
    fn set(&mut self, name: &'static str, value: Json);
}

impl Fields for Json {
    fn int(&self, name: &str) -> i64 {
        if let Some(Self::Int(value)) = self.field(name) { *value } else { 0 }
    }

    fn double(&self, name: &str) -> f64 {
        if let Some(Self::Double(value)) = self.field(name) { *value } else { 0.0 }
    }

    fn bool(&self, name: &str) -> bool {
        self.field(name) == Some(&Self::Bool(true))
    }

    fn text(&self, name: &str) -> String {
        self.nullable_text(name).unwrap_or_default()
    }

    fn nullable_text(&self, name: &str) -> Option<String> {
        if let Some(Self::Text(text)) = self.field(name) { Some(text.clone()) } else { None }
    }

    fn items(&self, name: &str) -> &[Self] {
        if let Some(Self::Array(items)) = self.field(name) { items } else { &[] }
    }

    fn ints(&self, name: &str) -> Option<Vec<i64>> {
        let Some(Self::Array(items)) = self.field(name) else { return None };
        let int = |item: &Self| if let Self::Int(value) = item { Some(*value) } else { None };
        Some(items.iter().filter_map(int).collect())
    }

    fn texts(&self, name: &str) -> Option<Vec<String>> {
        let Some(Self::Array(items)) = self.field(name) else { return None };
        let text = |item: &Self| {
            if let Self::Text(value) = item { Some(value.clone()) } else { None }
        };
        Some(items.iter().filter_map(text).collect())
    }

    fn bytes(&self, name: &str) -> &[u8] {
        if let Some(Self::Bytes(bytes)) = self.field(name) { bytes } else { &[] }
    }

    fn set(&mut self, name: &'static str, value: Self) {
        if let Some(field) = self.field_mut(name) {
            *field = value;
        } else if let Self::Object(fields) = self {
            fields.push((name.into(), value));
        }
    }
}
