//! Which resources and which entries a command line means.
//!
//! Pure. Answers to `AclCommand.getResourceFilterToAcls` and what it calls. Unlike Kafka, whose
//! sets have no order: resources and entries come in the order in which they are typed
//! (docs/decisions/0372).

use client::admin::{
    AccessControlEntry, AclOperation, PatternType, PermissionType, ResourcePattern, ResourceType,
};

use super::Failure;
use crate::joptsimple::{OptionError, ParsedOptions};
use crate::refused::Refused;
use crate::release::CliRelease;

const CLUSTER_NAME: &str = "kafka-cluster";

/// Resources, each with what shall be added or removed; nothing stands for all there is.
pub(super) type Entries = Vec<(ResourcePattern, Vec<AccessControlEntry>)>;

/// The value of --resource-pattern-type.
pub(super) fn pattern_type(given: &ParsedOptions) -> Result<PatternType, Failure> {
    const NAME: &str = "resource-pattern-type";
    let Some(typed) = given.value(NAME)? else { return Ok(PatternType::Literal) };
    let mut known = PatternType::ALL.iter().filter(|one| **one != PatternType::Unknown);
    let found = known.find(|one| one.constant().eq_ignore_ascii_case(typed));
    let wrong = || OptionError::Conversion { name: NAME, argument: typed.to_owned() };
    Ok(*found.ok_or_else(wrong)?)
}

fn literal_cluster() -> ResourcePattern {
    ResourcePattern {
        resource_type: ResourceType::Cluster,
        name: Some(CLUSTER_NAME.to_owned()),
        pattern_type: PatternType::Literal,
    }
}

/// The resources that are named; none where none is.
pub(super) fn resources(given: &ParsedOptions) -> Result<Vec<ResourcePattern>, Failure> {
    let pattern_type = pattern_type(given)?;
    let mut resources = Vec::new();
    let mut add = |resource| {
        if !resources.contains(&resource) {
            resources.push(resource);
        }
    };
    let named = |option, resource_type| {
        given.values(option).into_iter().map(move |name: &str| ResourcePattern {
            resource_type,
            // Kafka takes a transactional id as it is.
            name: Some(match option {
                "transactional-id" => name.to_owned(),
                _ => name.trim().to_owned(),
            }),
            pattern_type,
        })
    };
    named("topic", ResourceType::Topic).for_each(&mut add);
    if pattern_type == PatternType::Literal && (given.has("cluster") || given.has("idempotent")) {
        add(literal_cluster());
    }
    named("group", ResourceType::Group).for_each(&mut add);
    named("transactional-id", ResourceType::TransactionalId).for_each(&mut add);
    named("delegation-token", ResourceType::DelegationToken).for_each(&mut add);
    named("user-principal", ResourceType::User).for_each(&mut add);
    Ok(resources)
}

/// `User:alice` of an option's values, checked.
pub(super) fn principals(given: &ParsedOptions, option: &str) -> Result<Vec<String>, Failure> {
    let principal = |typed: &str| match typed.trim() {
        whole if whole.contains(':') => Ok(whole.to_owned()),
        other => Err(Failure::Words(format!(
            "expected a string in format principalType:principalName but got {other}"
        ))),
    };
    given.values(option).into_iter().map(principal).collect()
}

fn hosts(given: &ParsedOptions, host: &str, principal: &str) -> Vec<String> {
    match (given.has(host), given.has(principal)) {
        (true, _) => given.values(host).into_iter().map(|host| host.trim().to_owned()).collect(),
        (false, true) => vec!["*".to_owned()],
        (false, false) => Vec::new(),
    }
}

/// The entries that allow and deny these operations to who is named.
fn entries(
    given: &ParsedOptions,
    operations: &[AclOperation],
) -> Result<Vec<AccessControlEntry>, Failure> {
    let sides = [
        ("allow-principal", "allow-host", PermissionType::Allow),
        ("deny-principal", "deny-host", PermissionType::Deny),
    ];
    let mut entries = Vec::new();
    for (principal, host, permission_type) in sides {
        let hosts = hosts(given, host, principal);
        for principal in principals(given, principal)? {
            for operation in operations {
                entries.extend(hosts.iter().map(|host| AccessControlEntry {
                    principal: principal.clone(),
                    host: host.clone(),
                    operation: *operation,
                    permission_type,
                }));
            }
        }
    }
    Ok(without_repetition(entries))
}

