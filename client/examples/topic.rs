//! Makes a topic and says who leads its partitions: `topic SERVERS NAME PARTITIONS`.

use std::error::Error;

use client::admin::{Admin, AdminSettings, Bootstrap, NewTopic};
use client::bootstrap;

/// How many partitions one answer may describe.
const PAGE: i32 = 2000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [servers, name, partitions] = args.as_slice() else {
        return Err("topic SERVERS NAME PARTITIONS".into());
    };
    let settings = AdminSettings::from_properties([("request.timeout.ms", "5000")])?;
    let addresses = bootstrap::parse(servers)?;
    let told = Box::new(|node: &client::admin::Node, error: &client::PeerError| {
        eprintln!("node {}: {error}", node.id);
    });
    let mut admin = Admin::new(Bootstrap::Servers, addresses, settings, told);

    let topic = NewTopic {
        name: name.clone(),
        partitions: Some(partitions.parse()?),
        ..NewTopic::default()
    };
    admin.create_topic(&topic).await?;
    for topic in admin.describe_topics(std::slice::from_ref(name), PAGE).await? {
        for partition in topic.partitions {
            println!("{}-{}: leader {:?}", topic.name, partition.index, partition.leader);
        }
    }
    Ok(())
}
