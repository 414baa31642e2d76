//! What `add-controller` takes from the file of the controller that shall come.
//!
//! Answers to `getControllerId`, `getMetadataDirectory`, `getMetadataDirectoryId` and
//! `getControllerAdvertisedListeners` of MetadataQuorumCommand.

use std::path::Path;

use client::admin::VoterEndpoint;
use config::Properties;
use protocol::Base64Uuid;
use storage::{MetaProperties, MetaPropertiesError};

/// A controller on its way into the quorum.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Controller {
    pub(super) id: i32,
    pub(super) directory_id: Base64Uuid,
    pub(super) endpoints: Vec<VoterEndpoint>,
}

impl Controller {
    /// Reads the file and the directory it names; what is wrong in Kafka's words.
    pub(super) fn read(properties: &Properties) -> Result<Self, String> {
        let id = node_id(properties)?;
        let directory = metadata_directory(properties)?;
        let directory_id = directory_id(&directory)?;
        Ok(Self { id, directory_id, endpoints: endpoints(properties)? })
    }
}

fn node_id(properties: &Properties) -> Result<i32, String> {
    let hint = "Is this a valid controller configuration file?";
    let Some(text) = properties.get("node.id") else {
        return Err(format!("node.id not found in configuration file. {hint}"));
    };
    let id: i32 = text.parse().map_err(|_| format!("For input string: \"{text}\""))?;
    if id < 0 {
        return Err(format!("node.id was negative in configuration file. {hint}"));
    }
    match properties.get("process.roles").is_some_and(|roles| roles.contains("controller")) {
        true => Ok(id),
        false => {
            Err(format!("process.roles did not contain 'controller' in configuration file. {hint}"))
        }
    }
}

fn metadata_directory(properties: &Properties) -> Result<String, String> {
    if let Some(directory) = properties.get("metadata.log.dir") {
        return Ok(directory.to_owned());
    }
    let listed = properties.get("log.dirs");
    let first = listed.and_then(|list| list.trim().split(',').next());
    first.map(str::to_owned).ok_or_else(|| {
        "Neither metadata.log.dir nor log.dirs were found. Is this a valid controller \
         configuration file?"
            .to_owned()
    })
}

fn directory_id(directory: &str) -> Result<Base64Uuid, String> {
    let meta = MetaProperties::read(Path::new(directory)).map_err(|error| match error {
        MetaPropertiesError::Missing => {
            format!("Unable to read meta.properties from {directory}")
        }
        MetaPropertiesError::Broken(problem) => problem,
    })?;
    meta.directory_id.ok_or_else(|| format!("No directory id found in {directory}"))
}

fn endpoints(properties: &Properties) -> Result<Vec<VoterEndpoint>, String> {
    let mut listeners: Vec<VoterEndpoint> = Vec::new();
    for key in ["listeners", "advertised.listeners"] {
        let listed = properties.get(key).unwrap_or_default().split(',');
        for text in listed.map(str::trim).filter(|text| !text.is_empty()) {
            let endpoint = endpoint(text)
                .ok_or_else(|| format!("Unable to parse {text} to a broker endpoint"))?;
            listeners.retain(|known| known.listener != endpoint.listener);
            listeners.push(endpoint);
        }
    }
    let names = properties.get("controller.listener.names").ok_or(
        "controller.listener.names was not found. Is this a valid controller configuration file?",
    )?;
    let mut found: Vec<VoterEndpoint> = Vec::new();
    for name in names.split(',').map(str::to_uppercase) {
        let listener = listeners.iter().find(|listener| listener.listener == name);
        let listener = listener.ok_or_else(|| {
            format!("Cannot find information about controller listener name: {name}")
        })?;
        if !found.contains(listener) {
            found.push(listener.clone());
        }
    }
    Ok(found)
}

/// `NAME://host:port`, the host in brackets where it holds colons, or missing.
fn endpoint(text: &str) -> Option<VoterEndpoint> {
    let (name, place) = text.split_once("://")?;
    let (host, port) = place.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let host = if host.is_empty() { "localhost" } else { host };
    let port = port.parse().ok()?;
    Some(VoterEndpoint { listener: name.to_uppercase(), host: host.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(lines: &str) -> Properties {
        Properties::parse(lines.as_bytes()).unwrap()
    }

    #[test]
    fn a_controller_is_read_from_its_file_and_its_directory() {
        let folder = tempfile::tempdir().unwrap();
        let id = Base64Uuid::parse("MvDxzVmcRsaTz33bUuRU6A").unwrap();
        let meta = MetaProperties {
            version: 1,
            cluster_id: Some("some-cluster".to_owned()),
            node_id: Some(7),
            directory_id: Some(id),
        };
        meta.write(folder.path(), 0).unwrap();
        let lines = format!(
            "node.id=7\nprocess.roles=controller\nlog.dirs={}\nlisteners=C://:1,D://[::1]:2\n\
             advertised.listeners=C://a:3\ncontroller.listener.names=D,c\n",
            folder.path().display()
        );
        let read = Controller::read(&properties(&lines)).unwrap();
        let endpoints: Vec<String> = read.endpoints.iter().map(ToString::to_string).collect();
        assert_eq!((read.id, read.directory_id), (7, id));
        assert_eq!(endpoints, ["D://[::1]:2", "C://a:3"]);
    }

    #[test]
    fn what_is_missing_in_the_file_is_named() {
        let hint = "Is this a valid controller configuration file?";
        let table = [
            ("a=b", format!("node.id not found in configuration file. {hint}")),
            ("node.id=-1", format!("node.id was negative in configuration file. {hint}")),
            (
                "node.id=1\nprocess.roles=broker",
                format!("process.roles did not contain 'controller' in configuration file. {hint}"),
            ),
            (
                "node.id=1\nprocess.roles=controller",
                format!("Neither metadata.log.dir nor log.dirs were found. {hint}"),
            ),
        ];
        for (lines, words) in table {
            assert_eq!(Controller::read(&properties(lines)), Err(words), "{lines}");
        }
        assert!(endpoints(&properties("listeners=nothing")).is_err());
    }
}