fn without_repetition(entries: Vec<AccessControlEntry>) -> Vec<AccessControlEntry> {
    let mut kept: Vec<AccessControlEntry> = Vec::with_capacity(entries.len());
    for entry in entries {
        if !kept.contains(&entry) {
            kept.push(entry);
        }
    }
    kept
}

/// An operation by its name without underscores, `DescribeConfigs`, in this case or in capitals.
fn operation(typed: &str) -> AclOperation {
    let typed = typed.trim();
    let named = |one: &&AclOperation| {
        let pascal = pascal_case(one.constant());
        typed == pascal || typed.to_uppercase() == pascal.to_uppercase()
    };
    AclOperation::ALL.iter().find(named).copied().unwrap_or(AclOperation::Unknown)
}

fn pascal_case(constant: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at(1);
        first.to_owned() + &rest.to_lowercase()
    };
    constant.split('_').map(word).collect()
}

/// What shall be added or removed.
pub(super) fn of_resources(given: &ParsedOptions) -> Result<Entries, Failure> {
    let resources = resources(given)?;
    if resources.is_empty() {
        return Err(usage(
            "You must provide at least one resource: --topic <topic> or --cluster or --group \
             <group> or --delegation-token <Delegation Token ID>"
                .to_owned(),
        ));
    }
    let mut all = Entries::new();
    if given.has("producer") {
        of_producer(given, &resources, &mut all)?;
    }
    if given.has("consumer") {
        of_consumer(given, &resources, &mut all)?;
    }
    if !given.has("producer") && !given.has("consumer") {
        let typed = given.values("operation");
        let operations: Vec<AclOperation> = match typed.is_empty() {
            true => vec![AclOperation::All],
            false => typed.into_iter().map(operation).collect(),
        };
        let entries = entries(given, &operations)?;
        all = resources.into_iter().map(|resource| (resource, entries.clone())).collect();
    }
    let release = given.release();
    all.iter().try_for_each(|(resource, entries)| supported(release, resource, entries))?;
    Ok(all)
}

fn of_producer(
    given: &ParsedOptions,
    resources: &[ResourcePattern],
    all: &mut Entries,
) -> Result<(), Failure> {
    use AclOperation::{Create, Describe, IdempotentWrite, Write};
    for resource in resources {
        let operations: &[AclOperation] = match resource.resource_type {
            ResourceType::Topic => &[Write, Describe, Create],
            ResourceType::TransactionalId => &[Write, Describe],
            _ => continue,
        };
        all.push((resource.clone(), entries(given, operations)?));
    }
    if given.has("idempotent") {
        all.push((literal_cluster(), entries(given, &[IdempotentWrite])?));
    }
    Ok(())
}

fn of_consumer(
    given: &ParsedOptions,
    resources: &[ResourcePattern],
    all: &mut Entries,
) -> Result<(), Failure> {
    for resource in resources {
        let operations: &[AclOperation] = match resource.resource_type {
            ResourceType::Topic => &[AclOperation::Read, AclOperation::Describe],
            ResourceType::Group => &[AclOperation::Read],
            _ => continue,
        };
        let more = entries(given, operations)?;
        match all.iter_mut().find(|(known, _)| known == resource) {
            Some((_, known)) => {
                known.extend(more);
                *known = without_repetition(std::mem::take(known));
            }
            None => all.push((resource.clone(), more)),
        }
    }
    Ok(())
}

fn usage(words: String) -> Failure {
    Failure::Refused(Refused::Usage(words))
}

/// Operations that mean something to a kind of resource: `AclEntry.supportedOperations`.
fn operations_of(release: CliRelease, resource: ResourceType) -> &'static [AclOperation] {
    use AclOperation::{
        Alter, AlterConfigs, ClusterAction, Create, CreateTokens, Delete, Describe,
        DescribeConfigs, DescribeTokens, IdempotentWrite, Read, TwoPhaseCommit, Write,
    };
    match resource {
        ResourceType::Topic => {
            &[Read, Write, Create, Describe, Delete, Alter, DescribeConfigs, AlterConfigs]
        }
        ResourceType::Group => release.either(
            &[Read, Describe, Delete],
            &[Read, Describe, Delete, DescribeConfigs, AlterConfigs],
        ),
        ResourceType::Cluster => &[
            Create,
            ClusterAction,
            DescribeConfigs,
            AlterConfigs,
            IdempotentWrite,
            Alter,
            Describe,
        ],
        ResourceType::TransactionalId => {
            release.either(&[Describe, Write], &[Describe, Write, TwoPhaseCommit])
        }
        ResourceType::DelegationToken => &[Describe],
        ResourceType::User => &[CreateTokens, DescribeTokens],
        ResourceType::Unknown | ResourceType::Any => &[],
    }
}

