//! Lists of addresses as tools judge them before they make a client. Answers to
//! `ToolsUtils.validateBootstrapServer`.

/// Refuses what is no list of addresses with ports.
pub(crate) fn check(list: &str) -> Result<(), String> {
    if list.trim().is_empty() {
        return Err("Error while validating the bootstrap address\n".to_owned());
    }
    let servers = crate::offsets::items(list);
    let has_port = |server: &&str| {
        let port = server.rsplit_once(':').map(|(_, port)| port);
        port.is_some_and(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()))
    };
    match !servers.is_empty() && servers.iter().all(has_port) {
        true => Ok(()),
        false => Err("Please provide valid host:port like host1:9091,host2:9092\n".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_ports() {
        assert_eq!(check("a:1,[::1]:9092,"), Ok(()));
        for wrong in ["a", "a:1,b", ",", "a:"] {
            assert!(check(wrong).unwrap_err().starts_with("Please provide"), "{wrong}");
        }
        assert!(check(" ").unwrap_err().starts_with("Error while validating"));
    }
}
