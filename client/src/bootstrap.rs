//! Addresses that a client begins with: bootstrap.servers, or bootstrap.controllers, read and
//! checked.
//!
//! Pure. Answers to Kafka's `ClientUtils.parseAndValidateAddresses` and `Utils.getHost`/`getPort`.

use super::Address;

/// Why a list of addresses is none; worded as Kafka's `ConfigException`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BootstrapError {
    #[error("Invalid url in {name}: {url}")]
    Url { name: &'static str, url: String },
    #[error("Invalid port in {name}: {url}")]
    Port { name: &'static str, url: String },
    #[error("No resolvable bootstrap urls given in {name}")]
    Empty { name: &'static str },
}

const NAME: &str = "bootstrap.servers";

/// Reads `host:port,host:port`, with blanks around commas, `[::1]:9092` and `PROTOCOL://host:port`.
pub fn parse(list: &str) -> Result<Vec<Address>, BootstrapError> {
    let mut addresses = Vec::new();
    for url in list.split(',').map(str::trim).filter(|url| !url.is_empty()) {
        let address = parse_one(url)?;
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    match addresses.is_empty() {
        true => Err(BootstrapError::Empty { name: NAME }),
        false => Ok(addresses),
    }
}

fn parse_one(url: &str) -> Result<Address, BootstrapError> {
    let wrong = || BootstrapError::Url { name: NAME, url: url.to_owned() };
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (host, port) = rest.rsplit_once(':').ok_or_else(wrong)?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let is_host = |c: char| c.is_ascii_alphanumeric() || "-._%:".contains(c);
    if bare.is_empty() || !bare.chars().all(is_host) || !port.chars().all(|c| c.is_ascii_digit()) {
        return Err(wrong());
    }
    if port.is_empty() {
        return Err(wrong());
    }
    let port = port.parse();
    let port = port.map_err(|_| BootstrapError::Port { name: NAME, url: url.to_owned() })?;
    Ok(Address { host: bare.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(host: &str, port: u16) -> Address {
        Address { host: host.to_owned(), port }
    }

    #[test]
    fn every_form_of_an_address_is_read_and_said_once() {
        let given = "a:1, b.c:2,[::1]:9092,PLAINTEXT://d-e:4,a:1,";
        let expected = [address("a", 1), address("b.c", 2), address("::1", 9092)];
        let expected = [&expected[..], &[address("d-e", 4)]].concat();
        assert_eq!(parse(given).unwrap(), expected);
    }

    #[test]
    fn what_is_no_address_is_named() {
        let table = [
            ("localhost", "Invalid url in bootstrap.servers: localhost"),
            ("localhost:", "Invalid url in bootstrap.servers: localhost:"),
            ("a:1,:2", "Invalid url in bootstrap.servers: :2"),
            ("a:9o92", "Invalid url in bootstrap.servers: a:9o92"),
            ("a:70000", "Invalid port in bootstrap.servers: a:70000"),
            (" ,", "No resolvable bootstrap urls given in bootstrap.servers"),
        ];
        for (given, problem) in table {
            assert_eq!(parse(given).unwrap_err().to_string(), problem, "{given}");
        }
    }
}
