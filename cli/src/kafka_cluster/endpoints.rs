//! The table of `list-endpoints`.

use client::admin::{Bootstrap, Node};

use crate::java_order::sort_by_hash;

/// Columns as wide as Kafka's tool makes them; each line ends in blanks as its does.
pub(super) fn table(bootstrap: Bootstrap, mut nodes: Vec<Node>) -> String {
    // Java keeps them in a map by their ids.
    sort_by_hash(&mut nodes, |node| node.id);
    let host_width = nodes.iter().map(|node| node.address.host.len()).max().unwrap_or(100);
    let racks = nodes.iter().filter_map(|node| node.rack.as_deref());
    let rack_width = racks.map(str::len).max().unwrap_or(10);
    let is_brokers = bootstrap == Bootstrap::Servers;
    let line = |id: &str, host: &str, port: &str, rack: &str, state: &str, kind: &str| {
        let state = if is_brokers { format!("{state:<10} ") } else { String::new() };
        format!("{id:<10} {host:<host_width$} {port:<10} {rack:<rack_width$} {state}{kind:<15}\n")
    };
    let mut table = line("ID", "HOST", "PORT", "RACK", "STATE", "ENDPOINT_TYPE");
    for node in &nodes {
        let (id, port) = (node.id.to_string(), node.address.port.to_string());
        let rack = node.rack.as_deref().unwrap_or("null");
        let state = if node.is_fenced { "fenced" } else { "unfenced" };
        let kind = if is_brokers { "broker" } else { "controller" };
        table.push_str(&line(&id, &node.address.host, &port, rack, state, kind));
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
        assert_eq!(table(Bootstrap::Servers, nodes.clone()), expected);
        let controllers = table(Bootstrap::Controllers, nodes);
        assert!(controllers.starts_with("ID         HOST      PORT       RACK ENDPOINT_TYPE  \n"));
    }
}