fn supported(
    release: CliRelease,
    resource: &ResourcePattern,
    entries: &[AccessControlEntry],
) -> Result<(), Failure> {
    let valid = operations_of(release, resource.resource_type);
    let is_valid = |entry: &AccessControlEntry| {
        entry.operation == AclOperation::All || valid.contains(&entry.operation)
    };
    if entries.iter().all(is_valid) {
        return Ok(());
    }
    let shown = |one: &AclOperation| match release.is_3_7() {
        true => pascal_case(one.constant()),
        false => one.constant().to_owned(),
    };
    let shown: Vec<String> = valid.iter().chain(&[AclOperation::All]).map(shown).collect();
    let (open, close) = release.either(("", ""), ("[", "]"));
    let kind = resource.resource_type;
    let list = shown.join(", ");
    Err(usage(format!("ResourceType {kind} only supports operations {open}{list}{close}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::joptsimple::parse;
    use crate::kafka_acls::options::OPTIONS;

    fn of(line: &str) -> Result<Vec<String>, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let entries = of_resources(&parse(OPTIONS, &words).unwrap());
        let entries = entries.map_err(|failure| match failure {
            Failure::Refused(Refused::Usage(words)) => words,
            other => other.to_string(),
        })?;
        let shown = |(resource, entries): &(ResourcePattern, Vec<AccessControlEntry>)| {
            let name = resource.name.clone().unwrap_or_default();
            let entries = entries.iter().map(|entry| {
                let AccessControlEntry { principal, host, operation, permission_type } = entry;
                format!(" {permission_type} {principal}@{host} {operation}")
            });
            format!("{} {name}:{}", resource.resource_type, entries.collect::<String>())
        };
        Ok(entries.iter().map(shown).collect())
    }

    #[test]
    fn what_is_typed_makes_entries() {
        let table: [(&str, &[&str]); 6] = [
            ("--topic t --allow-principal User:a", &["TOPIC t: ALLOW User:a@* ALL"]),
            (
                "--topic t --group g --allow-principal User:a --operation Read --deny-principal \
                 User:b --deny-host h",
                &[
                    "TOPIC t: ALLOW User:a@* READ DENY User:b@h READ",
                    "GROUP g: ALLOW User:a@* READ DENY User:b@h READ",
                ],
            ),
            (
                "--producer --topic t --transactional-id x --idempotent --allow-principal User:a",
                &[
                    "TOPIC t: ALLOW User:a@* WRITE ALLOW User:a@* DESCRIBE ALLOW User:a@* CREATE",
                    "TRANSACTIONAL_ID x: ALLOW User:a@* WRITE ALLOW User:a@* DESCRIBE",
                    "CLUSTER kafka-cluster: ALLOW User:a@* IDEMPOTENT_WRITE",
                ],
            ),
            (
                "--consumer --topic t --group g --allow-principal User:a --allow-host h",
                &[
                    "TOPIC t: ALLOW User:a@h READ ALLOW User:a@h DESCRIBE",
                    "GROUP g: ALLOW User:a@h READ",
                ],
            ),
            ("--topic t --topic t", &["TOPIC t:"]),
            (
                "--cluster --allow-principal User:a --operation DESCRIBECONFIGS",
                &["CLUSTER kafka-cluster: ALLOW User:a@* DESCRIBE_CONFIGS"],
            ),
        ];
        for (line, expected) in table {
            assert_eq!(of(line).unwrap(), expected, "{line}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        let table = [
            ("--allow-principal User:a", "You must provide at least one resource"),
            ("--topic t --allow-principal a", "in format principalType:principalName but got a"),
            (
                "--delegation-token d --allow-principal User:a --operation Read",
                "ResourceType DELEGATION_TOKEN only supports operations [DESCRIBE, ALL]",
            ),
            (
                "--topic t --resource-pattern-type some",
                "Cannot parse argument 'some' of option resource-pattern-type",
            ),
            ("--cluster --resource-pattern-type prefixed", "You must provide at least one"),
        ];
        for (line, expected) in table {
            let refused = of(line).unwrap_err();
            assert!(refused.contains(expected), "{line}: {refused}");
        }
    }
}
