//! Listeners as images handle them: bound where they are advertised, and what they speak.

/// `NAME://host:port,…` with every host as 0.0.0.0: cp-kafka and apache/kafka listen on all
/// addresses where only the advertised ones are given.
pub(super) fn everywhere(advertised: &str) -> String {
    let entry = |entry: &str| match entry.split_once("://") {
        Some((name, address)) => {
            let port = address.rsplit_once(':').map_or("", |(_, port)| port);
            format!("{name}://0.0.0.0:{port}")
        }
        // Kafka itself says what is wrong with it.
        None => entry.to_owned(),
    };
    advertised.split(',').map(|each| entry(each.trim())).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_bind_everywhere_where_they_are_advertised() {
        let table = [
            ("PLAINTEXT://kafka:9092", "PLAINTEXT://0.0.0.0:9092"),
            ("A://x:1, B://[::1]:2", "A://0.0.0.0:1,B://0.0.0.0:2"),
            ("A://:1", "A://0.0.0.0:1"),
            ("nonsense", "nonsense"),
        ];
        for (advertised, listeners) in table {
            assert_eq!(everywhere(advertised), listeners, "{advertised}");
        }
    }
}
