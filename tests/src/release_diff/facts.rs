//! What is known of a release: sections of entries, each with its properties.

use std::collections::BTreeMap;

/// All that is known of a release, in the order in which it is shown.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) sections: Vec<Section>,
}

/// One kind of things: the messages, the producer's configuration.
#[derive(Debug, Default)]
pub(super) struct Section {
    pub(super) name: String,
    /// The class it was read from, where there is more than one that it could be.
    pub(super) source: String,
    pub(super) entries: BTreeMap<Place, Properties>,
}

/// Where an entry stands in its section, and its name.
pub(super) type Place = (i64, String);

/// What an entry says of itself, in its own order.
pub(super) type Properties = Vec<(String, String)>;

impl Facts {
    /// The section of this name, which is made at its first use.
    pub(super) fn section(&mut self, name: &str) -> &mut Section {
        let at = self.sections.iter().position(|section| section.name == name);
        let at = at.unwrap_or_else(|| {
            self.sections.push(Section { name: name.to_owned(), ..Section::default() });
            self.sections.len() - 1
        });
        &mut self.sections[at]
    }
}
