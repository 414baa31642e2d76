//! Options for a JVM that people set in the environment. There is none: sizes of heaps, garbage
//! collectors and log4j files are passed over in silence, and what was to secure something is one
//! warning.

/// Variables that kafka-run-class.sh hands to the JVM.
const VARIABLES: &[&str] = &["KAFKA_OPTS", "KAFKA_JVM_PERFORMANCE_OPTS", "KAFKA_HEAP_OPTS"];

/// What would have named the logins of SASL.
const LOGIN: &str = "-Djava.security.auth.login.config=";

/// Warnings about the options in the environment.
pub(crate) fn notice() -> Vec<String> {
    let given = VARIABLES.iter().filter_map(|name| Some((*name, std::env::var(name).ok()?)));
    given.filter_map(|(name, options)| notice_of(name, &options)).collect()
}

fn notice_of(name: &str, options: &str) -> Option<String> {
    let file = options.split_whitespace().find_map(|option| option.strip_prefix(LOGIN))?;
    Some(format!(
        "{name} names a JAAS file, {file}: it is not read, since listeners are plaintext so far"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jaas_file_is_named_and_other_options_are_passed_over() {
        let options = "-Xmx1G -Djava.security.auth.login.config=/etc/kafka/jaas.conf -Dx=y";
        let said = notice_of("KAFKA_OPTS", options).unwrap();
        assert!(said.contains("KAFKA_OPTS") && said.contains("/etc/kafka/jaas.conf"), "{said}");
        for options in ["", "-Xmx1G -Xms1G", "-Dlog4j.configuration=file:x -Dkafka.logs.dir=/l"] {
            assert_eq!(notice_of("KAFKA_OPTS", options), None, "{options}");
        }
    }
}
