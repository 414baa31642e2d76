//! docs/configuration.md, rendered from the table.

use std::fmt::Write as _;

use crate::keys::{BROKER_THEMES, Effect, Fallback, Key, Table, Update, is_refusing};

const HEAD: &str = "\
# Configuration

Every key that Kafka 4.3 knows is accepted, with its type, default and range; this page is rendered
from the table in `config/src/keys` (a test compares them). A key that acts says what it does; the
others are checked and described, and say why they change nothing. How a key changes: *restart*
needs one; *broker* and *cluster* can be changed while brokers run, for one broker or for all.

Kafka does not know one key: `metrics.listen` (a port, an address and a port, or either behind
`https://`), where metrics, health and a page are shown ([metrics.md](metrics.md)).
";

/// The whole page.
pub fn render() -> String {
    let mut page = HEAD.to_owned();
    for (title, rows) in BROKER_THEMES {
        section(&mut page, title, &mut rows.iter().collect::<Vec<_>>(), true);
    }
    let tables = [
        (Table::Topic, "Topics"),
        (Table::Group, "Groups (set for one group)"),
        (Table::ClientMetrics, "Client metrics (set for one subscription)"),
        (Table::Quota, "Throttles (only dynamic, for one broker)"),
        (Table::Own, "Keys of our own (which Kafka does not have; a change needs a restart)"),
    ];
    for (table, title) in tables {
        section(&mut page, title, &mut table.keys().collect::<Vec<_>>(), false);
    }
    legacy(&mut page);
    page
}

fn section(page: &mut String, title: &str, rows: &mut [&Key], broker: bool) {
    rows.sort_by_key(|key| key.name);
    let _ = write!(page, "\n## {title}\n\n");
    let acting: Vec<_> = rows.iter().filter(|key| acts(key)).collect();
    if !acting.is_empty() {
        let changes = if broker { " changes |" } else { "" };
        let rule = if broker { "---|" } else { "" };
        let _ = writeln!(page, "| key | type | default | allowed |{changes} what it does |");
        let _ = writeln!(page, "|---|---|---|---|{rule}---|");
        for key in acting {
            let changes = if broker { format!(" {} |", change(key)) } else { String::new() };
            let _ = writeln!(
                page,
                "| `{}` | {} | {} | {} |{changes} {} |",
                key.name,
                key.kind.name().to_lowercase(),
                default(key),
                key.valid,
                key.doc
            );
        }
        page.push('\n');
    }
    let ignored: Vec<_> = rows.iter().filter(|key| !acts(key)).collect();
    let mut reasons: Vec<&str> = ignored.iter().filter_map(|key| reason(key)).collect();
    reasons.sort_unstable();
    reasons.dedup();
    for why in reasons {
        let names: Vec<_> = ignored
            .iter()
            .filter(|key| reason(key) == Some(why))
            .map(|key| format!("`{}`", key.name))
            .collect();
        let effect = if is_refusing(why) {
            "Other classes than Kafka's own are refused at the start"
        } else {
            "Without effect"
        };
        let _ = writeln!(page, "{effect}, because {why}: {}.\n", names.join(", "));
    }
    while page.ends_with("\n\n") {
        page.pop();
    }
}

fn legacy(page: &mut String) {
    page.push_str(
        "\n## Keys of older Kafkas\n\n\
         Accepted in files, each with one warning.\n\n\
         | key | means today | |\n|---|---|---|\n",
    );
    for table in [Table::LegacyBroker, Table::LegacyTopic] {
        for key in table.keys() {
            let Effect::Legacy { maps_to } = key.effect else {
                continue;
            };
            let maps_to: Vec<_> = maps_to.iter().map(|name| format!("`{name}`")).collect();
            let _ = writeln!(page, "| `{}` | {} | {} |", key.name, maps_to.join(", "), key.doc);
        }
    }
}

fn acts(key: &Key) -> bool {
    matches!(key.effect, Effect::Acts { .. })
}

fn reason(key: &Key) -> Option<&'static str> {
    match key.effect {
        Effect::Ignored(why) => Some(why),
        _ => None,
    }
}

fn default(key: &Key) -> String {
    match key.fallback {
        Fallback::Required => "none, required".to_owned(),
        Fallback::Null => "unset".to_owned(),
        Fallback::Value("") => "empty".to_owned(),
        Fallback::Value(text) => format!("`{text}`"),
    }
}

fn change(key: &Key) -> &'static str {
    match key.update {
        Update::ReadOnly => "restart",
        Update::PerBroker => "broker",
        Update::ClusterWide => "cluster",
    }
}
