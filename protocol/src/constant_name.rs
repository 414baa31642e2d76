//! Names as Java's constants are written: `RequestTimedOut` is `REQUEST_TIMED_OUT`.

/// The constant's name of one in camel case.
#[must_use]
pub fn constant_name(name: &str) -> String {
    let mut constant = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !constant.is_empty() {
            constant.push('_');
        }
        constant.push(letter.to_ascii_uppercase());
    }
    constant
}

#[cfg(test)]
mod tests {
    use super::constant_name;

    #[test]
    fn a_name_is_written_as_javas_constant() {
        assert_eq!(constant_name("DescribeCluster"), "DESCRIBE_CLUSTER");
        assert_eq!(constant_name(""), "");
    }
}
