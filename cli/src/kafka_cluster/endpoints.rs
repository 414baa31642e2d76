//! The table of `list-endpoints`.

use client::admin::{Bootstrap, Node};
use serde::Serialize;

use crate::java_order::sort_by_hash;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EndpointRow {
    id: i32,
    host: String,
    port: u16,
    rack: Option<String>,
    /// Controllers have none.
    state: Option<&'static str>,
    endpoint_type: &'static str,
}

/// The rows, in the order in which Java's map of nodes is printed.
pub(super) fn rows(bootstrap: Bootstrap, mut nodes: Vec<Node>) -> Vec<EndpointRow> {
    sort_by_hash(&mut nodes, |node| node.id);
    let is_brokers = bootstrap == Bootstrap::Servers;
    let row = |node: Node| EndpointRow {
        id: node.id,
        host: node.address.host,
        port: node.address.port,
        rack: node.rack,
        state: is_brokers.then_some(if node.is_fenced { "fenced" } else { "unfenced" }),
        endpoint_type: if is_brokers { "broker" } else { "controller" },
    };
    nodes.into_iter().map(row).collect()
}

/// Columns as wide as Kafka's tool makes them; each line ends in blanks as its does.
pub(super) fn table(bootstrap: Bootstrap, rows: &[EndpointRow]) -> String {
    let host_width = rows.iter().map(|row| row.host.len()).max().unwrap_or(100);
    let racks = rows.iter().filter_map(|row| row.rack.as_deref());
    let rack_width = racks.map(str::len).max().unwrap_or(10);
    let is_brokers = bootstrap == Bootstrap::Servers;
    let line = |id: &str, host: &str, port: &str, rack: &str, state: &str, kind: &str| {
        let state = if is_brokers { format!("{state:<10} ") } else { String::new() };
        format!("{id:<10} {host:<host_width$} {port:<10} {rack:<rack_width$} {state}{kind:<15}\n")
    };
    let mut table = line("ID", "HOST", "PORT", "RACK", "STATE", "ENDPOINT_TYPE");
    for row in rows {
        let (id, port) = (row.id.to_string(), row.port.to_string());
        let rack = row.rack.as_deref().unwrap_or("null");
        let state = row.state.unwrap_or_default();
        table.push_str(&line(&id, &row.host, &port, rack, state, row.endpoint_type));
    }
    table
}

#[cfg(test)]
mod tests {
    use client::Address;

    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_stands_in_them() {
        let node = |id, host: &str, rack: Option<&str>, is_fenced| Node {
            id,
            address: Address { host: host.to_owned(), port: 9092 },
            rack: rack.map(str::to_owned),
            is_fenced,
        };
        let nodes = vec![node(2, "localhost", Some("r"), true), node(1, "b", None, false)];
        let expected = "\
ID         HOST      PORT       RACK STATE      ENDPOINT_TYPE  
1          b         9092       null unfenced   broker         
2          localhost 9092       r fenced     broker         
";
        let shown = rows(Bootstrap::Servers, nodes.clone());
        assert_eq!(table(Bootstrap::Servers, &shown), expected);
        let json = r#"{"id":1,"host":"b","port":9092,"rack":null,"state":"unfenced","#;
        assert!(serde_json::to_string(&shown).unwrap().contains(json));
        let shown = rows(Bootstrap::Controllers, nodes);
        let controllers = table(Bootstrap::Controllers, &shown);
        assert!(controllers.starts_with("ID         HOST      PORT       RACK ENDPOINT_TYPE  \n"));
    }
}
